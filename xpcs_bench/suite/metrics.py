"""What of a measured case asv keeps: one number a benchmark, with asv's unit for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

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


def _counter(name: str, record: RunRecord) -> float:
    """Return a counter; NaN (n/a) where there is none."""
    (measurement,) = record.measurements
    return measurement.observation.counters.get(name, math.nan)


def _counted(name: str, says: str, unit: str = "1") -> Metric:
    return Metric(says, unit, "1", partial(_counter, name))


METRICS: Mapping[str, Mapping[str, Metric]] = {
    "first_call": {
        "": Metric("first call of a fresh process", "seconds", "1", _estimate)
    },
    "recompile": {"": Metric("warm-process recompile", "seconds", "1", _estimate)},
    "steady_state": {"": Metric("cached call", "seconds", "1", _estimate)},
    "conversion": {"": Metric("conversion", "seconds", "1", _estimate)},
    "peak_memory": {"": Metric("peak memory over idle", "bytes", "1", _estimate)},
    "parity": {"": Metric("largest distance in ULP", "ulp", "1", _largest_ulp)},
    "counters": {
        "flops": _counted("flops", "flops of a call"),
        "bytes_accessed": _counted("bytes_accessed", "bytes of a call", "bytes"),
        "temporary_bytes": _counted("temporary_bytes", "temporary memory", "bytes"),
        "hlo_instructions": _counted("hlo_instructions", "optimised instructions"),
    },
}
"""By measure, and by what distinguishes them where it has several: each of those has a
benchmark of its own, and a worker. Stages have no place here: see the report."""
