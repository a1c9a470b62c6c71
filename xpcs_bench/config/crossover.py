"""Sizes among which a search looks for where the order of two variants turns."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError

__all__ = ["DETECTOR", "MAX_SIZES", "CrossoverSearch", "fixed_grid", "lattice"]

DETECTOR = "detector"
"""The axis of square detectors of growing side; every other axis is a parameter."""
MAX_SIZES = 600
"""Most sizes of a lattice."""

Part = Annotated[float, Field(gt=0, lt=1)]


class CrossoverSearch(ConfinedModel):
    """Where along an axis to look for turns of the order, and how closely."""

    axis: str
    """``detector``: the side of square detectors (pixels); else the parameter of every
    kernel that grows."""
    sizes: tuple[int, ...]
    """The lattice: every size that may be measured, rising."""
    width: Part
    """How wide the bracket of a turn may be, as a part of its lower end."""
    confidence: Part
    """Of all that is said of one candidate along the whole axis."""

    @property
    def n_grid(self) -> int:
        """How many sizes a fixed grid needs whose brackets are as narrow."""
        return len(fixed_grid(self.sizes[0], self.sizes[-1], self.width))


def fixed_grid(first: int, last: int, width: float) -> tuple[int, ...]:
    """Return the fewest whole numbers from first to last that are near neighbours.

    Each is larger than the one before by at most the part ``width``, or by one.
    """
    sizes = [first]
    while sizes[-1] < last:
        # what floating point makes of 100 * 1.1 is a little more than 110
        farthest = math.floor(sizes[-1] * (1 + width) * (1 + 1e-12))
        sizes.append(min(last, max(sizes[-1] + 1, farthest)))
    return tuple(sizes)


def lattice(first: int, last: int, width: float) -> tuple[int, ...]:
    """Return the sizes that a search chooses from: two steps are at most one width.

    A turn lies near one of them, where no sign is certain; its neighbours then make a
    bracket that is narrow enough.

    Raises
    ------
    ConfigError
        There are too many.
    """
    step = math.sqrt(1 + width) - 1
    if math.log(last / first) / math.log1p(step) > MAX_SIZES and last > MAX_SIZES:
        msg = (
            f"from {first} to {last} there are more than {MAX_SIZES} sizes that lie as "
            f"close as {width:.3g} asks. Ask for a larger width, or a shorter range."
        )
        raise ConfigError(msg)
    return fixed_grid(first, last, step)
