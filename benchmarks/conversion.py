"""What it costs to hand an array of JAX to NumPy: ``python benchmarks/conversion.py``.

Times ``ensure_numpy`` of a ready 4096 x 4096 float64 array of JAX on the CPU beside
``np.array`` of it, by the clock of the harness, and prints both with their ratio. The
first is a view, the second a copy; every crossing of the first is one of many in a
reading, since a reading of the clock costs as much as a view does. Writes
``reports/boundaries/conversion.json`` and ``conversion.md``.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from xpcs_bench.backends import create_backend, ensure_numpy
from xpcs_bench.measure.clock import Clock, clock_cost_ns, now_ns
from xpcs_bench.measure.environment import machine, versions

RECORD = Path(__file__).resolve().parents[1] / "reports" / "boundaries"
SHAPE = (4096, 4096)
READINGS = 301
LOOPS = 50
"""Views in a reading; few enough to end before the system gives the core away."""
COPIES = 21
"""Readings of the copy, one call each."""
BOUND_NS = 10_000
"""What a view may cost."""


def per_call_ns(
    call: Callable[[], object], loops: int, count: int, clock: Clock
) -> list[float]:
    """Return the cost of a call in each reading (ns), after one that is not kept."""
    readings = []
    for _ in range(count + 1):
        started = clock()
        for _ in repeat(None, loops):
            call()
        readings.append((clock() - started) / loops)
    return readings[1:]


def summary(readings: list[float]) -> dict[str, float | int]:
    """Return what is told of readings (ns)."""
    return {
        "least_ns": round(min(readings), 1),
        "median_ns": round(statistics.median(readings), 1),
        "most_ns": round(max(readings), 1),
        "readings": len(readings),
    }


def measure(clock: Clock = now_ns) -> dict[str, Any]:
    """Time both, in turns of their own, on one array that is ready."""
    backend = create_backend("jax")
    array = backend.device_put(np.ones(SHAPE), "cpu")
    backend.block_until_ready(array)
    view, copy = ensure_numpy(array), np.array(array)
    pointer = view.__array_interface__["data"][0]
    if pointer != array.unsafe_buffer_pointer() or np.shares_memory(view, copy):
        msg = "ensure_numpy copied, or np.array did not: there is nothing to compare"
        raise RuntimeError(msg)
    viewing = per_call_ns(lambda: ensure_numpy(array), LOOPS, READINGS, clock)
    copying = per_call_ns(lambda: np.array(array), 1, COPIES, clock)
    ratio = statistics.median(viewing) / statistics.median(copying)
    return {
        "schema_version": 1,
        "shape": SHAPE,
        "dtype": str(array.dtype),
        "clock_cost_ns": round(clock_cost_ns(clock), 1),
        "ensure_numpy": summary(viewing),
        "np.array": summary(copying),
        "ratio": float(f"{ratio:.3g}"),
        "below_bound": statistics.median(viewing) < BOUND_NS,
        "bound_ns": BOUND_NS,
        "machine": machine(),
        "versions": versions("jax", "numpy"),
    }


def markdown(found: dict[str, Any]) -> str:
    """Write the record for a reader."""
    rows, cols = found["shape"]
    used = ", ".join(f"{name} {v}" for name, v in found["versions"].items())
    lines = [
        f"# From JAX to NumPy: {rows} x {cols} {found['dtype']}, ready, on the CPU",
        "",
        f"Made by `python benchmarks/conversion.py` with {used}, on",
        f"{found['machine']}.",
        "Per call; a reading is of several views, or of one copy.",
        "",
        "| | least (us) | median (us) | most (us) | readings |",
        "|---|---|---|---|---|",
    ]
    for name in ("ensure_numpy", "np.array"):
        of = found[name]
        times = [of[key] / 1e3 for key in ("least_ns", "median_ns", "most_ns")]
        cells = " | ".join(f"{time_us:.3f}" for time_us in times)
        lines.append(f"| `{name}` | {cells} | {of['readings']} |")
    word = "below" if found["below_bound"] else "not below"
    lines += [
        "",
        f"Ratio of the medians, `ensure_numpy` / `np.array`: {found['ratio']:g}.",
        f"The median of the views is {word} {found['bound_ns'] / 1e3:g} us.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the record, print it."""
    found = measure()
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / "conversion.json").write_text(json.dumps(found, indent=1) + "\n")
    (RECORD / "conversion.md").write_text(markdown(found))
    print(markdown(found))


if __name__ == "__main__":
    main()
