"""What a run advises: for each problem, who is ahead, by how much, and from when on."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from xpcs_bench.config import Converts, Detector, Dtype, Geometry
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.records.case import Variant
from xpcs_bench.records.conclusion import Estimate, Judgement

__all__ = ["Advice", "NotRun", "ProblemAdvice", "Ranked", "Standing"]

Standing = Literal["first", "same", "cannot tell", "behind"]
"""Beside the first: the first itself, as fast, not known, or slower for certain."""


class Ranked(ConfinedModel):
    """One variant of a problem, and how it stands to two others."""

    variant: Variant
    compiles: bool
    """Whether its first call holds a compilation."""
    cached: Estimate
    first_call: Estimate | None
    """Of a fresh process; None: not measured."""
    recompile: Estimate | None
    """First call in a program that has compiled before, of arrays that lie where they
    are needed; None: not measured, or it does not compile."""
    ratio: Estimate | None
    """Cached call over that of the baseline; None for the baseline itself."""
    judgement: Judgement | None
    """Against the baseline; None as above."""
    lead: Estimate | None
    """Cached call over that of the first; None for the first itself."""
    standing: Standing
    reason: str
    """Why a judgement or standing is not that of the interval; a sentence, or empty."""
    break_even: Estimate | None
    """Calls from which on it is ahead of the baseline, first calls of fresh processes
    included; None: the sentence says why."""
    break_even_reason: str
    """A sentence; empty for the baseline."""
    break_even_again: Estimate | None
    """The same in a program that has compiled before; None: never, not known, or
    recompiling was not measured."""


class NotRun(ConfinedModel):
    """A variant of a problem that has no time, and why."""

    problem: str
    """Problem id."""
    variant: Variant
    reason: str


class ProblemAdvice(ConfinedModel):
    """One question: the variants of a problem from the fastest cached call on.

    A question has one type and one way of converting: these are given by the program
    around a call, and not among what can be chosen.
    """

    problem: str
    """Problem id."""
    kernel: str
    params: dict[str, Any]
    labels: dict[str, Any]
    detector: Detector | None
    geometry: Geometry | None
    dtype: Dtype
    converts: Converts
    """What every call carries across; NumPy's arrays are the host's and stay."""
    size_bytes: int | None
    """Inputs and outputs of a call; None: the record is from before plans said so."""
    baseline: str | None
    """Variant id; None where nothing has a time."""
    ranked: tuple[Ranked, ...]
    not_run: tuple[NotRun, ...]

    @cached_property
    def told(self) -> bool:
        """Whether it is known what to use: one that is ahead, or several alike."""
        others = self.ranked[1:]
        return bool(others) and all(row.standing != "cannot tell" for row in others)


class Advice(ConfinedModel):
    """All that a run advises."""

    run_id: str
    problems: tuple[ProblemAdvice, ...]
    not_run: tuple[NotRun, ...]
    """Of problems of which nothing could be planned."""
