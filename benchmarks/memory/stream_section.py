"""Multi-tau of a file that is larger than the memory it is correlated in.

``python benchmarks/memory/stream_section.py`` writes a file of frames, and correlates
it in fresh processes. There the backend is initialised, the resident memory is read,
and the system's high-water mark after the last frame. It must not exceed what the
stream states: what it keeps, the frames that go through together, and an allowance for
code that is loaded and for the compiler. One bin is correlated again by the kernel that
holds all frames, and must be the same. Exits with 1 if a bound does not hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.kernels import Problem
from xpcs_bench.kernels.g2 import G2, G2Params
from xpcs_bench.kernels.g2_stream import MultiTauStream, correlate_file
from xpcs_bench.measure.peak_memory import linux_memory, portable_memory

__all__ = ["ALLOWANCE_BYTES", "ROWS", "TITLE", "in_fresh_process", "lines", "measure"]

TITLE = "Multi-tau streamed over a file"
SHAPE = (6000, 256, 512)
"""Frame, row, column; 16 bits each."""
DATASET = "/entry/data/data"
BINS = 16
SMALL_BIN = 64
"""Pixels of the bin that is correlated again."""
LEVELS = 10
FRAMES_AT_ONCE = 64
ROWS = tuple((b, d) for b in ("numpy", "jax") for d in ("float64", "float32"))
"""Backend and type."""
MIB = 2**20
ALLOWANCE_BYTES = {"numpy": 64 * MIB, "jax": 320 * MIB}
"""What does not grow with the frames: code that is loaded, HDF5's own, and what a
compiler keeps."""
GAPS = {"numpy": 1, "jax": 2}
"""What the allocator holds for what is kept, as a multiple of it: the arrays of JAX are
made anew for every piece, in many sizes, and leave gaps that no later one fills."""
PIECES = 4
"""Copies of a piece: as it is read, its pixels in order, and as many while one is
replaced by the next."""
TIMEOUT_S = 1200


def write_series(path: Path) -> None:
    """Write counts whose g2 is not one: every pixel has a brightness that changes."""
    rng = np.random.default_rng(0)
    n, rows, columns = SHAPE
    with h5py.File(path, "w") as file:
        frames = file.create_dataset(
            DATASET, SHAPE, np.uint16, chunks=(1, rows, columns)
        )
        for start in range(0, n, 100):
            bright = rng.gamma(2.0, 0.5, (1, rows, columns))
            frames[start : start + 100] = rng.poisson(
                bright, (min(100, n - start), rows, columns)
            )


def labels() -> Any:
    """Bins of equal size in reading order; a small one and unused pixels at the end."""
    n = SHAPE[1] * SHAPE[2]
    found = np.arange(n) * (BINS - 1) // n + 1
    found[-2 * SMALL_BIN :] = 0
    found[-SMALL_BIN:] = BINS
    return found.reshape(SHAPE[1:])


def measure(path: Path, backend_name: str, dtype: str) -> dict[str, Any]:
    """Correlate the file in this process; return its peak over the idle process."""
    backend = create_backend(backend_name)
    backend.devices()  # initialises it
    memory = linux_memory() or portable_memory()
    which = labels()
    idle = memory.resident()
    memory.reset()
    found = correlate_file(
        backend,
        path,
        DATASET,
        which,
        frames_at_once=FRAMES_AT_ONCE,
        levels=LEVELS,
        dtype=dtype,
    )
    peak = memory.peak()
    _check(path, which, found, dtype)
    sizes = np.bincount(which.reshape(-1))[1:].tolist()
    state = MultiTauStream(
        NumPyBackend(),
        sizes,
        levels=LEVELS,
        dtype=dtype,
        frames_at_once=FRAMES_AT_ONCE,
    ).state_bytes
    stated = (
        GAPS[backend_name] * state + PIECES * FRAMES_AT_ONCE * 2 * SHAPE[1] * SHAPE[2]
    )
    return {
        "backend": backend_name,
        "dtype": dtype,
        "file_bytes": path.stat().st_size,
        "state_bytes": state,
        "peak_bytes": peak - idle,
        "stated_bytes": stated,
        "bound_bytes": stated + ALLOWANCE_BYTES[backend_name],
        "method": memory.method,
    }


def _check(path: Path, which: Any, found: dict[str, Any], dtype: str) -> None:
    """Correlate the small bin by the kernel that holds all frames."""
    with h5py.File(path) as file:
        rows = np.unique(np.nonzero(which == BINS)[0])
        frames = file[DATASET][:, rows[0] : rows[-1] + 1]
    pixels = frames.reshape(len(frames), -1)[
        :, which[rows[0] : rows[-1] + 1].reshape(-1) == BINS
    ]
    params = G2Params(frames=len(frames), pixels=SMALL_BIN, bins=1, levels=LEVELS)
    problem = Problem(params, None, None, "float64")
    desired = G2().compute(NumPyBackend(), problem, {"frames": pixels})
    np.testing.assert_array_equal(found["delays"], desired["delays"])
    # sums of counts are exact in both types
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found["g2"][:, -1], desired["g2"][:, 0], rtol=16 * eps)


def in_fresh_process(backend_name: str, dtype: str, path: Path) -> dict[str, Any]:
    """Measure one row in a process of its own."""
    done = subprocess.run(  # noqa: S603 (this very file)
        [sys.executable, __file__, "--measure", str(path), backend_name, dtype],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows() -> list[dict[str, Any]]:
    """Write the file, measure all rows, remove the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.h5"
        write_series(path)
        return [in_fresh_process(*row, path) for row in ROWS]


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """Write the rows for a reader, as a table in Markdown."""
    return [
        "| backend | type | file MiB | kept MiB | peak MiB | bound MiB | |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['backend']} | {row['dtype']} | {row['file_bytes'] / MIB:.0f} "
            f"| {row['state_bytes'] / MIB:.0f} | {row['peak_bytes'] / MIB:.0f} "
            f"| {row['bound_bytes'] / MIB:.0f} "
            f"| {'holds' if row['peak_bytes'] <= row['bound_bytes'] else 'EXCEEDED'} |"
            for row in rows
        ),
    ]


def main() -> int:
    """Measure all rows and print them."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), *sys.argv[3:5])))
        return 0
    found = rows()
    print("\n".join([f"# {TITLE}", "", *lines(found)]))
    return any(row["peak_bytes"] > row["bound_bytes"] for row in found)


if __name__ == "__main__":
    sys.exit(main())
