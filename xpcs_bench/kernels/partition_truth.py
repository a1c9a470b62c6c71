"""What the labels of a partition should be, by comparing with edges one by one."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.kernels.kernel import Host, Truth
from xpcs_bench.kernels.partition_axes import Axis

__all__ = ["true_partition"]

_SAMPLES = 97
"""Pixels with a truth, besides those nearest to edges."""
_EDGES = 8
"""Edges of each map whose nearest pixel has a truth."""


def true_partition(first: Axis, second: Axis, inputs: Host) -> dict[str, list[Truth]]:
    """Return dynamic and static labels, their counts, and which belongs to which.

    The pixels are spread over the detector; added are those nearest to the edges from
    either side, where a wrong index would show.
    """
    shape, size = inputs["mask"].shape, inputs["mask"].size
    places = set(np.linspace(0, size - 1, _SAMPLES, dtype=np.int64).tolist())
    for axis in (first, second):
        places |= _near_edges(inputs[axis.name], inputs[f"{axis.name}_edges"])
    static, dynamic = [], []
    for place in sorted(places):
        pixel = tuple(map(int, np.unravel_index(place, shape)))
        i, j = (_bin(axis, inputs, pixel) for axis in (first, second))
        labels = 0, 0
        if inputs["mask"][pixel] and i is not None and j is not None:
            labels = (
                i * second.static + j + 1,
                (i // first.split) * second.bins + j // second.split + 1,
            )
        static.append(Truth(pixel, labels[0]))
        dynamic.append(Truth(pixel, labels[1]))
    return {
        "labels": dynamic,
        "counts": _counts(inputs, (first, first.split), (second, second.split)),
        "static_labels": static,
        "static_counts": _counts(inputs, (first, 1), (second, 1)),
        # the two labels of a pixel
        "static_to_dynamic": [
            Truth((one.value,), other.value)
            for one, other in zip(static, dynamic, strict=True)
        ],
    }


def _values(axis: Axis, inputs: Host, values: Any) -> Any:
    """Return values as they are binned, the sum with a turn rounded to their type."""
    edges = inputs[f"{axis.name}_edges"]
    if axis.begin is None:
        return values
    turn = values.dtype.type(360)
    values = np.where(values >= edges[0] + turn, values - turn, values)
    return np.where(values < edges[0], values + turn, values)


def _bin(axis: Axis, inputs: Host, pixel: tuple[int, ...]) -> int | None:
    """Return the static bin of a pixel, None where it is outside the edges."""
    edges = inputs[f"{axis.name}_edges"].tolist()
    value = float(_values(axis, inputs, inputs[axis.name][pixel]))
    if axis.begin is None and not edges[0] <= value <= edges[-1]:
        return None
    return min(bisect_right(edges, value) - 1, len(edges) - 2) % axis.static


def _near_edges(values: NDArray[Any], edges: NDArray[Any]) -> set[int]:
    """Places of the values nearest to some of the edges."""
    chosen = np.linspace(0, len(edges) - 1, min(len(edges), _EDGES), dtype=np.int64)
    return {int(np.abs(values - edge).argmin()) for edge in edges[chosen]}


def _counts(
    inputs: Host, first: tuple[Axis, int], second: tuple[Axis, int]
) -> list[Truth]:
    """Count the pixels of some labels, whose bins are so many static bins wide."""
    n_second = second[0].static // second[1]
    n = first[0].static // first[1] * n_second
    truths = []
    for label in sorted({1, n // 2 + 1, n}):
        inside = inputs["mask"].copy()
        for (axis, width), index in zip(
            (first, second), divmod(label - 1, n_second), strict=True
        ):
            inside &= _is_between(axis, index * width, width, inputs)
        truths.append(Truth((label,), int(np.count_nonzero(inside))))
    return truths


def _is_between(axis: Axis, start: int, width: int, inputs: Host) -> NDArray[np.bool_]:
    """Compare all pixels with two edges, in every sector of the circle."""
    values = _values(axis, inputs, inputs[axis.name])
    edges = inputs[f"{axis.name}_edges"]
    inside = np.zeros(values.shape, np.bool_)
    for first in range(start, axis.cells, axis.static):
        stop = first + width
        within = values >= edges[first]
        within &= values <= edges[-1] if stop == axis.cells else values < edges[stop]
        inside |= within
    return inside
