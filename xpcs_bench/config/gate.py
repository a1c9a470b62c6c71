"""What a gate is to find, and how often it may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from xpcs_bench.confined import RecordedModel

__all__ = ["PRESETS_OF_GATES", "Demand", "Family", "Gate", "GatePreset", "Slowdown"]

GatePreset = Literal["default", "precise", "coarse"]
Family = Literal["calls", "first_calls", "memory"]
"""What is judged together: cached calls and conversions; first calls and recompiles;
peaks of memory."""
Slowdown = Annotated[float, Field(gt=0, lt=10)]


class Demand(RecordedModel):
    """What the cases of one family are held to."""

    find: Slowdown
    """The slowdown that passes only by mistake, as a part of the baseline."""
    margin: Annotated[float, Field(ge=0, lt=10)]
    """A slowdown up to this is never called one: where code lies in memory alone moves
    it by as much."""


class Gate(RecordedModel):
    """How a candidate is held against its baseline."""

    preset: GatePreset
    """What the demands are, or depart from."""
    looks: tuple[int, ...]
    """Numbers of pairs of processes after which a case may be decided, growing."""
    error: float
    """Probability that any case of a family is called slower, at any look, and is
    not."""
    demands: dict[Family, Demand]


def _gate(preset: GatePreset, find: float, margin: float, looks: int) -> Gate:
    return Gate(
        preset=preset,
        looks=tuple(range(3, looks + 1, 3)),
        error=0.01,
        demands={
            "calls": Demand(find=find, margin=margin),
            # one reading a process, and these scatter by 8 %
            "first_calls": Demand(find=0.30, margin=0.10),
            "memory": Demand(find=0.10, margin=0.02),
        },
    )


PRESETS_OF_GATES: Mapping[GatePreset, Gate] = MappingProxyType(
    {
        "default": _gate("default", 0.05, 0.01, 12),
        "precise": _gate("precise", 0.04, 0.01, 15),
        "coarse": _gate("coarse", 0.10, 0.02, 12),
    }
)
"""By name."""
