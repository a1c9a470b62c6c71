"""What must be true of JAX before it starts, and honest words where it is too late."""

from __future__ import annotations

import os
import threading
import warnings

import jax
from jax._src import xla_bridge  # no public name tells whether JAX has started

from xpcs_bench.backends.settings import BackendSettings
from xpcs_bench.errors import ConfigError

__all__ = [
    "configure_jax",
    "has_started",
    "set_default_device",
    "set_memory_fraction",
]

# jaxlib reads the first since 0.6, calls the second deprecated, and refuses both
FRACTION = "XLA_CLIENT_MEM_FRACTION"
OLD_FRACTION = "XLA_PYTHON_CLIENT_MEM_FRACTION"

_lock = threading.Lock()
_told: dict[str, str] = {}
"""What this module has written to the environment: it may change its mind."""
_too_late: set[float] = set()
"""Memory shares that were asked for when JAX had started; said once each."""


def has_started() -> bool:
    """Whether JAX has initialised its devices in this process."""
    return xla_bridge.backends_are_initialized()


def configure_jax(settings: BackendSettings) -> None:
    """Switch to 64-bit numbers and set the memory share; again is allowed.

    What comes too late to hold for the whole process is said in a warning.
    """
    with _lock:
        if settings.gpu_memory_fraction is not None:
            set_memory_fraction(settings.gpu_memory_fraction)
        if jax.config.jax_enable_x64:  # type: ignore[attr-defined]
            return
        if has_started():
            warnings.warn(
                "JAX had already started with 32-bit numbers. New arrays are 64-bit "
                "from here on, those made before stay as they are. Ask for the "
                "backend before any other use of jax.",
                RuntimeWarning,
                stacklevel=2,
            )
        _update("jax_enable_x64", value=True)


def set_default_device(device: jax.Device | None) -> None:
    """Let new arrays go to ``device``, if that is not where they go anyway."""
    if device is not None and device != jax.devices()[0]:
        _update("jax_default_device", value=device)


def _update(option: str, *, value: object) -> None:
    jax.config.update(option, value)  # type: ignore[no-untyped-call]


def set_memory_fraction(fraction: float) -> None:
    """Tell JAX what share of the GPU's memory to take, if it can still hear it.

    Raises
    ------
    ConfigError
        If the user tells JAX another share.
    """
    for name in (FRACTION, OLD_FRACTION):
        text = os.environ.get(name, "")
        if _is_number(text, fraction):
            return
        if text and text != _told.get(name):
            msg = (
                f"XPCS_GPU_MEMORY_FRACTION={fraction} and {name}={text!r} contradict "
                "each other. Set one of the two."
            )
            raise ConfigError(msg)
    if has_started():
        if fraction in _too_late:
            return
        _too_late.add(fraction)
        warnings.warn(
            f"JAX had already started: the memory share of {fraction} has no effect "
            "in this process. Set XPCS_GPU_MEMORY_FRACTION and ask for the backend "
            "before any other use of jax.",
            RuntimeWarning,
            stacklevel=2,
        )
        return
    os.environ[FRACTION] = _told[FRACTION] = str(fraction)


def _is_number(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False
