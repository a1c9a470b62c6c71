"""What happens around samples and blocks of them: read before and after each.

The readings are causes, not values: time spent waiting for a core, interruptions and
page faults say why a sample was slow, and nothing is left out for being slow.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from xpcs_bench.measure.clock import Clock
from xpcs_bench.records import Block

__all__ = [
    "UNKNOWN",
    "Counters",
    "Gauges",
    "Instruments",
    "RunDelay",
    "core_count",
    "growth",
    "observed",
    "read_counters",
    "usable_cores",
]

_TASKS = "/proc/self/task"


class Counters(NamedTuple):
    """Counters of this process that only grow; None where the platform has none."""

    run_delay_ns: int | None
    """Time that threads were runnable but not running, all of them together (ns)."""
    involuntary_switches: int | None
    minor_faults: int | None


UNKNOWN = Counters(None, None, None)


class RunDelay:
    """How long threads of this process have waited for a core, all together.

    The kernel tells it by thread, in a file that is kept open: a reading costs 1 us a
    thread. What a thread waited that has ended is not forgotten.
    """

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._ended_ns = 0
        self._last_ns: dict[str, int] = {}

    def watch(self) -> None:
        """Look for threads that have started; costs some 10 us."""
        try:
            tasks = os.listdir(_TASKS)  # noqa: PTH208 (names, as fast as can be)
        except OSError:
            return  # not Linux
        for task in tasks:
            if task not in self._files:
                try:
                    path = f"{_TASKS}/{task}/schedstat"
                    self._files[task] = os.open(path, os.O_RDONLY)
                except OSError:
                    continue  # it has just ended, or there are no such statistics

    def __call__(self) -> int | None:
        """Read it (ns); None where the system does not tell."""
        if not self._files:
            return None
        for task, file in list(self._files.items()):
            try:
                self._last_ns[task] = int(os.pread(file, 100, 0).split()[1])
            except ProcessLookupError:
                self._ended_ns += self._last_ns.pop(task, 0)
                os.close(self._files.pop(task))
        return self._ended_ns + sum(self._last_ns.values())

    def close(self) -> None:
        """Give the files back."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()


class Gauges:
    """The counters of this platform; a reading takes a few us."""

    def __init__(self) -> None:
        self._run_delay = RunDelay()
        self.watch = self._run_delay.watch
        self.watch()

    def __call__(self) -> Counters:
        """Read them all."""
        if sys.platform == "win32":
            return UNKNOWN
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Counters(
            run_delay_ns=self._run_delay(),
            involuntary_switches=usage.ru_nivcsw,
            minor_faults=usage.ru_minflt,
        )

    def __del__(self) -> None:
        self._run_delay.close()


def read_counters() -> Counters:
    """Read them once, of the threads that there are now; opens files to do so."""
    return Gauges()()


def usable_cores() -> int | None:
    """Return how many cores this process may use; None where that is not told."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return len(os.sched_getaffinity(0))


def core_count() -> int:
    """Count the cores that this process may use; where that is not told, all."""
    return usable_cores() or os.cpu_count() or 1


@dataclass(frozen=True)
class Instruments:
    """What is read around samples and blocks, besides the clock."""

    cpu_ns: Callable[[], int] = time.process_time_ns
    """CPU time of all threads of this process (ns)."""
    counters: Callable[[], Counters] = field(default_factory=Gauges)
    cores: int | None = field(default_factory=usable_cores)
    """How many cores the process may use; None where the platform does not tell."""

    def watch(self) -> None:
        """Notice what has changed since: threads that have started."""
        if isinstance(self.counters, Gauges):
            self.counters.watch()


def growth(before: int | None, after: int | None) -> int | None:
    """Return by how much a counter has grown; None where it is unknown."""
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
    instruments.watch()
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
            run_delay_ns=growth(before.run_delay_ns, after.run_delay_ns),
            involuntary_switches=growth(
                before.involuntary_switches, after.involuntary_switches
            ),
            minor_faults=growth(before.minor_faults, after.minor_faults),
        )
    )
