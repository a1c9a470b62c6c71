"""Binning: mean, variance and static intensity of every bin, and frames without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.config import Detector
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
from xpcs_bench.kernels.mask import mask_array

__all__ = ["Binning", "BinningParams"]

_EPS = float(np.finfo(np.float64).eps)


class BinningParams(ConfinedModel):
    """How many frames, and how many bins."""

    frames: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    """Frames of the detector, each binned on its own."""
    rings: Annotated[int, Field(ge=1, le=10_000)] = 6
    """Rings of equal width around the middle of the detector."""
    sectors: Annotated[int, Field(ge=1, le=1_000)] = 2
    """Sectors that each ring is cut into."""
    counts: Annotated[float, Field(gt=0, le=1_000)] = 5.0
    """Photons per pixel and frame in the middle; 17 times less in the corners."""


class Binning(Kernel[BinningParams]):
    """Average the pixels of each bin: intensity against time, and I(q).

    Frames are photon counts as a detector delivers them, in 16 bits. Label 0 is a pixel
    that belongs to no bin; label b is counted in element b - 1 of the outputs. A bin
    without any pixel has the count 0, and NaN for mean, variance and intensity. The
    variance is divided by the number of pixels.

    ``intensity`` is the mean over all frames and pixels of a bin. ``normalised`` is the
    mean of every pixel over the frames, divided by the intensity of its bin: what is
    left of a static pattern when its fall with q is taken out. It is 1 on average over
    a bin, and NaN in label 0 and in a bin without any photon. A bin is a sector of a
    ring: with sectors=1, that is the mean of the ring.
    """

    name: ClassVar[str] = "binning"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Mean and variance of every bin in every frame, and I(q)."
    source: ClassVar[str] = (
        "Mean and variance over labelled pixels, as scipy.ndimage.mean and variance "
        "define them; labels as in the partition."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector"})
    Params: ClassVar[type[ConfinedModel]] = BinningParams

    def outputs(self, problem: Problem[BinningParams]) -> tuple[Output, ...]:
        """Mean and variance by frame and bin; by bin pixels and I(q); one image."""
        del problem
        return (
            Output("mean", ("frame", "bin"), "photon", finite=False),
            Output("variance", ("frame", "bin"), "photon^2", finite=False),
            Output("counts", ("bin",), "1", dtype="int64"),
            Output("intensity", ("bin",), "photon", finite=False),
            Output("normalised", ("row", "column"), "1", finite=False),
        )

    def make_inputs(
        self, problem: Problem[BinningParams], rng: np.random.Generator
    ) -> Host:
        """Poisson counts that fall off from the middle, and labels of ring sectors."""
        params, detector = problem.params, _detector(problem)
        radius, azimuth = _polar_fractions(detector)
        ring = np.minimum(radius * params.rings, params.rings - 1).astype(np.int32)
        sector = np.minimum(azimuth * params.sectors, params.sectors - 1)
        labels = ring * np.int32(params.sectors) + sector.astype(np.int32) + np.int32(1)
        labels[~mask_array(detector)] = 0
        expected = params.counts / (1 + (4 * radius) ** 2)
        frames = np.empty((params.frames, *detector.shape), np.uint16)
        for frame in frames:
            frame[...] = rng.poisson(expected)
        return {"frames": frames, "labels": labels}

    def compute(
        self, backend: BackendProtocol, problem: Problem[BinningParams], inputs: Arrays
    ) -> Arrays:
        """Add up counts and their squares, which are exact in double precision."""
        n_bins = problem.params.rings * problem.params.sectors
        frames = inputs["frames"]
        labels = backend.reshape(inputs["labels"], (-1,))
        counts = backend.bincount(labels, length=n_bins + 1)[1:]
        # a bin without pixels divides by one, and is then set to NaN
        some = counts > 0
        n = backend.astype(backend.maximum(counts, 1), "float64")

        def bin_frame(carry: Any, frame: Any) -> tuple[Any, tuple[Any, Any]]:
            photons = backend.astype(backend.reshape(frame, (-1,)), "float64")
            total, squares = (
                backend.bincount(labels, weights, length=n_bins + 1)[1:]
                for weights in (photons, photons * photons)
            )
            mean = total / n
            variance = backend.maximum((squares - total * mean) / n, 0.0)
            return carry + total, (mean, variance)

        total, (mean, variance) = backend.scan(
            bin_frame, backend.zeros((n_bins,), "float64"), frames
        )
        nan = float("nan")
        # by what the sum of a pixel over the frames is multiplied; label 0 is first
        dark = total == 0
        factor = backend.where(dark, nan, n / backend.where(dark, 1.0, total))
        factor = backend.concatenate([backend.full((1,), nan, "float64"), factor])
        summed = backend.astype(backend.sum(frames, axis=0), "float64")
        found = {
            "mean": backend.where(some, mean, nan),
            "variance": backend.where(some, variance, nan),
            "counts": counts,
            "intensity": backend.where(some, total / (n * frames.shape[0]), nan),
            "normalised": summed * backend.take(factor, inputs["labels"]),
        }
        return {
            name: array if name == "counts" else backend.astype(array, problem.dtype)
            for name, array in found.items()
        }

    def tolerance(self, problem: Problem[BinningParams], output: str) -> Tolerance:
        """One or two roundings; of the variance also that of the mean's square."""
        eps = float(np.finfo(problem.dtype).eps)
        if output == "counts":
            return Tolerance(
                rtol=0.0,
                atol=0.0,
                reason="Numbers of pixels are whole: nothing is rounded.",
            )
        if output in {"mean", "intensity"}:
            return Tolerance(
                rtol=eps,
                atol=0.0,
                reason=(
                    "The sum of whole numbers is exact in double precision; the "
                    "quotient, and its conversion, are rounded by eps / 2 each."
                ),
            )
        if output == "normalised":
            return Tolerance(
                rtol=1.5 * eps,
                atol=0.0,
                reason=(
                    "Sums of whole numbers are exact in double precision; a quotient, "
                    "a product and its conversion are rounded by eps / 2 each."
                ),
            )
        return Tolerance(
            rtol=4 * eps,
            atol=4 * _EPS * problem.params.counts**2,
            reason=(
                "The sums are exact; the square of the mean, which is at most that in "
                "the middle, is rounded three times in double precision before it is "
                "subtracted. Quotient and conversion add eps / 2 each."
            ),
        )

    def truth(
        self, problem: Problem[BinningParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """Fractions of whole numbers, for bins and pixels spread over the detector."""
        params = problem.params
        n_bins = params.rings * params.sectors
        frames, labels = inputs["frames"], inputs["labels"]
        rows = np.unique(np.linspace(0, params.frames - 1, 3, dtype=np.int64)).tolist()
        bins = np.unique(np.linspace(0, n_bins - 1, 7, dtype=np.int64)).tolist()
        names = ("mean", "variance", "counts", "intensity", "normalised")
        truths: dict[str, list[Truth]] = {name: [] for name in names}
        for chosen in bins:
            inside = np.nonzero(labels == chosen + 1)
            n = len(inside[0])
            truths["counts"].append(Truth((chosen,), n))
            if not n:
                continue
            for row in rows:
                photons = frames[row][inside].tolist()
                mean = Fraction(sum(photons), n)
                square = Fraction(sum(value**2 for value in photons), n)
                truths["mean"].append(Truth((row, chosen), mean))
                truths["variance"].append(Truth((row, chosen), square - mean**2))
            total = sum(int(frame[inside].sum(dtype=np.int64)) for frame in frames)
            truths["intensity"].append(
                Truth((chosen,), Fraction(total, n * len(frames)))
            )
            # the first, a middle and the last pixel of the bin
            for place in sorted({0, n // 2, n - 1}) if total else ():
                pixel = int(inside[0][place]), int(inside[1][place])
                summed = int(frames[:, pixel[0], pixel[1]].sum(dtype=np.int64))
                truths["normalised"].append(Truth(pixel, Fraction(summed * n, total)))
        return truths

    def work(self, problem: Problem[BinningParams]) -> Work:
        """Per pixel and frame: a square and three sums; per pixel a product."""
        params = problem.params
        rows, cols = _detector(problem).shape
        n_bins = params.rings * params.sectors
        width = np.dtype(problem.dtype).itemsize
        return Work(
            flops=(4 * params.frames + 1) * rows * cols,
            bytes=(2 * params.frames + 4 + width) * rows * cols
            + (2 * width * params.frames + 8 + width) * n_bins,
        )


def _detector(problem: Problem[BinningParams]) -> Detector:
    if problem.detector is None:
        msg = (
            "the problem has no detector. Binning needs one for its frames. Give at "
            "least one detector in the experiment."
        )
        raise ConfigError(msg)
    return problem.detector


def _polar_fractions(detector: Detector) -> tuple[NDArray[Any], NDArray[Any]]:
    """Radius as a part of the largest one, and azimuth as a part of a turn."""
    rows, cols = detector.shape
    up = (np.arange(rows) - (rows - 1) / 2)[:, None]
    right = (np.arange(cols) - (cols - 1) / 2)[None, :]
    radius = np.hypot(up, right)
    largest = max(float(radius.max()), 1.0)
    return radius / largest, (np.arctan2(up, right) / (2 * np.pi)) % 1.0
