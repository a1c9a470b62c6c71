"""What an interval of candidate / baseline allows to say."""

from __future__ import annotations

from xpcs_bench.records import Estimate, Judgement

__all__ = ["MARGIN", "judge_ratio"]

MARGIN = 0.02
"""Ratios within 2 % of 1 are called the same: layout alone moves a kernel that much."""


def judge_ratio(ratio: Estimate) -> Judgement:
    """Say what an interval of candidate / baseline allows to say."""
    if ratio.lower >= 1 / (1 + MARGIN) and ratio.upper <= 1 + MARGIN:
        return Judgement.SAME
    if ratio.upper < 1:
        return Judgement.FASTER
    if ratio.lower > 1:
        return Judgement.SLOWER
    return Judgement.INCONCLUSIVE
