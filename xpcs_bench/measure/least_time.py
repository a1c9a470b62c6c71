"""The shortest time that a call can take: what is timed and shorter is not the call.

Whoever stops the clock before the outputs are there, or lets a compiler compute before
the clock starts, gets a time that no machine could have needed. The least work of a
kernel says so where it is large: its bytes against what the cores of this worker copy
now, its operations against what no core does. All bounds are far on the side of the
time: a true one is never refused, and a wrong one only where it is far too short.

Bytes on a CPU: at best every core moves its own share and none waits for another. One
copies as much as such a share, warm, in this process; the others are taken to be as
fast at the same moment, whatever caches and memory they have in common. That is done
for the share and not for all bytes, since it may fit into a cache that all do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from xpcs_bench.kernels.kernel import Work
from xpcs_bench.measure.ceilings import timed
from xpcs_bench.measure.clock import Clock
from xpcs_bench.units import format_bytes, format_count, format_duration, format_rate

__all__ = ["LeastTime", "copy_ns", "least_time"]

_FASTER = 16
"""How much faster than our copy a core may be. Reading alone, or updating in place,
takes half the time of copying; calls of NumPy cost two fifths of the smallest share;
clocks of cores differ by some tenths with their load; and where others had caches and
memory all the while, copying took up to four times as long. Together that is fifteen.
"""
_LEAST_SHARE = 2**16
"""A smaller share is moved in less than a microsecond, which no call takes (bytes)."""
_MOST_SHARE = 2**24
"""What is copied at most, in 0.2 to 2 ms; more takes longer in proportion (bytes)."""
_LONG = 2**20
"""A reading copies about so much at least (bytes)."""
_LOOK_NS = 1_000_000
"""Readings are taken for about so long: what others do comes and goes (ns)."""
_CORE_FLOPS = 1e13
"""Above what any core does: two vector units of 512 bits reach 4e11 float32 operations
a second, and the matrix unit that cores of Apple's M4 share 2e12. What is beyond that
is left to formulations that need fewer operations than the kernel's (1/s)."""
_DEVICE_BYTES = 1e14
"""Above what any accelerator moves: 8e12 in the memory of NVIDIA's B200, 1.7e13 in the
last cache of AMD's MI300X, 3.6e13 in all nearest caches of the former (bytes/s)."""
_DEVICE_FLOPS = 1e16
"""Above what any accelerator does in float32 or float64; the tensor cores of NVIDIA's
B200 reach 1.2e15 in a shortened float32, and twice that on sparse matrices (1/s)."""


@dataclass(frozen=True)
class LeastTime:
    """No call takes less."""

    ns: float
    reason: str
    """What takes so long; a sentence without its full stop."""

    def refusal(self, call_ns: float, backend: str) -> str:
        """Say what is wrong with a call that took less; empty if nothing is."""
        if call_ns >= self.ns:
            return ""
        return (
            f"a call took {format_duration(call_ns * 1e-9)}, and {self.reason}: what "
            "was timed is not the call. Its outputs were not waited for, or the work "
            "was done before the clock started. See that block_until_ready of backend "
            f"{backend!r} waits for every output, and that compute() of the kernel "
            "computes anew from its arguments; if both are so, work() of the kernel "
            "states more than the least."
        )


def copy_ns(nbytes: int, clock: Clock) -> float:
    """Measure how long one core takes to read and write so many bytes together (ns)."""
    source = np.ones(nbytes // 2, np.uint8)
    target = np.zeros_like(source)
    passes = max(1, _LONG // nbytes)

    def copy() -> None:
        for _ in repeat(None, passes):
            np.copyto(target, source)

    copy()  # touches the arrays
    return timed(copy, clock, _LOOK_NS).ns / passes


def least_time(
    work: Work,
    platform: str,
    cores: int,
    clock: Clock,
    copy: Callable[[int, Clock], float] = copy_ns,
) -> LeastTime | None:
    """Return what the least work of a call allows here; None: too little to tell.

    Parameters
    ----------
    platform : str
        ``cpu``: this worker copies. Any other device has bounds that are known.
    cores : int
        How many this worker may use.
    """
    if platform == "cpu":
        found = (
            _by_copying(work.bytes, cores, clock, copy),
            _by_rate(work.flops, "FLOP", cores * _CORE_FLOPS, _cores(cores)),
        )
    else:
        found = (
            _by_rate(work.bytes, "B", _DEVICE_BYTES, "any device"),
            _by_rate(work.flops, "FLOP", _DEVICE_FLOPS, "any device"),
        )
    told = [each for each in found if each is not None]
    return max(told, key=lambda each: each.ns, default=None)


def _by_copying(
    nbytes: int, cores: int, clock: Clock, copy: Callable[[int, Clock], float]
) -> LeastTime | None:
    share = nbytes // cores
    if share < _LEAST_SHARE:
        return None
    copied = min(share, _MOST_SHARE)
    ns = copy(copied, clock) * (share / copied) / _FASTER
    return LeastTime(
        ns,
        f"its {format_bytes(nbytes)} (inputs read once, outputs written once) take "
        f"{_cores(cores)} {format_duration(ns * 1e-9)} at least, at {_FASTER} times "
        "the speed of copying here",
    )


def _by_rate(count: int, symbol: str, per_second: float, who: str) -> LeastTime | None:
    if count <= 0:
        return None
    ns = count / per_second * 1e9
    amount = (
        f"{format_bytes(count)} (inputs read once, outputs written once)"
        if symbol == "B"
        else f"{format_count(count)} operations"
    )
    return LeastTime(
        ns,
        f"its {amount} take {who} {format_duration(ns * 1e-9)} at least, at "
        f"{format_rate(per_second, symbol)}, which none reaches",
    )


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"
