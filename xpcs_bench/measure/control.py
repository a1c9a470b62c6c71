"""What differs in the sampling of a control: how many calls a sample holds."""

from __future__ import annotations

from xpcs_bench.records import SLOWED_BY, Variant

__all__ = ["calls_of_a_sample", "whole_loops"]

_PARTS = 20
"""15 % of a multiple of it is a whole number of calls."""


def whole_loops(variant: Variant, loops: int) -> int:
    """Return the inner loops of a case: those of a control can be slowed exactly."""
    return loops if not variant.control else -(-loops // _PARTS) * _PARTS


def calls_of_a_sample(variant: Variant, inner_loops: int) -> int:
    """Return how many calls a sample holds that is said to hold ``inner_loops``.

    They are the same number, but for a slowed control: that one really does more work
    than it is told to have done, as code does that has become slower.
    """
    if variant.control != "slowed":
        return inner_loops
    return inner_loops + round(SLOWED_BY * inner_loops)
