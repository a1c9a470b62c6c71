"""The list of mutants fits the sources, and the study counts as it says."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def mutants(load):
    return load("mutants", "mutants")


@pytest.fixture
def study(mutants, load):
    return load("mutants", "study")


def test_every_mutant_can_be_applied_and_is_python(mutants):
    assert len(mutants.MUTANTS) >= 66
    assert len({mutant.id for mutant in mutants.MUTANTS}) == len(mutants.MUTANTS)
    for mutant in mutants.MUTANTS:
        file = mutants.SUBJECTS[mutant.subject].file
        compile(mutant.applied((ROOT / file).read_text()), file, "exec")


def test_every_subject_has_tests_that_exist(mutants):
    for subject in mutants.SUBJECTS.values():
        assert subject.tests
        assert all((ROOT / test).is_file() for test in subject.tests)


@pytest.mark.parametrize("source", ["nothing", "old and old"])
def test_a_source_that_has_moved_on_is_said(mutants, source):
    subject = next(iter(mutants.SUBJECTS))
    mutant = mutants.Mutant(subject, "x", "is wrong", "old", "new")
    with pytest.raises(ValueError, match="exactly once"):
        mutant.applied(source)


def answer(study, outcome, reason=""):
    return study.Answer("a/b", "is wrong", outcome, "", reason, "0")


def test_the_score_leaves_out_what_changes_nothing(study):
    killed, survived = answer(study, "killed"), answer(study, "survived")
    equivalent = answer(study, "survived", "The same on every CPU.")
    assert study.score([killed, killed, killed, survived]) == 0.75
    assert study.score([killed, equivalent]) == 1.0
    assert study.score([answer(study, "no tests"), killed]) == 0.5
    assert study.score([answer(study, "timeout")]) == 1.0
    assert study.score([]) == 0.0


def test_tests_pass_fail_or_are_not_there(study, tmp_path):
    (tmp_path / "test_good.py").write_text("def test_it(): pass\n")
    (tmp_path / "test_bad.py").write_text("def test_it(): assert False\n")
    (tmp_path / "test_broken.py").write_text("import no_such_module_here\n")
    (tmp_path / "test_none.py").write_text("")
    assert study.run_tests(tmp_path, ["test_good.py"]) == ("survived", "")
    outcome, evidence = study.run_tests(tmp_path, ["test_good.py", "test_bad.py"])
    assert (outcome, evidence) == ("killed", "FAILED test_bad.py::test_it")
    assert study.run_tests(tmp_path, ["test_broken.py"])[0] == "killed"
    assert study.run_tests(tmp_path, ["test_none.py"])[0] == "no tests"


def test_the_table_names_who_noticed(study):
    row = study.Answer(
        "a/b", "is wrong", "killed", "FAILED tests/t.py::test_it[1-2]", "", "0"
    )
    text = study.markdown([row, answer(study, "survived", "It is the same.")])
    assert "| `a/b` | is wrong | killed | `test_it` |" in text
    assert "- `a/b` (survived): is wrong. It is the same." in text
