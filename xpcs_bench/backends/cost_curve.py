"""What calls cost over size, from the sizes that were measured."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["CostCurve", "Seconds"]


class Seconds(NamedTuple):
    """A time with its interval (s)."""

    point: float
    lower: float
    upper: float


_Row = tuple[float, Seconds, Seconds, Seconds]
"""Size (bytes), first call of a fresh process, first call of a later shape, cached."""


class CostCurve:
    """Times of one candidate, interpolated between the logarithms of sizes and times.

    Below the smallest size its times hold: what is left there is the cost of calling.
    Above the largest a cached call grows in proportion to the size, and what a first
    call costs beyond a cached one stays, since compiling does not look at the data.

    Parameters
    ----------
    rows : iterable
        At least one; of several with one size the geometric mean counts.
    """

    __slots__ = ("_again", "_at", "_cached", "_first", "_known")

    def __init__(self, rows: Iterable[_Row]) -> None:
        by_size: dict[float, list[tuple[Seconds, Seconds, Seconds]]] = {}
        for size, *times in rows:
            by_size.setdefault(size, []).append((times[0], times[1], times[2]))
        self._at = [math.log(size) for size in sorted(by_size)]
        together = [by_size[size] for size in sorted(by_size)]
        self._first, self._again, self._cached = (
            [_mean_logs([times[which] for times in same]) for same in together]
            for which in range(3)
        )
        self._known: dict[float, _Costs] = {}

    def total(
        self, at: float, calls: int, *, ready: bool, fresh: bool
    ) -> tuple[Seconds, bool]:
        """Return the time of so many calls, and whether the size lies in the range.

        Parameters
        ----------
        at : float
            Logarithm of the size.
        ready : bool
            Whether this shape was compiled before: every call is a cached one.
        fresh : bool
            Whether the first call is that of a fresh process.
        """
        costs = self._known.get(at)
        if costs is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            costs = self._known[at] = self._costs(at)
        (point, lower, upper), again, first, measured = costs
        more = _NOTHING if ready else first if fresh else again
        total = Seconds(
            more.point + calls * point,
            more.lower + calls * lower,
            more.upper + calls * upper,
        )
        return total, measured

    def _costs(self, at: float) -> _Costs:
        ats = self._at
        place = min(max(at, ats[0]), ats[-1])
        after = min(max(bisect_right(ats, place), 1), len(ats) - 1) if ats[1:] else 0
        before = max(after - 1, 0)
        width = ats[after] - ats[before]
        part = (place - ats[before]) / width if width else 0.0
        cached, again, first = (
            _between(rows[before], rows[after], part)
            for rows in (self._cached, self._again, self._first)
        )
        growth = math.exp(at - place) if at > place else 1.0
        return (
            Seconds(*(growth * each for each in cached)),
            _beyond(again, cached),
            _beyond(first, cached),
            at == place,
        )


_Costs = tuple[Seconds, Seconds, Seconds, bool]
"""A cached call, what the first takes beyond it in a program that goes on and in a
fresh process, and whether the size lies in the range."""
_NOTHING = Seconds(0.0, 0.0, 0.0)
_KEPT = 1024
"""Sizes whose costs are kept: a program asks for few, again and again."""


def _mean_logs(times: list[Seconds]) -> Seconds:
    ends = zip(*times, strict=True)
    return Seconds(*(math.fsum(map(math.log, end)) / len(end) for end in ends))


def _between(before: Seconds, after: Seconds, part: float) -> Seconds:
    return Seconds(
        *(
            math.exp(low + part * (high - low))
            for low, high in zip(before, after, strict=True)
        )
    )


def _beyond(first: Seconds, cached: Seconds) -> Seconds:
    """Return what a first call takes beyond a cached one.

    Processes differ: a first call that was shorter counts as a cached one.
    """
    return Seconds(*(max(f - c, 0.0) for f, c in zip(first, cached, strict=True)))
