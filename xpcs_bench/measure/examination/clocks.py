"""What a reading of a clock costs, and the smallest step it can tell."""

from __future__ import annotations

import time

from xpcs_bench.measure.clock import Clock, clock_cost_ns
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
)
from xpcs_bench.units import format_duration

__all__ = ["clock", "cpu_clock"]

_SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"
_COARSE_NS = 1000
"""A clock of hardware costs 20 to 60 ns and tells as much apart; one that asks the
kernel costs a microsecond."""
_SHARE = 0.001
"""Two readings and a step are to be at most this part of a sample."""
_LOOKS = 10_000


def _step_ns(clock: Clock) -> int:
    """Return the smallest difference of two readings; 0 if they never differ."""
    steps = set()
    for _ in range(_LOOKS):
        # side by side: what a loop does between two readings would count as a step
        before, now = clock(), clock()
        steps.add(now - before)
    return min(steps - {0}, default=0)


def _sentence(cost_ns: float, step_ns: int) -> tuple[str, float]:
    sample_s = (2 * cost_ns + step_ns) * 1e-9 / _SHARE
    cost, step = format_duration(cost_ns * 1e-9), format_duration(step_ns * 1e-9)
    return f"a reading costs {cost}, the smallest step seen is {step}", sample_s


def clock(surroundings: Surroundings) -> Finding:
    """The clock that every sample is read from."""
    cost_ns = clock_cost_ns(surroundings.clock)
    step_ns = _step_ns(surroundings.clock)
    found, sample_s = _sentence(cost_ns, step_ns)
    source = surroundings.text(_SOURCE)
    if source:
        found += f" (clock source {source})"
    numbers = {
        "cost": (cost_ns * 1e-9, "s"),
        "step": (step_ns * 1e-9, "s"),
        "least_sample": (sample_s, "s"),
    }
    if step_ns == 0:
        advice = "Use another machine: its clock stands still between readings."
        return doubtful(found, advice, numbers)
    if max(cost_ns, step_ns) > _COARSE_NS:
        advice = (
            f"Set sampling.min_sample_s to {format_duration(sample_s)} or more, or "
            "choose a faster clock source (tsc) at boot."
        )
        return doubtful(found, advice, numbers)
    return passed(
        f"{found}; negligible in samples from {format_duration(sample_s)} on",
        numbers=numbers,
    )


def cpu_clock(surroundings: Surroundings) -> Finding:
    """The clock of the CPU time of this process, read around every block."""
    del surroundings
    cost_ns = clock_cost_ns(time.process_time_ns)
    step_ns = _step_ns(time.process_time_ns)
    found, sample_s = _sentence(cost_ns, step_ns)
    numbers = {"cost": (cost_ns * 1e-9, "s"), "step": (step_ns * 1e-9, "s")}
    if step_ns > 1_000_000 or step_ns == 0:
        advice = "Judge wall times here: CPU time is counted in ticks of the kernel."
        return doubtful(found, advice, numbers)
    return passed(
        f"{found}; negligible in samples from {format_duration(sample_s)} on",
        numbers=numbers,
    )
