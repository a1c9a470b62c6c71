"""How much memory a case needs beyond the idle worker, in a fresh process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.task import Inputs, Task, make_inputs, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation

__all__ = ["HostMemory", "linux_memory", "measure", "portable_memory"]

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class HostMemory:
    """How to read this process's resident memory (bytes)."""

    resident: Callable[[], int]
    peak: Callable[[], int]
    """Highest since ``reset``, or of the whole life where it cannot be reset."""
    reset: Callable[[], None]
    method: str
    """A sentence for the record."""


def _status_bytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    msg = f"{_STATUS} has no field {field!r}, so the memory of a case cannot be read."
    raise CannotMeasure(msg)


def linux_memory() -> HostMemory | None:
    """Read the system's high-water mark, and reset it; None where that cannot be."""

    def reset() -> None:
        _CLEAR_REFS.write_text("5")

    try:
        reset()
    except OSError:
        return None  # not Linux, or /proc is read-only
    return HostMemory(
        resident=lambda: _status_bytes("VmRSS"),
        peak=lambda: _status_bytes("VmHWM"),
        reset=reset,
        method=(
            "Peak resident memory (VmHWM), reset before the case, over the idle worker."
        ),
    )


def portable_memory() -> HostMemory:
    """Read the highest resident memory of the whole life of the process."""
    if sys.platform == "win32":
        msg = (
            "Windows keeps no peak that this measure can read. Leave out 'peak_memory'."
        )
        raise CannotMeasure(msg)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024

    def highest() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    return HostMemory(
        resident=highest,
        peak=highest,
        reset=lambda: None,
        method=(
            "Growth of the highest resident memory of the process (ru_maxrss), which "
            "cannot be reset here: too low if its start needed more than the case."
        ),
    )


def _device_peak_bytes(task: Task) -> int | None:
    """Ask the platform for the most that was allocated on the case's device."""
    if task.backend.name != "jax":
        return None
    import jax

    peaks = [
        (device.memory_stats() or {}).get("peak_bytes_in_use")
        for device in jax.devices(task.case.variant.device)
    ]
    known = [peak for peak in peaks if peak is not None]
    return max(known) if known else None


def measure(task: Task, clock: Clock, memory: HostMemory | None = None) -> Observation:
    """Observe one first call; ``value`` is its peak over the idle worker (bytes).

    Idle means: backend initialised, no inputs made. The placed inputs, the
    compilation, temporaries and outputs all count, as they do for whoever runs the
    case; the host copies of the inputs, which only the check needs, do not.
    """
    memory = memory or linux_memory() or portable_memory()
    task.backend.devices()  # initialises it
    idle = memory.resident()
    placed: Any = place_inputs(task).given
    memory.reset()
    executable, outputs, elapsed_ns = first_call(task, Inputs({}, placed), clock)
    peak = memory.peak()
    device_peak_bytes = _device_peak_bytes(task)
    inputs = Inputs(make_inputs(task), placed)
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        value=float(max(0, peak - idle)),
        unit="bytes",
        method=memory.method,
        device_peak_bytes=device_peak_bytes,
        n_traces=executable.n_traces,
        spent_ns=elapsed_ns,
    )
