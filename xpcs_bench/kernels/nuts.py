"""The posterior of a model of one g2 curve: draws of NUTS, held to a quadrature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels import decay
from xpcs_bench.kernels.decay import PARAMETERS, Model
from xpcs_bench.kernels.kernel import (
    Arrays,
    Capability,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.nuts_sampler import NutsParams, sample_posterior, summarise
from xpcs_bench.kernels.posterior import integrate_posterior

__all__ = ["Nuts", "NutsParams"]

_EVALUATION = {"single": 5, "double": 10, "stretched": 7}
"""Operations of a model per delay; a function counts as one."""

_FARTHEST = 5
"""Standard errors that a mean of draws may be off."""
_EFFICIENCY = (0.2, 3.0)
"""Effective draws per draw that are put up with. 190 curves had 0.49 to 1.75 with two
chains of 500: successive draws fall on opposite sides of the mean."""


class Nuts(Kernel[NutsParams]):
    """Draw from the posterior of one g2 curve, and summarise the draws.

    The priors are those of :mod:`~xpcs_bench.kernels.posterior`, and the reference is
    its quadrature: mean and standard deviation scatter around it as draws do. The
    chains compute in double precision whatever the type of the data: in single
    precision the energy of a trajectory is not conserved well enough to accept it.

    R-hat and the effective sample size are those of ``numpyro.diagnostics``.
    """

    name: ClassVar[str] = "nuts"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Posterior of the parameters of one g2 curve, by NUTS."
    source: ClassVar[str] = (
        "M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15, 1593 (2014), as in NumPyro "
        "(D. Phan, N. Pradhan, M. Jankowiak, arXiv:1912.11554); models as in g2_model."
    )
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = NutsParams
    requires: ClassVar[frozenset[Capability]] = frozenset({"grad"})

    def outputs(self, problem: Problem[NutsParams]) -> tuple[Output, ...]:
        """Moments and diagnostics by parameter, and divergences by chain."""
        del problem
        return (
            Output("mean", ("parameter",), "s or 1", statistical=True),
            Output("sd", ("parameter",), "s or 1", statistical=True),
            Output("r_hat", ("parameter",), "1", statistical=True),
            Output("ess", ("parameter",), "1", statistical=True),
            Output("divergences", ("chain",), "1", dtype="int64"),
        )

    def make_inputs(
        self, problem: Problem[NutsParams], rng: np.random.Generator
    ) -> Host:
        """A curve with known errors, and a key for each chain.

        The relaxation times are near the middle of the delays, where the data say
        something about every parameter.
        """
        params = problem.params
        tau = np.geomspace(2e-5, 20.0, params.delays)
        sigma = params.noise * np.geomspace(2.0, 1.0, params.delays)
        g2 = _made_up(params.model, tau, rng)
        noise = rng.standard_normal(params.delays)
        host = {"tau": tau, "g2": g2}
        if params.correlated:
            place = np.arange(params.delays)
            correlation = 0.5 ** np.abs(place[:, None] - place)
            factor = np.linalg.cholesky(correlation * np.outer(sigma, sigma))
            host["g2"] = g2 + factor @ noise
            host["whitening"] = np.linalg.inv(factor)
        else:
            host["g2"] = g2 + sigma * noise
            host["sigma"] = sigma
        made: Host = {name: x.astype(problem.dtype) for name, x in host.items()}
        # raw keys of threefry: any two words are one
        made["keys"] = rng.integers(0, 2**32, size=(params.chains, 2), dtype=np.uint32)
        return made

    def compute(
        self, backend: BackendProtocol, problem: Problem[NutsParams], inputs: Arrays
    ) -> Arrays:
        """Draw, and summarise on the way out: draws are too many to be compared.

        Raises
        ------
        ConfigError
            When the backend has no gradients.
        """
        drawn = sample_posterior(backend, problem.params, inputs)
        summary = summarise(backend, drawn)
        divergences = summary.pop("divergences")
        outputs = {
            name: backend.astype(value, problem.dtype)
            for name, value in summary.items()
        }
        return outputs | {"divergences": divergences}

    def reference(self, problem: Problem[NutsParams], inputs: Host) -> Host:
        """Integrate the posterior; expect R-hat 1 and no divergence of the chains.

        Of effective draws any number in a range is right: expected is its middle.
        """
        params = problem.params
        whitening = (
            inputs["whitening"] if params.correlated else _inverse(inputs["sigma"])
        )
        found = integrate_posterior(
            params.model, inputs["tau"], inputs["g2"], whitening
        )
        n_draws = params.chains * params.draws
        expected = {
            "mean": found.mean,
            "sd": found.sd,
            "r_hat": np.ones_like(found.mean),
            "ess": np.full_like(found.mean, n_draws * sum(_EFFICIENCY) / 2),
        }
        reference: Host = {
            name: value.astype(problem.dtype) for name, value in expected.items()
        }
        reference["divergences"] = np.zeros(params.chains, np.int64)
        return reference

    def tolerance(self, problem: Problem[NutsParams], output: str) -> Tolerance:
        """Five standard errors of as few effective draws as are put up with."""
        params = problem.params
        n_draws = params.chains * params.draws
        least, most = _EFFICIENCY
        effective = least * n_draws
        match output:
            case "mean":
                return Tolerance(
                    rtol=0.0,
                    atol=_FARTHEST / math.sqrt(effective),
                    reason=(
                        "Five standard errors of the mean of a fifth of the draws, in "
                        "standard deviations of the posterior."
                    ),
                    per="sd",
                )
            case "sd":
                return Tolerance(
                    rtol=_FARTHEST / math.sqrt(2 * effective),
                    atol=0.0,
                    reason=(
                        "Five standard errors of the standard deviation of a fifth of "
                        "the draws, from a normal distribution."
                    ),
                )
            case "r_hat":
                return Tolerance(
                    rtol=0.0,
                    atol=0.05 + _FARTHEST / effective,
                    reason=(
                        "1.05 is the usual limit; short chains scatter by the inverse "
                        "of their effective draws besides."
                    ),
                )
            case "ess":
                return Tolerance(
                    rtol=(most - least) / (most + least),
                    atol=0.0,
                    reason=(
                        "At least a fifth of the draws must count, which the other "
                        "tolerances rely on, and at most three times as many."
                    ),
                )
            case _:
                return Tolerance(
                    rtol=0.0,
                    atol=0.0,
                    reason=(
                        "The posterior of a curve that says something about every "
                        "parameter is smooth: not one trajectory diverges."
                    ),
                )

    def truth(
        self, problem: Problem[NutsParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """None but the reference, which is a quadrature already."""
        del problem, inputs
        return {}

    def work(self, problem: Problem[NutsParams]) -> Work:
        """One gradient a step, which costs three evaluations; a trajectory has more."""
        params = problem.params
        n, width = params.delays, np.dtype(problem.dtype).itemsize
        per_point = _EVALUATION[params.model] + 3
        matrix = 2 * n * n if params.correlated else 0
        steps = params.chains * (params.warmup + params.draws)
        errors = n * n if params.correlated else n
        return Work(
            flops=3 * steps * (per_point * n + matrix),
            bytes=width * (2 * n + errors + 4 * len(PARAMETERS[params.model]))
            + 16 * params.chains,
        )


def _made_up(
    model: Model, tau: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a curve without noise whose parameters are met at storage rings."""
    from xpcs_bench.backends import NumPyBackend

    backend = NumPyBackend()
    slow, offset = 0.05 * rng.uniform(0.5, 2.0), rng.uniform(0.99, 1.01)
    fast = slow * rng.uniform(0.02, 0.05)
    first, second = rng.uniform(0.1, 0.3, 2)
    match model:
        case "single":
            made = decay.single_exponential(backend, tau, slow, offset, first)
        case "double":
            made = decay.double_exponential(
                backend, tau, fast, slow, offset, first, second
            )
        case "stretched":
            alpha = rng.uniform(0.6, 1.4)
            made = decay.stretched_exponential(backend, tau, slow, offset, first, alpha)
    return np.asarray(made)


def _inverse(sigma: NDArray[Any]) -> NDArray[Any]:
    return 1.0 / np.asarray(sigma, np.float64)
