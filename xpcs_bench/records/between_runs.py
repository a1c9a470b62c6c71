"""What is concluded from two records: what differs around them, and what in them."""

from __future__ import annotations

from typing import Literal

from xpcs_bench.confined import ConfinedModel
from xpcs_bench.records.conclusion import Estimate, Judgement
from xpcs_bench.records.measurement import Status

__all__ = [
    "Bearing",
    "CounterChange",
    "Difference",
    "OutputChange",
    "RunComparison",
    "RunRatio",
    "Sameness",
    "Standing",
    "StandingChange",
    "Uncompared",
]

Bearing = Literal["incomparable", "compared", "harmless"]
"""What a difference does to times: they cannot be compared; it is what one compares;
or nothing."""
Sameness = Literal["equal", "changed", "untold"]
"""Of what is exact; ``untold``: the reason says why it cannot be told."""
Standing = Status | Literal["not_measured"]
"""How a case ended: the worst that any of its processes saw."""


class Difference(ConfinedModel):
    """A circumstance that two runs do not share."""

    name: str
    """``cpu``, ``package jax``, ``variable XLA_FLAGS``, ``profile.threads``, ..."""
    baseline: str
    """Its value in words; ``none`` where it has none, several joined by ``or``."""
    candidate: str
    """The same of the other run."""
    bearing: Bearing
    backends: tuple[str, ...]
    """Whose workers it is about; empty: the whole run."""


class StandingChange(ConfinedModel):
    """A case that ended otherwise, or that was not right in both runs."""

    case: str
    """Case id."""
    baseline: Standing
    candidate: Standing
    reason: str
    """What the one that is not ok says of it; a sentence."""

    @property
    def went_wrong(self) -> bool:
        """Whether its values were right, and are wrong."""
        return self.baseline is Status.OK and self.candidate is Status.PARITY_FAILED


class OutputChange(ConfinedModel):
    """One output of a case, bit by bit."""

    case: str
    """Case id."""
    output: str
    sameness: Sameness
    reason: str
    """A sentence; empty where they are equal."""


class CounterChange(ConfinedModel):
    """One counter of a case."""

    case: str
    """Case id."""
    counter: str
    baseline: tuple[float, ...]
    """The counts that processes told, each once, ascending; empty: not counted."""
    candidate: tuple[float, ...]
    sameness: Sameness


class RunRatio(ConfinedModel):
    """One metric of a case in two runs."""

    case: str
    """Case id."""
    metric: str
    baseline: Estimate
    candidate: Estimate
    ratio: Estimate | None
    """candidate / baseline, with what runs of one code differ by in its interval; below
    1 is faster, or less. None: the reason says why."""
    judgement: Judgement
    reason: str
    """Why it is not judged by its interval; a sentence. Empty where it is."""
    smallest_change: float | None
    """By what part slower the candidate would have to be to be found so 19 times in
    20. None where it cannot be relied on."""


class Uncompared(ConfinedModel):
    """A case that was not compared."""

    case: str
    """Case id."""
    reason: str
    """Which run lacks it and why, or why both do not mix; a sentence."""


class RunComparison(ConfinedModel):
    """A later run held against an earlier one."""

    baseline: str
    """Run id."""
    candidate: str
    """Run id."""
    differences: tuple[Difference, ...]
    standings: tuple[StandingChange, ...]
    """Those that wrong values are in first."""
    outputs: tuple[OutputChange, ...]
    counters: tuple[CounterChange, ...]
    ratios: tuple[RunRatio, ...]
    uncompared: tuple[Uncompared, ...]

    @property
    def refusals(self) -> tuple[Difference, ...]:
        """Differences for which the times do not mix."""
        return tuple(d for d in self.differences if d.bearing == "incomparable")
