"""The one place that decides between CPU and GPU."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from xpcs_bench.measure.behaviours.behaviour import Absent, Observed

__all__ = ["fallback", "one_manager", "placement", "settings", "threads_agree"]


def one_manager() -> Observed:
    """Ask for the manager twice."""
    from xpcs_bench.backends import DeviceManager

    return {"the same object": DeviceManager() is DeviceManager()}


def threads_agree() -> Observed:
    """Ask for the manager from many threads at once, again and again."""
    from xpcs_bench.backends import DeviceManager

    most = 0
    for _ in range(50):
        DeviceManager.reset()
        found: list[Any] = []
        barrier = threading.Barrier(16)

        def ask(found: list[Any] = found, barrier: Any = barrier) -> None:
            barrier.wait()
            manager = DeviceManager()
            found.append((id(manager), manager.current_device))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # whoever met a half-made one has not come this far
        most = max(most, len(set(found)) if len(found) == len(threads) else 16)
    return {"instances": most}


def settings() -> Observed:
    """Read what the variables of this process ask for."""
    from xpcs_bench.backends import DeviceConfig

    config = DeviceConfig.from_environment()
    return {
        "device": str(config.preferred_device),
        "fallback": config.allow_gpu_fallback,
        "memory fraction": config.memory_fraction or 0.0,
    }


def fallback() -> Observed:
    """Ask for a GPU where there is none."""
    from xpcs_bench.backends import DeviceConfig, DeviceManager
    from xpcs_bench.backends.device import platform_devices

    if platform_devices("gpu"):
        msg = "JAX sees a GPU, so that nothing falls back"
        raise Absent(msg)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        manager = DeviceManager()
    by_default = DeviceConfig().allow_gpu_fallback
    return {
        "device": str(manager.current_device),
        "warned": any("GPU" in str(one.message) for one in caught),
        "by default": by_default,
    }


def placement() -> Observed:
    """Place a NumPy array on the device that was decided."""
    import jax
    import numpy as np

    from xpcs_bench.backends import DeviceManager

    manager = DeviceManager()
    placed = manager.place_on_device(np.arange(4.0))
    return {
        "is a JAX array": isinstance(placed, jax.Array),
        "on the device": placed.devices() == {manager.get_device()},
    }
