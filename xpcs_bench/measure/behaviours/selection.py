"""Which backend a program gets, and when that is decided."""

from __future__ import annotations

import os
import sys
import warnings

from xpcs_bench.measure.behaviours.behaviour import Observed

__all__ = [
    "auto_without_jax",
    "chosen",
    "memory_share",
    "one_instance",
    "override",
    "reset",
    "switched_too_late",
    "x64_by_backend",
    "x64_by_default",
]


def chosen() -> Observed:
    """Ask for the backend that the variables of this process choose."""
    from xpcs_bench.backends import get_backend

    return {"backend": get_backend().name}


def auto_without_jax() -> Observed:
    """Ask for the backend where jax cannot be found."""
    from xpcs_bench.backends import get_backend

    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] in {"jax", "jaxlib"}:
                raise ModuleNotFoundError(name, name=name.partition(".")[0])

    sys.meta_path.insert(0, Missing())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend = get_backend()
    return {"backend": backend.name, "silent": not caught}


def override() -> Observed:
    """Set a backend by program, whatever the variables say."""
    from xpcs_bench.backends import get_backend, set_backend

    before = get_backend().name
    set_backend("numpy")
    return {"before": before, "after": get_backend().name}


def one_instance() -> Observed:
    """Ask for the backend twice."""
    from xpcs_bench.backends import get_backend

    return {"the same object": get_backend() is get_backend()}


def reset() -> Observed:
    """Forget the backend, with other variables than before."""
    from xpcs_bench.backends import get_backend, reset_backend

    first = get_backend().name
    os.environ["XPCS_USE_JAX"] = "false"
    kept = get_backend().name
    reset_backend()
    return {"first": first, "kept": kept, "after": get_backend().name}


def _default_float() -> str:
    import jax.numpy as jnp

    return str(jnp.asarray([0.5]).dtype)


def x64_by_default() -> Observed:
    """Make an array by JAX, as the variables of this process have it."""
    return {"type": _default_float()}


def x64_by_backend() -> Observed:
    """Make an array by JAX after a backend was asked for."""
    from xpcs_bench.backends import get_backend

    return {"backend": get_backend().name, "type": _default_float()}


def switched_too_late() -> Observed:
    """Ask for 64 bits by variable when jax is imported already."""
    import jax  # noqa: F401

    os.environ["JAX_ENABLE_X64"] = "true"
    return {"heard": _default_float() == "float64"}


def memory_share() -> Observed:
    """Ask for a share of a GPU's memory, and look at which variable tells JAX."""
    from xpcs_bench.backends import get_backend

    get_backend()
    names = ("XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION")
    return {name: os.environ.get(name, "not set") for name in names}
