"""What of a measured case asv keeps: one number a measure, with asv's unit for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from xpcs_bench.records import RunRecord

__all__ = ["METRICS", "Metric"]


@dataclass(frozen=True)
class Metric:
    """One number of one case."""

    says: str
    """What the number is, for the title of a graph."""
    unit: str
    """asv's word: it scales ``seconds`` and ``bytes`` by itself."""
    version: str
    """Raised when the number changes its meaning; asv then starts a new history."""
    read: Callable[[RunRecord], float]
    """From the record of a run of the one case."""


def _estimate(record: RunRecord) -> float:
    """Return the point estimate of the only metric."""
    (row,) = record.summary.estimates
    return row.estimate.point


def _largest_ulp(record: RunRecord) -> float:
    """Return the largest distance of any output; NaN (n/a) where none is in ULP."""
    distances = [
        check.max_ulp
        for measurement in record.measurements
        for check in measurement.observation.checks
        if check.max_ulp is not None
    ]
    return max(distances, default=math.nan)


METRICS = {
    "first_call": Metric("first call of a fresh process", "seconds", "1", _estimate),
    "steady_state": Metric("cached call", "seconds", "1", _estimate),
    "conversion": Metric("conversion", "seconds", "1", _estimate),
    "peak_memory": Metric("peak memory over idle", "bytes", "1", _estimate),
    "parity": Metric("largest distance in ULP", "ulp", "1", _largest_ulp),
}
"""By measure. Stages are six numbers and have no place here: see the report."""
