"""The protocol of the backends, and what satisfies it."""

from __future__ import annotations

import sys

from xpcs_bench.measure.behaviours.behaviour import Observed

__all__ = [
    "backends_answer",
    "categories",
    "checked_at_runtime",
    "lazy_jax",
    "members",
    "structural",
    "without_jax",
]


def members() -> Observed:
    """Count what a backend must have."""
    from xpcs_bench.backends.protocol import protocol_members

    found = protocol_members().values()
    return {"methods": sum(callable(member) for member in found)}


def checked_at_runtime() -> Observed:
    """Ask isinstance, of backends and of what is none."""
    from xpcs_bench.backends import BackendProtocol, create_backend

    return {
        "numpy": isinstance(create_backend("numpy"), BackendProtocol),
        "jax": isinstance(create_backend("jax"), BackendProtocol),
        "no backend": isinstance(object(), BackendProtocol),
    }


def structural() -> Observed:
    """Look for the protocol among the bases of the backends."""
    from xpcs_bench.backends import BackendProtocol, create_backend

    found = {
        name: BackendProtocol in type(create_backend(name)).__mro__
        for name in ("numpy", "jax")
    }
    return {f"{name} inherits it": inherits for name, inherits in found.items()}


def without_jax() -> Observed:
    """Import the protocol; a worker has not imported jax before."""
    from xpcs_bench.backends import protocol

    return {"jax imported": "jax" in sys.modules, "defined": bool(protocol)}


def lazy_jax() -> Observed:
    """Import the backends and use NumPy's, then make JAX's."""
    from xpcs_bench.backends import create_backend

    create_backend("numpy").zeros(3)
    before = "jax" in sys.modules
    create_backend("jax")
    return {"jax imported before": before, "jax imported after": "jax" in sys.modules}


_CATEGORIES = {
    "array creation": ("zeros", "ones", "arange", "linspace"),
    "trigonometry": ("sin", "cos", "arctan2", "hypot"),
    "statistics": ("mean", "std", "max", "percentile"),
    "binning": ("digitize", "bincount", "searchsorted"),
    "boolean and masking": ("where", "isnan", "logical_and"),
    "math": ("exp", "log", "sqrt", "power"),
    "transformations": (
        "jit", "grad", "value_and_grad", "vmap", "scan", "fori_loop",
    ),
}  # fmt: skip


def categories() -> Observed:
    """Look for methods of every category that the document lists."""
    from xpcs_bench.backends.protocol import protocol_members

    known = protocol_members()
    return {
        category: all(name in known for name in names)
        for category, names in _CATEGORIES.items()
    }


def backends_answer() -> Observed:
    """Call one method by both backends."""
    from xpcs_bench.backends import create_backend

    kinds = {}
    for name in ("numpy", "jax"):
        backend = create_backend(name)
        kinds[name] = type(backend.exp(backend.ones(2))).__module__.partition(".")[0]
    return {"numpy": kinds["numpy"], "jax": kinds["jax"].removesuffix("lib")}
