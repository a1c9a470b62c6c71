"""Versions, devices and settings of the libraries that are measured."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

from xpcs_bench.backends import create_backend
from xpcs_bench.measure.environment import probe, version
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    failed,
    passed,
    skipped,
)
from xpcs_bench.units import format_bytes

__all__ = ["compilation_cache", "devices", "versions", "x64"]

_PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "h5py")
_PLUGINS = (
    "jax-cuda12-plugin",
    "jax-cuda12-pjrt",
    "jax-cuda13-plugin",
    "jax-cuda13-pjrt",
)
_DRIVER = "proc/driver/nvidia/version"
_TRUE = {"y", "yes", "t", "true", "on", "1"}
"""What JAX takes for true in an environment variable."""


def versions(surroundings: Surroundings) -> Finding:
    """Whether jax, jaxlib and its plugins belong together."""
    del surroundings
    there = {
        name: found for name in (*_PACKAGES, *_PLUGINS) if (found := version(name))
    }
    found = f"python {platform.python_version()}, " + ", ".join(
        f"{name} {number}" for name, number in there.items()
    )
    if "jax" not in there or "jaxlib" not in there:
        missing = " and ".join({"jax", "jaxlib"} - there.keys())
        return skipped(
            f"{found}; no {missing}",
            "Install jax (pip install jax) to measure it; NumPy is measured without.",
        )
    others = [
        name for name in ("jaxlib", *_PLUGINS) if there.get(name, "") != there["jax"]
    ]
    others = [name for name in others if name in there]
    if not others:
        return passed(found)
    wanted = " ".join(f"{name}=={there['jax']}" for name in ("jax", *others))
    advice = f"Install one version of all: pip install {wanted}"
    try:
        import jax  # noqa: F401 (jax itself knows what it can work with)
    except (RuntimeError, ImportError) as error:
        return failed(f"{found}; jax refuses: {error}", advice)
    return doubtful(f"{found}; jax accepts it", advice)


def devices(surroundings: Surroundings) -> Finding:
    """Where each backend can run."""
    parts, platforms, missing = [], set(), []
    for name, availability in probe().items():
        if availability.available:
            parts.append(
                f"{name}: "
                + ", ".join(
                    f"{device.platform} {device.index} ({device.name}"
                    + (
                        f", {format_bytes(device.memory_bytes)})"
                        if device.memory_bytes
                        else ")"
                    )
                    for device in availability.devices
                )
            )
            platforms |= {device.platform for device in availability.devices}
        else:
            parts.append(f"{name}: not available ({availability.reason})")
            missing.append(name)
    found = "; ".join(parts)
    chosen = surroundings.set_variables("JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES")
    if chosen:
        found += f"; {chosen}"
    if surroundings.text(_DRIVER) is not None and "gpu" not in platforms:
        return doubtful(
            f"{found}; an NVIDIA driver is loaded",
            "Install jax for your GPU (pip install 'jax[cuda12]'), and see that no "
            "variable hides it.",
        )
    if missing:
        return doubtful(
            found,
            f"Install what {' and '.join(missing)} needs, or correct JAX_PLATFORMS: "
            "cases of it are skipped until then.",
        )
    return passed(found)


def x64(surroundings: Surroundings) -> Finding:
    """Whether float64 stays float64, in workers and elsewhere."""
    backend = create_backend("jax")
    third = backend.from_numpy(np.array([1.0])) / 3
    right = str(third.dtype) == "float64" and float(third[0]) == 1 / 3
    if not right:
        return failed(
            f"a third of 1 is {float(third[0])!r} in {third.dtype}",
            "Let nothing switch jax_enable_x64 off: every case would be float32.",
        )
    wanted = surroundings.variables.get("JAX_ENABLE_X64", "")
    if wanted.lower() in _TRUE:
        return passed(f"float64 everywhere: JAX_ENABLE_X64={wanted}")
    said = f"JAX_ENABLE_X64={wanted}" if wanted else "JAX_ENABLE_X64 is not set"
    return passed(
        f"float64 in workers; float32 where jax is used without xpcs_bench ({said})",
        "Set JAX_ENABLE_X64=true in your own programs before they import jax.",
    )


def compilation_cache(surroundings: Surroundings) -> Finding:
    """Whether processes leave compiled code for the next, which shortens first calls.

    Workers switch it off unless an experiment asks for it.
    """
    place = surroundings.variables.get("JAX_COMPILATION_CACHE_DIR", "")
    enabled = surroundings.variables.get("JAX_ENABLE_COMPILATION_CACHE", "true")
    if not place or enabled.lower() not in _TRUE:
        return passed("off: every process compiles for itself, as workers do")
    folder = Path(place)
    files = [path for path in folder.glob("**/*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return passed(
        f"on in your own programs: {len(files)} files, {format_bytes(size)}",
        "Expect their first calls to be shorter than those measured here, whose "
        "workers compile.",
        {"files": (float(len(files)), "1"), "size": (float(size), "bytes")},
    )
