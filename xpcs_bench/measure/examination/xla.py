"""Whether XLA, with the flags that are set, computes right values at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from xpcs_bench.backends import create_backend
from xpcs_bench.backends.device import platform_devices
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    failed,
    passed,
    skipped,
)
from xpcs_bench.units import format_count

__all__ = ["values"]

_COUNT = 100_000
"""Enough for every loop of vectors; with seven values the flag below does no harm."""
_BEYOND = {"float32": 1e-4, "float64": 1e-12}
"""Relative error that no rounding explains; 'xpcs-bench conformance' counts ULPs."""
_KNOWN = {
    "--xla_cpu_prefer_vector_width=512": (
        "with jaxlib 0.10.2 it makes arctan(x) * 2 wrong in all values, on two "
        "processors with AVX-512"
    ),
}
"""Flags that were seen to give wrong values, and where."""

_EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    # the multiplication must be in the same loop: alone, arctan is right
    "arctan(x) * 2": lambda library, x: library.arctan(x) * 2,
    "sin(x) + cos(x) + 2": lambda library, x: library.sin(x) + library.cos(x) + 2,
    "exp(-x * x)": lambda library, x: library.exp(-x * x),
    "log1p(x * x) / 3": lambda library, x: library.log1p(x * x) / 3,
    "sqrt(x * x + 1)": lambda library, x: library.sqrt(x * x + 1),
    "arctan2(x, 2) + 4": lambda library, x: library.arctan2(x, 2 + 0 * x) + 4,
    "sum of x * x": lambda library, x: library.sum(x * x),
}


def _faults(expressions: dict[str, Callable[[Any, Any], Any]]) -> Iterator[str]:
    import jax

    for platform in ("cpu", "gpu"):
        for device in platform_devices(platform)[:1]:
            for dtype, beyond in _BEYOND.items():
                x = np.linspace(-3, 3, _COUNT).astype(dtype)
                placed = jax.device_put(x.copy(), device)
                for name, expression in expressions.items():
                    compute = jax.jit(lambda x, e=expression: e(jax.numpy, x))
                    actual = np.asarray(compute(placed), float)
                    desired = np.asarray(expression(np, x.astype(float)))
                    # a relative error, but not against the zero in the middle
                    scale = np.maximum(np.abs(desired), 1e-3)
                    wrong = int((~(abs(actual - desired) <= beyond * scale)).sum())
                    if wrong:
                        yield (
                            f"{name} in {dtype} on the {platform}: "
                            f"{format_count(wrong)} of {format_count(desired.size)} "
                            "values are wrong"
                        )


def values(surroundings: Surroundings) -> Finding:
    """Compile some expressions and look at what comes out."""
    create_backend("jax")
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        # with JAX_PLATFORMS=cuda and no GPU it is a bare AssertionError
        chosen = surroundings.set_variables("JAX_PLATFORMS") or "no JAX_PLATFORMS"
        return skipped(
            f"JAX finds no device: {type(error).__name__}: {error} ({chosen})",
            "Unset JAX_PLATFORMS, or name what is there: cpu, or cuda for a GPU.",
        )
    flags = surroundings.variables.get("XLA_FLAGS", "").strip()
    said = f"XLA_FLAGS={flags}" if flags else "no XLA_FLAGS"
    faults = list(_faults(_EXPRESSIONS))
    if not faults:
        return passed(
            f"{len(_EXPRESSIONS)} expressions in {' and '.join(_BEYOND)} are right "
            f"({said})"
        )
    known = [
        f"{flag} ({seen})" for flag, seen in _KNOWN.items() if flag in flags.split()
    ]
    if known:
        advice = f"Take {'; '.join(known)} out of XLA_FLAGS."
    elif flags:
        advice = "Take the flags out of XLA_FLAGS one by one until this passes."
    else:
        advice = (
            "Use another version of jaxlib, and report this one with the output of "
            "'xpcs-bench conformance'."
        )
    return failed(
        f"{'; '.join(faults)} ({said})", advice, {"wrong": (float(len(faults)), "1")}
    )
