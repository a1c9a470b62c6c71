"""Array libraries behind one protocol; usable alone, knows nothing of benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpcs_bench.backends.adapter import (
    HDF5Adapter,
    MatplotlibAdapter,
    PyQtGraphAdapter,
    create_adapters,
)
from xpcs_bench.backends.checking import check_backend
from xpcs_bench.backends.choice import Choice
from xpcs_bench.backends.conversion import ensure_numpy
from xpcs_bench.backends.device import DeviceConfig, DeviceManager, DeviceType
from xpcs_bench.backends.numpy_backend import NumPyBackend
from xpcs_bench.backends.policy import Policy, load_policy
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.backends.registry import BACKENDS, backend_names, create_backend
from xpcs_bench.backends.selection import (
    get_backend,
    get_backend_for,
    reset_backend,
    set_backend,
    use_backend,
)

if TYPE_CHECKING:
    from xpcs_bench.backends.jax_backend import JAXBackend

__all__ = [
    "BACKENDS",
    "BackendProtocol",
    "Choice",
    "DeviceConfig",
    "DeviceManager",
    "DeviceType",
    "HDF5Adapter",
    "JAXBackend",
    "MatplotlibAdapter",
    "NumPyBackend",
    "Policy",
    "PyQtGraphAdapter",
    "backend_names",
    "check_backend",
    "create_adapters",
    "create_backend",
    "ensure_numpy",
    "get_backend",
    "get_backend_for",
    "load_policy",
    "reset_backend",
    "set_backend",
    "use_backend",
]


def __getattr__(name: str) -> Any:
    if name == "JAXBackend":  # its module imports jax
        from xpcs_bench.backends.jax_backend import JAXBackend

        return JAXBackend
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
