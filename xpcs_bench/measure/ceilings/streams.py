"""Bytes a second that are read and written, by threads of the host or by a device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import numpy as np

from xpcs_bench.measure.ceilings import cache
from xpcs_bench.measure.ceilings.device import first_device
from xpcs_bench.measure.ceilings.reading import WrongValues, loops_of, timed
from xpcs_bench.measure.circumstances import core_count
from xpcs_bench.measure.clock import Clock, now_ns
from xpcs_bench.records import Ceiling
from xpcs_bench.records.ceiling import Level, Threads

__all__ = ["bandwidth", "device_bandwidth"]


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
        count = core_count() if threads == "all" else 1
    with closing(_Streams(cache.working_set(level), count)) as streams:
        return tuple(
            _stream_ceiling(streams, operation, threads, level, clock)
            for operation in _STREAMS
        )


def _stream_ceiling(
    streams: _Streams, operation: str, threads: Threads, level: Level, clock: Clock
) -> Ceiling:
    arrays, how = _STREAMS[operation]
    work = partial(streams.perform, getattr(streams, operation))
    loops = loops_of(lambda: work(1), clock)
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
        cache_bytes=cache.assumed_bytes(),
        cores_used=taken.cores,
        method=(
            f"Highest of some readings of {loops} passes over touched arrays, by "
            f"{streams.count} threads, each on its part: {how}."
        ),
    )


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
    jax, device = first_device(platform)
    count = cache.working_set("memory") // 8
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
                cache_bytes=cache.assumed_bytes() if platform == "cpu" else None,
                cores_used=taken.cores,
                method=f"Highest of some readings over one int64 array: {how}.",
            )
        )
    if look() != updates:
        msg = f"JAX counted {updates} updates of an array as {look()} on {platform}."
        raise WrongValues(msg)
    return tuple(ceilings)
