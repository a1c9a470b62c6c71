"""Our numbers beside loops written by hand: ``python benchmarks/agreement.py``.

Runs one case, the q-map of a detector of a million pixels on JAX and the CPU, through
the command as a user would, and before and after it times the same computation with a
plain loop in plain fresh processes that use nothing of ours but the kernel. Prints
both and their ratio, by hand over reported; asserts nothing, since how near is near
depends on what else the machine does. The reported interval says how near to expect.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

EXPERIMENT = """\
name: agreement
kernels: qmap
detectors: {name: 1024x1024, shape: [1024, 1024], pixel_size_um: 75}
geometries: {name: saxs, kind: transmission, energy_kev: 10, distance_mm: 5000}
matrix: {backend: jax, device: cpu}
measure: [first_call, steady_state]
sampling: {precision: 1%, max_time_s: 3, processes: 3}
"""
ROUNDS = 2
"""Fresh processes before, and as many after."""
CALLS = 100

# What the command gives its workers too; jax reads them when it is imported.
VARIABLES = {
    "JAX_ENABLE_X64": "true",
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_COMPILATION_CACHE": "false",
}


def by_command(folder: Path) -> dict[str, dict[str, Any]]:
    """Run the experiment; return the estimates by metric."""
    config = folder / "agreement.yaml"
    config.write_text(EXPERIMENT)
    command = [sys.executable, "-m", "xpcs_bench", "run", str(config), "--json"]
    done = subprocess.run(  # noqa: S603 (our own command)
        [*command, "--quiet", "--out", str(folder / "reports")],
        check=True,
        stdout=subprocess.PIPE,
    )
    rows = json.loads(done.stdout)["summary"]["estimates"]
    return {row["metric"]: row["estimate"] for row in rows}


def by_hand() -> dict[str, float]:
    """Take a first call and the median of cached calls, in this process (s)."""
    # the independent clock: that it is not ours is the point of this script
    from time import perf_counter  # noqa: TID251

    import jax
    import numpy as np

    from xpcs_bench.backends import create_backend
    from xpcs_bench.config import Detector, Geometry
    from xpcs_bench.kernels.kernel import Problem
    from xpcs_bench.kernels.registry import create_kernel

    kernel = create_kernel("qmap")
    problem = Problem(
        kernel.Params(),
        Detector(name="1024x1024", shape=(1024, 1024), pixel_size_um=75),
        Geometry(name="saxs", kind="transmission", energy_kev=10, distance_mm=5000),
        "float64",
    )
    backend = create_backend("jax")
    made = kernel.make_inputs(problem, np.random.default_rng(0))
    inputs = jax.block_until_ready(jax.device_put(made))

    started = perf_counter()
    compiled = jax.jit(lambda arrays: kernel.compute(backend, problem, arrays))
    outputs = jax.block_until_ready(compiled(inputs))
    first_s = perf_counter() - started

    cached_s = []
    for _ in range(CALLS):
        started = perf_counter()
        outputs = jax.block_until_ready(compiled(inputs))
        cached_s.append(perf_counter() - started)
    del outputs  # kept from call to call, as a program keeps what it computes
    return {"first_call": first_s, "steady_state": statistics.median(cached_s)}


def in_fresh_processes() -> list[dict[str, float]]:
    """Return what each process read, by metric (s)."""
    command = [sys.executable, __file__, "--by-hand"]
    return [
        json.loads(
            subprocess.run(  # noqa: S603 (this very file)
                command, check=True, stdout=subprocess.PIPE, env=os.environ | VARIABLES
            ).stdout
        )
        for _ in range(ROUNDS)
    ]


def main() -> None:
    """Print a line a metric."""
    if sys.argv[1:] == ["--by-hand"]:
        print(json.dumps(by_hand()))
        return
    readings = in_fresh_processes()
    with tempfile.TemporaryDirectory() as folder:
        reported = by_command(Path(folder))
    readings += in_fresh_processes()
    print(
        f"{'':14}{'reported (s)':>14}{'95 % interval':>26}{'by hand':>12}{'ratio':>8}"
    )
    for metric, row in reported.items():
        seconds = statistics.geometric_mean(reading[metric] for reading in readings)
        interval = f"{row['lower']:.6f} ... {row['upper']:.6f}"
        print(
            f"{metric:14}{row['point']:14.6f}{interval:>26}{seconds:12.6f}"
            f"{seconds / row['point']:8.3f}"
        )


if __name__ == "__main__":
    main()
