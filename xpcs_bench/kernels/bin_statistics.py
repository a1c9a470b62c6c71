"""From sums of single pixels to g2 of their bin and its error, block by block.

To first order g2 of a bin is off by the mean over its pixels of ``g2 (product /
<product> - earlier / <earlier> - later / <later> + 1)``. That mean is zero; its
standard error is the error of g2, with the pixels taken as independent and every
pixel as one observation, so that it holds for any correlation in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.kernels.channel_sums import ChannelSums

__all__ = ["Layout", "combine_blocks", "lay_out", "summarise_block"]

_MOMENTS = tuple(combinations_with_replacement(range(3), 2))
"""Which of three quantities are multiplied."""


class Layout(NamedTuple):
    """How the columns of a series are cut into blocks of one width."""

    columns: tuple[slice, ...]
    """Of each bin."""
    width: int
    starts: list[int]
    """First column of each block."""
    sizes: list[int]
    """Pixels of each block; what is beyond them belongs to another one."""
    bins: list[int]
    """To which bin each block belongs."""


def lay_out(columns: tuple[slice, ...], width: int) -> Layout:
    """Cut bins into blocks; the last one of a bin may have fewer pixels."""
    width = min(width, max(c.stop - c.start for c in columns))
    blocks = [
        (index, start, c.stop)
        for index, c in enumerate(columns)
        for start in range(c.start, c.stop, width)
    ]
    return Layout(
        columns,
        width,
        starts=[start for _, start, _ in blocks],
        sizes=[min(width, stop - start) for _, start, stop in blocks],
        bins=[index for index, _, _ in blocks],
    )


def summarise_block(
    backend: BackendProtocol, sums: ChannelSums, n_pixels: Any, pairs: Any
) -> tuple[Any, Any]:
    """Average over the first ``n_pixels`` of a block: mean and second moments.

    Returns the means (quantity, delay) and the moments (moment, delay) of what the
    pixels deviate from them, divided by the means.
    """
    place = backend.arange(sums.product.shape[-1])
    inside = backend.astype(place < n_pixels, sums.product.dtype)
    mean = [backend.sum(part * inside, axis=-1) / n_pixels for part in sums]
    product, earlier, later = (
        (part - backend.expand_dims(m, 1)) * inside / backend.expand_dims(s, 1)
        for part, m, s in zip(sums, mean, _scale(backend, mean, pairs), strict=True)
    )
    parts = (product - earlier - later, earlier, later)
    moments = [backend.sum(parts[i] * parts[j], axis=-1) for i, j in _MOMENTS]
    return backend.stack(mean), backend.stack(moments)


def combine_blocks(
    backend: BackendProtocol, layout: Layout, means: Any, moments: Any, pairs: Any
) -> tuple[Any, Any]:
    """Combine blocks (block, quantity, delay) into g2 and its error (delay, bin).

    A block has the second moments of the deviation of its pixels, which is small, and
    not of the terms of it, which are large; they are about the mean of the block, and
    what that is away from the mean of the bin is added here.
    """
    member = np.equal.outer(np.arange(len(layout.columns)), layout.bins)
    belongs = backend.array(member, means.dtype)
    sizes = backend.array(layout.sizes, means.dtype)
    column = backend.expand_dims(sizes, 1)
    n_pixels = backend.matmul(belongs, column)
    mean = [backend.matmul(belongs, means[:, i] * column) / n_pixels for i in range(3)]
    owner = backend.array(layout.bins, "int64")
    of_bin = [backend.take(part, owner, axis=0) for part in mean]
    of_block = [means[:, i] for i in range(3)]
    product, earlier, later = (
        part / whole for part, whole in zip(of_block, of_bin, strict=True)
    )
    shift = product - earlier - later + 1.0
    product, earlier, later = (
        part / whole
        for part, whole in zip(_scale(backend, of_block, pairs), of_bin, strict=True)
    )
    factors = (product, product - earlier, product - later)
    relative = column * shift * shift
    for place, (i, j) in enumerate(_MOMENTS):
        times = 1.0 if i == j else 2.0
        relative = relative + times * factors[i] * factors[j] * moments[:, place]
    relative = backend.matmul(belongs, relative)
    g2 = (mean[0] / mean[1]) * (pairs / mean[2])
    error = g2 * backend.sqrt(
        backend.maximum(relative, 0.0) / (n_pixels * (n_pixels - 1))
    )
    return backend.transpose(g2), backend.transpose(error)


def _scale(backend: BackendProtocol, mean: Sequence[Any], pairs: Any) -> list[Any]:
    """Return by what the sums of a block are divided: their means, unless it is dark.

    A dark block, or one without coincidences, deviates by zero from its mean, so that
    its scale decides nothing but how rounding errors are scaled.
    """
    earlier, later = (backend.where(part > 0, part, 1.0) for part in mean[1:])
    product = backend.where(mean[0] > 0, mean[0], earlier * later / pairs)
    return [product, earlier, later]
