"""Memory: how much there is, and what it costs to get some."""

from __future__ import annotations

import ctypes
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from xpcs_bench.measure.circumstances import read_counters
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
    skipped,
)
from xpcs_bench.measure.examination.processor import control_group
from xpcs_bench.units import format_bytes, format_count, format_duration

__all__ = ["allocation", "huge_pages", "memory", "space"]

_ENOUGH = 4 * 2**30
"""A q-map of 16 megapixels holds 0.7 GiB of results, and as much again to check them;
workers of a group live side by side (bytes)."""
_SPACE = 2**30
"""A temporary HDF5 file of a boundary holds one array (bytes)."""
_BLOCKS = tuple(2**20 * mib for mib in (1, 8, 24, 40, 128))
"""Sizes to allocate; glibc's threshold moves up to 32 MiB and no further (bytes)."""
_TUNED = "MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864"


def memory(surroundings: Surroundings) -> Finding:
    """Memory that is free, and what a control group grants."""
    machine = psutil.virtual_memory()
    limits = [
        int(text)
        for _, text in control_group(
            surroundings, "memory", "memory.max", "memory.limit_in_bytes"
        )
        if text.isdigit() and int(text) < machine.total
    ]
    granted = min(limits, default=machine.total)
    available = min(machine.available, granted)
    found = f"{format_bytes(available)} available of {format_bytes(granted)}"
    if limits:
        found += f", a limit of the control group on {format_bytes(machine.total)}"
    numbers = {
        "available": (float(available), "bytes"),
        "total": (float(granted), "bytes"),
    }
    if available < _ENOUGH:
        advice = (
            "Free some, or leave out large detectors: 'xpcs-bench plan' says what the "
            "largest worker needs."
        )
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)


def _faults_again(size: int, clock: Clock) -> tuple[int, int]:
    """Page faults and time (ns) of a block that was allocated and freed before."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    before = after = read_counters()
    elapsed_ns = 0
    for _ in range(3):
        before, started = read_counters(), clock()
        address = library.malloc(size)
        ctypes.memset(address, 1, size)
        library.free(address)
        elapsed_ns, after = clock() - started, read_counters()
    return (after.minor_faults or 0) - (before.minor_faults or 0), elapsed_ns


def allocation(surroundings: Surroundings) -> Finding:
    """From which size on freed memory goes back to the system, to be fetched again."""
    if sys.platform == "win32" or read_counters().minor_faults is None:
        return skipped(
            "page faults are not counted here",
            "Expect large arrays to cost fresh memory on every call.",
        )
    settings = surroundings.set_variables("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
    # a fault for every 4 KiB where it is fetched, one for 2 MiB in huge pages
    rows = [(size, *_faults_again(size, surroundings.clock)) for size in _BLOCKS]
    fresh = [(size, faults, ns) for size, faults, ns in rows if faults > size // 2**16]
    said = settings or "no MALLOC_ variable is set"
    if not fresh:
        largest = format_bytes(_BLOCKS[-1])
        return passed(
            f"freed blocks of up to {largest} are used again ({said})",
            numbers={"faults": (0, "1")},
        )
    size, faults, ns = fresh[0]
    found = (
        f"a freed block of {format_bytes(size)} is fetched anew from the system, in "
        f"{format_count(faults)} page faults and {format_duration(ns * 1e-9)} ({said})"
    )
    return doubtful(
        found,
        f"Set {_TUNED} before the process starts (glibc), so that times of large "
        "arrays are not those of page faults.",
        {
            "from_size": (float(size), "bytes"),
            "faults": (float(faults), "1"),
            "time": (ns * 1e-9, "s"),
        },
    )


def huge_pages(surroundings: Surroundings) -> Finding:
    """Whether large arrays may lie in huge pages."""
    text = surroundings.text("sys/kernel/mm/transparent_hugepage/enabled")
    if text is None or "[" not in text:
        return skipped(
            "transparent huge pages cannot be seen",
            "Expect a page fault for every 4 KiB of a new array.",
        )
    chosen = text.partition("[")[2].partition("]")[0]
    found = f"transparent huge pages: {chosen}"
    if chosen == "never":
        return doubtful(
            found,
            "Set /sys/kernel/mm/transparent_hugepage/enabled to madvise: NumPy asks "
            "for huge pages for large arrays, and they cost a tenth of the faults.",
        )
    if chosen == "madvise":
        found += " (NumPy asks for them for large arrays, JAX does not)"
    return passed(found)


def space(surroundings: Surroundings) -> Finding:
    """Room for temporary files, and in shared memory."""
    places = {"temporary folder": Path(tempfile.gettempdir())}
    shared = surroundings.root / "dev/shm"
    if shared.exists():
        places["shared memory"] = shared
    free = {name: shutil.disk_usage(path).free for name, path in places.items()}
    found = ", ".join(
        f"{format_bytes(count)} in the {name}" for name, count in free.items()
    )
    numbers = {
        name.replace(" ", "_"): (float(count), "bytes") for name, count in free.items()
    }
    if free["temporary folder"] < _SPACE:
        advice = (
            "Free some, or point TMPDIR elsewhere: the HDF5 boundaries write a file of "
            "the size of an array."
        )
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)
