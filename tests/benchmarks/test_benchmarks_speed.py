"""The study of speed: its arithmetic and its words; nothing is timed here."""

import pytest

from xpcs_bench.records import Ceiling


@pytest.fixture
def study(load):
    return load("speed", "study")


def test_every_contest_is_complete(study):
    for name, contest in study.all_contests().items():
        assert contest.name == name
        assert contest.candidate
        assert contest.rival
        assert contest.rounds >= 3
        assert contest.least_ratio is None or contest.least_ratio > 0


def found(**changes):
    return {
        "candidate": "fast",
        "rival": "slow",
        "least_ratio": 3.0,
        "candidate_s": {"least": 0.001, "median": 0.002},
        "rival_s": {"least": 0.006, "median": 0.008},
        "ratio": 4.0,
        "ratio_middle_half": [3.5, 4.5],
        "apart": "0 elements",
        "bandwidth_part": 0.25,
        "flops_part": None,
    } | changes


def ceiling(per_second):
    return Ceiling(
        resource="bytes",
        per_second=per_second,
        operation="read",
        library="numpy",
        platform="cpu",
        dtype="int64",
        threads="all",
        level="memory",
        working_set_bytes=2**28,
        cores_used=2.0,
        method="Made up.",
    )


def test_a_part_is_of_the_ceiling(study):
    assert study.part(2e9, 0.5, ceiling(16e9)) == 0.25
    assert study.part(None, 0.5, ceiling(16e9)) is None
    assert study.part(2e9, 0.5, None) is None


def text_of(study, row):
    record = {
        "circumstances": {"machine": "a machine", "versions": {"python": "3"}},
        "contests": {"one": row},
    }
    return study.markdown(record)


def test_a_row_says_whether_what_was_asked_is_met(study):
    assert "| 4 (3.5 to 4.5) | 3 met | 25.0% |  |" in text_of(study, found())
    assert "| 5 NOT met |" in text_of(study, found(least_ratio=5.0))
    assert "|  | 25.0% |" in text_of(study, found(least_ratio=None))
    assert "- one: 0 elements" in text_of(study, found())


def test_a_contest_that_could_not_be_played_says_why(study):
    assert "not measured: no such module" in text_of(study, {"lost": "no such module"})
