"""The most that this machine does a second: bytes read and written, and operations.

An efficiency is a part of such a ceiling. Each is the highest rate of some readings:
what else happens on a machine only ever makes it slower. Rates count the bytes of the
arrays, each once a pass, as the kernels' ``work`` does: what the hardware moves on top,
such as reading a line of cache before it is written, is part of the price. The values
of what was timed are checked, as everywhere.

The threads of BLAS and of XLA are decided when a process starts: for one thread start a
process with :data:`ONE_THREAD` in its environment, and say so with ``threads="one"``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.clock import Clock, now_ns
from xpcs_bench.records import Ceiling
from xpcs_bench.records.ceiling import Level, Threads

__all__ = [
    "ONE_THREAD",
    "Timed",
    "WrongValues",
    "bandwidth",
    "cache_bytes",
    "device_bandwidth",
    "device_flops",
    "flops",
    "level_of",
    "timed",
    "usable_cores",
]

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    # XLA sizes its pool by this variable; its flags and the ones above do not reach it
    "NPROC": "1",
    "JAX_PLATFORMS": "cpu",
}
"""Environment variables of a process in which every library computes in one thread."""

_READINGS = 3
"""Least readings of one ceiling."""
_MOST_READINGS = 100
_SHARE_NS = 150_000_000
"""Time for the readings of one ceiling (ns)."""
_LONG_NS = 2_000_000
"""A reading is at least this long: handing work to threads costs some 0.05 ms. It is
no longer than it must be: on a busy machine short ones fit between interruptions (ns).
"""
_MOST_LOOPS = 10_000
_SMALLEST = 512
_LARGEST = 4096
"""Sizes of the matrices; 128 MiB each at most."""
_LEAST_MEMORY = 2**28
_MOST_MEMORY = 2**30
"""Two arrays of the memory level; each is to be far larger than the cache (bytes)."""
_UNKNOWN_CACHE = 2**23
"""Taken for the last-level cache where the platform does not tell (bytes)."""


class WrongValues(CannotMeasure):
    """What was timed returned wrong values: there is no rate to speak of."""


class Timed(NamedTuple):
    """Readings of one call."""

    ns: int
    """Shortest reading."""
    cores: float
    """CPU time over wall time of all readings."""


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_bytes(root: Path = Path("/")) -> int | None:
    """Size of the last-level cache of the first core; None where it is not told."""
    sizes = []
    folder = root / "sys/devices/system/cpu/cpu0/cache"
    for index in sorted(folder.glob("index*")):
        try:
            kind = (index / "type").read_text().strip()
            size = (index / "size").read_text().strip()
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K") and size[:-1].isdigit():
            sizes.append(int(size[:-1]) * 1024)
    return max(sizes, default=None)


def _cache() -> int:
    return cache_bytes() or _UNKNOWN_CACHE


def level_of(working_set_bytes: int) -> Level:
    """Which bandwidth limits who works on so many bytes again and again."""
    return "cache" if working_set_bytes <= _cache() else "memory"


def _working_set(level: Level) -> int:
    cache = _cache()
    if level == "cache":
        return cache // 2
    return min(
        max(8 * cache, _LEAST_MEMORY),
        _MOST_MEMORY,
        psutil.virtual_memory().available // 4,
    )


def timed(call: Callable[[], object], clock: Clock, share_ns: int = _SHARE_NS) -> Timed:
    """Take readings of a call until its share of time is spent."""
    readings: list[int] = []
    cpu_began, began = time.process_time_ns(), clock()
    while len(readings) < _READINGS or (
        len(readings) < _MOST_READINGS and clock() - began < share_ns
    ):
        started = clock()
        call()
        readings.append(clock() - started)
    wall_ns, cpu_ns = clock() - began, time.process_time_ns() - cpu_began
    return Timed(max(1, min(readings)), cpu_ns / max(1, wall_ns))


def _least_ns(call: Callable[[], object], clock: Clock) -> int:
    """Shortest of some calls after a first one."""
    call()
    readings = []
    for _ in range(_READINGS):
        started = clock()
        call()
        readings.append(clock() - started)
    return max(1, min(readings))


def _loops(call: Callable[[], object], clock: Clock) -> int:
    """How many calls make one long reading."""
    return min(_MOST_LOOPS, math.ceil(_LONG_NS / _least_ns(call, clock)))


class _Streams:
    """Two arrays, cut into a part for each thread, and what is done to a part."""

    def __init__(self, nbytes: int, count: int) -> None:
        self.count = count
        length = nbytes // 16 // count * count
        self.source = np.arange(length, dtype=np.int64)
        self.target = np.zeros_like(self.source)
        step = length // count
        self._parts = [slice(i * step, (i + 1) * step) for i in range(count)]
        self._pool = ThreadPoolExecutor(count)
        self._passes = 0
        self._highest: set[int] = set()

    def close(self) -> None:
        self._pool.shutdown()

    def perform(self, work: Callable[[slice], None], loops: int) -> None:
        """Let every thread go over its part so many times."""

        def repeated(part: slice) -> None:
            for _ in range(loops):
                work(part)

        self._passes += loops
        if self.count == 1:
            repeated(self._parts[0])
        else:
            list(self._pool.map(repeated, self._parts))

    def write(self, part: slice) -> None:
        self.target[part].fill(-1)

    def update(self, part: slice) -> None:
        target = self.target[part]
        np.add(target, 1, out=target)

    def copy(self, part: slice) -> None:
        np.copyto(self.target[part], self.source[part])

    def read(self, part: slice) -> None:
        self._highest.add(int(self.source[part].max()))

    def fault(self, operation: str) -> str:
        """Say what is wrong with the values after an operation; empty if nothing is."""
        match operation:
            case "write":
                right = bool((self.target == -1).all())
                self._passes = 0  # from here on the passes are updates
            case "update":
                right = bool((self.target == self._passes - 1).all())
            case "copy":
                right = np.array_equal(self.source, self.target)
            case _:
                last = {int(self.source[part][-1]) for part in self._parts}
                right = self._highest == last
        return "" if right else f"NumPy's {operation} left or found wrong values."


_STREAMS: dict[str, tuple[int, str]] = {
    "write": (1, "fill, bytes written"),
    "update": (2, "x + 1 in place, bytes read and written"),
    "copy": (2, "copyto, bytes read and written"),
    "read": (1, "max, bytes read"),
}
"""In this order: how many arrays one pass moves, and what it does."""


def bandwidth(
    threads: Threads, level: Level, clock: Clock = now_ns, count: int | None = None
) -> tuple[Ceiling, ...]:
    """Measure how many bytes a second NumPy writes, updates, copies and reads.

    Every thread works on its own part of the arrays, again and again.

    Parameters
    ----------
    count : int, optional
        How many threads work; None: one, or one for each usable core.

    Raises
    ------
    WrongValues
        What arrived is not what was there.
    """
    if count is None:
        count = usable_cores() if threads == "all" else 1
    with closing(_Streams(_working_set(level), count)) as streams:
        return tuple(
            _stream_ceiling(streams, operation, threads, level, clock)
            for operation in _STREAMS
        )


def _stream_ceiling(
    streams: _Streams, operation: str, threads: Threads, level: Level, clock: Clock
) -> Ceiling:
    arrays, how = _STREAMS[operation]
    work = partial(streams.perform, getattr(streams, operation))
    loops = _loops(lambda: work(1), clock)
    taken = timed(lambda: work(loops), clock)
    if fault := streams.fault(operation):
        raise WrongValues(fault)
    nbytes = streams.source.nbytes
    return Ceiling(
        resource="bytes",
        per_second=arrays * nbytes * loops * 1e9 / taken.ns,
        operation=operation,
        library="numpy",
        platform="cpu",
        dtype="int64",
        threads=threads,
        level=level,
        working_set_bytes=2 * nbytes if operation == "copy" else nbytes,
        cache_bytes=_cache(),
        cores_used=taken.cores,
        method=(
            f"Highest of some readings of {loops} passes over touched arrays, by "
            f"{streams.count} threads, each on its part: {how}."
        ),
    )


def _matrices(size: int, dtype: str) -> tuple[Any, Any]:
    """Two matrices of -1, 0 and 1: every sum of products is exact in every type."""
    rng = np.random.default_rng(size)
    left, right = rng.integers(-1, 2, (2, size, size))
    return left.astype(dtype), right.astype(dtype)


def _check_product(left: Any, right: Any, product: Any, library: str) -> None:
    """Multiply by a vector in both ways (Freivalds): equal, as all sums are exact."""
    vector = np.random.default_rng(0).integers(-1, 2, len(left)).astype(float)
    desired = left.astype(float) @ (right.astype(float) @ vector)
    if not np.array_equal(np.asarray(product).astype(float) @ vector, desired):
        msg = f"{library} returned a wrong product of two {left.dtype} matrices."
        raise WrongValues(msg)


def _product_ceiling(
    multiply: Callable[[Any, Any], Callable[[], Any]],
    library: str,
    platform: str,
    dtype: str,
    threads: Threads,
    clock: Clock,
) -> Ceiling:
    """Multiply ever larger matrices until one product is a long reading."""
    size = _SMALLEST
    while True:
        left, right = _matrices(size, dtype)
        call = multiply(left, right)
        # more than one reading: an interruption would pass for a long product
        if size >= _LARGEST or _least_ns(call, clock) >= _LONG_NS:
            break
        size *= 2
    taken = timed(call, clock)
    _check_product(left, right, call(), library)
    return Ceiling(
        resource="flops",
        per_second=2 * size**3 * 1e9 / taken.ns,
        operation="matrix_product",
        library=library,
        platform=platform,
        dtype=dtype,
        threads=threads,
        level=None,
        working_set_bytes=3 * left.nbytes,
        cores_used=taken.cores,
        method=(
            f"Highest of some readings of the product of two {size} x {size} "
            f"matrices, 2 n^3 operations each."
        ),
    )


def flops(
    threads: Threads, dtype: str = "float64", clock: Clock = now_ns
) -> tuple[Ceiling, ...]:
    """Measure NumPy's matrix product, which is that of its BLAS.

    Raises
    ------
    WrongValues
        The product is wrong.
    """

    def multiply(left: Any, right: Any) -> Callable[[], Any]:
        out = np.empty_like(left)
        return lambda: np.matmul(left, right, out=out)

    return (_product_ceiling(multiply, "numpy", "cpu", dtype, threads, clock),)


def device_flops(
    platform: str,
    threads: Threads = "all",
    dtype: str = "float64",
    clock: Clock = now_ns,
) -> tuple[Ceiling, ...]:
    """Measure JAX's matrix product on the first device of a platform.

    In full precision: a GPU would multiply float32 in a shorter type by itself.

    Raises
    ------
    ImportError
        jax is not installed.
    ConfigError
        There is no such device.
    WrongValues
        The product is wrong.
    """
    jax, device = _device(platform)
    product = jax.jit(lambda a, b: jax.numpy.matmul(a, b, precision="highest"))

    def multiply(left: Any, right: Any) -> Callable[[], Any]:
        placed = jax.block_until_ready(jax.device_put((left, right), device))
        return lambda: product(*placed).block_until_ready()

    return (_product_ceiling(multiply, "jax", platform, dtype, threads, clock),)


def device_bandwidth(
    platform: str, threads: Threads = "all", clock: Clock = now_ns
) -> tuple[Ceiling, ...]:
    """Measure how many bytes a second JAX reads and updates in a device's memory.

    The update writes over its input (donated), so that no new memory is asked for.

    Raises
    ------
    ImportError
        jax is not installed.
    ConfigError
        There is no such device.
    WrongValues
        A value is wrong.
    """
    jax, device = _device(platform)
    count = _working_set("memory") // 8
    read = jax.jit(jax.numpy.max)
    update = jax.jit(lambda x: x + 1, donate_argnums=0)
    array = jax.device_put(np.zeros(count, np.int64), device)
    updates = 0

    def call() -> None:
        nonlocal array, updates
        array = update(array).block_until_ready()
        updates += 1

    def look() -> int:
        return int(read(array).block_until_ready())

    ceilings = []
    for operation, work, moved, how in (
        ("update", call, 2 * array.nbytes, "x + 1 in place, bytes read and written"),
        ("read", look, array.nbytes, "max, bytes read"),
    ):
        work()
        taken = timed(work, clock)
        ceilings.append(
            Ceiling(
                resource="bytes",
                per_second=moved * 1e9 / taken.ns,
                operation=operation,
                library="jax",
                platform=platform,
                dtype="int64",
                threads=threads,
                level="memory",
                working_set_bytes=array.nbytes,
                cache_bytes=_cache() if platform == "cpu" else None,
                cores_used=taken.cores,
                method=f"Highest of some readings over one int64 array: {how}.",
            )
        )
    if look() != updates:
        msg = f"JAX counted {updates} updates of an array as {look()} on {platform}."
        raise WrongValues(msg)
    return tuple(ceilings)


def _device(platform: str) -> tuple[Any, Any]:
    from xpcs_bench.backends import create_backend
    from xpcs_bench.backends.device import choose_device, platform_devices

    create_backend("jax")  # switches to 64-bit types
    import jax

    present = [p for p in ("cpu", "gpu") if platform_devices(p)]
    return jax, choose_device("jax", platform, present)
