"""The record that is committed: what readers of later versions must still read."""

from pathlib import Path

import pytest

from xpcs_bench.gate import exit_code, judge
from xpcs_bench.run.store import load

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"


@pytest.fixture(scope="module")
def stored():
    from xpcs_bench.records import RunRecord

    return RunRecord.model_validate_json((EXAMPLE / "run.json").read_bytes())


def test_its_conclusions_follow_from_its_evidence(stored):
    _, read = load(EXAMPLE)
    # Student's t comes from a library whose last digit may change
    for ours, theirs in zip(
        read.summary.estimates, stored.summary.estimates, strict=True
    ):
        assert (ours.case, ours.metric) == (theirs.case, theirs.metric)
        for end in ("lower", "point", "upper"):
            assert getattr(ours.estimate, end) == pytest.approx(
                getattr(theirs.estimate, end), rel=1e-12
            )
    assert [row.judgement for row in read.summary.comparisons] == [
        row.judgement for row in stored.summary.comparisons
    ]
    assert read.summary.break_evens == stored.summary.break_evens


def test_its_verdicts_follow_from_its_evidence(stored):
    verdicts = judge(stored)
    assert verdicts == stored.summary.verdicts
    assert exit_code(stored.status, verdicts) == 0
