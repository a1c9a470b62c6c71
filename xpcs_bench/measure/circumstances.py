"""What happens around a block of samples, read once before and once after it.

The readings are causes, not values: time spent waiting for a core, interruptions and
page faults say why a sample was slow, and nothing is left out for being slow.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xpcs_bench.measure.clock import Clock
from xpcs_bench.records import Block

__all__ = ["Counters", "Instruments", "observed", "read_counters"]


@dataclass(frozen=True)
class Counters:
    """Counters of this process that only grow; None where the platform has none."""

    run_delay_ns: int | None
    """Time the calling thread was runnable but not running (ns)."""
    involuntary_switches: int | None
    minor_faults: int | None


def _run_delay_ns() -> int | None:
    path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None  # not Linux, or a kernel without scheduler statistics
    try:
        return int(os.read(file, 100).split()[1])
    finally:
        os.close(file)


def read_counters() -> Counters:
    """Read them all; takes some 10 us, so never between two samples of a block."""
    if sys.platform == "win32":
        return Counters(None, None, None)
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Counters(
        run_delay_ns=_run_delay_ns(),
        involuntary_switches=usage.ru_nivcsw,
        minor_faults=usage.ru_minflt,
    )


@dataclass(frozen=True)
class Instruments:
    """What is read around a block, besides the clock."""

    cpu_ns: Callable[[], int] = time.process_time_ns
    """CPU time of all threads of this process (ns)."""
    counters: Callable[[], Counters] = read_counters


def _growth(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


@contextmanager
def observed(
    clock: Clock, blocks: list[Block], instruments: Instruments
) -> Iterator[None]:
    """Run the body as one block of samples and append what happened around it.

    Garbage collection is off inside, and what exists already is frozen: a collection
    costs as much as many small samples, and falls on whichever comes next. A body
    that raises appends nothing.
    """
    collecting = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        # the cheapest reading is the innermost: none is to show up in another
        before = instruments.counters()
        cpu_started = instruments.cpu_ns()
        started = clock()
        yield
        ended = clock()
        cpu_ended = instruments.cpu_ns()
        after = instruments.counters()
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
    blocks.append(
        Block(
            started_ns=started,
            wall_ns=ended - started,
            cpu_ns=cpu_ended - cpu_started,
            run_delay_ns=_growth(before.run_delay_ns, after.run_delay_ns),
            involuntary_switches=_growth(
                before.involuntary_switches, after.involuntary_switches
            ),
            minor_faults=_growth(before.minor_faults, after.minor_faults),
        )
    )
