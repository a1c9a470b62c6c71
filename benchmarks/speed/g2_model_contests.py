"""The stretched model: its formulations, and where a library's calls cost most."""

from __future__ import annotations

from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.kernels import create_kernel
from xpcs_bench.kernels.fit_scipy import MODELS

__all__ = ["CONTESTS"]


def _same(first: Any, second: Any) -> str:
    apart = np.abs(np.asarray(first["g2"]) - np.asarray(second["g2"])).max()
    if not apart <= 2e-15:  # of a g2 near 1; NaN is not
        msg = f"g2 differs by {apart:.3g}"
        raise ArithmeticError(msg)
    return f"g2 {apart:.1e}"


def _formulations(q_bins: int) -> Match:
    size = {"model": "stretched", "q_bins": q_bins, "delays": 64}
    call, problem, _ = cached_call("g2_model", size)
    rival, _, _ = cached_call("g2_model", size | {"formulation": "pow"})
    work = create_kernel("g2_model").work(problem)
    return Match(call, rival, flops=work.flops, bytes=work.bytes, same=_same)


def _plain() -> Match:
    """One curve as a script has it, beside the compiled kernel."""
    size = {"model": "stretched", "q_bins": 1, "delays": 64}
    call, problem, host = cached_call("g2_model", size)
    model = MODELS["stretched"]
    arguments = [host["tau"]] + [
        float(host[name][0]) for name in ("t0", "offset", "contrast", "alpha")
    ]
    work = create_kernel("g2_model").work(problem)
    return Match(
        lambda: {"g2": model(*arguments)[None]},
        call,
        flops=work.flops,
        bytes=work.bytes,
        same=_same,
    )


def _libraries(q_bins: int, delays: int) -> Match:
    size = {"model": "stretched", "q_bins": q_bins, "delays": delays}
    call, problem, _ = cached_call("g2_model", size, backend="numpy")
    rival, _, _ = cached_call("g2_model", size)
    work = create_kernel("g2_model").work(problem)
    return Match(call, rival, flops=work.flops, bytes=work.bytes, same=_same)


CONTESTS = (
    Contest(
        "g2-model-large",
        "exponential of logarithms, JAX, float64, 10,000 x 64",
        "power, JAX",
        lambda: _formulations(10_000),
        least_ratio=2,
        rounds=41,
    ),
    Contest(
        "g2-model-middle",
        "exponential of logarithms, JAX, float64, 1,000 x 64",
        "power, JAX",
        lambda: _formulations(1_000),
        rounds=41,
    ),
    Contest(
        "g2-model-one-curve",
        "one expression in NumPy, float64, one curve of 64 delays",
        "JAX, compiled",
        _plain,
        rounds=201,
    ),
    Contest(
        "g2-model-one-curve-protocol",
        "NumPy through the protocol, float64, one curve of 64 delays",
        "JAX, compiled",
        lambda: _libraries(1, 64),
        rounds=201,
    ),
    Contest(
        "g2-model-numpy-large",
        "NumPy, float64, 10,000 x 64",
        "JAX",
        lambda: _libraries(10_000, 64),
        rounds=41,
    ),
)
