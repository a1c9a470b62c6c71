"""Array libraries behind one protocol; usable alone, knows nothing of benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpcs_bench.backends.conversion import ensure_numpy
from xpcs_bench.backends.numpy_backend import NumPyBackend
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.backends.registry import BACKENDS, backend_names, create_backend

if TYPE_CHECKING:
    from xpcs_bench.backends.jax_backend import JAXBackend

__all__ = [
    "BACKENDS",
    "BackendProtocol",
    "JAXBackend",
    "NumPyBackend",
    "backend_names",
    "create_backend",
    "ensure_numpy",
]


def __getattr__(name: str) -> Any:
    if name == "JAXBackend":  # its module imports jax
        from xpcs_bench.backends.jax_backend import JAXBackend  # noqa: PLC0415

        return JAXBackend
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
