"""Models of g2, usable on their own: single, double and stretched exponential.

``g2(tau) = offset + contrast * |g1(tau)|**2``, where the decay is

* single: ``exp(-2 tau / t0)``;
* double: two such decays with a contrast each, added as intensities (no cross term);
* stretched: ``exp(-2 (tau / t0)**alpha)``, the *standard* exponent, or ``exp(-(2 tau /
  t0)**alpha)``, that of *xpcsviewer*. They are the same only for alpha = 1; elsewhere
  the relaxation times differ by the factor ``2**(1 - 1/alpha)``.

The functions named ``..._exp_func`` take plain arguments and use the active backend,
compiled where it compiles. The others take a backend first and broadcast their
arguments, and are what kernels and fits are made of. All are differentiable at tau = 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, cast

from xpcs_bench.backends import BackendProtocol, get_backend

__all__ = [
    "PARAMETERS",
    "Exponent",
    "Formulation",
    "Model",
    "double_exp_func",
    "double_exponential",
    "single_exp_func",
    "single_exponential",
    "stretched_exp_func",
    "stretched_exponential",
]

Model = Literal["single", "double", "stretched"]
PARAMETERS: Mapping[Model, tuple[str, ...]] = {
    "single": ("t0", "offset", "contrast"),
    "double": ("t1", "t2", "offset", "contrast1", "contrast2"),
    "stretched": ("t0", "offset", "contrast", "alpha"),
}
"""What a model takes after tau, in this order."""
Exponent = Literal["standard", "xpcsviewer"]
Formulation = Literal["exp_log", "pow"]


def single_exponential(
    backend: BackendProtocol, tau: Any, t0: Any, offset: Any, contrast: Any
) -> Any:
    """Evaluate ``offset + contrast exp(-2 tau / t0)``."""
    return offset + contrast * backend.exp(-2.0 * tau / t0)


def double_exponential(
    backend: BackendProtocol,
    tau: Any,
    t1: Any,
    t2: Any,
    offset: Any,
    contrast1: Any,
    contrast2: Any,
) -> Any:
    """Evaluate ``offset + contrast1 exp(-2 tau / t1) + contrast2 exp(-2 tau / t2)``."""
    fast = contrast1 * backend.exp(-2.0 * tau / t1)
    return offset + fast + contrast2 * backend.exp(-2.0 * tau / t2)


def stretched_exponential(
    backend: BackendProtocol,
    tau: Any,
    t0: Any,
    offset: Any,
    contrast: Any,
    alpha: Any,
    *,
    exponent: Exponent = "standard",
    formulation: Formulation = "exp_log",
) -> Any:
    """Evaluate the stretched exponential for tau >= 0, t0 > 0, alpha > 0.

    ``exp_log`` raises to a power by ``exp(alpha (log tau - log t0))``: logarithms of
    delays and of relaxation times are few where both are crossed, and the exponential
    is several times faster than ``pow``. At tau = 0 the value is ``offset +
    contrast`` and the gradient with respect to tau is 0, where the true one is
    infinite for alpha < 1.
    """
    # both branches of a `where` are differentiated: neither may see tau = 0
    positive = tau > 0
    safe = backend.where(positive, tau, 1.0)
    doubled = 2.0 if exponent == "xpcsviewer" else 1.0
    if formulation == "exp_log":
        log_ratio = backend.log(doubled * safe) - backend.log(t0)
        power = backend.exp(alpha * log_ratio)
    else:
        power = backend.power(doubled * safe / t0, alpha)
    decay = backend.exp(-power if exponent == "xpcsviewer" else -2.0 * power)
    return offset + contrast * backend.where(positive, decay, 1.0)


def single_exp_func(x: Any, tau: Any, baseline: Any, contrast: Any) -> Any:
    """Evaluate a single exponential at the delays x with the active backend."""
    return _maybe_jit(single_exponential)(x, tau, baseline, contrast)


def double_exp_func(
    x: Any, tau1: Any, tau2: Any, baseline: Any, contrast1: Any, contrast2: Any
) -> Any:
    """Evaluate a double exponential at the delays x with the active backend."""
    model = _maybe_jit(double_exponential)
    return model(x, tau1, tau2, baseline, contrast1, contrast2)


def stretched_exp_func(
    x: Any,
    tau: Any,
    baseline: Any,
    contrast: Any,
    beta: Any,
    *,
    exponent: Exponent = "standard",
) -> Any:
    """Evaluate a stretched exponential at the delays x with the active backend."""
    model = _maybe_jit(stretched_exponential, exponent=exponent)
    return model(x, tau, baseline, contrast, beta)


def _maybe_jit(model: Callable[..., Any], **static: Any) -> Callable[..., Any]:
    """Bind a model to the active backend, compiled where that compiles."""
    backend = get_backend()
    compiled = _compiled(
        model, cast("Hashable", backend), tuple(sorted(static.items()))
    )

    def call(*arguments: Any) -> Any:
        return compiled(*map(backend.array, arguments))

    return call


@functools.lru_cache(maxsize=16)
def _compiled(
    model: Callable[..., Any], backend: Hashable, static: tuple[tuple[str, Any], ...]
) -> Callable[..., Any]:
    """Compile once per backend: a function that is wrapped anew is compiled anew."""
    bound = functools.partial(model, backend, **dict(static))
    return cast("BackendProtocol", backend).jit(bound)
