"""Multi-tau g2 of dense frames beside scikit-beam."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.g2 import G2Params
from xpcs_bench.kernels.series import bin_columns

__all__ = ["ORACLES"]

EPS = float(np.finfo(np.float64).eps)
BACKENDS = ("numpy", "jax")
SCIKIT_BEAM_BUFFERS = 8
SIZES = ((64, 4), (500, 7))
"""Frames and levels: an even number at every level, and odd ones."""


def _sizes(params: G2Params) -> list[int]:
    return [columns.stop - columns.start for columns in bin_columns(params)]


def _dense(
    backend_name: str, params: G2Params, frames: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    kernel, backend = create_kernel("g2"), create_backend(backend_name)
    problem = Problem(params, None, None, "float64")
    outputs = backend.jit(lambda arrays: kernel.compute(backend, problem, arrays))(
        {"frames": backend.from_numpy(frames)}
    )
    return {name: backend.to_numpy(array) for name, array in outputs.items()}


def _bound(n_frames: int) -> float:
    """Return what both may be apart.

    scikit-beam corrects a running mean with every frame, and is rounded each time: of
    500 frames its g2 is 16 eps from fractions of whole numbers, ours 1.5 eps.
    """
    return (8 + math.sqrt(n_frames) / 2) * EPS


def _far(found: dict[str, NDArray[Any]], g2: Any, delays: Any) -> float:
    if found["delays"].tolist() != delays.tolist():
        return float("nan")
    return float(np.max(np.abs(found["g2"] / g2 - 1.0)))


def _beside_scikit_beam() -> list[Finding]:
    """Compare with ``multi_tau_auto_corr``, which takes images as it correlates."""
    from skbeam.core.correlation import multi_tau_auto_corr

    findings = []
    for n_frames, levels in SIZES:
        params = G2Params(frames=n_frames, pixels=260, bins=3, levels=levels)
        problem = Problem(params, None, None, "float64")
        frames = create_kernel("g2").make_inputs(problem, np.random.default_rng(3))
        counts = frames["frames"]
        labels = np.repeat(np.arange(1, params.bins + 1), _sizes(params))[None]
        images = counts.astype(np.float64)[:, None]
        g2, delays = multi_tau_auto_corr(levels, SCIKIT_BEAM_BUFFERS, labels, images)
        findings += [
            Finding(
                f"g2, {backend}, {n_frames} frames x {params.pixels} pixels in "
                f"{params.bins} bins, {len(delays)} delays",
                _far(_dense(backend, params, counts), g2, delays),
                _bound(n_frames),
                "relative",
            )
            for backend in BACKENDS
        ]
    return findings


ORACLES = (
    Oracle(
        "g2-skbeam",
        "scikit-beam: skbeam.core.correlation.multi_tau_auto_corr",
        "skbeam",
        _beside_scikit_beam,
    ),
)
