"""Which backend is active: the environment, auto-detection, or the program's word.

And which one a call is best made with, where a policy knows.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from xpcs_bench.backends.checking import check_backend
from xpcs_bench.backends.choice import Place
from xpcs_bench.backends.device import DeviceManager
from xpcs_bench.backends.policy import Policy, load_policy
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.backends.registry import load_backend
from xpcs_bench.backends.settings import read_settings
from xpcs_bench.backends.visibility import is_installed
from xpcs_bench.config import Converts

__all__ = [
    "get_backend",
    "get_backend_for",
    "reset_backend",
    "set_backend",
    "use_backend",
]

_lock = threading.RLock()
_active: BackendProtocol | None = None
_told = False
"""Whether the program set the active backend itself."""
_by_name: dict[str, BackendProtocol | None] = {}
"""Backends that a policy chose; None: installed, and cannot be imported."""
_policies: dict[str, Policy] = {}
"""By path, as they were read."""
_compiled: dict[object, set[str]] = {}
"""Backends by the problem that they were given out for."""
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


def get_backend_for(
    kernel: str,
    *,
    size: int,
    calls: int = 1,
    policy: Policy | str | Path | None = None,
    params: Mapping[str, Any] | None = None,
    geometry: str | None = None,
    dtype: str = "float64",
    converts: Converts = "nothing",
    compiled: Collection[str] | None = None,
    fresh: bool = False,
) -> BackendProtocol:
    """Return the backend that is expected to make these calls in the least time.

    Who speaks nearest to the call is heard: ``policy``; :func:`use_backend` and
    :func:`set_backend`; ``XPCS_USE_JAX``, if it says true or false; the policy that
    ``XPCS_BACKEND_POLICY`` names. Where none of them speaks, or the policy says nothing
    of this kernel, it is :func:`get_backend`, which no policy changes.

    A backend is chosen for where it places arrays by itself: JAX for a GPU where
    ``XPCS_USE_GPU`` says so, and else for the CPU. :meth:`Policy.choose` weighs all
    devices, and names the one to give to ``device_put``.

    Parameters
    ----------
    kernel, size, calls, params, geometry, dtype, converts, fresh
        As of :meth:`Policy.choose`.
    policy
        A policy, or the path of one; it is read once.
    compiled
        Backends that have compiled this in this process; None: those that this function
        has returned for the same before, since what was compiled is kept.

    Raises
    ------
    ConfigError
        A policy cannot be read, or a variable is not understood.
    """
    if policy is None:
        if _told or _borrowed.get() is not None:
            return get_backend()
        settings = read_settings()
        if settings.use_jax != "auto" or settings.policy is None:
            return get_backend()
        policy = settings.policy
    if not isinstance(policy, Policy):
        policy = _read_once(str(policy))
    asked = (kernel, size, repr(params) if params else "", geometry, dtype)
    places = _usable(policy)
    while places:
        choice = policy.choose(
            kernel,
            size,
            calls=calls,
            params=params,
            geometry=geometry,
            dtype=dtype,
            converts=converts,
            devices=places,
            compiled=_compiled.get(asked, ()) if compiled is None else compiled,
            fresh=fresh,
        )
        if choice is None:
            break
        backend = _named(choice.backend)
        if backend is not None:
            _compiled.setdefault(asked, set()).add(choice.backend)
            return backend
        places = [place for place in places if place[0] != choice.backend]
    return get_backend()


def set_backend(backend: str | BackendProtocol) -> BackendProtocol:
    """Make a backend the active one, by name (in any case) or by instance.

    Raises
    ------
    ConfigError
        If there is no backend of this name.
    TypeError
        If the instance does not satisfy the protocol.
    """
    global _told  # noqa: PLW0603
    with _lock:
        chosen = _activate(_resolve(backend))
        _told = True
        return chosen


def reset_backend() -> None:
    """Forget the active backend: the next :func:`get_backend` decides again.

    Policies are read again, and what was compiled is no longer counted on.
    """
    global _active, _told
    with _lock:
        _active, _told = None, False
        for memory in (_by_name, _policies, _compiled):
            memory.clear()


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


def _read_once(path: str) -> Policy:
    """Read a policy, and say where it is not of this machine and its software."""
    policy = _policies.get(path)
    if policy is None:
        with _lock:
            if path in _policies:
                return _policies[path]
            policy = _policies[path] = load_policy(path)
        if differences := policy.differences():
            warnings.warn(
                f"The policy {path} was made elsewhere ({'; '.join(differences)}), and "
                "what is fastest may differ here. Make one here: 'xpcs-bench run' and "
                "'xpcs-bench advise'.",
                RuntimeWarning,
                stacklevel=3,
            )
    return policy


def _usable(policy: Policy) -> list[Place]:
    """Return where the backends of a policy place arrays in this process."""
    found: list[Place] = []
    for name in sorted({backend for backend, _ in policy.places}):
        if not is_installed(name) or _by_name.get(name, True) is None:
            continue
        if name == "numpy":
            found.append((name, "cpu"))
        elif name == "jax":
            found.append((name, DeviceManager().current_device.value))
        elif (backend := _named(name)) is not None:
            found.append((name, backend.devices()[0].platform))
    return found


def _named(name: str) -> BackendProtocol | None:
    """Return the one backend of a name; None, with a warning, where it fails."""
    active = _active
    if active is not None and active.name == name:
        return active
    if name not in _by_name:
        with _lock:
            if name not in _by_name:
                try:
                    _by_name[name] = _resolve(name)
                except ImportError as error:
                    _by_name[name] = None
                    warnings.warn(
                        f"The policy would choose {name!r}, which fails: {error} "
                        "Another backend is used.",
                        RuntimeWarning,
                        stacklevel=3,
                    )
    return _by_name[name]


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
