"""The verb that examines a machine: scripted checks, and a real run of all of them."""

import json

import pytest

from xpcs_bench.cli import examining
from xpcs_bench.errors import ExitCode, WorkerCrashed
from xpcs_bench.measure.examination.registry import CHECKS
from xpcs_bench.records import Diagnosis, MachineReport, Outcome, best


def diagnosis(check, outcome):
    return Diagnosis(
        check=check, outcome=outcome, found=f"found [{outcome}] of it", advice="Do it."
    )


@pytest.fixture
def doctor(monkeypatch, capsys):
    """Run the verb on checks whose outcomes are told."""

    def run(*outcomes, expression=None, quiet=False, as_json=False):
        asked = []

        def examine_with(limits, names):
            asked.extend(names)
            yield from map(diagnosis, names, outcomes)

        monkeypatch.setattr(examining, "examine_with", examine_with)
        code = examining.examine_machine(expression, quiet=quiet, as_json=as_json)
        return code, asked, capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((Outcome.PASS, Outcome.PASS), ExitCode.PASS),
        ((Outcome.PASS, Outcome.INCONCLUSIVE), ExitCode.PASS),
        ((Outcome.SKIP, Outcome.SKIP), ExitCode.PASS),
        ((Outcome.FAIL, Outcome.PASS), ExitCode.FAIL),
        ((Outcome.ERROR, Outcome.FAIL), ExitCode.FAIL),
        ((Outcome.ERROR, Outcome.PASS), ExitCode.COULD_NOT_MEASURE),
    ],
)
def test_the_worst_outcome_decides_and_doubt_does_not(doctor, outcomes, code):
    assert doctor(*outcomes)[0] == code


def test_the_table_has_a_row_for_every_check(doctor):
    _, asked, said = doctor(Outcome.PASS, Outcome.SKIP)
    assert asked == list(CHECKS)
    rows = [line.split()[:2] for line in said.out.splitlines()]
    assert ["load", "pass"] in rows
    assert ["noise", "skip"] in rows
    # what looks like markup is a text of the machine, and stays
    assert "found [skip] of it" in said.out
    assert "Do it." in said.out
    assert "1 pass, 0 fail, 0 inconclusive, 1 skip, 0 error" in said.out
    assert said.err.splitlines() == [
        f"[1/{len(CHECKS)}] load: pass",
        f"[2/{len(CHECKS)}] noise: skip",
    ]


def test_quiet_says_results_only(doctor):
    assert doctor(Outcome.PASS, quiet=True)[2].err == ""


def test_a_selection_narrows_it(doctor):
    asked = doctor(Outcome.PASS, expression="clock and not cpu")[1]
    assert asked == ["clock"]


def test_json_is_the_report(doctor):
    code, _, said = doctor(Outcome.FAIL, as_json=True, quiet=True)
    report = MachineReport.model_validate_json(said.out)
    assert report.exit_code == code == ExitCode.FAIL
    assert report.diagnoses == (diagnosis("load", Outcome.FAIL),)
    assert report.environment.cores >= 1


def test_a_selection_of_nothing_is_a_mistake(bench):
    done = bench("doctor", "-k", "abacus", check=ExitCode.USAGE)
    assert "'abacus' selects no check" in done.stderr


def test_a_worker_that_does_not_come_up_could_not_examine(monkeypatch):
    def examine_with(limits, names):
        msg = "the worker ended with exit status 7 and without an answer."
        raise WorkerCrashed(msg)

    monkeypatch.setattr(examining, "examine_with", examine_with)
    with pytest.raises(WorkerCrashed) as caught:
        examining.examine_machine(None, quiet=True, as_json=False)
    assert caught.value.exit_code == ExitCode.COULD_NOT_MEASURE


def test_this_machine_is_examined(bench):
    done = bench("doctor", "--json", "--quiet")
    assert done.returncode in {ExitCode.PASS, ExitCode.FAIL}, done.stderr
    assert done.stderr == ""
    report = MachineReport.model_validate(json.loads(done.stdout))
    assert [row.check for row in report.diagnoses] == list(CHECKS)
    errors = [row for row in report.diagnoses if row.outcome is Outcome.ERROR]
    assert not errors
    found = {row.check: row for row in report.diagnoses}
    for name in ("clock", "cores", "memory", "space", "noise"):
        assert found[name].quantities, name
    ceilings = [row for one in report.diagnoses for row in one.ceilings]
    for threads in ("one", "all"):
        for library in ("numpy", "jax"):
            rows = [row for row in ceilings if row.library == library]
            for dtype in ("float64", "float32"):
                assert best(rows, "flops", threads=threads, dtype=dtype).per_second > 0
            assert best(rows, "bytes", threads=threads, level="memory").per_second > 0
