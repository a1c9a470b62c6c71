"""Who else wants the cores, and what it does to a short computation right now."""

from __future__ import annotations

import statistics

import numpy as np

from xpcs_bench.measure.circumstances import read_counters
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
    skipped,
)
from xpcs_bench.units import format_count, format_duration, format_percent

__all__ = ["load", "noise", "run_queue"]

_BUSY = 0.5
"""Load per usable core from which on other work takes turns with a measurement."""
_SAMPLES = 400
_SAMPLE_NS = 1_000_000
_LOOPS = 10_000
_SPREAD = 0.05
"""Half the distance between the quartiles, as a part of the median, from which on a
difference of some per cent is lost in one process."""
_WAITED = 0.05
"""Share of its time that a process may wait for a core."""


def load(surroundings: Surroundings) -> Finding:
    """How much other work there is, as the system counts it."""
    text = surroundings.text("proc/loadavg")
    if text is None:
        return skipped(
            "no /proc/loadavg: not Linux",
            "See with the system's own monitor that nothing else runs.",
        )
    average = float(text.split()[0])
    per_core = average / surroundings.cores
    found = (
        f"load average {average:.2f} over the last minute, on {surroundings.cores} "
        "usable cores"
    )
    numbers = {"load": (average, "1"), "load_per_core": (per_core, "1")}
    pressure = surroundings.text("proc/pressure/cpu")
    if pressure and "avg10=" in pressure:
        waiting = float(pressure.split("avg10=", 1)[1].split()[0]) / 100
        numbers["pressure"] = (waiting, "1")
        found += (
            f"; somebody waited for a core in {format_percent(waiting)} of the last 10 "
            "s"
        )
    if per_core > _BUSY:
        advice = (
            "Stop other work, or wait: comparisons take turns and stand it, first "
            "calls and absolute times do not."
        )
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)


def run_queue(surroundings: Surroundings) -> Finding:
    """Whether the kernel tells how long a thread waited for a core."""
    clock = surroundings.clock
    started = clock()
    delay_ns = read_counters().run_delay_ns
    cost_s = (clock() - started) * 1e-9
    if delay_ns is None:
        return skipped(
            "the kernel tells no run delay (no /proc/self/schedstat)",
            "Trust involuntary switches and CPU time instead: samples carry both.",
        )
    return passed(
        f"run delay is told; reading it with the other counters takes "
        f"{format_duration(cost_s)}",
        numbers={"cost": (cost_s, "s")},
    )


def _work(values: np.ndarray, out: np.ndarray, loops: int) -> None:
    for _ in range(loops):
        np.cumsum(values, out=out)


def _readings(
    clock: Clock, values: np.ndarray, out: np.ndarray, loops: int
) -> list[int]:
    readings = []
    for _ in range(_SAMPLES):
        started = clock()
        _work(values, out, loops)
        readings.append(max(1, clock() - started))
    return readings


def noise(surroundings: Surroundings) -> Finding:
    """Spread of a short computation in one thread, and how much of it was waiting."""
    clock = surroundings.clock
    values, out = np.ones(8192), np.empty(8192)
    _work(values, out, 10)
    started = clock()
    _work(values, out, 10)
    once_ns = max(1, (clock() - started) // 10)
    loops = max(1, min(_LOOPS, round(_SAMPLE_NS / once_ns)))
    before, began = read_counters(), clock()
    readings = _readings(clock, values, out, loops)
    wall_ns, after = max(1, clock() - began), read_counters()
    median = statistics.median(readings)
    low, _, high = statistics.quantiles(readings, n=4)
    spread = (high - low) / 2 / median
    late = statistics.quantiles(readings, n=20)[-1] / median
    found = (
        f"{format_count(len(readings))} samples of {format_duration(median * 1e-9)}: "
        f"quartiles within {format_percent(spread)} of the median, one in twenty "
        f"longer than {late:.2f} times it"
    )
    numbers = {
        "median": (median * 1e-9, "s"),
        "spread": (spread, "1"),
        "late": (late, "x"),
    }
    waited = 0.0
    if before.run_delay_ns is not None and after.run_delay_ns is not None:
        waited = (after.run_delay_ns - before.run_delay_ns) / wall_ns
        numbers["waited"] = (waited, "1")
        found += f"; {format_percent(waited)} of the time waiting for a core"
    if waited > _WAITED:
        advice = (
            "Stop what else is running: samples that waited carry that cause, and "
            "there will be few others."
        )
        return doubtful(found, advice, numbers)
    if spread > _SPREAD:
        advice = (
            "Nobody took the core, so look at frequency, neighbours of a virtual "
            "machine, or heat; take more processes (sampling.processes) here."
        )
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)
