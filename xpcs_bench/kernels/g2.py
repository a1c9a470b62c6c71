"""The multi-tau correlator: g2 of every bin with its error, from dense frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.ladder import Ladder, channels_by_level, delays_in_frames
from xpcs_bench.kernels.series import (
    SeriesParams,
    bin_columns,
    check_bins,
    make_series,
)

__all__ = ["G2", "G2Params", "MultiTauParams"]

_NARROWEST_BLOCK = 16
_MOMENTS = tuple(combinations_with_replacement(range(3), 2))
"""Which of three quantities are multiplied."""


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


class G2Params(MultiTauParams):
    """The series, the delays, and how much of the series is worked on at once."""

    block_kib: Annotated[int, Field(ge=1, le=100_000_000)] = 128
    """Size of the pixels that go through all levels together (KiB): what fits into the
    cache of a core, or much more where there are many cores."""


class G2(Kernel[G2Params]):
    """Correlate every pixel with itself, and average over the pixels of a bin.

    ``g2 = <<I_t I_t+n>> / (<<I_t>_t<T-n> <<I_t>_t>=n>)``: means over time, then over
    the pixels of the bin, and the quotient last, which leaves no bias of single
    pixels. In level l a frame is the mean of two of level l - 1.

    The error takes the pixels as independent and every pixel as one observation, so
    that it holds for any correlation in time: to first order g2 is off by the mean of
    ``g2 (product / <product> - earlier / <earlier> - later / <later> + 1)``. Where a
    bin has no photon, g2 and its error are not numbers.
    """

    name: ClassVar[str] = "g2"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Multi-tau g2 of every bin, with errors, from frames."
    source: ClassVar[str] = (
        "D. Lumma, L. B. Lurio, S. G. J. Mochrie, M. Sutton, Rev. Sci. Instrum. 71, "
        "3274 (2000); symmetric normalisation after K. Schaetzel, M. Drewel, S. "
        "Stimac, J. Mod. Opt. 35, 711 (1988)."
    )
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = G2Params

    def check(self, problem: Problem[G2Params]) -> None:
        """Refuse bins without pixels."""
        super().check(problem)
        check_bins(self.name, problem.params)

    def outputs(self, problem: Problem[G2Params]) -> tuple[Output, ...]:
        """g2 and its standard error by delay and bin, and the delays."""
        del problem
        return (
            Output("g2", ("delay", "bin"), "1"),
            Output("g2_error", ("delay", "bin"), "1"),
            Output("delays", ("delay",), "frame", dtype="int64"),
        )

    def make_inputs(self, problem: Problem[G2Params], rng: np.random.Generator) -> Host:
        """Photon counts (frame, pixel), with the pixels of a bin side by side."""
        params = problem.params
        frames = make_series(params, rng)
        longest = max(delays_in_frames(params.channels_by_level))
        for index, columns in enumerate(bin_columns(params)):
            # the longest delay sees the fewest frames: those at the ends
            ends = frames[: params.frames - longest, columns], frames[longest:, columns]
            if not all(end.any() for end in ends):
                msg = (
                    f"{self.name}: bin {index} has no photon in the frames that the "
                    f"delay {longest} compares, with counts={params.counts}. At least "
                    "one is needed. Raise counts or pixels, or take fewer levels."
                )
                raise ConfigError(msg)
        return {"frames": frames}

    def compute(
        self, backend: BackendProtocol, problem: Problem[G2Params], inputs: Arrays
    ) -> Arrays:
        """Go through the levels block by block, then put the blocks together."""
        params, dtype = problem.params, problem.dtype
        layout = _lay_out(params, dtype)
        blocks = _cut(backend, layout, params, inputs["frames"])
        pixel = backend.arange(layout.width)
        pairs = backend.array(_pairs(params), dtype)

        def moments(carry: Any, block: Any) -> tuple[Any, tuple[Any, Any]]:
            counts, n_pixels = block
            sums = _sum_channels(
                backend, params.channels_by_level, backend.astype(counts, dtype)
            )
            mean = backend.sum(sums, axis=-1) / n_pixels
            inside = backend.astype(pixel < n_pixels, dtype)
            apart = (sums - backend.expand_dims(mean, -1)) * inside
            scale = backend.expand_dims(_scale(backend, mean, pairs), -1)
            product, earlier, later = (apart[i] / scale[i] for i in range(3))
            parts = (product - earlier - later, earlier, later)
            scatter = [backend.sum(parts[i] * parts[j], axis=-1) for i, j in _MOMENTS]
            return carry, (mean, backend.stack(scatter))

        sizes = backend.array(layout.sizes, dtype)
        _, (means, scatters) = backend.scan(moments, None, (blocks, sizes))
        mean, relative = _put_together(backend, layout, sizes, means, scatters, pairs)
        g2 = (mean[0] / mean[1]) * (pairs / mean[2])
        n_pixels = backend.array([c.stop - c.start for c in layout.columns], dtype)
        error = g2 * backend.sqrt(
            backend.maximum(relative, 0.0)
            / backend.expand_dims(n_pixels * (n_pixels - 1), 1)
        )
        return {
            "g2": backend.transpose(g2),
            "g2_error": backend.transpose(error),
            "delays": backend.array(
                delays_in_frames(params.channels_by_level), "int64"
            ),
        }

    def tolerance(self, problem: Problem[G2Params], output: str) -> Tolerance:
        """A few ULP of g2; its error is a difference of second moments."""
        params = problem.params
        info = np.finfo(problem.dtype)
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

    def truth(
        self, problem: Problem[G2Params], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """g2 as fractions of whole numbers, its error from them in 50 digits."""
        import mpmath

        params = problem.params
        bins = np.unique(np.linspace(0, params.bins - 1, 3, dtype=np.int64)).tolist()
        places = [
            (level, channel)
            for level, channels in enumerate(params.channels_by_level)
            for channel in channels
        ]
        truths: dict[str, list[Truth]] = {
            "g2": [],
            "g2_error": [],
            "delays": [
                Truth((place,), channel * 2**level)
                for place, (level, channel) in enumerate(places)
            ],
        }
        for index in bins:
            counts = inputs["frames"][:, bin_columns(params)[index]].astype(np.int64)
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
                truths["g2"].append(Truth((place, index), g2))
                truths["g2_error"].append(Truth((place, index), error))
        return truths

    def work(self, problem: Problem[G2Params]) -> Work:
        """Products and their sums for every pair, pairwise means, sums of frames."""
        params = problem.params
        levels = params.channels_by_level
        per_pixel = 2 * sum(_pairs(params)) + 2 * sum(
            params.frames >> level for level in range(len(levels))
        )
        n_delays = sum(map(len, levels))
        width = np.dtype(problem.dtype).itemsize
        return Work(
            flops=per_pixel * params.pixels,
            bytes=2 * params.frames * params.pixels
            + 2 * width * n_delays * params.bins
            + 8 * n_delays,
        )


class _Layout(NamedTuple):
    """How the columns of a series are cut into blocks of one width."""

    columns: tuple[slice, ...]
    width: int
    sizes: list[int]
    """Pixels of each block; the rest of it is padding."""
    bins: list[int]
    """To which bin each block belongs."""


def _lay_out(params: G2Params, dtype: str) -> _Layout:
    columns = bin_columns(params)
    frame_bytes = np.dtype(dtype).itemsize * params.frames
    largest = max(c.stop - c.start for c in columns)
    width = max(_NARROWEST_BLOCK, params.block_kib * 1024 // frame_bytes)
    width = min(width, largest)
    starts = [
        (index, start, c.stop)
        for index, c in enumerate(columns)
        for start in range(c.start, c.stop, width)
    ]
    return _Layout(
        columns,
        width,
        sizes=[min(width, stop - start) for _, start, stop in starts],
        bins=[index for index, _, _ in starts],
    )


def _cut(
    backend: BackendProtocol, layout: _Layout, params: G2Params, frames: Any
) -> Any:
    """Return the blocks (block, frame, pixel), padded with dark pixels."""
    parts = []
    for columns in layout.columns:
        parts.append(frames[:, columns])
        padding = -(columns.stop - columns.start) % layout.width
        parts.append(backend.zeros((params.frames, padding), frames.dtype))
    padded = backend.concatenate(parts, axis=1)
    shape = (params.frames, len(layout.sizes), layout.width)
    return backend.transpose(backend.reshape(padded, shape), (1, 0, 2))


def _sum_channels(
    backend: BackendProtocol, levels: Sequence[range], counts: Any
) -> Any:
    """Sum product, earlier and later intensity over the pairs: (3, delay, pixel).

    A frame of a level is the sum of those it is made of, not their mean: g2 is the
    same, and sums of counts are whole numbers.
    """
    found: list[Any] = []
    for level, channels in enumerate(levels):
        if level:
            n = 2 * (counts.shape[0] // 2)
            counts = counts[0:n:2] + counts[1:n:2]
        n, first, longest = counts.shape[0], channels[0], channels[-1]
        products = [
            backend.sum(counts[: n - channel] * counts[channel:], axis=0)
            for channel in channels
        ]
        # from the longest delay down, each has one frame more at either end
        ends = [
            (
                backend.sum(counts[: n - longest], axis=0),
                counts[n - longest : n - first],
            ),
            (backend.sum(counts[longest:], axis=0), counts[first:longest][::-1]),
        ]
        earlier, later = (
            backend.cumsum(
                backend.concatenate([backend.expand_dims(least, 0), more]), axis=0
            )[::-1]
            for least, more in ends
        )
        found.append(backend.stack([backend.stack(products), earlier, later]))
    return backend.concatenate(found, axis=1)


def _scale(backend: BackendProtocol, mean: Any, pairs: Any) -> Any:
    """Return by what the sums of a block are divided: their means, unless it is dark.

    A dark block, or one without coincidences, deviates by zero from its mean, so that
    its scale decides nothing but how rounding errors are scaled.
    """
    earlier, later = (backend.where(mean[i] > 0, mean[i], 1.0) for i in (1, 2))
    product = backend.where(mean[0] > 0, mean[0], earlier * later / pairs)
    return backend.stack([product, earlier, later])


def _put_together(
    backend: BackendProtocol,
    layout: _Layout,
    sizes: Any,
    means: Any,
    scatters: Any,
    pairs: Any,
) -> tuple[list[Any], Any]:
    """Combine blocks (block, quantity, delay) into bins, each (bin, delay).

    Returns the mean sums of product, earlier and later intensity, and the sum over
    pixels of ``(product / <product> - earlier / <earlier> - later / <later> + 1)**2``.
    A block has the second moments of that difference, which is small, and not of its
    terms, which are large; the moments are about the mean of the block, and what its
    mean is away from that of the bin is added here.
    """
    member = np.equal.outer(np.arange(len(layout.columns)), layout.bins)
    belongs = backend.array(member, means.dtype)
    column = backend.expand_dims(sizes, 1)
    n_pixels = backend.matmul(belongs, column)
    mean = [backend.matmul(belongs, means[:, i] * column) / n_pixels for i in range(3)]
    owner = backend.array(layout.bins, "int64")
    of_bin = [backend.take(part, owner, axis=0) for part in mean]
    product, earlier, later = (means[:, i] / of_bin[i] for i in range(3))
    shift = product - earlier - later + 1.0
    scale = backend.vmap(lambda block: _scale(backend, block, pairs))(means)
    product, earlier, later = (scale[:, i] / of_bin[i] for i in range(3))
    factors = (product, product - earlier, product - later)
    relative = column * shift * shift
    for place, (i, j) in enumerate(_MOMENTS):
        times = 1.0 if i == j else 2.0
        relative = relative + times * factors[i] * factors[j] * scatters[:, place]
    return mean, backend.matmul(belongs, relative)


def _pairs(params: G2Params) -> list[int]:
    """Pairs of frames at each delay."""
    return [
        (params.frames >> level) - channel
        for level, channels in enumerate(params.channels_by_level)
        for channel in channels
    ]


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
    for i, j in _MOMENTS:
        moment = sum(a * b for a, b in zip(parts[i], parts[j], strict=True))
        factor = signs[i] * signs[j] * (1 if i == j else 2)
        total += factor * moment / (means[i] * means[j])
    return g2, total
