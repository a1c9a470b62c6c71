"""What boundaries are given: JAX arrays that are sound, and some that are not."""

from __future__ import annotations

from typing import Any

from xpcs_bench.measure.behaviours.behaviour import Absent

__all__ = ["deleted", "image", "key", "needs_gpu"]


def image() -> Any:
    """Make an image of 6 rows and 8 columns, each pixel the sum of its indices."""
    import jax.numpy as jnp

    return jnp.add.outer(jnp.arange(6.0), jnp.arange(8.0))


def key() -> Any:
    """Make a random key, which is an array and no number."""
    import jax

    return jax.random.key(0)


def deleted() -> Any:
    """Make an array whose memory is gone, as after a donation."""
    array = image()
    array.delete()
    return array


def needs_gpu() -> Any:
    """Return JAX's first GPU.

    Raises
    ------
    Absent
        It sees none.
    """
    from xpcs_bench.backends import DeviceManager

    if not DeviceManager().gpu_available:
        msg = "JAX sees no GPU"
        raise Absent(msg)
    import jax

    return jax.devices("gpu")[0]
