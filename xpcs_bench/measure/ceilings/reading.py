"""Readings of one call, of which the shortest tells a rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.clock import Clock

__all__ = ["LONG_NS", "Timed", "WrongValues", "least_ns", "loops_of", "timed"]

_READINGS = 3
"""Least readings of one ceiling."""
_MOST_READINGS = 100
_SHARE_NS = 150_000_000
"""Time for the readings of one ceiling (ns)."""
LONG_NS = 2_000_000
"""A reading is at least this long: handing work to threads costs some 0.05 ms. It is
no longer than it must be: on a busy machine short ones fit between interruptions (ns).
"""
_MOST_LOOPS = 10_000


class WrongValues(CannotMeasure):
    """What was timed returned wrong values: there is no rate to speak of."""


class Timed(NamedTuple):
    """Readings of one call."""

    ns: int
    """Shortest reading."""
    cores: float
    """CPU time over wall time of all readings."""


def timed(call: Callable[[], object], clock: Clock, share_ns: int = _SHARE_NS) -> Timed:
    """Take readings of a call until its share of time is spent."""
    readings: list[int] = []
    cpu_began, began = time.process_time_ns(), clock()
    while len(readings) < _READINGS or (
        len(readings) < _MOST_READINGS and clock() - began < share_ns
    ):
        started = clock()
        call()
        readings.append(clock() - started)
    wall_ns, cpu_ns = clock() - began, time.process_time_ns() - cpu_began
    return Timed(max(1, min(readings)), cpu_ns / max(1, wall_ns))


def least_ns(call: Callable[[], object], clock: Clock) -> int:
    """Shortest of some calls after a first one."""
    call()
    readings = []
    for _ in range(_READINGS):
        started = clock()
        call()
        readings.append(clock() - started)
    return max(1, min(readings))


def loops_of(call: Callable[[], object], clock: Clock) -> int:
    """How many calls make one long reading."""
    return min(_MOST_LOOPS, math.ceil(LONG_NS / least_ns(call, clock)))
