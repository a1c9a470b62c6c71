"""How a case ended, of all that its processes saw."""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import Observation, Standing, Status

__all__ = ["standing"]

_WORST_FIRST: tuple[Status, ...] = (
    Status.PARITY_FAILED,
    Status.INVALID,
    Status.CRASHED,
    Status.OUT_OF_MEMORY,
    Status.TIMED_OUT,
    Status.RAISED,
    Status.OK,
)


def standing(observations: Iterable[Observation]) -> Standing:
    """Return the worst status; a check that failed is wrong values whatever it says."""
    statuses = {
        Status.PARITY_FAILED
        if any(not check.passed for check in observation.checks)
        else observation.status
        for observation in observations
    }
    return next((s for s in _WORST_FIRST if s in statuses), "not_measured")
