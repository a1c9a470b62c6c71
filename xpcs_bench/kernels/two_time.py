"""The two-time correlation C2 of every bin, and g2 along its diagonals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
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
from xpcs_bench.kernels.series import (
    SeriesParams,
    bin_columns,
    check_bins,
    make_series,
)
from xpcs_bench.kernels.two_time_truth import TrueBin

__all__ = ["TwoTime", "TwoTimeParams"]

Estimator = Literal["mean_of_diagonal", "ratio_of_sums", "symmetric"]


class TwoTimeParams(SeriesParams):
    """The series, what stands on the diagonal, and how g2 is taken from C2."""

    diagonal: Literal["raw", "neighbour_mean"] = "raw"
    """``raw``: the mean of the squared intensity, with the shot noise of photons.
    ``neighbour_mean``: the mean of the elements on either side of it, without."""
    estimator: Estimator = "mean_of_diagonal"
    """``mean_of_diagonal``: the mean of C2 along it. ``ratio_of_sums``: the sum of the
    products of intensities over that of the products of mean intensities.
    ``symmetric``: the mean product over the product of the mean intensities of the
    earlier and of the later frames. They differ where the intensity does."""
    block_pixels: Annotated[int, Field(ge=1, le=100_000_000)] = 2048
    """Pixels that are converted to floating point at once, which bounds the memory
    beyond inputs and outputs."""
    block_frames: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """Frames, at most, that are correlated with all later ones at once: C2 is
    symmetric, and only half of it need be computed where there are many blocks."""


class TwoTime(Kernel[TwoTimeParams]):
    """Correlate every frame with every other one, bin by bin.

    ``C2(t1, t2) = <I(t1) I(t2)> / (<I(t1)> <I(t2)>)``, averaged over the pixels of the
    bin: one matrix product of raw counts per bin, normalised afterwards. Raw counts
    are whole numbers, whose products and sums are exact as long as the type can count
    that far. Where a frame has no photon in a bin C2 is NaN, and g2 leaves it out.

    C2 is symmetric: the frames are cut into bands, a band is multiplied by itself and
    by the frames after it, and what is before it is copied from the other side. Many
    bands need little more than half of the products; they also bound the memory, which
    :meth:`most_bytes` tells.
    """

    name: ClassVar[str] = "two_time"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Two-time correlation C2 of every bin, and g2 from it."
    source: ClassVar[str] = (
        "A. Fluerasu et al., Phys. Rev. E 76, 010401 (2007), for C2; symmetric "
        "normalisation after K. Schaetzel et al., J. Mod. Opt. 35, 711 (1988)."
    )
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = TwoTimeParams

    def check(self, problem: Problem[TwoTimeParams]) -> None:
        """Refuse bins without pixels."""
        super().check(problem)
        check_bins(self.name, problem.params)

    def outputs(self, problem: Problem[TwoTimeParams]) -> tuple[Output, ...]:
        """C2 by bin and two frames, g2 by bin and delay in frames, from 0."""
        del problem
        return (
            Output("c2", ("bin", "frame_1", "frame_2"), "1", finite=False),
            Output("g2", ("bin", "delay"), "1", finite=False),
        )

    def make_inputs(
        self, problem: Problem[TwoTimeParams], rng: np.random.Generator
    ) -> Host:
        """Photon counts (frame, pixel), with the pixels of a bin side by side."""
        return {"frames": make_series(problem.params, rng)}

    def compute(
        self, backend: BackendProtocol, problem: Problem[TwoTimeParams], inputs: Arrays
    ) -> Arrays:
        """Correlate bin by bin, and put the rows of all bins together once."""
        params = problem.params
        rows, g2s = [], []
        for columns in bin_columns(params):
            of_bin, g2 = _rows_and_g2(backend, problem, inputs["frames"], columns)
            rows += of_bin
            g2s.append(g2)
        shape = (params.bins, params.frames, params.frames)
        c2 = backend.reshape(backend.concatenate(rows), shape)
        return {"c2": c2, "g2": backend.stack(g2s)}

    def most_bytes(self, problem: Problem[TwoTimeParams]) -> int:
        """Return what memory the computation needs at most, its inputs included.

        The frames; C2 of all bins three times: as the output, as the rows that it is
        put together from, and as what becomes rows; five bands of a bin, while it is
        normalised and g2 taken; two blocks of ``block_pixels`` pixels of all frames,
        in floating point; and sums along diagonals, by band.
        """
        params = problem.params
        bands = _bands(params)
        highest: int = max(band.stop - band.start for band in bands)
        pixels = min(params.block_pixels, params.pixels)
        c2 = (3 * params.bins * params.frames + 5 * highest) * params.frames
        rest = (2 * pixels + 4 * len(bands)) * params.frames
        width = np.dtype(problem.dtype).itemsize
        return 2 * params.frames * params.pixels + width * (c2 + rest)

    def tolerance(self, problem: Problem[TwoTimeParams], output: str) -> Tolerance:
        """A few ULP, and what sums over pixels and along a diagonal gather."""
        params = problem.params
        info = np.finfo(problem.dtype)
        n_pixels = max(c.stop - c.start for c in bin_columns(params))
        # the intensity has a tail: 10 times the mean is met, and the square of it adds
        exact = n_pixels * (10 * params.counts) ** 2 < 2.0 ** (info.nmant + 1)
        gathered = 0.0 if exact else math.sqrt(n_pixels) / 2
        reason = (
            "Sums of products of counts are whole numbers, exact in this type; "
            if exact
            else "Sums of so many counts are not exact in this type: their error grows "
            "as the root of the number of pixels; "
        ) + "two products and a quotient are rounded by eps / 2 each."
        if output == "g2":
            gathered += math.sqrt(params.frames) / 2
            reason += (
                " g2 adds up to all frames along a diagonal, in groups: an error that "
                "grows as the root of their number at most; half of that was met."
            )
        return Tolerance(rtol=(4 + gathered) * float(info.eps), atol=0.0, reason=reason)

    def truth(
        self, problem: Problem[TwoTimeParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """Whole numbers divided in 50 digits, for sampled frames and delays."""
        import mpmath

        params = problem.params
        columns = bin_columns(params)
        bins = np.unique(np.linspace(0, params.bins - 1, 3, dtype=np.int64)).tolist()
        places = sorted(
            {0, 1, params.frames // 3, params.frames - 2, params.frames - 1}
        )
        truths: dict[str, list[Truth]] = {"c2": [], "g2": []}
        with mpmath.workdps(50):
            for index in bins:
                true = TrueBin(
                    inputs["frames"][:, columns[index]],
                    diagonal=params.diagonal,
                    estimator=params.estimator,
                )
                truths["c2"] += [
                    Truth((index, first, second), true.c2(first, second))
                    for first, second in product(places, places)
                    if true.has_c2(first, second)
                ]
                truths["g2"] += [
                    Truth((index, delay), true.g2(delay))
                    for delay in places
                    if true.has_g2(delay)
                ]
        return truths

    def work(self, problem: Problem[TwoTimeParams]) -> Work:
        """Products of all pairs of frames once, and their normalisation."""
        params = problem.params
        pairs = params.frames * (params.frames + 1) // 2
        width = np.dtype(problem.dtype).itemsize
        return Work(
            flops=2 * pairs * params.pixels + 5 * params.bins * params.frames**2,
            bytes=2 * params.frames * params.pixels
            + width * params.bins * params.frames * (params.frames + 1),
        )


def _bands(params: TwoTimeParams) -> tuple[slice, ...]:
    """Cut the frames into bands of nearly equal height."""
    count = -(-params.frames // params.block_frames)
    bounds = [params.frames * index // count for index in range(count + 1)]
    return tuple(slice(first, stop) for first, stop in pairwise(bounds))


def _rows_and_g2(
    backend: BackendProtocol,
    problem: Problem[TwoTimeParams],
    frames: Any,
    columns: slice,
) -> tuple[list[Any], Any]:
    """Return C2 of a bin, band by band, and g2."""
    params, bands = problem.params, _bands(problem.params)
    c2, total = _correlate(backend, problem, frames, columns, bands)
    if params.diagonal == "neighbour_mean":
        c2 = _without_shot_noise(backend, c2)
    g2 = _g2(backend, params.estimator, bands, c2, total)
    return _whole_rows(backend, bands, c2), g2


def _correlate(
    backend: BackendProtocol,
    problem: Problem[TwoTimeParams],
    frames: Any,
    columns: slice,
    bands: Sequence[slice],
) -> tuple[list[Any], Any]:
    """Return C2 of a bin, NaN where a frame is dark, and the photons of each frame.

    C2 is an array (t1, t2) for every band of t1, with t2 from the first frame of the
    band to the last of all: C2 is symmetric, and the rest of it another band has.
    """
    found = [_sum_products(backend, problem, frames, columns, band) for band in bands]
    total = backend.concatenate([photons for _, photons in found])
    seen = backend.where(total > 0, total, math.nan)
    n_pixels = float(columns.stop - columns.start)
    c2 = [
        products * n_pixels / _product(backend, band, seen)
        for band, (products, _) in zip(bands, found, strict=True)
    ]
    return c2, total


def _sum_products(
    backend: BackendProtocol,
    problem: Problem[TwoTimeParams],
    frames: Any,
    columns: slice,
    band: slice,
) -> tuple[Any, Any]:
    """Sum I(t1) I(t2), and I(t1), over the pixels of a bin, block by block."""
    # one block that is narrower, then whole ones in a loop: unrolled, a compiler
    # computes the products of all blocks before it adds the first two
    n_pixels = columns.stop - columns.start
    width = min(problem.params.block_pixels, n_pixels)
    whole = -(-n_pixels // width) - 1
    first = columns.start + n_pixels - whole * width

    def read(part: Any, start: Any) -> Any:
        if backend.supports_jit:
            # a slice from a traced index on; copied at once, all blocks would be alive
            block = backend.take(part, start + backend.arange(width), axis=1)
        else:
            block = part[:, start : start + width]
        return backend.astype(block, problem.dtype)

    def correlate(within: Any, later: Any) -> tuple[Any, Any, Any]:
        return (
            # with itself alone: NumPy then computes one triangle
            backend.matmul(within, backend.transpose(within)),
            backend.matmul(within, backend.transpose(later)),
            backend.sum(within, axis=1),
        )

    def add_block(index: Any, sums: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        start = first + index * width
        more = correlate(read(frames[band], start), read(frames[band.stop :], start))
        return sums[0] + more[0], sums[1] + more[1], sums[2] + more[2]

    narrow = backend.astype(frames[band.start :, columns.start : first], problem.dtype)
    height = band.stop - band.start
    sums = correlate(narrow[:height], narrow[height:])
    if whole:
        sums = backend.fori_loop(0, whole, add_block, sums)
    return backend.concatenate(sums[:2], axis=1), sums[2]


def _product(backend: BackendProtocol, band: slice, x: Any) -> Any:
    """Return x(t1) x(t2) for the frames of a band and those from its first on."""
    return backend.expand_dims(x[band], 1) * x[band.start :]


def _without_shot_noise(backend: BackendProtocol, c2: Sequence[Any]) -> list[Any]:
    """Put the mean of both neighbours on the diagonal; at the ends there is one."""
    beside = backend.concatenate([_beside_diagonal(backend, part) for part in c2])
    known = backend.isfinite(beside)
    value = backend.where(known, beside, 0.0)
    weight = backend.astype(known, beside.dtype)
    nothing = backend.zeros_like(value[:1])
    sums = [
        backend.concatenate([nothing, part]) + backend.concatenate([part, nothing])
        for part in (value, weight)
    ]
    mean = backend.where(sums[1] > 0, sums[0] / backend.maximum(sums[1], 1.0), math.nan)
    corrected, first = [], 0
    for part in c2:
        height, width = part.shape
        diagonal = backend.expand_dims(mean[first : first + height], 1)
        place = backend.expand_dims(backend.arange(height), 1)
        corrected.append(backend.where(backend.arange(width) == place, diagonal, part))
        first += height
    return corrected


def _beside_diagonal(backend: BackendProtocol, part: Any) -> Any:
    """Return C2(t, t + 1) for the frames t of a band; the last of all has none."""
    height, width = part.shape
    place = backend.arange(min(height, width - 1))
    return backend.take(part, place * (width + 1) + 1)


def _g2(
    backend: BackendProtocol,
    estimator: Estimator,
    bands: Sequence[slice],
    c2: Sequence[Any],
    total: Any,
) -> Any:
    """Take g2 along the diagonals, from the elements that there are."""
    n = total.shape[0]

    def along(terms: Callable[[slice, Any], Any]) -> Any:
        sums = [
            _sum_diagonals(backend, terms(band, part), n)
            for band, part in zip(bands, c2, strict=True)
        ]
        return backend.sum(backend.stack(sums), axis=0)

    def where_there(part: Any, terms: Any) -> Any:
        return backend.where(backend.isfinite(part), terms, 0.0)

    if estimator == "mean_of_diagonal":
        above = along(lambda _, part: where_there(part, part))
        below = along(
            lambda _, part: backend.astype(backend.isfinite(part), part.dtype)
        )
    else:
        above = along(
            lambda band, part: where_there(part, part * _product(backend, band, total))
        )
        if estimator == "ratio_of_sums":
            below = along(
                lambda band, part: where_there(part, _product(backend, band, total))
            )
        else:
            earlier = backend.cumsum(total)[::-1]
            later = backend.cumsum(total[::-1])[::-1]
            below = (earlier / (n - backend.arange(n, dtype=total.dtype))) * later
    some = below > 0
    return backend.where(some, above / backend.where(some, below, 1.0), math.nan)


def _sum_diagonals(backend: BackendProtocol, part: Any, n: int) -> Any:
    """Sum the main diagonal of a band and those above it; there are n of them.

    With one more element per row, element (r, c) comes to stand at (r, c - r): every
    diagonal becomes a column, with those below the main one behind its end. The rows
    are added in groups, and then the groups: a sum of n nearly equal numbers, one
    after the other, drifts by up to n / 2 ULP, one in groups by the root of n.
    """
    height, width = part.shape
    rows = math.isqrt(height - 1) + 1
    groups = -(-height // rows)
    end = (groups * rows - height) * (width + 1) + height
    padded = backend.concatenate(
        [backend.flatten(part), backend.zeros(end, dtype=part.dtype)]
    )
    skewed = backend.reshape(padded, (groups, rows, width + 1))[:, :, :width]
    place = backend.reshape(backend.arange(groups * rows), (groups, rows, 1))
    kept = backend.where(place < width - backend.arange(width), skewed, 0.0)
    found = backend.sum(backend.sum(kept, axis=1), axis=0)
    return backend.concatenate([found, backend.zeros(n - width, dtype=part.dtype)])


def _whole_rows(
    backend: BackendProtocol, bands: Sequence[slice], c2: Sequence[Any]
) -> list[Any]:
    """Put before every band what bands before it have of its frames, transposed."""
    rows = []
    for index, band in enumerate(bands):
        left = [
            backend.transpose(
                part[:, band.start - other.start : band.stop - other.start]
            )
            for other, part in zip(bands[:index], c2, strict=False)
        ]
        rows.append(backend.concatenate([*left, c2[index]], axis=1))
    return rows
