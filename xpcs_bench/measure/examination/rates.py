"""The ceilings of this machine, as the efficiency of a case will need them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from xpcs_bench.backends.device import platform_devices
from xpcs_bench.measure.ceilings import (
    WrongValues,
    bandwidth,
    device_bandwidth,
    device_flops,
    flops,
)
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    failed,
    passed,
    skipped,
)
from xpcs_bench.records import Ceiling
from xpcs_bench.records.ceiling import Threads
from xpcs_bench.units import format_rate

__all__ = [
    "bandwidth_all_threads",
    "bandwidth_one_thread",
    "blas_all_threads",
    "blas_one_thread",
    "gpu",
    "xla_all_threads",
    "xla_one_thread",
]

_TYPES = ("float64", "float32")
_OCCUPIED = 0.75
"""Share of the cores below which other work, or a limit, had them."""

Measured = Callable[[], Sequence[Ceiling]]


def _rate(ceiling: Ceiling) -> str:
    symbol = "B" if ceiling.resource == "bytes" else "FLOP"
    return format_rate(ceiling.per_second, symbol)


def _sentence(ceilings: Sequence[Ceiling]) -> str:
    parts: dict[str, list[str]] = {}
    for row in ceilings:
        head = f"in {row.level}" if row.level else row.operation.replace("_", " ")
        what = row.dtype if row.resource == "flops" else row.operation
        parts.setdefault(head, []).append(f"{what} {_rate(row)}")
    return "; ".join(f"{head}: {', '.join(rows)}" for head, rows in parts.items())


def _found(measured: Measured, threads: Threads, cores: int) -> Finding:
    try:
        ceilings = tuple(measured())
    except WrongValues as error:
        advice = "Do not measure with this library here: its values are wrong."
        return failed(str(error), advice)
    asked = cores if threads == "all" else 1
    used = statistics.median(row.cores_used for row in ceilings)
    said = f"{_sentence(ceilings)}; kept {used:.1f} of {asked} cores busy"
    if used < _OCCUPIED * asked:
        advice = (
            "Stop other work and ask again: the ceilings are too low, and efficiencies "
            "would look too good."
        )
        if threads == "all":
            advice += " If nothing else runs, a variable or a quota limits the threads."
        finding = doubtful(said, advice)
    elif threads == "one" and used > 2 - _OCCUPIED:
        finding = doubtful(
            said, "Use taskset -c 0: this library does not heed the variables."
        )
    else:
        finding = passed(said)
    return replace(finding, ceilings=ceilings)


def _bandwidth(threads: Threads, surroundings: Surroundings) -> Finding:
    def measured() -> list[Ceiling]:
        clock = surroundings.clock
        count = surroundings.cores if threads == "all" else 1
        return [
            *bandwidth(threads, "cache", clock, count),
            *bandwidth(threads, "memory", clock, count),
        ]

    return _found(measured, threads, surroundings.cores)


def _blas(threads: Threads, surroundings: Surroundings) -> Finding:
    def measured() -> list[Ceiling]:
        clock = surroundings.clock
        return [row for dtype in _TYPES for row in flops(threads, dtype, clock)]

    return _found(measured, threads, surroundings.cores)


def _xla(threads: Threads, surroundings: Surroundings) -> Finding:
    if not platform_devices("cpu"):
        return skipped(
            "JAX sees no CPU here", "Name cpu in JAX_PLATFORMS to measure it as well."
        )

    def measured() -> list[Ceiling]:
        clock = surroundings.clock
        return [
            *(r for t in _TYPES for r in device_flops("cpu", threads, t, clock)),
            *device_bandwidth("cpu", threads, clock),
        ]

    return _found(measured, threads, surroundings.cores)


def bandwidth_all_threads(surroundings: Surroundings) -> Finding:
    """Bytes a second, of a thread on each usable core."""
    return _bandwidth("all", surroundings)


def bandwidth_one_thread(surroundings: Surroundings) -> Finding:
    """Bytes a second, of one thread."""
    return _bandwidth("one", surroundings)


def blas_all_threads(surroundings: Surroundings) -> Finding:
    """Operations a second of NumPy's BLAS, with the threads it takes by itself."""
    return _blas("all", surroundings)


def blas_one_thread(surroundings: Surroundings) -> Finding:
    """Operations a second of NumPy's BLAS, in a process of one thread."""
    return _blas("one", surroundings)


def xla_all_threads(surroundings: Surroundings) -> Finding:
    """Operations a second of XLA on the CPU, with the threads it takes by itself."""
    return _xla("all", surroundings)


def xla_one_thread(surroundings: Surroundings) -> Finding:
    """Operations a second of XLA on the CPU, in a process of one thread."""
    return _xla("one", surroundings)


def gpu(surroundings: Surroundings) -> Finding:
    """Bytes and operations a second of the first GPU."""
    if not platform_devices("gpu"):
        return skipped(
            "JAX sees no GPU", "See the row 'devices' if there should be one."
        )
    clock = surroundings.clock
    try:
        ceilings = (
            *device_bandwidth("gpu", clock=clock),
            *(r for t in _TYPES for r in device_flops("gpu", dtype=t, clock=clock)),
        )
    except WrongValues as error:
        return failed(str(error), "Do not measure on this GPU: its values are wrong.")
    return replace(passed(_sentence(ceilings)), ceilings=ceilings)
