"""Edges of bins, made once on the host and given to every variant.

Libraries space points differently in the last bits (``linspace`` in one, ``logspace``
by up to 18 ULP in another), and a pixel on an edge then changes its bin. Bins are
closed on the left; the last one is closed on both sides.

Bins of equal width are found by arithmetic: the index of ``x`` is the whole part of
``(x - first) * scale``. A difference and a product are rounded alike by every library,
and both never fall as ``x`` rises, so that the index steps at one float. The edges
are put there, within two rounding steps of where ``linspace`` has them: arithmetic and
search then agree for every ``x``, and no edge has to be looked up.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import ConfigError

__all__ = ["Spacing", "index_scale", "space_edges"]

Spacing = Literal["linear", "logarithmic"]

_NARROWEST = 8
"""Least width of a bin, in steps of the floats at its edges: what an index found by
arithmetic is off by is then a part of one."""


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
    # the index of a logarithmic bin is looked for in single precision
    least = np.dtype(np.float32 if spacing == "logarithmic" else dtype)
    steps = np.spacing(np.abs(edges).astype(least))
    if (np.diff(edges) < _NARROWEST * np.maximum(steps[:-1], steps[1:])).any():
        msg = (
            f"{n_bins} bins in {name} do not fit between {lowest!r} and {highest!r}: "
            f"some would be narrower than {_NARROWEST} steps of {least}. Take fewer "
            "bins or a wider range or type."
        )
        raise ConfigError(msg)
    return edges if spacing == "logarithmic" else _where_the_index_steps(edges)


def index_scale(edges: NDArray[Any], spacing: Spacing) -> NDArray[Any]:
    """Return bins per unit of ``x``, or of the logarithm of ``x``; shape ().

    It is an input like the edges: a library whose quotient is not rounded correctly
    would step elsewhere.
    """
    n_bins, first, last = len(edges) - 1, edges[0], edges[-1]
    span = np.log(last / first) if spacing == "logarithmic" else last - first
    return np.asarray(n_bins / span, edges.dtype)


def _where_the_index_steps(edges: NDArray[Any]) -> NDArray[Any]:
    """Move the inner edges to the least value of each index, found by bisection.

    Not step by step: next to zero there are more floats within one rounding step of
    the outer edges than could be tried.
    """
    first, scale = edges[0], index_scale(edges, "linear")
    indices = np.arange(1, len(edges) - 1)
    # rounded are the scale (twice), the difference and the product
    reach = 8 * np.spacing(np.abs(edges[[0, -1]]).max())
    below, above = edges[1:-1] - reach, edges[1:-1] + reach
    while True:
        middle = below + (above - below) / 2
        between = (below < middle) & (middle < above)
        if not between.any():
            break
        reached = (middle - first) * scale >= indices
        above = np.where(between & reached, middle, above)
        below = np.where(between & ~reached, middle, below)
    return np.concatenate([edges[:1], above, edges[-1:]])
