"""What an interval of candidate / baseline allows to say."""

from __future__ import annotations

from xpcs_bench.records import Estimate, Judgement

__all__ = ["MARGIN", "STORED_MARGIN", "judge_ratio", "judge_stored_ratio"]

MARGIN = 0.02
"""Ratios within 2 % of 1 are called the same: layout alone moves a kernel that much."""
STORED_MARGIN = 0.20
"""The same where the sides are runs that did not take turns: the day alone moves a
kernel that much. See benchmarks/engine/apart.py."""


def judge_ratio(ratio: Estimate) -> Judgement:
    """Say what an interval of candidate / baseline allows to say."""
    if ratio.lower >= 1 / (1 + MARGIN) and ratio.upper <= 1 + MARGIN:
        return Judgement.SAME
    if ratio.upper < 1:
        return Judgement.FASTER
    if ratio.lower > 1:
        return Judgement.SLOWER
    return Judgement.INCONCLUSIVE


def judge_stored_ratio(ratio: Estimate, margin: float = STORED_MARGIN) -> Judgement:
    """Say what an interval of candidate / baseline allows to say between two runs.

    Faster and slower have to be beyond the margin too, as far as the point goes: what
    a day may do by itself is never called a change, however surely it was measured.
    """
    least, most = 1 / (1 + margin), 1 + margin
    if ratio.lower >= least and ratio.upper <= most:
        return Judgement.SAME
    if ratio.upper < 1 and ratio.point < least:
        return Judgement.FASTER
    if ratio.lower > 1 and ratio.point > most:
        return Judgement.SLOWER
    return Judgement.INCONCLUSIVE
