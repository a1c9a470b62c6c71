"""The two-time correlation C2 of every bin, and g2 along its diagonals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
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


class TwoTime(Kernel[TwoTimeParams]):
    """Correlate every frame with every other one, bin by bin.

    ``C2(t1, t2) = <I(t1) I(t2)> / (<I(t1)> <I(t2)>)``, averaged over the pixels of the
    bin: one matrix product of raw counts per bin, normalised afterwards. Raw counts
    are whole numbers, whose products and sums are exact as long as the type can count
    that far. Where a frame has no photon in a bin C2 is NaN, and g2 leaves it out.
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
        """Correlate bin by bin."""
        params, frames = problem.params, inputs["frames"]
        c2s, g2s = [], []
        for columns in bin_columns(params):
            photons, total = _correlate(backend, problem, frames, columns)
            n_pixels = columns.stop - columns.start
            expected = backend.expand_dims(total, 1) * total
            seen = expected > 0
            c2 = photons * float(n_pixels) / backend.where(seen, expected, 1.0)
            c2 = backend.where(seen, c2, math.nan)
            if params.diagonal == "neighbour_mean":
                c2 = _without_shot_noise(backend, c2)
            c2s.append(c2)
            g2s.append(_g2(backend, params.estimator, c2, expected, total))
        return {"c2": backend.stack(c2s), "g2": backend.stack(g2s)}

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
                true = _TrueBin(inputs["frames"][:, columns[index]], params)
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


def _correlate(
    backend: BackendProtocol,
    problem: Problem[TwoTimeParams],
    frames: Any,
    columns: slice,
) -> tuple[Any, Any]:
    """Sum I(t1) I(t2), and I(t), over the pixels of a bin, block by block."""
    width = problem.params.block_pixels

    def correlate_block(start: int) -> tuple[Any, Any]:
        block = frames[:, start : min(start + width, columns.stop)]
        counts = backend.astype(block, problem.dtype)
        products = backend.matmul(counts, backend.transpose(counts))
        return products, backend.sum(counts, axis=1)

    first, *others = range(columns.start, columns.stop, width)
    photons, total = correlate_block(first)
    for start in others:
        more, later = correlate_block(start)
        photons, total = photons + more, total + later
    return photons, total


def _without_shot_noise(backend: BackendProtocol, c2: Any) -> Any:
    """Put the mean of both neighbours on the diagonal; at the ends there is one."""
    n = c2.shape[0]
    beside = backend.take(c2, backend.arange(n - 1) * (n + 1) + 1)
    known = backend.isfinite(beside)
    value = backend.where(known, beside, 0.0)
    weight = backend.astype(known, c2.dtype)
    nothing = backend.zeros_like(value[:1])
    sums = [
        backend.concatenate([nothing, part]) + backend.concatenate([part, nothing])
        for part in (value, weight)
    ]
    mean = backend.where(sums[1] > 0, sums[0] / backend.maximum(sums[1], 1.0), math.nan)
    return backend.where(_difference(backend, n) == 0, backend.expand_dims(mean, 1), c2)


def _difference(backend: BackendProtocol, n: int) -> Any:
    place = backend.arange(n)
    return backend.expand_dims(place, 1) - place


def _g2(
    backend: BackendProtocol, estimator: Estimator, c2: Any, expected: Any, total: Any
) -> Any:
    """Take g2 along the diagonals, from the elements that there are."""
    there = backend.isfinite(c2)
    zero = backend.zeros_like(c2)
    if estimator == "mean_of_diagonal":
        above = _sum_diagonals(backend, backend.where(there, c2, zero))
        below = _sum_diagonals(backend, backend.astype(there, c2.dtype))
    else:
        above = _sum_diagonals(backend, backend.where(there, c2 * expected, zero))
        if estimator == "ratio_of_sums":
            below = _sum_diagonals(backend, backend.where(there, expected, zero))
        else:
            n = total.shape[0]
            earlier = backend.cumsum(total)[::-1]
            later = backend.cumsum(total[::-1])[::-1]
            pairs = n - backend.arange(n, dtype=c2.dtype)
            below = (earlier / pairs) * later
    some = below > 0
    return backend.where(some, above / backend.where(some, below, 1.0), math.nan)


def _sum_diagonals(backend: BackendProtocol, x: Any) -> Any:
    """Sum the main diagonal and those above it.

    With one more element per row, element (r, c) comes to stand at (r, c - r): every
    diagonal becomes a column, with those below the main one behind its end. The rows
    are added in groups, and then the groups: a sum of n nearly equal numbers, one
    after the other, drifts by up to n / 2 ULP, one in groups by the root of n.
    """
    n = x.shape[0]
    rows = math.isqrt(n - 1) + 1
    groups = -(-n // rows)
    end = backend.zeros((groups * rows - n) * (n + 1) + n, dtype=x.dtype)
    padded = backend.concatenate([backend.flatten(x), end])
    skewed = backend.reshape(padded, (groups, rows, n + 1))[:, :, :n]
    place = backend.reshape(backend.arange(groups * rows), (groups, rows, 1))
    inside = place + backend.arange(n) < n
    kept = backend.where(inside, skewed, backend.zeros_like(skewed))
    return backend.sum(backend.sum(kept, axis=1), axis=0)


class _TrueBin:
    """C2 and g2 of one bin from whole numbers."""

    def __init__(self, frames: NDArray[np.uint16], params: TwoTimeParams) -> None:
        self._frames = frames.astype(np.int64)
        self._total = self._frames.sum(axis=1).tolist()
        self._params = params

    def has_c2(self, first: int, second: int) -> bool:
        """Whether there are photons in both frames, and beside the diagonal."""
        if first == second and self._params.diagonal == "neighbour_mean":
            return bool(self._beside(first))
        return bool(self._total[first] and self._total[second])

    def c2(self, first: int, second: int) -> Any:
        """One element, in the precision that is set."""
        import mpmath

        if first == second and self._params.diagonal == "neighbour_mean":
            beside = self._beside(first)
            return mpmath.fsum(self._raw(*pair) for pair in beside) / len(beside)
        return self._raw(first, second)

    def has_g2(self, delay: int) -> bool:
        """Whether any pair of frames has a C2."""
        return bool(self._pairs(delay))

    def g2(self, delay: int) -> Any:
        """The estimate at one delay, in the precision that is set."""
        import mpmath

        pairs = self._pairs(delay)
        values = [self.c2(*pair) for pair in pairs]
        if self._params.estimator == "mean_of_diagonal":
            return mpmath.fsum(values) / len(values)
        expected = [self._total[first] * self._total[second] for first, second in pairs]
        above = mpmath.fdot(values, expected)
        if self._params.estimator == "ratio_of_sums":
            return above / sum(expected)
        n = len(self._total) - delay
        return above * n / (sum(self._total[:n]) * sum(self._total[delay:]))

    def _pairs(self, delay: int) -> list[tuple[int, int]]:
        firsts = range(len(self._total) - delay)
        return [(t, t + delay) for t in firsts if self.has_c2(t, t + delay)]

    def _beside(self, frame: int) -> list[tuple[int, int]]:
        pairs = [(frame - 1, frame), (frame, frame + 1)]
        return [
            pair
            for pair in pairs
            if pair[0] >= 0 and pair[1] < len(self._total) and self.has_c2(*pair)
        ]

    def _raw(self, first: int, second: int) -> Any:
        import mpmath

        products = int(np.dot(self._frames[first], self._frames[second]))
        expected = self._total[first] * self._total[second]
        return mpmath.mpf(products * self._frames.shape[1]) / expected
