"""How far numbers are from the truth, and what was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Reading", "Section"]


@dataclass(frozen=True)
class Reading:
    """One quantity of one library, at its worst."""

    what: str
    """The quantity and the library: ``qx, reflection, JAX``."""
    measured: float
    """The largest error, or a count."""
    bound: float | None
    """What it must not exceed; None: nothing, the figure is of interest."""
    unit: str
    """Of both: ``ULP``, ``pixels``."""
    n_points: int
    """How many numbers were compared."""
    where: str
    """Where the largest was found, in words; empty where that says nothing."""

    @property
    def holds(self) -> bool | None:
        """Whether it is within the bound; NaN is not, None where there is none."""
        return None if self.bound is None else self.measured <= self.bound


@dataclass(frozen=True)
class Section:
    """What is known of one kernel."""

    title: str
    text: str
    """How it is measured, in a sentence or two."""
    measure: Callable[[bool], list[Reading]]
    """Called with True where little is enough: a test; it then takes seconds."""
