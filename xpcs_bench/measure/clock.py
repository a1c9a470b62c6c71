"""The one place that reads the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import repeat

__all__ = ["Clock", "clock_cost_ns", "now_ns"]

Clock = Callable[[], int]
"""Returns nanoseconds from an arbitrary origin, never less than before."""

now_ns: Clock = time.perf_counter_ns  # noqa: TID251 (this is the one place)


def clock_cost_ns(
    clock: Clock = now_ns, readings: int = 1000, trials: int = 5
) -> float:
    """Cost of one reading (ns): the least of ``trials`` means over many readings.

    Interruptions only ever add, so the least mean is nearest to the cost itself.
    """
    means = []
    for _ in range(trials):
        started = clock()
        for _ in repeat(None, readings):
            clock()
        means.append((clock() - started) / (readings + 1))
    return min(means)
