"""Edges of bins, made once on the host and given to every variant.

Libraries space points differently in the last bits (``linspace`` in one, ``logspace``
by up to 18 ULP in another), and a pixel on an edge then changes its bin. Bins are
closed on the left; the last one is closed on both sides.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import ConfigError

__all__ = ["Spacing", "space_edges"]

Spacing = Literal["linear", "logarithmic"]

_NARROWEST = 8
"""Least width of a bin, in steps of the floats at its edges: an index found by
arithmetic is then off by at most one."""


def space_edges(
    name: str, lowest: float, highest: float, n_bins: int, spacing: Spacing, dtype: Any
) -> NDArray[Any]:
    """Space ``n_bins + 1`` edges from the lowest to the highest value, both exact.

    Raises
    ------
    ConfigError
        When the values leave no room for so many bins in the type.
    """
    if spacing == "logarithmic":
        edges = np.geomspace(lowest, highest, n_bins + 1)
    else:
        edges = np.linspace(lowest, highest, n_bins + 1)
    edges = edges.astype(dtype)
    edges[0], edges[-1] = lowest, highest
    steps = np.spacing(np.abs(edges))
    if (np.diff(edges) < _NARROWEST * np.maximum(steps[:-1], steps[1:])).any():
        msg = (
            f"{n_bins} bins in {name} do not fit between {lowest!r} and {highest!r}: "
            f"some would be narrower than {_NARROWEST} steps of {np.dtype(dtype)}. "
            "Take fewer bins or a wider type."
        )
        raise ConfigError(msg)
    return edges
