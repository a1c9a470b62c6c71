"""The device whose ceilings are measured by JAX."""

from __future__ import annotations

from typing import Any

__all__ = ["first_device"]


def first_device(platform: str) -> tuple[Any, Any]:
    """Return jax, and the first device of a platform.

    Raises
    ------
    ImportError
        jax is not installed.
    ConfigError
        There is no such device.
    """
    from xpcs_bench.backends import create_backend
    from xpcs_bench.backends.device import choose_device, platform_devices

    create_backend("jax")  # switches to 64-bit types
    import jax

    present = [p for p in ("cpu", "gpu") if platform_devices(p)]
    return jax, choose_device("jax", platform, present)
