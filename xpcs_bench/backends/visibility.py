"""Which backends and devices this process can use, without starting what it need not.

Whoever chooses NumPy must not pay for the import of jax: the processor is taken to be
visible to every library that is installed, unless the environment says otherwise.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache

from xpcs_bench.backends.device import platform_devices
from xpcs_bench.backends.registry import backend_names, create_backend

__all__ = ["is_installed", "is_visible"]


@cache
def is_installed(backend: str) -> bool:
    """Whether there is a backend of this name and, for jax, its library."""
    if backend == "jax":
        try:
            return importlib.util.find_spec("jax") is not None
        except ImportError:  # a finder that refuses it
            return False
    return backend in backend_names()


@cache
def is_visible(backend: str, device: str) -> bool:
    """Whether a backend can compute on a device (``cpu``, ``gpu``) in this process.

    The answer is kept: devices do not come and go while a process lives. Only asking
    for another device than the processor starts jax.
    """
    if not is_installed(backend):
        return False
    if backend == "numpy":
        return device == "cpu"
    if backend != "jax":
        try:
            found = create_backend(backend).devices()
        except ImportError:
            return False
        return any(row.platform == device for row in found)
    told = os.environ.get("JAX_PLATFORMS") or "cpu"
    if device == "cpu" and "cpu" in told.split(","):
        return True
    return bool(platform_devices(device))
