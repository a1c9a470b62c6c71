"""The circumstances of a measurement, as this process sees them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xpcs_bench.backends import BackendProtocol, backend_names, create_backend
from xpcs_bench.backends.processor import (
    processor_fields,
    processor_name,
    usable_cores,
)
from xpcs_bench.records import Device, Environment

__all__ = [
    "CACHE_STATE",
    "Availability",
    "capture",
    "git_state",
    "machine",
    "probe",
    "version",
    "versions",
]

_PACKAGES = (
    "xpcs_bench",
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "jax-cuda12-plugin",
    "jax-cuda13-plugin",
    "h5py",
    "matplotlib",
    "pyqtgraph",
)
_FEATURES = ("sse4", "avx", "fma", "f16c", "amx", "asimd", "neon", "sve")
"""Beginnings of the CPU flags that choose between numerical code paths."""

CACHE_STATE = "XPCS_BENCH_COMPILATION_CACHE"
"""Tells a worker in which state its persistent compilation cache was when it started;
the folder then is one that was made for it."""

_VARIABLES = (
    "JAX_",
    "XLA_",
    "XPCS_",
    "MALLOC_",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
    "BLIS_",
    "VECLIB_",
    "CUDA_",
    "NVIDIA_TF32_OVERRIDE",
    "NPROC",
    "GLIBC_TUNABLES",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "LD_PRELOAD",
    "PYTHONHASHSEED",
)
"""Beginnings of the names of variables that change times or values."""


@dataclass(frozen=True)
class Availability:
    """Whether a backend can be used here, and where."""

    available: bool
    reason: str
    """Empty when available; else a sentence."""
    version: str | None
    devices: tuple[Device, ...] = ()
    capabilities: tuple[str, ...] = ()
    """What kernels may require of it."""


def capture(backend: BackendProtocol | None) -> Environment:
    """Describe this process; with a backend, its devices and configuration too.

    Initialises the backend. Without one it imports no array library.
    """
    revision, dirty = git_state(Path(__file__).parent.parent)
    return Environment(
        host=platform.node(),
        cpu=processor_name(),
        cpu_features=_cpu_features(),
        cores=os.cpu_count() or 1,
        affinity=usable_cores(),
        memory_bytes=_memory_bytes(),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := version(name))},
        backend=backend.name if backend else None,
        devices=backend.devices() if backend else (),
        x64=_x64(backend),
        variables={
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(_VARIABLES)
            # every worker has a folder of its own, and is no other for that
            and not (name == "JAX_COMPILATION_CACHE_DIR" and CACHE_STATE in os.environ)
        },
        compilation_cache=_compilation_cache(backend),
        git_revision=revision,
        git_dirty=dirty,
    )


def probe(names: Sequence[str] = ()) -> dict[str, Availability]:
    """Try backends, every registered one where none is named.

    Initialises them, so give it a process.
    """
    return {name: _try(name) for name in names or backend_names()}


def _try(name: str) -> Availability:
    installed = version(name)
    try:
        backend = create_backend(name)
        devices = backend.devices()
    except ImportError as error:
        return Availability(available=False, reason=str(error), version=installed)
    except Exception as error:  # noqa: BLE001 (jax refuses a platform with many types; all are the answer)
        reason = f"{type(error).__name__}: {error}"
        return Availability(available=False, reason=reason, version=installed)
    return Availability(
        available=True,
        reason="",
        version=installed,
        devices=devices,
        capabilities=("grad",) if backend.supports_grad else (),
    )


@cache
def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return revision and dirtiness of the code in a folder; None, None if untracked.

    A package installed into somebody's project is ignored or untracked there, and says
    nothing about that project's revision. Only changes inside the folder make it dirty.
    A process asks once: it runs the code that it has imported.
    """
    try:
        tracked = _git(folder, "ls-files", "--", ".")
        state = _git(folder, "status", "--porcelain=v2", "--branch", "--", ".")
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None, None  # no git, or no repository
    if not tracked:
        return None, None
    lines = state.splitlines()
    revision = next(
        line.removeprefix("# branch.oid ")
        for line in lines
        if line.startswith("# branch.oid ")
    )
    return revision, any(not line.startswith("#") for line in lines)


def _git(folder: Path, *arguments: str) -> str:
    # without optional locks: a measurement must not make somebody's commit fail
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(  # noqa: S603 (fixed command)
        command, check=True, capture_output=True, text=True
    ).stdout


def machine() -> str:
    """Name the processor, its cores and its architecture, for a reader."""
    return f"{processor_name()}, {os.cpu_count() or 1} cores, {platform.machine()}"


def versions(*distributions: str) -> dict[str, str]:
    """Return the versions of Python and of these, for a reader."""
    found = {name: version(name) or "not installed" for name in distributions}
    return {"python": platform.python_version()} | found


@cache
def version(distribution: str) -> str | None:
    """Return the version of an installed distribution; None where there is none."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    # metadata hold whole licences: parsing all of it takes up to 30 ms a package
    for line in (found.read_text("METADATA") or "").splitlines():
        if line.startswith("Version:"):
            return line.removeprefix("Version:").strip()
    return found.version


def _cpu_features() -> tuple[str, ...]:
    fields = processor_fields()
    flags = fields.get("flags") or fields.get("Features") or ""
    return tuple(sorted(flag for flag in flags.split() if flag.startswith(_FEATURES)))


def _memory_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _x64(backend: BackendProtocol | None) -> bool | None:
    if backend is None or backend.name != "jax":
        return None
    return bool(sys.modules["jax"].config.jax_enable_x64)


def _compilation_cache(backend: BackendProtocol | None) -> str | None:
    if backend is None or backend.name != "jax":
        return None
    config = sys.modules["jax"].config
    if not config.jax_enable_compilation_cache or not config.jax_compilation_cache_dir:
        return "off"
    return (
        f"on: from {config.jax_persistent_cache_min_compile_time_secs:g} s and "
        f"{config.jax_persistent_cache_min_entry_size_bytes} bytes"
    )
