"""Which backends there are: one line each, and what other packages bring along."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import cast

from xpcs_bench.backends.entry_points import registered
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.errors import ConfigError

__all__ = ["BACKENDS", "backend_names", "create_backend", "load_backend"]

BACKENDS: dict[str, str] = {
    "numpy": "xpcs_bench.backends.numpy_backend:NumPyBackend",
    "jax": "xpcs_bench.backends.jax_backend:JAXBackend",
}
"""Name to ``module:Class``; the class is called without arguments."""

ENTRY_POINTS = "xpcs_bench.backends"


def _external() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in registered(ENTRY_POINTS):
        other = BACKENDS.get(entry.name) or found.get(entry.name)
        if other is not None:
            msg = (
                f"The entry point {entry.name} = {entry.value} in {ENTRY_POINTS} takes "
                f"a name that belongs to {other}. Names are unique: rename it in the "
                "package that declares it, or uninstall that package."
            )
            raise ConfigError(msg)
        found[entry.name] = entry
    return found


def backend_names() -> tuple[str, ...]:
    """Names that :func:`create_backend` knows; the builtin ones first."""
    return (*BACKENDS, *sorted(_external()))


def create_backend(name: str) -> BackendProtocol:
    """Make the backend of this name; nothing is cached and nothing else is imported.

    Raises
    ------
    ConfigError
        If there is no such backend.
    ImportError
        If its library is not installed; the message says how to install it.
    """
    return load_backend(name)()


def load_backend(name: str) -> Callable[[], BackendProtocol]:
    """Import what makes the backend of this name, without making it.

    Raises
    ------
    ConfigError, ImportError
        As :func:`create_backend`.
    """
    external = _external()
    if name not in BACKENDS and name not in external:
        known = [*BACKENDS, *sorted(external)]
        near = difflib.get_close_matches(str(name).lower(), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        msg = f"Unknown backend {name!r}.{hint} Allowed: {', '.join(known)}."
        raise ConfigError(msg)
    try:
        if name in external:
            factory = external[name].load()
        else:
            module, _, attribute = BACKENDS[name].partition(":")
            factory = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        package = (error.name or name).partition(".")[0]
        msg = (
            f"The backend {name!r} needs the package {package!r}, which cannot be "
            f"imported: {error}. Install it (pip install {package}), or use the "
            "backend 'numpy'."
        )
        raise ImportError(msg, name=error.name) from error
    return cast("Callable[[], BackendProtocol]", factory)
