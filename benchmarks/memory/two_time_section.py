"""Memory of C2 of 5,000 frames: ``python benchmarks/memory/two_time_section.py``.

Every row has a fresh process. There the backend is initialised, the resident memory is
read, and the system's high-water mark after one call: frames, temporaries, outputs and
whatever the compiler needs are in it. It must not exceed what the kernel states, with
an allowance for code that is loaded and for the compiler. Exits with 1 if one does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np

from xpcs_bench.analysis.agreement import compare_truth
from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import Problem
from xpcs_bench.kernels.two_time import TwoTime, TwoTimeParams
from xpcs_bench.measure.peak_memory import linux_memory, portable_memory

__all__ = [
    "ALLOWANCE_BYTES",
    "ROWS",
    "TITLE",
    "in_fresh_process",
    "lines",
    "measure",
    "rows",
]

TITLE = "Two-time correlation of 5,000 frames"
PARAMS = TwoTimeParams(frames=5000, pixels=8000, bins=1, counts=1.5)
ROWS = tuple((b, d) for b in ("numpy", "jax") for d in ("float64", "float32"))
"""Backend and type."""
MIB = 2**20
ALLOWANCE_BYTES = {"numpy": 64 * MIB, "jax": 320 * MIB}
"""What does not grow with the frames: code that is loaded, what a matrix product packs
for itself, and what a compiler keeps. Compiling alone took 37 MiB for one product of
two matrices, and 180 MiB more for this kernel."""
TIMEOUT_S = 600


def measure(backend_name: str, dtype: Any) -> dict[str, Any]:
    """Correlate in this process; return its peak over the idle process (bytes)."""
    kernel, problem = TwoTime(), Problem(PARAMS, None, None, dtype)
    backend = create_backend(backend_name)
    backend.devices()  # initialises it
    memory = linux_memory() or portable_memory()
    idle = memory.resident()
    shape = (PARAMS.frames, PARAMS.pixels)
    # counts of any kind need the same memory; these need none of their own to be made
    frames = np.random.default_rng(0).integers(0, 4, shape, dtype=np.uint16)
    placed = backend.block_until_ready(backend.device_put({"frames": frames}))
    del frames
    memory.reset()
    compiled = backend.jit(lambda arrays: kernel.compute(backend, problem, arrays))
    outputs = backend.block_until_ready(compiled(placed))
    peak = memory.peak()
    found = {name: backend.to_numpy(array) for name, array in outputs.items()}
    inputs = {name: np.asarray(backend.to_numpy(a)) for name, a in placed.items()}
    for name, values in kernel.truth(problem, inputs).items():
        tolerance = kernel.tolerance(problem, name)
        right = compare_truth(name, found[name], values, tolerance, dtype)
        if not right.passed:
            raise ArithmeticError(right.reason)
    stated = kernel.most_bytes(problem)
    return {
        "backend": backend_name,
        "dtype": dtype,
        "input_bytes": sum(array.nbytes for array in inputs.values()),
        "c2_bytes": found["c2"].nbytes,
        "peak_bytes": peak - idle,
        "stated_bytes": stated,
        "bound_bytes": stated + ALLOWANCE_BYTES[backend_name],
        "method": memory.method,
    }


def in_fresh_process(backend_name: str, dtype: str) -> dict[str, Any]:
    """Measure one row in a process of its own."""
    done = subprocess.run(  # noqa: S603 (this very file)
        [sys.executable, __file__, "--measure", backend_name, dtype],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows() -> list[dict[str, Any]]:
    """Measure all rows."""
    return [in_fresh_process(*row) for row in ROWS]


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """Write the rows for a reader, as a table in Markdown."""
    return [
        "| backend | type | frames MiB | C2 MiB | peak MiB | bound MiB | |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['backend']} | {row['dtype']} | {row['input_bytes'] / MIB:.0f} "
            f"| {row['c2_bytes'] / MIB:.0f} | {row['peak_bytes'] / MIB:.0f} "
            f"| {row['bound_bytes'] / MIB:.0f} "
            f"| {'holds' if row['peak_bytes'] <= row['bound_bytes'] else 'EXCEEDED'} |"
            for row in rows
        ),
    ]


def main() -> int:
    """Measure all rows and print them."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(*sys.argv[2:4])))
        return 0
    found = rows()
    print("\n".join([f"# {TITLE}", "", *lines(found)]))
    return any(row["peak_bytes"] > row["bound_bytes"] for row in found)


if __name__ == "__main__":
    sys.exit(main())
