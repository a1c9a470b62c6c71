"""Bins of a frame stack beside SciPy's and scikit-beam's."""

from __future__ import annotations

from typing import Any

import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Mask, MaskedRectangle
from xpcs_bench.kernels import Problem, create_kernel

BINNING = create_kernel("binning")
EIGER_500K = Detector(
    name="eiger-500k",
    shape=(514, 1030),
    pixel_size_um=75,
    # scikit-beam takes it for granted that some pixel is masked
    mask=Mask(rectangles=(MaskedRectangle(rows=(250, 264), columns=(0, 1030)),)),
)
EPS = float(np.finfo(np.float64).eps)
COUNTS = (0.01, 5.0, 800.0)
"""Photons per pixel: nearly dark, as usual, and nearly as many as 16 bits hold."""

Stack = dict[str, NDArray[Any]]


def binned(backend: str, counts: float) -> tuple[Stack, Stack]:
    """Return the inputs and outputs for three frames of an Eiger 500k in 72 bins."""
    library = create_backend(backend)
    params = BINNING.Params(frames=3, rings=12, sectors=6, counts=counts)
    problem = Problem(params, EIGER_500K, None, "float64")
    inputs = BINNING.make_inputs(problem, np.random.default_rng(0))
    compute = library.jit(lambda placed: BINNING.compute(library, problem, placed))
    outputs = compute({k: library.from_numpy(v) for k, v in inputs.items()})
    return inputs, {k: np.asarray(library.to_numpy(v)) for k, v in outputs.items()}


def relative(actual: NDArray[Any], desired: Any) -> float:
    """Return the largest relative difference; infinite where one alone is finite."""
    wanted = np.asarray(desired, np.float64)
    both = np.isfinite(actual) & np.isfinite(wanted)
    if (np.isfinite(actual) != np.isfinite(wanted)).any():
        return float("inf")
    scale = np.where(wanted[both] == 0, 1.0, np.abs(wanted[both]))
    return float((np.abs(actual[both] - wanted[both]) / scale).max())


def against_scipy() -> list[Finding]:
    """Compare with ``scipy.ndimage.mean`` and ``variance`` of labelled pixels.

    Its means are sums of whole numbers, exact like ours, and one quotient. Its variance
    subtracts the mean before it squares, and adds up what is rounded: equal counts have
    equal squares, whose sum is rounded in one direction, by eps / 2 for every pixel at
    most. Ours is within 4 eps of the exact fraction, as a test of the kernel has it.
    ``normalised`` is a quotient of two means.
    """
    from scipy import ndimage

    findings = []
    bins = np.arange(1, 73)
    for backend in ("numpy", "jax"):
        for counts in COUNTS:
            inputs, found = binned(backend, counts)
            labels, frames = inputs["labels"], inputs["frames"].astype(np.float64)
            mean = [ndimage.mean(frame, labels, bins) for frame in frames]
            variance = [ndimage.variance(frame, labels, bins) for frame in frames]
            intensity = ndimage.mean(frames, np.stack([labels] * 3), bins)
            ring = np.concatenate([[np.nan], intensity])[labels]
            where = f"{counts:g} photons, {backend}"
            findings += [
                Finding(
                    f"mean, {where}", relative(found["mean"], mean), EPS, "relative"
                ),
                Finding(
                    f"variance, {where}",
                    relative(found["variance"], variance),
                    EPS / 2 * float(found["counts"].max()),
                    "relative",
                ),
                Finding(
                    f"intensity, {where}",
                    relative(found["intensity"], intensity),
                    EPS,
                    "relative",
                ),
                Finding(
                    f"normalised, {where}",
                    relative(found["normalised"], frames.mean(axis=0) / ring),
                    4 * EPS,
                    "relative",
                ),
            ]
    return findings


def against_scikit_beam() -> list[Finding]:
    """Compare with ``skbeam.core.roi.mean_intensity``, which takes SciPy's mean."""
    from skbeam.core import roi

    inputs, found = binned("jax", 5.0)
    mean, labels = roi.mean_intensity(
        inputs["frames"].astype(np.float64), inputs["labels"]
    )
    # it leaves out bins without pixels; we have NaN there
    present = np.asarray(labels, np.int64)
    missing = float(len(set(np.flatnonzero(found["counts"]) + 1) ^ set(labels)))
    apart = relative(found["mean"][:, present - 1], mean)
    return [
        Finding("mean, 5 photons, jax", apart, EPS, "relative"),
        Finding("labels that one of both lacks", missing, 0.0, "labels"),
    ]


ORACLES = (
    Oracle(
        "binning-scipy",
        "SciPy: scipy.ndimage.mean and variance",
        "scipy",
        against_scipy,
    ),
    Oracle(
        "binning-skbeam",
        "scikit-beam: skbeam.core.roi.mean_intensity",
        "skbeam",
        against_scikit_beam,
    ),
)
