"""C2 and g2 beside scikit-beam, which correlates a dense stack of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.series import bin_columns
from xpcs_bench.kernels.two_time import TwoTimeParams

__all__ = ["ORACLES"]

# both round a handful of times: products of means and a quotient here, means and
# quotients there; along a diagonal they add the same numbers in another order
BOUND = 8 * float(np.finfo(np.float64).eps)
BACKENDS = ("numpy", "jax")


def _correlate(
    backend_name: str, params: TwoTimeParams
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return the frames, and what this project makes of them."""
    kernel, backend = create_kernel("two_time"), create_backend(backend_name)
    problem = Problem(params, None, None, "float64")
    inputs = kernel.make_inputs(problem, np.random.default_rng(3))
    placed = {name: backend.from_numpy(array) for name, array in inputs.items()}
    outputs = backend.jit(lambda arrays: kernel.compute(backend, problem, arrays))(
        placed
    )
    found = {name: backend.to_numpy(array) for name, array in outputs.items()}
    return inputs["frames"], found


def _labels(params: TwoTimeParams) -> NDArray[np.int64]:
    """Label the pixels of an image of one row with their bins, from 1."""
    sizes = [columns.stop - columns.start for columns in bin_columns(params)]
    return np.repeat(np.arange(1, len(sizes) + 1), sizes)[None]


def _far(actual: NDArray[Any], desired: NDArray[Any]) -> float:
    return float(np.max(np.abs(actual / desired - 1.0)))


def _beside_scikit_beam() -> list[Finding]:
    from skbeam.core.correlation import one_time_from_two_time, two_time_corr

    findings = []
    for frames, pixels, bins, block_frames in ((32, 260, 3, 512), (90, 800, 2, 32)):
        params = TwoTimeParams(
            frames=frames, pixels=pixels, bins=bins, block_frames=block_frames
        )
        size = f"{frames} frames x {pixels} pixels in {bins} bins"
        oracle = None
        for backend in BACKENDS:
            counts, found = _correlate(backend, params)
            if oracle is None:
                images = counts.astype(np.float64)[:, None]
                oracle = two_time_corr(
                    _labels(params), images, frames, num_bufs=frames, num_levels=1
                ).g2
                g2 = one_time_from_two_time(oracle)
            for what, actual, desired in (
                ("C2", found["c2"], oracle),
                ("g2 from C2", found["g2"], g2),
            ):
                difference = _far(actual, desired)
                label = f"{what}, {size}, {backend}"
                findings.append(Finding(label, difference, BOUND, "relative"))
    return findings


ORACLES = (
    Oracle(
        name="two-time-scikit-beam",
        source="scikit-beam, two_time_corr and one_time_from_two_time",
        package="skbeam",
        compare=_beside_scikit_beam,
    ),
)
