"""Multi-tau from single photons: beside frames, and at the size of a measurement."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.kernels import create_kernel
from xpcs_bench.kernels.series import bin_columns

__all__ = ["CONTESTS"]

MEASURED: dict[str, Any] = {
    # 100,000 frames of a Rigaku XSPA-500K at 8-ID: 2e-6 photons per pixel and frame
    "frames": 100_000,
    "pixels": 524_288,
    "bins": 36,
    "counts": 2e-6,
    "relaxation_frames": 3000.0,
}
SCALED: dict[str, Any] = {
    "frames": 2048,
    "pixels": 20_000,
    "bins": 4,
    "counts": 2e-4,
    "ladder": "scikit_beam",
    "levels": 6,
    "relaxation_frames": 60.0,
}
"""The same photons per pixel, in frames that scikit-beam can hold."""


def _apart(one: Any, other: Any) -> str:
    mine, theirs = np.asarray(one["g2"]), np.asarray(other["g2"])
    if not np.allclose(mine, theirs, rtol=1e-13, atol=0.0):
        msg = f"g2 differ by {np.abs(mine - theirs).max()}"
        raise ArithmeticError(msg)
    return f"g2 within {np.abs(mine - theirs).max():.1e} of each other"


def _measured() -> Match:
    jax, problem, host = cached_call("g2_events", MEASURED)
    work = create_kernel("g2_events").work(problem)
    numpy, _, _ = cached_call("g2_events", MEASURED, backend="numpy")
    n_photons = int((host["pixel"] < MEASURED["pixels"]).sum())

    def same(one: Any, other: Any) -> str:
        return f"{n_photons} photons, {len(other['delays'])} delays; " + _apart(
            one, other
        )

    return Match(numpy, jax, flops=work.flops, bytes=work.bytes, same=same)


def _beside_frames() -> Match:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another package
        from skbeam.core.correlation import multi_tau_auto_corr

    call, problem, host = cached_call("g2_events", SCALED)
    params = problem.params
    frames = np.zeros((params.frames, 1, params.pixels))
    real = host["pixel"] < params.pixels
    np.add.at(frames, (host["frame"][real], 0, host["pixel"][real]), 1.0)
    sizes = [c.stop - c.start for c in bin_columns(params)]
    labels = np.repeat(np.arange(params.bins) + 1, sizes)[None]

    def rival() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return multi_tau_auto_corr(params.levels, params.channels, labels, frames)

    def same(ours: Any, theirs: Any) -> str:
        g2 = np.asarray(ours["g2"])[: len(theirs[0])]
        gap = float(np.abs(g2 - theirs[0]).max())
        if not gap < 1e-10:
            msg = f"g2 differ by {gap}"
            raise ArithmeticError(msg)
        return f"g2 within {gap:.1e} of scikit-beam's"

    return Match(call, rival, same=same)


CONTESTS = (
    Contest(
        "g2-events",
        "NumPy, photons, 100,000 frames of 524,288 pixels at 2e-6",
        "JAX, the same",
        _measured,
        rounds=7,
    ),
    Contest(
        "g2-events-scikit-beam",
        "JAX, photons, 2,048 frames of 20,000 pixels at 2e-4",
        "scikit-beam multi_tau_auto_corr of the frames",
        _beside_frames,
        rounds=3,
    ),
)
"""A dense correlator would hold 100 GB for the first: there is no rival to time."""
