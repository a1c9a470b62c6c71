"""Every oracle that is installed agrees; the study says so, and says when not."""

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "oracles"


def names():
    sys.path.insert(0, str(FOLDER))
    try:
        from oracles import all_oracles

        return list(all_oracles())
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def study(load):
    return load("oracles", "study")


@pytest.mark.parametrize("name", names())
def test_it_agrees(study, name):
    oracle = study.all_oracles()[name]
    if oracle.package and importlib.util.find_spec(oracle.package) is None:
        pytest.skip(f"{oracle.package} is an extra: peers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another package
        found = oracle.compare()
    assert found
    assert [one for one in found if not one.holds] == []


def test_a_difference_beyond_the_bound_or_unknown_does_not_hold(load):
    finding = load("oracles", "finding").Finding
    assert finding("x", 2.0, 2.0, "ULP").holds
    assert not finding("x", 2.1, 2.0, "ULP").holds
    assert not finding("x", float("nan"), 2.0, "ULP").holds


def test_the_study_tells_what_fails_and_what_is_absent(study, load, monkeypatch):
    module = load("oracles", "finding")
    scripted = {
        "good": module.Oracle(
            "good", "A", None, lambda: [module.Finding("x", 1.0, 2.0, "ULP")]
        ),
        "bad": module.Oracle(
            "bad", "B", None, lambda: [module.Finding("y", 3.0, 2.0, "ULP")]
        ),
        "gone": module.Oracle("gone", "C", "no_such_package", list),
    }
    monkeypatch.setattr(study, "all_oracles", lambda: scripted)
    record = {
        "versions": {"python": "3"},
        "oracles": {name: study.ask(name) for name in scripted},
    }
    text = study.markdown(record)
    assert "| 1 ULP | 2 | holds |" in text
    assert "| 3 ULP | 2 | DOES NOT HOLD |" in text
    assert "no_such_package is not installed" in text
