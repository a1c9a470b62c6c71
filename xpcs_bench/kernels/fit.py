"""Least squares of g2 for all bins at once, and the power law of what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels.decay import PARAMETERS, Model
from xpcs_bench.kernels.fit_bins import fit_bins
from xpcs_bench.kernels.fit_models import TIMES
from xpcs_bench.kernels.fit_truth import true_fit, true_power_law
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.power_law import fit_power_law

__all__ = ["Fit", "FitParams"]

_LIMITS: Mapping[str, tuple[float, float]] = {
    "offset": (0.5, 1.5),
    "contrast": (0.0, 2.0),
    "alpha": (0.1, 3.0),
}
"""Of the inputs that are made here; those of times follow from the delays."""
_OPERATIONS: Mapping[Model, int] = {"single": 30, "double": 68, "stretched": 53}
"""Per bin, delay and evaluation of a model with its derivatives and their sums."""
_LEAST_EVALUATIONS = 4
"""Fewer have not been seen to reach a minimum from a guess."""
_SAMPLED = 4
"""Bins of which the truth is found."""
_RHO = 0.8
"""Correlation of neighbouring delays where there is any."""


class FitParams(ConfinedModel):
    """Which model, how much of it, and what is known of the noise."""

    model: Model = "stretched"
    """``single`` and ``double`` exponential decays, or one ``stretched`` one, in the
    standard exponent exp(-2 (tau/t0)^alpha); a program with exp(-(2 tau/t0)^alpha)
    has the same curve with t0 2^(1 - 1/alpha) for its relaxation time."""
    correlated: bool = False
    """Whether the covariance of g2 between delays is an input. Errors then hold for
    noise that is correlated along the curve, as that of any g2 is; otherwise they
    take the delays as independent."""
    q_bins: Annotated[int, Field(ge=2, le=1_000_000)] = 4
    """Bins in q, each with its own parameters."""
    delays: Annotated[int, Field(ge=8, le=100_000)] = 48
    """Delays, spaced logarithmically from 10 us to 100 s."""
    noise: Annotated[float, Field(gt=0, le=1)] = 2e-3
    """Standard error of g2, up to a factor 1.4 either way."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Steps after which a bin counts as not converged."""


class Fit(Kernel[FitParams]):
    """Fit a model of g2 to every bin, with weights, limits, errors and a status.

    Parameters are in the order of the arguments of the model: ``t0, offset,
    contrast``; ``t1, t2, offset, contrast1, contrast2`` with ``t1 <= t2``; ``t0,
    offset, contrast, alpha``. The first guess is made from the data: see
    :func:`~xpcs_bench.kernels.fit_models.guess`; the method is described in
    :mod:`~xpcs_bench.kernels.least_squares`.

    ``status`` is

    * 1 where chi2 is at its minimum;
    * 2 where it is, with a parameter at one of its limits. The error of that
      parameter is NaN, those of the others hold if its value is right;
    * 0 where no minimum was found: the parameters are where the search ended, and
      errors are NaN;
    * -1 where fewer points count than there are parameters: all is NaN.

    Points count whose delay, g2 and sigma are finite, whose delay is not negative and
    whose sigma is above zero. ``freedom`` says how many did: it is their number less
    that of the parameters. Errors are those of the given sigma, unscaled, like
    SciPy's with ``absolute_sigma``; they are NaN where the data do not determine the
    parameters, and zero for one that its limits fix.

    The power law ``tau = tau0 q**-n`` is a straight line through log tau over log q,
    weighted by the errors of log tau, over the bins with status 1 or 2 that have one:
    a row ``tau0, n`` for each time of the model. tau0 is the time at 1/angstrom.
    """

    name: ClassVar[str] = "fit"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Batch least squares of g2, and the power law tau(q)."
    source: ClassVar[str] = (
        "K. Levenberg, Q. Appl. Math. 2, 164 (1944); D. W. Marquardt, J. SIAM 11, 431 "
        "(1963); limits after C. Kanzow, N. Yamashita, M. Fukushima, J. Comput. Appl. "
        "Math. 172, 375 (2004); errors under correlation after H. White, "
        "Econometrica 48, 817 (1980)."
    )
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = FitParams

    def outputs(self, problem: Problem[FitParams]) -> tuple[Output, ...]:
        """Return parameters with errors, what judges them, and the power law."""
        del problem
        law = ("time", "coefficient")
        return (
            Output(
                "parameters", ("bin", "parameter"), "s, 1", finite=False, solved=True
            ),
            Output("errors", ("bin", "parameter"), "s, 1", finite=False, solved=True),
            Output("chi2", ("bin",), "1", finite=False, solved=True),
            Output("freedom", ("bin",), "1", dtype="int64"),
            Output("status", ("bin",), "1", dtype="int64"),
            Output("power_law", law, "s, 1", finite=False, solved=True),
            Output("power_law_errors", law, "s, 1", finite=False, solved=True),
        )

    def make_inputs(
        self, problem: Problem[FitParams], rng: np.random.Generator
    ) -> Host:
        """Curves whose times fall as q**-2, with noise of known size, and limits.

        ``tau`` (delay,) in s, ``q`` (bin,) in 1/angstrom, ``g2`` and ``sigma`` (bin,
        delay), ``lower`` and ``upper`` (parameter,), and with ``correlated`` the
        ``covariance`` (bin, delay, delay). Limits that are equal fix a parameter; the
        two decays of a double model must have the same.
        """
        params = problem.params
        n, names = params.q_bins, PARAMETERS[params.model]
        tau = np.geomspace(1e-5, 100.0, params.delays)
        q = np.geomspace(3e-3, 3e-2, n)
        t0 = 1e-5 * q**-2.0 * rng.uniform(0.95, 1.05, n)
        values = {
            "t0": t0,
            "t1": t0 / 30,
            "t2": t0,
            "offset": rng.uniform(0.99, 1.01, n),
            "contrast": rng.uniform(0.15, 0.3, n),
            "contrast1": rng.uniform(0.1, 0.2, n),
            "contrast2": rng.uniform(0.1, 0.2, n),
            "alpha": rng.uniform(0.7, 1.4, n),
        }
        from xpcs_bench.kernels.fit_scipy import MODELS

        g2 = MODELS[params.model](tau, *(values[name][:, None] for name in names))
        sigma = params.noise * rng.uniform(1 / 1.4, 1.4, g2.shape)
        deviate = rng.standard_normal(g2.shape)
        made: Host = {}
        if params.correlated:
            apart = np.abs(np.subtract.outer(np.arange(len(tau)), np.arange(len(tau))))
            correlation = _RHO**apart
            deviate = deviate @ np.linalg.cholesky(correlation).T
            made["covariance"] = sigma[:, :, None] * sigma[:, None, :] * correlation
        times = (tau[0] / 100, tau[-1] * 100)
        limits = np.array(
            [
                times if name.startswith("t") else _LIMITS[name.rstrip("12")]
                for name in names
            ]
        )
        made = {
            "tau": tau,
            "q": q,
            "g2": g2 + sigma * deviate,
            "sigma": sigma,
            "lower": limits[:, 0],
            "upper": limits[:, 1],
        } | made
        return {name: array.astype(problem.dtype) for name, array in made.items()}

    def compute(
        self, backend: BackendProtocol, problem: Problem[FitParams], inputs: Arrays
    ) -> Arrays:
        """Fit all bins together, then the power law of their times."""
        params = problem.params
        fitted = fit_bins(
            backend,
            params.model,
            inputs["tau"],
            inputs["g2"],
            inputs["sigma"],
            inputs["lower"],
            inputs["upper"],
            inputs.get("covariance"),
            most=params.iterations,
        )
        laws, law_errors = [], []
        for time in TIMES[params.model]:
            law, error = fit_power_law(
                backend,
                inputs["q"],
                fitted.parameters[:, time],
                fitted.errors[:, time],
                fitted.status >= 1,
            )
            laws.append(law)
            law_errors.append(error)
        return {
            "parameters": fitted.parameters,
            "errors": fitted.errors,
            "chi2": fitted.chi2,
            "freedom": fitted.freedom,
            "status": fitted.status,
            "power_law": backend.stack(laws),
            "power_law_errors": backend.stack(law_errors),
        }

    def tolerance(self, problem: Problem[FitParams], output: str) -> Tolerance:
        """Rounding of the data's own equations, times what they amplify it by."""
        if output in {"freedom", "status"}:
            return Tolerance(
                rtol=0.0,
                atol=0.0,
                reason="Counts and codes are whole numbers: nothing is rounded.",
            )
        eps = float(np.finfo(problem.dtype).eps)
        params = problem.params
        if output == "chi2":
            return Tolerance(
                rtol=(16 + 0.2 / params.noise) * eps,
                atol=0.0,
                reason=(
                    "A residual is a difference of numbers as large as the contrast, "
                    "which rounding leaves off by eps contrast / noise of itself. "
                    "Measured: at most 39 eps with a noise of 0.002."
                ),
            )
        two = params.model == "double"
        times, measured = {
            "parameters": (32 if two else 8, 6 if two else 3),
            "errors": (128 if two else 32, 56 if two else 13),
        }.get(output, (128 if two else 64, 40 if two else 27))
        return Tolerance(
            rtol=times * eps,
            atol=0.0,
            reason=(
                "The iteration ends where only rounding is left, whatever its path, "
                "and rounding of the data's equations is multiplied by their "
                f"condition. Measured: at most {measured} eps from the minimum in 30 "
                "digits, as much between NumPy and JAX."
            ),
        )

    def truth(
        self, problem: Problem[FitParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """Return minima of chi2 in 30 digits at bins spread over q."""
        n = problem.params.q_bins
        rows = np.unique(np.linspace(0, n - 1, _SAMPLED, dtype=np.int64)).tolist()
        found = {row: true_fit(problem.params.model, inputs, row) for row in rows}
        truths: dict[str, list[Truth]] = {
            name: [
                Truth((row, place), value)
                for row in rows
                for place, value in enumerate(getattr(found[row], name))
            ]
            for name in ("parameters", "errors")
        }
        truths["chi2"] = [Truth((row,), found[row].chi2) for row in rows]
        truths["status"] = [Truth((row,), 1) for row in rows]
        if len(rows) == n:
            truths["power_law"], truths["power_law_errors"] = [], []
            for place, time in enumerate(TIMES[problem.params.model]):
                law, errors = true_power_law(
                    inputs["q"],
                    [found[row].parameters[time] for row in rows],
                    [found[row].errors[time] for row in rows],
                )
                for i in range(2):
                    truths["power_law"].append(Truth((place, i), law[i]))
                    truths["power_law_errors"].append(Truth((place, i), errors[i]))
        return truths

    def work(self, problem: Problem[FitParams]) -> Work:
        """Evaluations on the grid; steps are taken on bins, which are few."""
        params = problem.params
        width = np.dtype(problem.dtype).itemsize
        n, m = params.q_bins, params.delays
        n_parameters, n_times = len(PARAMETERS[params.model]), len(TIMES[params.model])
        read = m + n + 2 * n * m + 2 * n_parameters + params.correlated * n * m * m
        written = 2 * n * n_parameters + n + 4 * n_times
        return Work(
            flops=_LEAST_EVALUATIONS * _OPERATIONS[params.model] * n * m,
            bytes=width * (read + written) + 8 * 2 * n,
        )
