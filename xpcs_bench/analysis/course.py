"""What is known of a candidate along an axis, and what of it is worth another look.

A size has a sign where the interval of its ratio excludes 1, at a confidence that
allows for as many sizes and looks as there may be, so that all signs of a candidate are
right together. What separates the two ends of a bracket is then a turn, or an odd
number of them. A size without a sign ends no bracket, which is wider for it.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from xpcs_bench.analysis.estimate import PRIORS, Prior, scatter, trimmed_ratio
from xpcs_bench.analysis.pairs import Pairs
from xpcs_bench.config import CrossoverSearch, fixed_grid
from xpcs_bench.records import CrossoverPoint, Estimate, Span, Turn

__all__ = ["LEAST_PAIRS", "LOOKS", "Course", "Line"]

LOOKS = (1, 2, 4, 8)
"""After how many times the processes of the experiment a size is looked at."""
LEAST_PAIRS = 2
"""One pair has an interval too, but all of it is assumption."""
_SCAN = 7
"""Steps of the fixed grid between two sizes of the first scan."""
_STEEPER = 2.0
"""How much steeper than next to it a ratio may be where nobody has looked."""
_LEAST_SLOPE = 0.25
"""Of the logarithm of the ratio over that of the size: what is expected where none was
seen. Of two costs that grow at most in proportion to the size it is at most 1."""
_RESTLESS = 3.0
"""How many times the scatter elsewhere makes a size restless: a burst was at work."""
_SEVERAL = 4
"""Sizes that together tell how far processes scatter; each by two differences."""

Sign = Literal["faster", "slower", "unknown"]


@dataclass(frozen=True)
class Course:
    """What is known of one candidate along the axis, by size."""

    pairs: Mapping[int, Pairs]
    lost: Mapping[int, str]
    """Why there is none: a sentence."""
    skipped: frozenset[int] = frozenset()
    """Those of the lost ones that were so before anything was measured."""
    taken: Mapping[int, int] = field(default_factory=dict)
    """Processes that were tried, with what result ever."""


def _logs(pairs: Pairs) -> list[float]:
    sides = zip(pairs.candidate, pairs.baseline, strict=True)
    return [math.log(candidate / baseline) for candidate, baseline in sides]


@dataclass(frozen=True)
class _Known:
    """One size of a candidate."""

    estimate: Estimate
    log: float
    half: float
    """Half-width of the interval of ``log``."""
    n: int
    restless: bool

    @property
    def sign(self) -> int:
        """-1: the candidate is faster; 1: slower; 0: not certain."""
        if self.n < LEAST_PAIRS or abs(self.log) <= self.half:
            return 0
        return 1 if self.log > 0 else -1


@dataclass(frozen=True)
class _Gap:
    """Two neighbours that are certain, or the border and the nearest, by index."""

    lower: int | None
    upper: int | None
    doubtful: tuple[int, ...]
    """Measured in between, and not certain."""
    turns: bool
    """Whether their signs differ."""


@dataclass(frozen=True)
class _Side:
    """A part of a gap that can be halved."""

    middle: int
    way: float
    """How wide it is, in the logarithm of the size."""
    expected: float
    """What the logarithm of the ratio is in its middle, on a straight line."""


class Line:
    """A course, with what it allows to say at each size."""

    def __init__(self, search: CrossoverSearch, course: Course, processes: int) -> None:
        self._search = search
        self._sizes = search.sizes
        self._course = course
        self._looks = [max(processes, LEAST_PAIRS) * look for look in LOOKS]
        self._lost = {
            index for index, size in enumerate(self._sizes) if size in course.lost
        }

    def taken(self, index: int) -> int:
        """Return how many processes a size has had, by index."""
        return self._course.taken.get(self._sizes[index], 0)

    @property
    def sign_confidence(self) -> float:
        """Of one sign at one look, so that all are right together."""
        ways = len(LOOKS) * max(1, self._search.n_grid // 2)
        return 1 - (1 - self._search.confidence) / ways

    @cached_property
    def known(self) -> dict[int, _Known]:
        """What is known by index, rising."""
        spread = self._spread
        found = {}
        for index, size in enumerate(self._sizes):
            pairs = self._course.pairs.get(size)
            if pairs is None or index in self._lost:
                continue
            prior = Prior(max(pairs.prior.sd, spread), self._prior_df(pairs))
            estimate = trimmed_ratio(
                pairs.baseline,
                pairs.candidate,
                prior,
                pairs.n_samples,
                self.sign_confidence,
            )
            log = math.log(estimate.point)
            own = scatter(_logs(pairs))[0] if len(pairs.baseline) > 1 else 0.0
            found[index] = _Known(
                estimate=estimate,
                log=log,
                half=math.log(estimate.upper) - log,
                n=len(pairs.baseline),
                restless=own > (_RESTLESS * prior.sd) ** 2,
            )
        return found

    def _prior_df(self, pairs: Pairs) -> int:
        """Return for how much the scatter counts that was seen at the other sizes."""
        several = len(self._course.pairs) >= _SEVERAL
        return max(pairs.prior.df, 2 * _SEVERAL) if several else pairs.prior.df

    @property
    def _spread(self) -> float:
        """Scatter between processes (sd of the logarithm), as most sizes have it.

        Of many sizes the median: a burst at a few of them does not move it.
        """
        variances = []
        for size, pairs in self._course.pairs.items():
            if size not in self._course.lost and len(pairs.baseline) > 1:
                variance, df = scatter(_logs(pairs))
                # the median of chi-squared over its mean (Wilson and Hilferty)
                variances.append(variance / (1 - 2 / (9 * df)) ** 3)
        return math.sqrt(statistics.median(variances)) if variances else 0.0

    @cached_property
    def _certain(self) -> list[int]:
        return [index for index, known in self.known.items() if known.sign]

    def scan(self) -> dict[int, int]:
        """Return what the scan and the ends of the range still lack."""
        first = self._looks[0]
        usable = [
            index
            for index, size in enumerate(self._sizes)
            if size not in self._course.skipped
        ]
        if not usable:
            return {}
        lowest, highest = self._sizes[usable[0]], self._sizes[usable[-1]]
        n_steps = len(fixed_grid(lowest, highest, self._search.width)) - 1
        n_parts = max(2, math.ceil(n_steps / _SCAN))
        places = {
            usable[round(part * (len(usable) - 1) / n_parts)]
            for part in range(n_parts + 1)
        }
        wishes = {
            index: first
            for index in places
            if index not in self._lost and self.taken(index) < first
        }
        return wishes or dict.fromkeys(self._borders(), first)

    def _borders(self) -> Iterator[int]:
        """Yield what halves the way between the last size that ran and one that failed.

        A size that failed (it took too long, or too much memory) tells that the range
        ends before it, and walking towards it would fail many times.
        """
        ran = list(self.known)
        failed = sorted(
            index
            for index in self._lost
            if self._sizes[index] not in self._course.skipped
        )
        if not ran or not failed:
            return
        for last, beyond in (
            (ran[-1], [index for index in failed if index > ran[-1]]),
            (ran[0], [index for index in reversed(failed) if index < ran[0]]),
        ):
            if beyond and not self._narrow(last, beyond[0]):
                middle = self._middle(last, beyond[0])
                if middle is not None:
                    yield middle

    def gaps(self) -> Iterator[_Gap]:
        """Yield the borders where they are not certain, and all neighbours between."""
        ends: list[int | None] = [None, *self._certain, None]
        for lower, upper in itertools.pairwise(ends):
            doubtful = tuple(
                index
                for index in self.known
                if (lower is None or index > lower) and (upper is None or index < upper)
            )
            if lower is None or upper is None:
                # nothing lies beyond a border that is certain
                if doubtful:
                    yield _Gap(lower, upper, doubtful, turns=True)
            else:
                turns = self.known[lower].sign != self.known[upper].sign
                yield _Gap(lower, upper, doubtful, turns)

    def narrowed(self, room: int) -> dict[int, int]:
        """Return what would narrow the brackets, and settle what is doubtful.

        Parameters
        ----------
        room : int
            How many new sizes may be among it.
        """
        if not self._certain:
            return self._anything()
        wishes = dict.fromkeys(self._alone(), self._looks[1])
        if wishes:
            return wishes
        for gap in self.gaps():
            if gap.turns or gap.doubtful:
                new = sum(self.taken(index) == 0 for index in wishes)
                wishes |= self._narrower(gap, room=new < room)
        return wishes

    def _alone(self) -> Iterator[int]:
        """Yield sizes that one look alone sets against all their neighbours.

        A burst that lasts through a whole look makes such a size; an order that turns
        twice does, too, and is believed at the second look.
        """
        for at, index in enumerate(self._certain):
            beside = self._certain[max(0, at - 1) : at] + self._certain[at + 1 : at + 2]
            own = self.known[index].sign
            if (
                beside
                and all(self.known[other].sign != own for other in beside)
                and self.taken(index) < self._looks[1]
            ):
                yield index

    def _anything(self) -> dict[int, int]:
        """Look again where a sign is most likely, as long as there is none."""
        unsure = [index for index in self.known if self._next_look(index)]
        ends = list(self.known)[:: max(1, len(self.known) - 1)]
        likely = sorted(unsure, key=self._likelihood, reverse=True)[:1]
        return {
            index: look
            for index in (*ends, *likely)
            if (look := self._next_look(index)) is not None
        }

    def _likelihood(self, index: int) -> float:
        known = self.known[index]
        return abs(known.log) / known.half

    def _next_look(self, index: int) -> int | None:
        return next((look for look in self._looks if look > self.taken(index)), None)

    def _hopeful(self, index: int) -> bool:
        """Whether one more look is likely to give a size its sign."""
        known, look = self.known[index], self._next_look(index)
        if look is None:
            return False
        return known.restless or self._likelihood(index) > math.sqrt(known.n / look)

    def _narrower(self, gap: _Gap, *, room: bool) -> dict[int, int]:
        """Return what narrows a gap: its next size, or processes of a doubtful one."""
        if gap.lower is not None and gap.upper is not None:
            if self._narrow(gap.lower, gap.upper):
                return {}
        elif self._narrow_at_border(gap):
            return {}
        hopeful = [index for index in gap.doubtful if self._hopeful(index)]
        if hopeful:
            return {index: self._next_look(index) or 0 for index in hopeful}
        sides = list(self._sides(gap)) if room else []
        # where a sign is to be expected, the wider side first
        likely = [side for side in sides if side.expected > self._least_log]
        if likely or (sides and not gap.doubtful):
            best = max(likely or sides, key=lambda side: side.way)
            return {best.middle: self._looks[0]}
        outermost = {gap.doubtful[0], gap.doubtful[-1]} if gap.doubtful else set()
        again = {
            index: look
            for index in outermost
            # the last look is for brackets, and for those that are likely to gain by it
            if (look := self._next_look(index)) is not None
            and (gap.turns or look < self._looks[-1])
        }
        if again or not sides:
            return again
        return {max(sides, key=lambda side: side.way).middle: self._looks[0]}

    def _sides(self, gap: _Gap) -> Iterator[_Side]:
        """Yield the ways from each certain end to what is doubtful, or to the other."""
        inner = dict.fromkeys((*gap.doubtful[:1], *gap.doubtful[-1:]))
        ends = [index for index in (gap.lower, *inner, gap.upper) if index is not None]
        for lower, upper in itertools.pairwise(ends):
            if not {lower, upper} & set(self._certain):
                continue
            middle = self._middle(lower, upper)
            if middle is None:
                continue
            way = math.log(self._sizes[upper] / self._sizes[lower])
            part = math.log(self._sizes[middle] / self._sizes[lower]) / way
            logs = self.known[lower].log, self.known[upper].log
            yield _Side(middle, way, abs(logs[0] + part * (logs[1] - logs[0])))

    @cached_property
    def _least_log(self) -> float:
        """What the logarithm of a ratio must be to be certain before the last look."""
        n = self._looks[-2]
        prior = Prior(max(PRIORS["steady_state"].sd, self._spread))
        bound = trimmed_ratio([1.0] * n, [1.0] * n, prior, n, self.sign_confidence)
        # as many values that scatter as the prior expects
        return math.log(bound.upper) * math.sqrt((prior.df + n - 1) / prior.df)

    def _narrow(self, lower: int, upper: int) -> bool:
        """Whether a bracket is as narrow as was asked for, or cannot be narrower."""
        first, last = self._sizes[lower], self._sizes[upper]
        within = last <= first * (1 + self._search.width) * (1 + 1e-12)
        return within or last == first + 1

    def _narrow_at_border(self, gap: _Gap) -> bool:
        border = gap.doubtful[0] if gap.lower is None else gap.doubtful[-1]
        nearest = gap.upper if gap.lower is None else gap.lower
        if nearest is None:
            return False
        # the border itself has no sign: it is worth looks first
        if (self._next_look(border) or self._looks[-1]) < self._looks[-1]:
            return False
        return self._narrow(*sorted((border, nearest)))

    def _middle(self, lower: int, upper: int) -> int | None:
        """Return the size nearest to the middle that is new and can be measured."""
        free = [
            index
            for index in range(lower + 1, upper)
            if index not in self._lost and self.taken(index) == 0
        ]
        middle = math.log(self._sizes[lower] * self._sizes[upper]) / 2
        return min(
            free,
            key=lambda index: abs(math.log(self._sizes[index]) - middle),
            default=None,
        )

    def between(self) -> Iterator[tuple[int, int]]:
        """Yield sizes between neighbours that agree but could hide two turns.

        The most suspicious first: where the ratio, were it :data:`_STEEPER` times as
        steep as next to there, could reach 1 and come back.
        """
        certain = [gap for gap in self.gaps() if gap.lower is not None]
        steep = [self._slope(gap) for gap in certain]
        found = []
        for place, gap in enumerate(certain):
            if gap.turns or gap.doubtful or gap.lower is None or gap.upper is None:
                continue
            slope = max(_LEAST_SLOPE, *steep[max(0, place - 1) : place + 2])
            way = math.log(self._sizes[gap.upper] / self._sizes[gap.lower])
            height = abs(self.known[gap.lower].log) + abs(self.known[gap.upper].log)
            suspicion = _STEEPER * slope * way / height
            middle = self._middle(gap.lower, gap.upper)
            if suspicion > 1 and middle is not None:
                found.append((suspicion, middle))
        for _, middle in sorted(found, reverse=True):
            yield middle, self._looks[0]

    def _slope(self, gap: _Gap) -> float:
        """Return how steep the ratio is at least between two certain sizes."""
        if gap.lower is None or gap.upper is None:
            return 0.0
        lower, upper = self.known[gap.lower], self.known[gap.upper]
        rise = abs(upper.log - lower.log) - (lower.half + upper.half) / 2
        way = math.log(self._sizes[gap.upper] / self._sizes[gap.lower])
        return max(0.0, rise) / way

    def turns(self) -> tuple[Turn, ...]:
        """Return the brackets."""
        return tuple(
            Turn(
                lower=None if gap.lower is None else self._sizes[gap.lower],
                upper=None if gap.upper is None else self._sizes[gap.upper],
                size=self._meets(gap),
                becomes=self._becomes(gap),
                resolved=self._resolved(gap),
            )
            for gap in self.gaps()
            if gap.turns and self._certain
        )

    def _meets(self, gap: _Gap) -> int | None:
        """Return where a straight line between both ends of a bracket is at ratio 1."""
        if gap.lower is None or gap.upper is None:
            return None
        lower, upper = self.known[gap.lower], self.known[gap.upper]
        part = lower.log / (lower.log - upper.log)
        first, last = self._sizes[gap.lower], self._sizes[gap.upper]
        return round(first * math.exp(part * math.log(last / first)))

    def _becomes(self, gap: _Gap) -> Literal["faster", "slower"]:
        if gap.upper is not None:
            return "faster" if self.known[gap.upper].sign < 0 else "slower"
        before = self.known[gap.lower or 0].sign
        return "slower" if before < 0 else "faster"

    def _resolved(self, gap: _Gap) -> bool:
        if gap.lower is None or gap.upper is None:
            return self._narrow_at_border(gap)
        return self._narrow(gap.lower, gap.upper)

    def unclear(self) -> tuple[Span, ...]:
        """Return where neighbours agree, and what lies between is not certain."""
        return tuple(
            Span(lower=self._sizes[gap.lower], upper=self._sizes[gap.upper])
            for gap in self.gaps()
            if gap.lower is not None and gap.upper is not None
            if gap.doubtful and not gap.turns
        )

    def points(self) -> tuple[CrossoverPoint, ...]:
        """Return every size that was compared."""
        words: dict[int, Sign] = {-1: "faster", 0: "unknown", 1: "slower"}
        return tuple(
            CrossoverPoint(
                size=self._sizes[index], ratio=known.estimate, sign=words[known.sign]
            )
            for index, known in self.known.items()
        )

    def widest_gap(self) -> float:
        """Return how far neighbours that agree are apart at most."""
        return max(
            (
                self._sizes[gap.upper] / self._sizes[gap.lower] - 1
                for gap in self.gaps()
                if gap.lower is not None and gap.upper is not None and not gap.turns
            ),
            default=0.0,
        )

    def last_sign(self) -> int:
        """Return the sign at the upper end of the range; 0: it is not certain."""
        if not self.known:
            return 0
        return self.known[max(self.known)].sign
