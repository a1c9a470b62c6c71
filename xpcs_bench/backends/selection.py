"""Which backend is active: the environment, auto-detection, or the program's word."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from xpcs_bench.backends.checking import check_backend
from xpcs_bench.backends.device import DeviceManager
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.backends.registry import load_backend
from xpcs_bench.backends.settings import read_settings

__all__ = ["get_backend", "reset_backend", "set_backend", "use_backend"]

_lock = threading.RLock()
_active: BackendProtocol | None = None
_borrowed: ContextVar[BackendProtocol | None] = ContextVar("_borrowed", default=None)


def get_backend() -> BackendProtocol:
    """Return the active backend; all threads get the same instance.

    The first call decides: :func:`set_backend`, else ``XPCS_USE_JAX``, else JAX where
    it is installed and NumPy where it is not.

    Raises
    ------
    ConfigError
        If an environment variable is not understood.
    ImportError
        If ``XPCS_USE_JAX`` asks for JAX and it is not installed.
    """
    borrowed = _borrowed.get()
    if borrowed is not None:
        return borrowed
    backend = _active
    if backend is None:
        with _lock:
            backend = _active or _activate(_detect())
    return backend


def set_backend(backend: str | BackendProtocol) -> BackendProtocol:
    """Make a backend the active one, by name (in any case) or by instance.

    Raises
    ------
    ConfigError
        If there is no backend of this name.
    TypeError
        If the instance does not satisfy the protocol.
    """
    with _lock:
        return _activate(_resolve(backend))


def reset_backend() -> None:
    """Forget the active backend: the next :func:`get_backend` decides again."""
    global _active  # noqa: PLW0603
    with _lock:
        _active = None


@contextmanager
def use_backend(backend: str | BackendProtocol) -> Iterator[BackendProtocol]:
    """Make a backend the active one inside a ``with`` block.

    It holds for this thread (or asynchronous task) alone: others, and threads that
    are started inside the block, see the process's backend.
    """
    chosen = _resolve(backend)
    token = _borrowed.set(chosen)
    try:
        yield chosen
    finally:
        _borrowed.reset(token)


def _activate(backend: BackendProtocol) -> BackendProtocol:
    global _active  # noqa: PLW0603
    _active = backend
    return backend


def _resolve(backend: str | BackendProtocol) -> BackendProtocol:
    if not isinstance(backend, str):
        check_backend(backend)
        return backend
    name = backend.strip().lower()
    make = load_backend(name)
    if name == "jax":
        _configure_jax()
    return make()


def _detect() -> BackendProtocol:
    wanted = read_settings().use_jax
    if wanted is False:
        return _resolve("numpy")
    try:
        return _resolve("jax")
    except ImportError as error:
        if wanted is True:
            raise
        if not isinstance(error.__cause__, ModuleNotFoundError):
            warnings.warn(
                f"jax is installed, but fails: {error.__cause__ or error}. NumPy is "
                "used. Repair it, or set XPCS_USE_JAX=false.",
                RuntimeWarning,
                stacklevel=3,
            )
        return _resolve("numpy")


def _configure_jax() -> None:
    """Prepare JAX before it starts, then let it start on the device that was chosen."""
    from xpcs_bench.backends.jax_setup import (
        configure_jax,
        set_default_device,
    )

    configure_jax(read_settings())
    set_default_device(DeviceManager().get_device())
