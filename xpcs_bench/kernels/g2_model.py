"""Models of g2, evaluated for all bins in q and all delays at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels import decay
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

__all__ = ["G2Model", "G2ModelParams"]

_OPERATIONS: Mapping[decay.Model, int] = {"single": 5, "double": 10, "stretched": 7}
"""Per bin and delay; a function counts as one."""


class G2ModelParams(ConfinedModel):
    """Which model, in which convention, and how much of it."""

    model: decay.Model = "stretched"
    """``single`` and ``double`` exponential decays, or one ``stretched`` one."""
    exponent: decay.Exponent = "standard"
    """Of the stretched model: ``standard`` is exp(-2 (tau/t0)^alpha), ``xpcsviewer``
    exp(-(2 tau/t0)^alpha). The others have none and give the same for both."""
    formulation: decay.Formulation = "exp_log"
    """Of the power in the stretched model: ``exp_log`` by exponential and logarithm,
    ``pow`` by the library's power."""
    q_bins: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Bins in q, each with its own parameters."""
    delays: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    """Delays, spaced logarithmically from 20 us to 20 s."""


class G2Model(Kernel[G2ModelParams]):
    """Evaluate a model of g2 on the grid of q bins and delays."""

    name: ClassVar[str] = "g2_model"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = (
        "Single, double or stretched exponential g2 for many q bins."
    )
    source: ClassVar[str] = (
        "Siegert relation: g2 = offset + contrast |g1|^2, |g1| = exp(-(tau/t0)^alpha) "
        "(Kohlrausch, Williams, Watts); two decays are added as intensities."
    )
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = G2ModelParams

    def outputs(self, problem: Problem[G2ModelParams]) -> tuple[Output, ...]:
        """One g2 per bin in q."""
        del problem
        return (Output("g2", ("q", "delay"), "1"),)

    def make_inputs(
        self, problem: Problem[G2ModelParams], rng: np.random.Generator
    ) -> Host:
        """Delays, and parameters as they are met at storage rings, one set per bin."""
        params, n = problem.params, problem.params.q_bins
        slow = np.geomspace(1.0, 1e-3, n) * rng.uniform(0.8, 1.25, n)
        values = {
            "tau": np.geomspace(2e-5, 20.0, params.delays),
            "t0": slow,
            "t1": slow * rng.uniform(0.01, 0.1, n),
            "t2": slow,
            "offset": rng.uniform(0.98, 1.02, n),
            "contrast": rng.uniform(0.05, 0.5, n),
            "contrast1": rng.uniform(0.05, 0.2, n),
            "contrast2": rng.uniform(0.05, 0.3, n),
            "alpha": rng.uniform(0.5, 1.8, n),
        }
        names = ("tau", *decay.PARAMETERS[params.model])
        return {name: values[name].astype(problem.dtype) for name in names}

    def compute(
        self, backend: BackendProtocol, problem: Problem[G2ModelParams], inputs: Arrays
    ) -> Arrays:
        """Evaluate the model on the grid."""
        params = problem.params
        tau = backend.reshape(inputs["tau"], (1, -1))
        values = [
            backend.reshape(inputs[name], (-1, 1))
            for name in decay.PARAMETERS[params.model]
        ]
        match params.model:
            case "single":
                g2 = decay.single_exponential(backend, tau, *values)
            case "double":
                g2 = decay.double_exponential(backend, tau, *values)
            case "stretched":
                g2 = decay.stretched_exponential(
                    backend,
                    tau,
                    *values,
                    exponent=params.exponent,
                    formulation=params.formulation,
                )
        return {"g2": g2}

    def tolerance(self, problem: Problem[G2ModelParams], output: str) -> Tolerance:
        """Four ULP of g2, which is near 1."""
        del output
        eps = float(np.finfo(problem.dtype).eps)
        return Tolerance(
            rtol=4 * eps,
            atol=0.0,
            reason=(
                "Measured with NumPy and JAX: at most 0.8 eps from 50 digits, 2 eps "
                "from each other. exp alone is right to 2.3 ULP, and the contrast "
                "scales that down before the offset is added."
            ),
        )

    def truth(
        self, problem: Problem[G2ModelParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """The model in 50 digits at bins and delays spread over the grid."""
        import mpmath

        params = problem.params
        rows = np.unique(np.linspace(0, params.q_bins - 1, 7, dtype=np.int64)).tolist()
        columns = np.unique(
            np.linspace(0, params.delays - 1, 11, dtype=np.int64)
        ).tolist()
        with mpmath.workdps(50):
            truths = [
                Truth((row, column), _true_g2(params, inputs, row, column))
                for row, column in product(rows, columns)
            ]
        return {"g2": truths}

    def work(self, problem: Problem[G2ModelParams]) -> Work:
        """Operations on the grid; logarithms of the axes are too few to count."""
        params = problem.params
        grid = params.q_bins * params.delays
        axes = params.delays + len(decay.PARAMETERS[params.model]) * params.q_bins
        return Work(
            flops=_OPERATIONS[params.model] * grid,
            bytes=np.dtype(problem.dtype).itemsize * (grid + axes),
        )


def _true_g2(params: G2ModelParams, inputs: Host, row: int, column: int) -> Any:
    import mpmath

    tau = mpmath.mpf(float(inputs["tau"][column]))
    value = {
        name: mpmath.mpf(float(inputs[name][row]))
        for name in decay.PARAMETERS[params.model]
    }
    if params.model == "double":
        return (
            value["offset"]
            + value["contrast1"] * mpmath.exp(-2 * tau / value["t1"])
            + value["contrast2"] * mpmath.exp(-2 * tau / value["t2"])
        )
    alpha = value.get("alpha", mpmath.mpf(1))
    if params.exponent == "xpcsviewer":
        decayed = (2 * tau / value["t0"]) ** alpha
    else:
        decayed = 2 * (tau / value["t0"]) ** alpha
    return value["offset"] + value["contrast"] * mpmath.exp(-decayed)
