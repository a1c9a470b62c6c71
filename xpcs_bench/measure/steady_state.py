"""The cached call: sampled in blocks, so that the cases of a group can take turns."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

from xpcs_bench.analysis.central import central, one_thread
from xpcs_bench.measure.circumstances import (
    UNKNOWN,
    Counters,
    Instruments,
    core_count,
    growth,
    observed,
)
from xpcs_bench.measure.clock import Clock, clock_cost_ns
from xpcs_bench.measure.control import calls_of_a_sample, whole_loops
from xpcs_bench.measure.executable import Executable, first_call
from xpcs_bench.measure.least_time import least_time
from xpcs_bench.measure.task import Inputs, Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Block, Observation, Samples, Verified

__all__ = ["Labels", "Prepared", "Readings", "SteadyState", "overhead_ns_per_sample"]

_MOST_LOOPS = 10_000_000
"""Ends the calibration on a clock that stands still."""
_WINDOW = 5
_WINDOWS = 3
_SETTLED = 0.01
"""A device's clocks have settled when the medians of so many windows of so many
readings in a row are so near to each other."""
_SETTLING_NS = 3_000_000_000
"""How long that is waited for: what goes on moving is told by the samples (ns)."""


@dataclass(frozen=True)
class Prepared:
    """What warm-up and calibration found."""

    inner_loops: int
    call_ns: int
    """About how long one call takes (ns)."""


class Labels(NamedTuple):
    """The causes of noise within one reading; None where the platform has none."""

    cpu_ns: int
    run_delay_ns: int | None
    involuntary_switches: int | None
    minor_faults: int | None


class Readings:
    """Readings in the order they were taken, by column."""

    def __init__(self) -> None:
        self.elapsed_ns = array("q")
        self.inner_loops = array("q")
        self._block = array("q")
        self._labels = {name: array("q") for name in Labels._fields}

    def add(
        self,
        elapsed_ns: Sequence[int],
        inner_loops: int,
        block: int = 0,
        labels: Sequence[Labels] = (),
    ) -> None:
        """Append readings of one block, with their labels unless they have none."""
        self.elapsed_ns.extend(elapsed_ns)
        self.inner_loops.extend([inner_loops] * len(elapsed_ns))
        self._block.extend([block] * len(elapsed_ns))
        for name, column in self._labels.items():
            found = [getattr(row, name) for row in labels]
            column.extend(value for value in found if value is not None)

    def _label(self, name: str) -> Sequence[int]:
        """Return a column of labels: one that not all readings have, none has."""
        column = self._labels[name]
        return column if len(column) == len(self.elapsed_ns) else array("q")

    @property
    def cpu_ns(self) -> Sequence[int]:
        """CPU time within each reading (ns), or nothing."""
        return self._label("cpu_ns")

    @property
    def run_delay_ns(self) -> Sequence[int]:
        """Waiting for a core within each reading (ns), or nothing."""
        return self._label("run_delay_ns")

    def samples(self) -> Samples:
        """Return them as they are recorded."""
        return Samples(
            elapsed_ns=tuple(self.elapsed_ns),
            inner_loops=tuple(self.inner_loops),
            block=tuple(self._block),
            **{name: tuple(self._label(name)) for name in self._labels},
        )

    def per_call_ns(self) -> list[float]:
        """Return the time of a call in each reading (ns)."""
        return [
            elapsed / loops
            for elapsed, loops in zip(self.elapsed_ns, self.inner_loops, strict=True)
        ]

    @property
    def total_ns(self) -> int:
        """Time inside all readings (ns)."""
        return sum(self.elapsed_ns)


def _take(
    clock: Clock,
    begin: Callable[[Any], Any],
    end: Callable[[Any], Any],
    given: Any,
    elapsed_ns: array[int],
    inner_loops: int,
    last: list[Any],
    instruments: Instruments,
) -> list[Labels]:
    """Fill ``elapsed_ns``: the one loop whose every nanosecond counts.

    Around each reading of the clock is one of the CPU time, and around that one of
    the counters, whose own cost is so in no label.

    ``last`` holds the outputs of the call before and, in the end, of the last call.
    They are released as a caller's ``y = f(x)`` in a loop releases them: when the next
    outputs are there, so every call pays for one computation and one release.
    """
    outputs = last.pop()
    cpu_ns, counters = instruments.cpu_ns, instruments.counters
    read: list[tuple[int, Counters]] = []
    first = counters()
    for index in range(len(elapsed_ns)):
        cpu_started = cpu_ns()
        started = clock()
        for _ in repeat(None, inner_loops):
            outputs = end(begin(given))
        ended = clock()
        cpu_ended = cpu_ns()
        read.append((cpu_ended - cpu_started, counters()))
        elapsed_ns[index] = ended - started
    last.append(outputs)
    befores = [first, *(after for _, after in read)]
    return [
        Labels(cpu, *map(growth, before, after))
        for before, (cpu, after) in zip(befores, read, strict=False)
    ]


def _zeros(count: int) -> array[int]:
    return array("q", bytes(8 * count))


_UNLABELLED = Instruments(cpu_ns=lambda: 0, counters=lambda: UNKNOWN)
"""For calls whose labels nobody wants."""


def overhead_ns_per_sample(
    clock: Clock,
    instruments: Instruments = _UNLABELLED,
    count: int = 200,
    trials: int = 5,
) -> float:
    """Cost of one sample beyond two clock readings, with a call that does nothing (ns).

    The least of ``trials`` means; what the two empty functions cost is part of it.
    """
    totals = []
    for _ in range(trials):
        elapsed_ns = _zeros(count)
        started = clock()
        _take(
            clock,
            lambda _: None,
            lambda _: None,
            None,
            elapsed_ns,
            1,
            [None],
            instruments,
        )
        totals.append(clock() - started)
    return max(0.0, min(totals) / count - 2 * clock_cost_ns(clock))


class SteadyState:
    """One case in a live worker: prepared once, sampled in blocks, checked at the end.

    Parameters
    ----------
    task : Task
    clock : Clock
    instruments : Instruments
        Read around samples and blocks; None: this platform's.
    verified : Verified, optional
        Outputs of this case that were checked in another process.
    """

    def __init__(
        self,
        task: Task,
        clock: Clock,
        instruments: Instruments | None = None,
        verified: Verified | None = None,
    ) -> None:
        self._task = task
        self._verified = verified
        self._clock = clock
        self._instruments = instruments or Instruments()
        self._warmups = Readings()
        self._samples = Readings()
        self._blocks: list[Block] = []
        self._inputs: Inputs | None = None
        self._executable: Executable
        self._last: list[Any]
        self._inner_loops = 0
        self._settled_traces: int | None = None

    def load(self) -> Inputs:
        """Import what the case needs, make its inputs and place them, if not done."""
        if self._inputs is None:
            self._inputs = place_inputs(self._task)
        return self._inputs

    def prepare(self) -> Prepared:
        """Place the inputs, make the first call, warm up, and calibrate.

        Every call is recorded as a warm-up, the first one first. The number of inner
        loops is the smallest tried whose reading is at least ``min_sample_s`` long. A
        device that is not the CPU works on until its clocks have settled.
        """
        self._executable, outputs, elapsed_ns = first_call(
            self._task, self.load(), self._clock
        )
        self._last = [outputs]
        del outputs  # the next call is the one to release them
        self._warmups.add([elapsed_ns], 1)
        for _ in range(self._task.sampling.warmup_calls):
            elapsed_ns = self._warm_up(1)
        least_ns = round(self._task.sampling.min_sample_s * 1e9)
        loops = 1
        while elapsed_ns < least_ns and loops < _MOST_LOOPS:
            # aim a fifth beyond; tenfold at most, for short readings foretell little
            aim = math.ceil(1.2 * loops * least_ns / max(elapsed_ns, 1))
            loops = min(max(loops + 1, min(aim, 10 * loops)), _MOST_LOOPS)
            elapsed_ns = self._warm_up(loops)
        whole = whole_loops(self._task.case.variant, loops)
        if whole > loops:
            loops, elapsed_ns = whole, self._warm_up(whole)
        if self._task.case.variant.device != "cpu":
            elapsed_ns = self._let_clocks_settle(loops)
        self._inner_loops = loops
        self._settled_traces = self._executable.n_traces
        return Prepared(inner_loops=loops, call_ns=round(elapsed_ns / loops))

    def sample(self, count: int) -> tuple[float, ...]:
        """Take one block of ``count`` samples; return the time per call of each (ns).

        Raises
        ------
        ValueError
            Not prepared, or a count below 1.
        """
        if not self._inner_loops or count < 1:
            msg = (
                f"sample({count!r}) of {self._task.case.id!r}: a block has one sample "
                "or more, and is taken after prepare()."
            )
            raise ValueError(msg)
        elapsed_ns = _zeros(count)
        calls = calls_of_a_sample(self._task.case.variant, self._inner_loops)
        with observed(self._clock, self._blocks, self._instruments):
            labels = self._fill(elapsed_ns, calls, self._instruments)
        place = len(self._blocks) - 1
        self._samples.add(elapsed_ns, self._inner_loops, place, labels)
        return tuple(elapsed / self._inner_loops for elapsed in elapsed_ns)

    @property
    def half_width(self) -> float:
        """How well the median of the samples so far is known, as a part of it."""
        if not self._samples.elapsed_ns:
            return math.inf
        by_cpu = one_thread(self._samples, self._instruments.cores)
        return central(self._samples, by_cpu=by_cpu).half_width

    def finish(self) -> Observation:
        """Check the outputs of the last call, and whether what was timed is the call.

        It is not where something was traced since warm-up, or where it took less time
        than its least work allows.

        Raises
        ------
        ValueError
            Not prepared.
        """
        if not self._inner_loops:
            msg = f"finish() of {self._task.case.id!r} is called after prepare()."
            raise ValueError(msg)
        inputs = self.load()
        check = check_values(self._task, inputs, self._last[0], self._verified)
        least = least_time(
            self._task.kernel.work(self._task.problem),
            self._task.case.variant.device,
            self._instruments.cores or core_count(),
            self._clock,
        )
        too_short = ""
        if least is not None:
            too_short = least.refusal(self._shortest_ns(), self._task.backend.name)
        return check.observation(
            input_bytes=inputs.nbytes,
            invalid=self._retraced() or too_short,
            least_call_ns=least.ns if least is not None else None,
            warmups=self._warmups.samples(),
            samples=self._samples.samples(),
            blocks=tuple(self._blocks),
            cores=self._instruments.cores,
            n_traces=self._executable.n_traces,
            spent_ns=self._warmups.total_ns + self._samples.total_ns,
            overhead_ns_per_sample=overhead_ns_per_sample(
                self._clock, self._instruments
            ),
        )

    def _let_clocks_settle(self, loops: int) -> int:
        """Warm up until readings stay the same; return the last median (ns).

        A device that idles lowers its clocks, and takes a while to raise them again.
        """
        began = self._clock()
        medians: list[int] = []
        while True:
            window = sorted(self._warm_up(loops) for _ in range(_WINDOW))
            medians.append(window[_WINDOW // 2])
            last = medians[-_WINDOWS:]
            settled = len(last) == _WINDOWS and max(last) <= (1 + _SETTLED) * min(last)
            if settled or self._clock() - began > _SETTLING_NS:
                return medians[-1]

    def _warm_up(self, loops: int) -> int:
        elapsed_ns = _zeros(1)
        self._fill(elapsed_ns, loops, _UNLABELLED)
        self._warmups.add(elapsed_ns, loops)
        return elapsed_ns[0]

    def _fill(
        self, elapsed_ns: array[int], loops: int, instruments: Instruments
    ) -> list[Labels]:
        return _take(
            self._clock,
            self._executable.begin,
            self._executable.end,
            self.load().given,
            elapsed_ns,
            loops,
            self._last,
            instruments,
        )

    def _shortest_ns(self) -> float:
        """Return the second shortest call of all, warm-ups included (ns).

        Where outputs are not waited for it is the first readings that show it: later
        ones wait for room in a queue. The very shortest may be the clock's fault, as
        when a virtual machine is moved.
        """
        readings = self._warmups.per_call_ns() + self._samples.per_call_ns()
        return sorted(readings)[1]

    def _retraced(self) -> str:
        traces = self._executable.n_traces
        if traces is None:
            return ""
        if traces == 0:
            return (
                "the compiled callable answered without ever tracing the kernel, so "
                "what was timed is not this kernel."
            )
        if traces != self._settled_traces:
            return (
                f"the kernel was traced {traces} times, {self._settled_traces} of them "
                "by the end of the warm-up: some samples hold a compilation, so they "
                "are no cached calls. Look for shapes, types or Python values that "
                "change from call to call."
            )
        return ""
