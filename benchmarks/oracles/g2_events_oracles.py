"""g2 of single photons and of frames that come in pieces, beside scikit-beam."""

from __future__ import annotations

from typing import Any

import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.g2_events import G2EventsParams
from xpcs_bench.kernels.g2_stream import MultiTauStream
from xpcs_bench.kernels.series import bin_columns

__all__ = ["ORACLES"]

BOUND = 4e-15
"""scikit-beam divides sums by numbers of frames on the way, and so rounds oftener."""
PARAMS = G2EventsParams(
    frames=512, pixels=2000, bins=3, counts=0.05, ladder="scikit_beam", levels=7
)


def _photons() -> tuple[dict[str, NDArray[Any]], NDArray[np.uint16]]:
    """Return a list of photons, and the frames that they make."""
    problem = Problem(PARAMS, None, None, "float64")
    inputs = create_kernel("g2_events").make_inputs(problem, np.random.default_rng(4))
    frames = np.zeros((PARAMS.frames, PARAMS.pixels), np.uint16)
    real = inputs["pixel"] < PARAMS.pixels
    np.add.at(frames, (inputs["frame"][real], inputs["pixel"][real]), 1)
    return inputs, frames


def _beside_scikit_beam() -> list[Finding]:
    from skbeam.core.correlation import multi_tau_auto_corr

    inputs, frames = _photons()
    sizes = [c.stop - c.start for c in bin_columns(PARAMS)]
    labels = np.repeat(np.arange(len(sizes)) + 1, sizes)[None]
    images = frames.astype(np.float64)[:, None]
    desired, delays = multi_tau_auto_corr(PARAMS.levels, 8, labels, images)
    kernel = create_kernel("g2_events")
    problem = Problem(PARAMS, None, None, "float64")
    findings = []
    for name in ("numpy", "jax"):
        backend = create_backend(name)
        placed = {key: backend.from_numpy(array) for key, array in inputs.items()}
        events = backend.jit(
            lambda arrays, library=backend: kernel.compute(library, problem, arrays)
        )(placed)
        stream = MultiTauStream(backend, sizes, levels=PARAMS.levels, channels=8)
        for start in range(0, PARAMS.frames, 100):
            stream.add(frames[start : start + 100])
        for how, found in (("photons", events), ("pieces", stream.result())):
            if np.asarray(found["delays"]).tolist() != delays.tolist():
                msg = "the delays are not scikit-beam's"
                raise AssertionError(msg)
            gap = np.abs(np.asarray(found["g2"]) / desired - 1).max()
            what = f"g2 from {how}, 512 frames x 2000 pixels, {name}"
            findings.append(Finding(what, float(gap), BOUND, "relative"))
    return findings


ORACLES = (
    Oracle(
        "g2-events-scikit-beam",
        "scikit-beam multi_tau_auto_corr of the same frames",
        "skbeam",
        _beside_scikit_beam,
    ),
)
