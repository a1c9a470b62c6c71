"""What floating-point numbers of 32 bits do to fits of g2."""

from __future__ import annotations

from typing import Any, Literal

from xpcs_bench.measure.behaviours.behaviour import Observed

__all__ = ["float32_fits"]

_DTYPES: tuple[Literal["float64", "float32"], ...] = ("float64", "float32")


def float32_fits() -> Observed:
    """Fit 36 curves of each model in both types, from the same data.

    The shift is the largest over all parameters of all bins, in standard errors of the
    fit in 64 bits; a bin that converges in one type alone is lost.
    """
    import numpy as np

    from xpcs_bench.backends import create_backend
    from xpcs_bench.kernels.fit import Fit, FitParams
    from xpcs_bench.kernels.kernel import Problem

    backend, kernel = create_backend("jax"), Fit()
    shift, lost = 0.0, 0
    for model in ("single", "double", "stretched"):
        params = FitParams(model=model, q_bins=36, delays=64)
        exact = Problem(params, None, None, "float64")
        data = kernel.make_inputs(exact, np.random.default_rng(0))
        fits = []
        for dtype in _DTYPES:
            problem = Problem(params, None, None, dtype)

            def compute(inputs: Any, problem: Any = problem) -> Any:
                return kernel.compute(backend, problem, inputs)

            inputs = {
                name: backend.from_numpy(array.astype(dtype))
                for name, array in data.items()
            }
            fits.append(
                {k: np.asarray(v) for k, v in backend.jit(compute)(inputs).items()}
            )
        double, half = fits
        both = (double["status"] == 1) & (half["status"] == 1)
        lost += int(((double["status"] == 1) & ~both).sum())
        moved = np.abs(half["parameters"] - double["parameters"]) / double["errors"]
        shift = max(shift, float(moved[both].max()))
    return {"largest shift in standard errors": shift, "bins lost": lost}
