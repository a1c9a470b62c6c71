"""Bins of the frames of an Eiger 4M, beside SciPy's and scikit-beam's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call
from numpy.typing import NDArray

from xpcs_bench.config import Detector, Mask, MaskedRectangle
from xpcs_bench.kernels import create_kernel

FRAMES = 4
EIGER_4M = Detector(
    name="eiger-4m",
    shape=(2167, 2070),
    pixel_size_um=75,
    # scikit-beam takes it for granted that some pixel is masked
    mask=Mask(rectangles=(MaskedRectangle(rows=(1065, 1102), columns=(0, 2070)),)),
)
BINS = np.arange(1, 361)

Rival = Callable[[NDArray[Any], NDArray[Any]], dict[str, NDArray[Any]]]


def beside(backend: str, rival: Rival) -> Match:
    """Bin frames of one photon per pixel into 36 rings of 10 sectors, both ways."""
    call, problem, host = cached_call(
        "binning",
        {"frames": FRAMES, "rings": 36, "sectors": 10, "counts": 1},
        backend=backend,
        detector=EIGER_4M,
    )
    work = create_kernel("binning").work(problem)
    return Match(
        call,
        lambda: rival(host["frames"], host["labels"]),
        flops=work.flops,
        bytes=work.bytes,
        same=alike,
    )


def scipy_mean_and_variance(
    frames: NDArray[Any], labels: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Mean and variance of every frame, as a loop over frames has them."""
    from scipy import ndimage

    with np.errstate(all="ignore"):  # bins without pixels divide by zero
        return {
            "mean": np.array([ndimage.mean(f, labels, BINS) for f in frames]),
            "variance": np.array([ndimage.variance(f, labels, BINS) for f in frames]),
        }


def scikit_beam_mean(
    frames: NDArray[Any], labels: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Mean alone, which is all that it has."""
    from skbeam.core import roi

    with np.errstate(all="ignore"):
        mean, _ = roi.mean_intensity(frames, labels, index=BINS.tolist())
    return {"mean": np.asarray(mean)}


def alike(actual: Any, desired: Any) -> str:
    """Say by how much the outputs that both have differ.

    Raises
    ------
    AssertionError
        When a mean differs by more than an ULP, or a variance by more than the sum of
        rounded squares explains.
    """
    apart = []
    for name, rtol in (("mean", 2.3e-16), ("variance", 1e-11)):
        if name in desired:
            found = np.asarray(actual[name])
            np.testing.assert_allclose(found, desired[name], rtol=rtol)
            gap = np.nanmax(np.abs(found / desired[name] - 1))
            apart.append(f"{name} by {gap:.1e} relative")
    return "; ".join(apart)


CONTESTS = (
    Contest(
        "binning",
        "JAX, mean, variance and I(q), double, 4 frames of an Eiger 4M, 360 bins",
        "scipy.ndimage.mean and variance",
        lambda: beside("jax", scipy_mean_and_variance),
        rounds=5,
    ),
    Contest(
        "binning-numpy",
        "NumPy, mean, variance and I(q), double, 4 frames of an Eiger 4M, 360 bins",
        "scipy.ndimage.mean and variance",
        lambda: beside("numpy", scipy_mean_and_variance),
        rounds=5,
    ),
    Contest(
        "binning-skbeam",
        "JAX, mean, variance and I(q), double, 4 frames of an Eiger 4M, 360 bins",
        "skbeam.core.roi.mean_intensity, the mean alone",
        lambda: beside("jax", scikit_beam_mean),
        rounds=5,
    ),
)
