"""Two cases that the same processes measured, pair by pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xpcs_bench.analysis.estimate import Prior, prior_for
from xpcs_bench.analysis.readings import CaseReadings
from xpcs_bench.records import Case

__all__ = ["Pairs", "paired"]


@dataclass(frozen=True)
class Pairs:
    """Readings of two cases, paired by process and told by one clock."""

    baseline: Sequence[float]
    candidate: Sequence[float]
    prior: Prior
    """What is known of the spread of their ratio."""
    n_samples: int


def paired(
    readings: Mapping[str, CaseReadings], baseline: str, candidate: Case, metric: str
) -> Pairs | None:
    """Pair two cases; None where no process measured both.

    CPU time is compared with CPU time alone: where one side has several threads both
    are told by wall time.
    """
    if baseline not in readings or candidate.id not in readings:
        return None
    sides = (readings[baseline], readings[candidate.id])
    by_cpu = all(side.by_cpu for side in sides)
    first, second = (
        (side.by_cpu_time if by_cpu else side.by_wall_time).get(metric, [])
        for side in sides
    )
    base = {row.process: row for row in first}
    pairs = [
        (base[row.process], row)
        for row in second
        if row.process in base and min(base[row.process].value, row.value) > 0
    ]
    if not pairs:
        return None
    return Pairs(
        [b.value for b, _ in pairs],
        [c.value for _, c in pairs],
        prior_for(candidate.measure, [math.hypot(b.doubt, c.doubt) for b, c in pairs]),
        sum(b.n_samples + c.n_samples for b, c in pairs),
    )
