"""Series of frames whose pixels are grouped by bin, as correlations take them.

A program sorts the pixels of a detector by bin once, with its partition, and leaves
out those that belong to none. A series is then an array (frame, pixel) of photon
counts in which every bin is a range of columns.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.speckle import Speckle

__all__ = [
    "SeriesParams",
    "bin_columns",
    "bin_speckle",
    "check_bins",
    "make_photons",
    "make_series",
]


class SeriesParams(ConfinedModel):
    """Size and dynamics of a speckle series that is drawn for a kernel."""

    frames: Annotated[int, Field(ge=2, le=1_000_000)] = 40
    """Frames of the series."""
    pixels: Annotated[int, Field(ge=2, le=100_000_000)] = 300
    """Pixels of all bins together."""
    bins: Annotated[int, Field(ge=1, le=10_000)] = 3
    """Rings of equal width: a ring has the more pixels the larger it is."""
    counts: Annotated[float, Field(gt=0, le=1_000)] = 2.0
    """Photons per pixel and frame."""
    modes: Annotated[int, Field(ge=1, le=1_000)] = 3
    """Speckle patterns that are seen together; the contrast is 1 / modes."""
    relaxation_frames: Annotated[float, Field(gt=0, le=1e6)] = 10.0
    """Relaxation time of the innermost ring, in frames; it falls as 1 / q."""


def bin_columns(params: SeriesParams) -> tuple[slice, ...]:
    """Return the columns of each bin, from the innermost ring outwards."""
    bounds = [
        round(params.pixels * (ring / params.bins) ** 2)
        for ring in range(params.bins + 1)
    ]
    return tuple(slice(first, stop) for first, stop in pairwise(bounds))


def bin_speckle(params: SeriesParams, index: int) -> Speckle:
    """Return what a bin is drawn from: its g2 is known."""
    return Speckle(
        relaxation_frames=params.relaxation_frames / (2 * index + 1),
        modes=params.modes,
        mean_counts=params.counts,
    )


def check_bins(name: str, params: SeriesParams) -> None:
    """Refuse more bins than there are pixels for.

    Raises
    ------
    ConfigError
        When a bin would have fewer than two pixels, which have no scatter.
    """
    innermost = bin_columns(params)[0].stop
    if innermost < 2:
        msg = (
            f"{name}: with pixels={params.pixels} in bins={params.bins} rings the "
            f"innermost has {innermost}. Allowed: two or more. Take at least "
            f"{2 * params.bins**2} pixels, or fewer bins."
        )
        raise ConfigError(msg)


def make_photons(
    params: SeriesParams, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Draw the pixel and the frame of every photon, by pixel and then by frame."""
    pixels, frames = [], []
    for index, columns in enumerate(bin_columns(params)):
        size = columns.stop - columns.start
        found = bin_speckle(params, index).make_photons(rng, params.frames, size)
        pixels.append(found[0] + np.int32(columns.start))
        frames.append(found[1])
    return np.concatenate(pixels), np.concatenate(frames)


def make_series(params: SeriesParams, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Draw photon counts (frame, pixel), with the pixels of a bin side by side."""
    series = np.empty((params.frames, params.pixels), np.uint16)
    for index, columns in enumerate(bin_columns(params)):
        series[:, columns] = bin_speckle(params, index).make_counts(
            rng, params.frames, columns.stop - columns.start
        )
    return series
