"""A claim as it stands in the file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag, WithJsonSchema

from xpcs_bench.config.experiment import CompilationCache, Converts, Dtype, Reason
from xpcs_bench.config.written_types import WrittenModel, WrittenName, pair_of

__all__ = [
    "DeviceName",
    "WrittenBounds",
    "WrittenClaim",
    "WrittenExpectation",
    "WrittenRatio",
    "WrittenSelection",
    "WrittenSide",
]

DeviceName = Literal["cpu", "gpu", "tpu"]

# what it is an amount of is known when the metric is, so it is read later
Amount = Annotated[
    Any, WithJsonSchema({"type": ["number", "string"], "examples": ["200 ms", 10]})
]
Words = Annotated[Reason, Strict()]
Shown = Annotated[
    Any, WithJsonSchema({"type": ["boolean", "number", "string", "object"]})
]


class WrittenSelection(WrittenModel):
    """A selection of one case: all keys must match."""

    kernel: str | None = None
    """Name of a kernel of this experiment."""
    params: dict[str, Any] | None = None
    """Values of some of its parameters."""
    detector: str | None = None
    """Name of a detector of this experiment."""
    geometry: str | None = None
    """Name of a geometry of this experiment."""
    backend: str | None = None
    """Name of a backend."""
    device: DeviceName | None = None
    """Platform; where it is absent, the claim is skipped with the reason."""
    dtype: Dtype | None = None
    """Floating-point type."""
    compilation_cache: CompilationCache | None = None
    """State of the persistent compilation cache."""
    converts: Converts | None = None
    """What each call converts; nothing when absent."""
    boundary: str | None = None
    """For the metric conversion: which."""


class WrittenSide(WrittenSelection):
    """A side of a ratio: a metric, and what to add to the claim's selection."""

    metric: str | None = None
    """What is measured; the ratio's metric when absent."""


WrittenRatioSide = Annotated[
    Annotated[str, Tag("<metric>")] | Annotated[WrittenSide, Tag("<side>")],
    Discriminator(lambda value: "<metric>" if isinstance(value, str) else "<side>"),
]


class WrittenRatio(WrittenModel):
    """A ratio of two measured numbers; a speedup is baseline over candidate."""

    metric: str | None = None
    """What is measured of sides that do not say it."""
    of: WrittenRatioSide
    """Above the line: a metric, or a selection."""
    over: WrittenRatioSide
    """Below the line: a metric, or a selection."""


class WrittenBounds(WrittenModel):
    """The numbers that are claimed: about, or at_most and at_least, or between."""

    about: Amount | None = None
    """A number that is not meant exactly (200 ms, 1 MiB, or a plain number)."""
    within: Annotated[float, Strict(), Field(gt=1, le=1e6)] | None = None
    """By which factor either way, for about; 2 when absent."""
    at_most: Amount | None = None
    """The largest number that is meant."""
    at_least: Amount | None = None
    """The smallest number that is meant."""
    between: Annotated[tuple[Amount, Amount], pair_of("least", "most")] | None = None
    """The smallest and the largest."""


class WrittenExpectation(WrittenBounds):
    """What the sentence says will be seen: numbers, or one of the other keys."""

    agrees: Annotated[bool, Strict()] | None = None
    """For the metric parity: whether all outputs are within their tolerances."""
    raises: Words | None = None
    """For a behaviour: the exception, or a class it is derived from."""
    fails: Literal[True] | None = None
    """For a behaviour: it raises, crashes, or sees something that is false."""
    shows: dict[str, Shown] | None = None
    """For a behaviour: what it observes, each with its value or its numbers."""


class WrittenClaim(WrittenModel):
    """A claim: a sentence of a document, and what decides whether it is true."""

    id: WrittenName
    """A short name for it."""
    says: Words
    """The sentence, quoted; ... where words are left out."""
    source: Words
    """Which document, which section."""
    where: WrittenSelection | None = None
    """Of which case something is measured."""
    metric: str | None = None
    """What is measured: first_call, steady_state, stages.compile, parity, ..."""
    ratio: WrittenRatio | None = None
    """What is measured, over what else is measured."""
    behaviour: str | None = None
    """What is tried, where nothing is measured."""
    expect: WrittenExpectation
    """What the sentence says will be seen."""
