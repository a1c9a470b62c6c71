"""Fits and models of g2 beside SciPy, NumPy and mpmath."""

from __future__ import annotations

from typing import Any

import numpy as np
from finding import Finding, Oracle

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.kernels import Problem, create_kernel, decay
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.fit import FitParams
from xpcs_bench.kernels.fit_scipy import MODELS, first_guess, fit_with_curve_fit
from xpcs_bench.kernels.power_law import fit_power_law

__all__ = ["ORACLES"]

FIT = create_kernel("fit")


def _fitted(params: FitParams, backend_name: str) -> tuple[dict[str, Any], Any]:
    """Return the outputs as NumPy arrays, and the inputs."""
    problem: Problem[Any] = Problem(params, None, None, "float64")
    inputs = FIT.make_inputs(problem, np.random.default_rng(11))
    backend = create_backend(backend_name)
    placed = {name: backend.from_numpy(array) for name, array in inputs.items()}
    outputs = backend.jit(lambda given: FIT.compute(backend, problem, given))(placed)
    return {name: np.asarray(array) for name, array in outputs.items()}, inputs


def _against_curve_fit(method: Any) -> list[Finding]:
    # What is left are SciPy's derivatives, differences that are right to 1e-8 or so:
    # the trust region ends where they say that there is nothing to gain.
    most = {"lm": (5e-6, 1e-5), "trf": (1e-3, 1e-4)}[method]
    tight = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}
    found = []
    for kind in PARAMETERS:
        for backend in ("numpy", "jax"):
            params = FitParams(model=kind, q_bins=40, delays=64)
            ours, inputs = _fitted(params, backend)
            tau, g2 = inputs["tau"], inputs["g2"]
            start = np.array([first_guess(kind, tau, curve) for curve in g2])
            limits = inputs["lower"], inputs["upper"]
            options: dict[str, Any] = {}
            if method == "trf":
                options = {"bounds": limits, "x_scale": "jac"}
            theirs = fit_with_curve_fit(
                kind,
                tau,
                g2,
                inputs["sigma"],
                np.clip(start, *limits),
                method=method,
                **tight,
                **options,
            )
            parameters, errors = theirs.parameters, theirs.errors
            if kind == "double":  # ours are in the order of their times
                swapped = (parameters[:, 0] > parameters[:, 1])[:, None]
                other = [1, 0, 2, 4, 3]
                parameters = np.where(swapped, parameters[:, other], parameters)
                errors = np.where(swapped, errors[:, other], errors)
            apart = np.abs(ours["parameters"] - parameters) / errors
            relative = np.abs(ours["errors"] / errors - 1)
            what = f"{kind}, 40 bins x 64 delays, {backend}"
            found += [
                Finding(f"parameters, {what}", float(apart.max()), most[0], "sigma"),
                Finding(f"errors, {what}", float(relative.max()), most[1], "relative"),
            ]
    return found


def _against_polyfit() -> list[Finding]:
    rng = np.random.default_rng(4)
    q = np.geomspace(2e-3, 5e-2, 30)
    error = rng.uniform(0.01, 0.1, 30)
    tau = 1e-5 * q**-1.8 * np.exp(error * rng.standard_normal(30))
    (slope, intercept), covariance = np.polyfit(
        np.log(q), np.log(tau), 1, w=1 / error, cov="unscaled"
    )
    tau0 = np.exp(intercept)
    theirs = (
        np.array([tau0, -slope]),
        np.sqrt([tau0**2 * covariance[1, 1], covariance[0, 0]]),
    )
    found = []
    for name in ("numpy", "jax"):
        backend = create_backend(name)
        usable = backend.ones((30,), "bool")
        given = [backend.from_numpy(array) for array in (q, tau, tau * error)]
        ours = fit_power_law(backend, *given, usable)
        for what, a, b in zip(("tau0, n", "their errors"), ours, theirs, strict=True):
            relative = float(np.abs(np.asarray(a) / b - 1).max())
            # polyfit solves an uncentred system by singular values
            found.append(Finding(f"{what}, {name}", relative, 1e-12, "relative"))
    return found


def _against_mpmath() -> list[Finding]:
    """Compare models with 40 digits, and the two exponents with each other."""
    import mpmath

    backend = NumPyBackend()
    tau = np.geomspace(1e-4, 1e2, 61)
    worst = dict.fromkeys(MODELS, 0.0)
    values = {
        "single": (0.3, 1.01, 0.2),
        "double": (0.02, 0.9, 0.99, 0.1, 0.15),
        "stretched": (0.3, 1.01, 0.2, 0.65),
    }
    ours = {
        "single": decay.single_exponential,
        "double": decay.double_exponential,
        "stretched": decay.stretched_exponential,
    }
    with mpmath.workdps(40):
        for kind, arguments in values.items():
            g2 = ours[kind](backend, tau, *arguments)
            p = [mpmath.mpf(value) for value in arguments]
            for x, y in zip(tau.tolist(), g2.tolist(), strict=True):
                t = mpmath.mpf(x)
                if kind == "double":
                    right = p[2] + sum(
                        p[3 + i] * mpmath.exp(-2 * t / p[i]) for i in range(2)
                    )
                else:
                    alpha = p[3] if kind == "stretched" else 1
                    right = p[1] + p[2] * mpmath.exp(-2 * (t / p[0]) ** alpha)
                apart = abs(float((y - right) / right)) / np.finfo(float).eps
                worst[kind] = max(worst[kind], apart)
    found = [
        Finding(f"{kind} model, NumPy", apart, 4.0, "eps")
        for kind, apart in worst.items()
    ]
    # the programs with exp(-(2 tau/t0)^alpha) have the same curve with another t0
    t0, alpha = 0.3, 0.65
    one = decay.stretched_exponential(backend, tau, t0, 1.0, 0.2, alpha)
    other = decay.stretched_exponential(
        backend,
        tau,
        t0 * 2 ** (1 - 1 / alpha),
        1.0,
        0.2,
        alpha,
        exponent="xpcsviewer",
    )
    apart = float(np.abs(one - other).max())
    found.append(
        Finding("t0 2^(1 - 1/alpha) in the other exponent", apart, 4e-16, "absolute")
    )
    return found


ORACLES = (
    Oracle(
        "fit-curve-fit-lm",
        "scipy.optimize.curve_fit, MINPACK, absolute_sigma",
        None,
        lambda: _against_curve_fit("lm"),
    ),
    Oracle(
        "fit-curve-fit-trf",
        "scipy.optimize.curve_fit, trust region with bounds, absolute_sigma",
        None,
        lambda: _against_curve_fit("trf"),
    ),
    Oracle(
        "power-law-polyfit",
        "numpy.polyfit of the logarithms, weighted",
        None,
        _against_polyfit,
    ),
    Oracle("decay-mpmath", "mpmath, 40 digits", None, _against_mpmath),
)
