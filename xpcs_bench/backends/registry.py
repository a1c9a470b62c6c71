"""Which backends there are: one line each, and what other packages bring along."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from typing import Any, cast

from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.errors import ConfigError

__all__ = ["BACKENDS", "backend_names", "create_backend"]

BACKENDS: dict[str, str] = {
    "numpy": "xpcs_bench.backends.numpy_backend:NumPyBackend",
    "jax": "xpcs_bench.backends.jax_backend:JAXBackend",
}
"""Name to ``module:Class``; the class is called without arguments."""

ENTRY_POINTS = "xpcs_bench.backends"


def _external() -> dict[str, importlib.metadata.EntryPoint]:
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
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
    external = _external()
    if name in BACKENDS:
        module, _, attribute = BACKENDS[name].partition(":")
        factory: Any = getattr(importlib.import_module(module), attribute)
    elif name in external:
        factory = external[name].load()
    else:
        known = [*BACKENDS, *sorted(external)]
        near = difflib.get_close_matches(str(name).lower(), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        msg = f"Unknown backend {name!r}.{hint} Allowed: {', '.join(known)}."
        raise ConfigError(msg)
    return cast("BackendProtocol", factory())
