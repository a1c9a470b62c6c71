"""A check that breaks, or whose package is missing, costs itself alone."""

import pytest

from xpcs_bench.errors import ConfigError
from xpcs_bench.measure.examination import clocks, registry
from xpcs_bench.measure.examination.finding import Surroundings, passed, skipped
from xpcs_bench.measure.examination.registry import CHECKS, PROCESSES, Entry, examine
from xpcs_bench.records import Diagnosis, Outcome


@pytest.fixture
def scripted(monkeypatch):
    def make(check):
        monkeypatch.setattr(clocks, "clock", check)
        return examine("clock")

    return make


def test_a_finding_becomes_a_diagnosis(scripted):
    found = scripted(lambda _: passed("fine", numbers={"cost": (1.0, "s")}))
    assert (found.check, found.outcome) == ("clock", Outcome.PASS)
    assert (found.found, found.advice) == ("fine", "")
    assert [(row.name, row.value, row.unit) for row in found.quantities] == [
        ("cost", 1.0, "s")
    ]


def test_the_check_gets_its_surroundings(scripted, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--a")
    seen = []

    def look(surroundings):
        seen.append(surroundings)
        return passed("fine")

    scripted(look)
    own = Surroundings(variables={"A": "b"})
    examine("clock", own)
    assert seen[0].variables["XLA_FLAGS"] == "--a"
    assert seen[0].cores >= 1
    assert seen[1] is own


def test_a_package_that_is_missing_skips(scripted):
    def check(_):
        msg = "No module named 'jax'"
        raise ModuleNotFoundError(msg, name="jax.numpy")

    found = scripted(check)
    assert found.outcome is Outcome.SKIP
    assert "needs jax" in found.found
    assert "pip install jax" in found.advice


def test_a_check_that_breaks_is_an_error_with_its_reason(scripted):
    def check(_):
        msg = "by zero"
        raise ZeroDivisionError(msg)

    found = scripted(check)
    assert found.outcome is Outcome.ERROR
    assert found.found == "ZeroDivisionError: by zero"
    assert found.advice == CHECKS["clock"].remedy


def test_a_check_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"'clocks'\. Allowed: load, noise"):
        examine("clocks")


def test_without_an_advice_only_a_pass_is_complete():
    for outcome in Outcome:
        if outcome is Outcome.PASS:
            Diagnosis(check="a", outcome=outcome, found="b", advice="")
            continue
        with pytest.raises(ValueError, match="needs an advice"):
            Diagnosis(check="a", outcome=outcome, found="b", advice="")


def test_what_a_check_waits_for_comes_before_it():
    names = list(CHECKS)
    for name, entry in CHECKS.items():
        assert entry.process in PROCESSES
        if entry.after:
            assert names.index(entry.after) < names.index(name)


def test_an_entry_names_a_function_of_this_package(monkeypatch):
    monkeypatch.setitem(registry.CHECKS, "broken", Entry("nowhere:check"))
    found = examine("broken")
    assert found.outcome is Outcome.ERROR  # nobody can install what is ours
    assert "nowhere" in found.found


def test_a_file_that_cannot_be_read_has_no_text(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    surroundings = Surroundings(root=tmp_path)
    assert surroundings.text("binary") is None
    assert surroundings.text("missing") is None
    assert surroundings.text(".") is None
    assert skipped("a", "b").outcome is Outcome.SKIP
