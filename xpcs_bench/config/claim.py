"""A sentence of a document, and what has to be seen for it to be true."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from xpcs_bench.confined import ConfinedModel

__all__ = ["ABOUT", "Bounds", "Claim", "ClaimSide", "Expectation", "Selection"]

ABOUT = 2.0
"""What ``~`` is taken to mean where nothing else is said: a factor, either way."""


class Selection(ConfinedModel):
    """Which case of a plan is meant: all fields that are given must match."""

    kernel: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    """Values of some of the kernel's parameters."""
    detector: str | None = None
    geometry: str | None = None
    backend: str | None = None
    device: str | None = None
    dtype: str | None = None
    compilation_cache: str | None = None
    converts: str = "nothing"
    """What its calls convert: nothing, unless the file says so."""
    boundary: str | None = None
    """For conversions: the name in the boundary registry."""


class ClaimSide(ConfinedModel):
    """One metric of one case."""

    metric: str
    """As estimates name it: ``first_call``, ``stages.compile``; or ``parity``."""
    where: Selection

    @property
    def measure(self) -> str:
        """The measure that the metric comes from."""
        return self.metric.partition(".")[0]


class Bounds(ConfinedModel):
    """The numbers that are claimed, both ends included."""

    lower: float | None = None
    """None: as small as it may be."""
    upper: float | None = None
    """None: as large as it may be."""
    text: str
    """As a reader writes it: ``about 200 ms (100 ms to 400 ms)``."""


class Expectation(ConfinedModel):
    """What a sentence says will be seen; one of the fields is given."""

    bounds: Bounds | None = None
    """Of a metric or a ratio."""
    agrees: bool | None = None
    """Whether all outputs are within their tolerances; for parity."""
    raises: str | None = None
    """Class of an exception, or a base of it."""
    fails: bool = False
    """Whether it raises, ends its process, or sees something that is false."""
    shows: dict[str, bool | int | float | str | Bounds] = Field(default_factory=dict)
    """What a behaviour observes, each with its value or the numbers it may be."""

    @property
    def text(self) -> str:
        """What is claimed, in a line."""
        if self.bounds is not None:
            return self.bounds.text
        if self.agrees is not None:
            return "values agree" if self.agrees else "values differ"
        if self.raises is not None:
            return f"raises {self.raises}"
        if self.fails:
            return "fails"
        return "; ".join(
            f"{name}: {value.text if isinstance(value, Bounds) else value}"
            for name, value in self.shows.items()
        )


class Claim(ConfinedModel):
    """One sentence of a document, made testable."""

    id: str
    says: str
    """The sentence, quoted; ``...`` where words are left out."""
    source: str
    """Document and section."""
    of: ClaimSide | None = None
    """What is measured; for a ratio, what stands above the line."""
    over: ClaimSide | None = None
    """What stands below it; None: there is no ratio."""
    behaviour: str | None = None
    """Name in the registry of behaviours, where nothing is measured."""
    expect: Expectation
