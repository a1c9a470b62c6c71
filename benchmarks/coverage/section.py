"""One part of the study: intervals of one method, counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Counted", "Section", "binomial_interval"]


@dataclass(frozen=True)
class Counted:
    """How many intervals of one quantity held the truth."""

    what: str
    """The quantity, and what its intervals are made of."""
    covered: int
    of: int
    asked: bool = True
    """Whether 93 to 97 % are asked of it; else it is there to be seen."""

    @property
    def fraction(self) -> float:
        """What part of the intervals held the truth."""
        return self.covered / self.of

    @property
    def holds(self) -> bool:
        """Whether it is within what is asked."""
        return 0.93 <= self.fraction <= 0.97


@dataclass(frozen=True)
class Section:
    """One method on one kind of series."""

    name: str
    """Short, unique: ``fit``."""
    says: str
    """What was simulated and how intervals were made, in a few sentences."""
    count: Callable[[], list[Counted]]
    """Simulates and counts; no clock involved."""


def binomial_interval(covered: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a fraction after Clopper and Pearson."""
    from scipy.stats import binomtest

    found = binomtest(covered, of).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)
