"""Whose memory an array is in, once it has left its backend."""

from __future__ import annotations

from typing import Any

from xpcs_bench.measure.behaviours import arrays
from xpcs_bench.measure.behaviours.behaviour import Observed

__all__ = [
    "adapters_count",
    "cpu_shares_memory",
    "deleted",
    "gpu_is_transferred",
    "key",
    "numpy_is_free",
    "unwatched_adapters",
]


def _pointer(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def numpy_is_free() -> Observed:
    """Send a NumPy array through every way out."""
    import numpy as np

    from xpcs_bench.backends import create_adapters, create_backend, ensure_numpy

    image = np.zeros((6, 8))
    pyqtgraph, hdf5, matplotlib = create_adapters(create_backend("numpy"))
    doors = (
        ensure_numpy,
        pyqtgraph.to_pyqtgraph,
        hdf5.to_hdf5,
        matplotlib.to_matplotlib,
    )
    return {"the same object": all(door(image) is image for door in doors)}


def cpu_shares_memory() -> Observed:
    """Look where the memory of an array on the CPU is, before and after."""
    import jax

    from xpcs_bench.backends import ensure_numpy

    image = jax.device_put(arrays.image(), jax.devices("cpu")[0])
    view = ensure_numpy(image)
    return {
        "memory shared": _pointer(view) == image.unsafe_buffer_pointer(),
        "writable": view.flags.writeable,
    }


def gpu_is_transferred() -> Observed:
    """Look where the memory of an array on a GPU is, before and after."""
    gpu = arrays.needs_gpu()
    import jax

    from xpcs_bench.backends import ensure_numpy

    image = jax.device_put(arrays.image(), gpu)
    shared = _pointer(ensure_numpy(image)) == image.unsafe_buffer_pointer()
    return {"memory shared": shared}


def key() -> Observed:
    """Make NumPy's of a random key."""
    from xpcs_bench.backends import ensure_numpy

    ensure_numpy(arrays.key())
    return {}


def deleted() -> Observed:
    """Make NumPy's of an array whose memory is gone."""
    from xpcs_bench.backends import ensure_numpy

    ensure_numpy(arrays.deleted())
    return {}


def _convert_twice(*, watched: bool) -> Any:
    from xpcs_bench.backends import create_adapters, create_backend

    adapters = create_adapters(create_backend("jax"), enable_monitoring=watched)
    image = arrays.image()
    for adapter, leave in (
        (adapters.pyqtgraph, adapters.pyqtgraph.to_pyqtgraph),
        (adapters.hdf5, adapters.hdf5.to_hdf5),
        (adapters.matplotlib, adapters.matplotlib.to_matplotlib),
    ):
        leave(image)
        leave(image)
        yield adapter.get_stats()


def adapters_count() -> Observed:
    """Convert through every adapter that was told to watch."""
    told = list(_convert_twice(watched=True))
    return {
        "every conversion counted": all(row.count == 2 for row in told),
        "average time": all(row.average_ns > 0 for row in told),
        "slowest conversion": all(
            row.slowest is not None and row.slowest.elapsed_ns >= row.average_ns
            for row in told
        ),
    }


def unwatched_adapters() -> Observed:
    """Convert through adapters that were not told to watch."""
    return {"counted": any(row.count for row in _convert_twice(watched=False))}
