"""The batch fit beside a loop over SciPy's ``curve_fit``.

Both get the same curves, errors, limits and start: the guess that the batch fit makes
from the data. SciPy has its own tolerances and derivatives by differences, as in most
programs. The time of the batch fit contains that guess and the power law, SciPy's does
not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import create_kernel
from xpcs_bench.kernels.fit_models import guess, read_data
from xpcs_bench.kernels.fit_scipy import ScipyFit, fit_with_curve_fit

__all__ = ["CONTESTS"]

SIZE = {"model": "stretched", "q_bins": 100, "delays": 64}


def _scipy_loop(host: dict[str, Any], *, bounded: bool) -> Callable[[], ScipyFit]:
    """Return the loop of a program that does not know of ours."""
    numpy = create_backend("numpy")
    lower, upper = host["lower"], host["upper"]
    data = read_data(numpy, host["tau"], host["g2"], host["sigma"])
    start = np.clip(guess(numpy, "stretched", data).T, lower, upper)
    return lambda: fit_with_curve_fit(
        "stretched",
        host["tau"],
        host["g2"],
        host["sigma"],
        start,
        bounds=(lower, upper) if bounded else None,
        method="trf" if bounded else "lm",
    )


def _in_errors(most: float) -> Callable[[Any, ScipyFit], str]:
    def same(batch: Any, loop: ScipyFit) -> str:
        found = {name: np.asarray(array) for name, array in batch.items()}
        if not (found["status"] == 1).all():
            msg = f"the batch fit has the status {found['status'].tolist()}"
            raise ArithmeticError(msg)
        apart = np.abs(found["parameters"] - loop.parameters) / loop.errors
        if not apart.max() <= most:  # NaN is not
            msg = f"the fits are {apart.max():.3g} standard errors apart"
            raise ArithmeticError(msg)
        errors = np.abs(found["errors"] / loop.errors - 1).max()
        return (
            f"parameters {apart.max():.1e} standard errors, these {errors:.1e} relative"
        )

    return same


def _against_scipy(backend: str, *, bounded: bool, most: float) -> Match:
    call, problem, host = cached_call("fit", SIZE, backend=backend)
    work = create_kernel("fit").work(problem)
    return Match(
        call,
        _scipy_loop(host, bounded=bounded),
        flops=work.flops,
        bytes=work.bytes,
        same=_in_errors(most),
    )


CONTESTS = (
    Contest(
        "fit-curve-fit-lm",
        "batch fit, JAX, float64, stretched, 100 bins x 64 delays",
        "loop over scipy curve_fit, lm",
        lambda: _against_scipy("jax", bounded=False, most=1e-3),
        least_ratio=15,
    ),
    Contest(
        "fit-curve-fit-trf",
        "batch fit, JAX, float64, stretched, 100 bins x 64 delays",
        "loop over scipy curve_fit, trf with bounds",
        lambda: _against_scipy("jax", bounded=True, most=1e-2),
        least_ratio=80,
    ),
    Contest(
        "fit-numpy",
        "batch fit, NumPy, float64, stretched, 100 bins x 64 delays",
        "loop over scipy curve_fit, lm",
        lambda: _against_scipy("numpy", bounded=False, most=1e-3),
    ),
)
