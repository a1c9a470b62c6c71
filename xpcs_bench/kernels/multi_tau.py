"""What every multi-tau correlator has in common: delays, tolerance and truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from xpcs_bench.kernels.kernel import Output, Tolerance, Truth
from xpcs_bench.kernels.ladder import Ladder, channels_by_level, delays_in_frames
from xpcs_bench.kernels.series import SeriesParams

__all__ = [
    "OUTPUTS",
    "SOURCE",
    "MultiTauParams",
    "bins_to_check",
    "delays",
    "pair_numbers",
    "tolerance",
    "truths",
]

SOURCE = (
    "D. Lumma, L. B. Lurio, S. G. J. Mochrie, M. Sutton, Rev. Sci. Instrum. 71, "
    "3274 (2000); symmetric normalisation after K. Schaetzel, M. Drewel, S. "
    "Stimac, J. Mod. Opt. 35, 711 (1988)."
)
"""Of the definition, however it is computed."""

OUTPUTS = (
    Output("g2", ("delay", "bin"), "1"),
    Output("g2_error", ("delay", "bin"), "1"),
    Output("delays", ("delay",), "frame", dtype="int64"),
)
"""g2 and its standard error by delay and bin, and the delays."""


class MultiTauParams(SeriesParams):
    """The series, and the delays at which g2 is taken."""

    ladder: Ladder = "scikit_beam"
    """``scikit_beam``: delays 0 to channels - 1, then the upper half of these in each
    level. ``boost``: 1 to channels, as boost_corr and xpcs-eigen have them. A delay
    may be in another level of the other ladder, and g2 then differs."""
    levels: Annotated[int, Field(ge=1, le=30)] = 12
    """Levels at most; those that the series is too short for are left out."""
    channels: Annotated[int, Field(ge=2, le=1024)] = 8
    """Channels of the first level; later ones have half as many. An even number."""

    @field_validator("channels")
    @classmethod
    def _even(cls, channels: int) -> int:
        if channels % 2:
            msg = f"{channels} is odd. A level takes over half the channels."
            raise ValueError(msg)
        return channels

    @property
    def channels_by_level(self) -> tuple[range, ...]:
        """Channels of the levels that there are."""
        return channels_by_level(self.ladder, self.frames, self.levels, self.channels)


def delays(params: MultiTauParams) -> list[int]:
    """Return the delays in frames, rising."""
    return delays_in_frames(params.channels_by_level)


def pair_numbers(levels: Sequence[range], n_frames: int) -> list[int]:
    """Return how many pairs of frames there are at each delay."""
    return [
        (n_frames >> level) - channel
        for level, channels in enumerate(levels)
        for channel in channels
    ]


def tolerance(params: MultiTauParams, dtype: str, output: str) -> Tolerance:
    """A few ULP of g2; its error is a difference of second moments."""
    info = np.finfo(dtype)
    eps = float(info.eps)
    if output == "delays":
        return Tolerance(
            rtol=0.0,
            atol=0.0,
            reason="Delays are whole numbers of frames: nothing is rounded.",
        )
    exact = params.frames * (10 * params.counts) ** 2 < 2.0 ** (info.nmant + 1)
    gathered = 0.0 if exact else math.sqrt(params.frames) / 2
    summed = (
        "Sums over frames are whole numbers, exact in this type. "
        if exact
        else "Sums over so many photons are not exact in this type: their error "
        "grows as the root of the number of frames. "
    )
    if output == "g2":
        return Tolerance(
            rtol=(8 + gathered) * eps,
            atol=0.0,
            reason=summed
            + "Means over pixels, blocks and the quotient are rounded by eps / 2 "
            "each; 2.9 eps were measured.",
        )
    return Tolerance(
        rtol=(8 + gathered) * eps,
        atol=eps,
        reason=summed
        + "The scatter of pixels is that of small differences, each rounded as its "
        "terms are: 3.8 eps were measured where it is not below an ULP of g2.",
    )


def truths(
    params: MultiTauParams, counts_of: Mapping[int, NDArray[np.int64]]
) -> dict[str, list[Truth]]:
    """g2 as fractions of whole numbers, its error from them in 50 digits.

    ``counts_of`` has the frames (frame, pixel) of the bins to look at.
    """
    import mpmath

    places = [
        (level, channel)
        for level, channels in enumerate(params.channels_by_level)
        for channel in channels
    ]
    found: dict[str, list[Truth]] = {
        "g2": [],
        "g2_error": [],
        "delays": [
            Truth((place,), channel * 2**level)
            for place, (level, channel) in enumerate(places)
        ],
    }
    for index, counts in counts_of.items():
        for place, (level, channel) in enumerate(places):
            # first, last and some in between
            if place % 5 and place != len(places) - 1:
                continue
            g2, relative = _true_g2(counts, level, channel)
            n_pixels = counts.shape[1]
            variance = g2**2 * relative / (n_pixels * (n_pixels - 1))
            with mpmath.workdps(50):
                error = mpmath.sqrt(
                    mpmath.mpf(variance.numerator) / variance.denominator
                )
            found["g2"].append(Truth((place, index), g2))
            found["g2_error"].append(Truth((place, index), error))
    return found


def bins_to_check(params: MultiTauParams) -> list[int]:
    """Return the bins that a truth looks at: the first, the last, one between."""
    return sorted({0, (params.bins - 1) // 2, params.bins - 1})


def _true_g2(
    counts: NDArray[np.int64], level: int, channel: int
) -> tuple[Fraction, Fraction]:
    """g2, and the sum over pixels of its squared relative deviations."""
    n = len(counts) >> level
    frames = counts[: n << level].reshape(n, 1 << level, -1).sum(axis=1)
    product = (frames[: n - channel] * frames[channel:]).sum(axis=0).tolist()
    earlier = frames[: n - channel].sum(axis=0).tolist()
    later = frames[channel:].sum(axis=0).tolist()
    means = [Fraction(sum(part), len(part)) for part in (product, earlier, later)]
    g2 = means[0] * (n - channel) / (means[1] * means[2])
    # sum (p - e - l + 1)**2 over pixels, each divided by its mean, has whole sums
    parts = (product, earlier, later)
    signs = (1, -1, -1)
    total = -Fraction(len(product))
    for i, j in combinations_with_replacement(range(3), 2):
        moment = sum(a * b for a, b in zip(parts[i], parts[j], strict=True))
        factor = signs[i] * signs[j] * (1 if i == j else 2)
        total += factor * moment / (means[i] * means[j])
    return g2, total
