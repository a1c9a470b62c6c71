"""The fit of g2 as it is done with SciPy: one bin after the other.

It shares nothing with :mod:`~xpcs_bench.kernels.fit` but the names of the parameters:
models are written here in plain NumPy, derivatives are SciPy's finite differences. It
is what most programs do today, and an oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.kernels.decay import PARAMETERS, Model

__all__ = ["MODELS", "ScipyFit", "first_guess", "fit_with_curve_fit"]

Floats = NDArray[np.floating[Any]]


def _single(tau: Any, t0: Any, offset: Any, contrast: Any) -> Any:
    return offset + contrast * np.exp(-2 * tau / t0)


def _double(
    tau: Any, t1: Any, t2: Any, offset: Any, contrast1: Any, contrast2: Any
) -> Any:
    return (
        offset + contrast1 * np.exp(-2 * tau / t1) + contrast2 * np.exp(-2 * tau / t2)
    )


def _stretched(tau: Any, t0: Any, offset: Any, contrast: Any, alpha: Any) -> Any:
    return offset + contrast * np.exp(-2 * (tau / t0) ** alpha)


MODELS: Mapping[Model, Callable[..., Any]] = {
    "single": _single,
    "double": _double,
    "stretched": _stretched,
}
"""Of delays and parameters, in the standard exponent."""


class ScipyFit(NamedTuple):
    """What SciPy found; bins for which it gave up are NaN."""

    parameters: NDArray[np.float64]
    """(bin, parameter)"""
    errors: NDArray[np.float64]
    """(bin, parameter)"""
    covariance: NDArray[np.float64]
    """(bin, parameter, parameter)"""


def first_guess(kind: Model, tau: Floats, g2: Floats) -> list[float]:
    """Guess the parameters of one curve from its ends and from where it has fallen."""
    last = max(1, len(tau) // 8)
    offset = float(np.mean(g2[-last:]))
    contrast = max(float(np.mean(g2[:last])) - offset, 1e-3)
    fallen = g2 - offset < contrast * np.exp(-2)
    t0 = float(tau[np.argmax(fallen)])
    if kind == "double":
        return [t0 / 10, t0, offset, contrast / 2, contrast / 2]
    return [t0, offset, contrast] + [1.0] * (kind == "stretched")


def fit_with_curve_fit(
    kind: Model,
    tau: Floats,
    g2: Floats,
    sigma: Floats,
    start: Floats,
    *,
    bounds: tuple[Floats, Floats] | None = None,
    method: Literal["lm", "trf"] = "lm",
    **options: Any,
) -> ScipyFit:
    """Fit every bin with ``scipy.optimize.curve_fit``.

    Parameters
    ----------
    tau : array
        Delays (delay,).
    g2, sigma : array
        Values and their standard errors (bin, delay).
    start : array
        Parameters to begin with (bin, parameter).
    bounds : tuple, optional
        Lowest and highest parameters (parameter,); ``lm`` takes none.
    method : str
        ``lm`` is MINPACK, ``trf`` the trust region reflective method.
    **options
        For ``curve_fit``; without any its tolerances are SciPy's.
    """
    from scipy.optimize import curve_fit

    n_parameters = len(PARAMETERS[kind])
    parameters = np.full((len(g2), n_parameters), np.nan)
    covariance = np.full((len(g2), n_parameters, n_parameters), np.nan)
    if bounds is not None:
        options["bounds"] = bounds
    for index in range(len(g2)):
        try:
            parameters[index], covariance[index] = curve_fit(
                MODELS[kind],
                tau,
                g2[index],
                p0=start[index],
                sigma=sigma[index],
                absolute_sigma=True,
                method=method,
                **options,
            )
        except RuntimeError:  # too many evaluations
            continue
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    return ScipyFit(parameters, np.sqrt(diagonal), covariance)
