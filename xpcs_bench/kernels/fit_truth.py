"""Minima of chi2 in 30 digits, from formulas that share nothing with the fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xpcs_bench.kernels.decay import Model
from xpcs_bench.kernels.fit_scipy import first_guess, fit_with_curve_fit
from xpcs_bench.kernels.kernel import Host

__all__ = ["TrueFit", "true_fit", "true_power_law"]

_DIGITS = 30


class TrueFit(NamedTuple):
    """Of one bin; numbers of mpmath."""

    parameters: list[Any]
    errors: list[Any]
    chi2: Any


def true_fit(kind: Model, inputs: Host, row: int) -> TrueFit:
    """Refine what SciPy finds for one bin until 20 digits are right.

    The parameters are those of the model itself, not of the search, the derivatives
    are written for them, and the second derivatives are differences of the first.

    Raises
    ------
    ArithmeticError
        When SciPy's parameters are not near a minimum.
    """
    import mpmath

    tau, g2, sigma = (
        inputs[name].astype(np.float64)
        if name == "tau"
        else inputs[name][row].astype(np.float64)
        for name in ("tau", "g2", "sigma")
    )
    limits = inputs["lower"].astype(np.float64), inputs["upper"].astype(np.float64)
    found = fit_with_curve_fit(
        kind,
        tau,
        g2[None],
        sigma[None],
        np.clip([first_guess(kind, tau, g2)], *limits),
        bounds=limits,
        method="trf",
        x_scale="jac",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    ).parameters[0]
    with mpmath.workdps(_DIGITS):
        points = [
            tuple(map(mpmath.mpf, map(float, point)))
            for point in zip(tau, g2, sigma, strict=True)
        ]
        p = mpmath.matrix(found.tolist())
        step = [mpmath.mpf(10) ** -12 * abs(value) for value in p]
        hessian = mpmath.matrix(len(p))
        for i, h in enumerate(step):
            sides = []
            for sign in (1, -1):
                moved = p.copy()
                moved[i] += sign * h
                sides.append(_sums(kind, points, moved)[1])
            for j in range(len(p)):
                hessian[j, i] = (sides[0][j] - sides[1][j]) / (2 * h)
        # SciPy is right to 7 digits or so, and each step adds as many
        for _ in range(8):
            change = mpmath.lu_solve(hessian, _sums(kind, points, p)[1])
            p -= change
            moved = max(abs(c / value) for c, value in zip(change, p, strict=True))
            if moved < 1e-20 or moved > 1e-3:
                break
        if moved > 1e-20:
            msg = f"bin {row}: SciPy found {found.tolist()!r}, which is no minimum."
            raise ArithmeticError(msg)
        chi2, _, normal = _sums(kind, points, p)
        covariance = mpmath.inverse(normal)
        if "covariance" in inputs:
            covariance = _sandwich(
                kind, points, p, covariance, inputs["covariance"][row]
            )
        errors = [mpmath.sqrt(covariance[i, i]) for i in range(len(p))]
        return TrueFit(list(p), errors, chi2)


def _sums(
    kind: Model, points: Sequence[tuple[Any, Any, Any]], p: Any
) -> tuple[Any, Any, Any]:
    """Return chi2, the gradient of its half, and the normal matrix."""
    import mpmath

    n = len(p)
    chi2, gradient, normal = mpmath.mpf(0), mpmath.matrix(n, 1), mpmath.matrix(n)
    for tau, g2, sigma in points:
        value, slopes = _model(kind, tau, list(p))
        residual = (g2 - value) / sigma
        chi2 += residual**2
        for i in range(n):
            gradient[i] -= residual * slopes[i] / sigma
            for j in range(n):
                normal[i, j] += slopes[i] * slopes[j] / sigma**2
    return chi2, gradient, normal


def _sandwich(
    kind: Model,
    points: Sequence[tuple[Any, Any, Any]],
    p: Any,
    inverse: Any,
    covariance: Any,
) -> Any:
    """Return ``inverse J^T W covariance W J inverse``."""
    import mpmath

    weighed = mpmath.matrix(
        [
            [slope / sigma**2 for slope in _model(kind, tau, list(p))[1]]
            for tau, _, sigma in points
        ]
    )
    middle = mpmath.matrix(covariance.astype(np.float64).tolist())
    return inverse * (weighed.T * (middle * weighed)) * inverse


def _model(kind: Model, tau: Any, p: list[Any]) -> tuple[Any, list[Any]]:
    """Return the model and its derivative by each parameter."""
    import mpmath

    if kind == "double":
        t1, t2, offset, c1, c2 = p
        e1, e2 = mpmath.exp(-2 * tau / t1), mpmath.exp(-2 * tau / t2)
        slopes = [
            c1 * e1 * 2 * tau / t1**2,
            c2 * e2 * 2 * tau / t2**2,
            mpmath.mpf(1),
            e1,
            e2,
        ]
        return offset + c1 * e1 + c2 * e2, slopes
    t0, offset, contrast = p[:3]
    alpha = p[3] if kind == "stretched" else mpmath.mpf(1)
    power = (tau / t0) ** alpha
    e = mpmath.exp(-2 * power)
    slopes = [contrast * e * 2 * alpha * power / t0, mpmath.mpf(1), e]
    if kind == "stretched":
        slopes.append(-2 * contrast * e * power * mpmath.log(tau / t0))
    return offset + contrast * e, slopes


def true_power_law(
    q: Any, times: Sequence[Any], errors: Sequence[Any]
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return (tau0, n) and their errors by the normal equations of the line."""
    import mpmath

    with mpmath.workdps(_DIGITS):
        normal, right = mpmath.matrix(2), mpmath.matrix(2, 1)
        for one, time, error in zip(q.tolist(), times, errors, strict=True):
            row = (mpmath.mpf(1), -mpmath.log(mpmath.mpf(one)))
            weight = (time / error) ** 2
            for i in range(2):
                right[i] += weight * row[i] * mpmath.log(time)
                for j in range(2):
                    normal[i, j] += weight * row[i] * row[j]
        log_tau0, n = mpmath.lu_solve(normal, right)
        inverse = mpmath.inverse(normal)
        tau0 = mpmath.exp(log_tau0)
        return (
            (tau0, n),
            (tau0 * mpmath.sqrt(inverse[0, 0]), mpmath.sqrt(inverse[1, 1])),
        )
