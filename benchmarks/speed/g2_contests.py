"""Multi-tau: our dense frames beside scikit-beam and beside our NumPy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call
from numpy.typing import NDArray

from xpcs_bench.kernels import create_kernel
from xpcs_bench.kernels.series import bin_columns

FULL = {"frames": 64, "pixels": 526_000, "bins": 36, "counts": 0.2, "levels": 4}
"""Half an Eiger 1M, 20 delays."""
SCIKIT_BEAM_BUFFERS = 8


def _labels(params: Any) -> NDArray[np.int64]:
    columns = bin_columns(params)
    return np.repeat(np.arange(params.bins) + 1, [c.stop - c.start for c in columns])


def _apart(outputs: Any, g2: NDArray[np.float64], bound: float) -> str:
    apart = float(np.abs(np.asarray(outputs["g2"]) / g2 - 1).max())
    if not apart <= bound:
        msg = f"g2 is {apart:.2g} apart, more than {bound:.2g}"
        raise ValueError(msg)
    return f"g2 within {apart:.2g}"


def _beside_scikit_beam(backend: str, dtype: str) -> Match:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another package's imports
        from skbeam.core.correlation import multi_tau_auto_corr
    candidate, problem, host = cached_call("g2", FULL, backend=backend, dtype=dtype)
    params = problem.params
    images = host["frames"].astype(np.float64).reshape(params.frames, 1, -1)
    labels = _labels(params)[None]
    work = create_kernel("g2").work(problem)
    bound = create_kernel("g2").tolerance(problem, "g2").rtol
    return Match(
        candidate=candidate,
        rival=lambda: multi_tau_auto_corr(
            params.levels, SCIKIT_BEAM_BUFFERS, labels, images
        ),
        flops=work.flops,
        bytes=work.bytes,
        single=dtype == "float32",
        same=lambda ours, theirs: _apart(ours, theirs[0], bound),
    )


SIZE = "64 frames of 526,000 pixels, 36 bins, 20 delays"
CONTESTS = (
    Contest(
        "g2-single",
        f"JAX, float32, with error bars, {SIZE}",
        "scikit-beam multi_tau_auto_corr (float64, no error bars)",
        lambda: _beside_scikit_beam("jax", "float32"),
        least_ratio=8,
        rounds=7,
    ),
    Contest(
        "g2-double",
        f"JAX, float64, with error bars, {SIZE}",
        "scikit-beam multi_tau_auto_corr (float64, no error bars)",
        lambda: _beside_scikit_beam("jax", "float64"),
        least_ratio=3,
        rounds=7,
    ),
    Contest(
        "g2-single-numpy",
        f"NumPy, float32, with error bars, {SIZE}",
        "scikit-beam multi_tau_auto_corr (float64, no error bars)",
        lambda: _beside_scikit_beam("numpy", "float32"),
        rounds=7,
    ),
    Contest(
        "g2-double-numpy",
        f"NumPy, float64, with error bars, {SIZE}",
        "scikit-beam multi_tau_auto_corr (float64, no error bars)",
        lambda: _beside_scikit_beam("numpy", "float64"),
        rounds=7,
    ),
)
