"""A program that goes on, as the study starts it: ``python program.py``.

Reads an item of work a line and answers each with the seconds that it took and the
backend that computed it. Which backend that is follows from the environment, as in any
program that asks ``get_backend_for``. Before the first item both libraries are imported
and have started: a program that chooses between them has both. Inputs lie where the
backend wants them before the clock starts; choosing, compiling and all calls are in it.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

import numpy as np
from workload import Item

from xpcs_bench.backends import create_backend, get_backend_for
from xpcs_bench.measure.clock import now_ns

BACKENDS = ("numpy", "jax")


def start() -> None:
    """Compile a program of no size with every backend."""
    for name in BACKENDS:
        backend = create_backend(name)
        backend.block_until_ready(backend.jit(lambda x: x + 1)(backend.ones(1)))


def work_on(item: Item) -> dict[str, Any]:
    """Make the calls of an item; return the backend and the time (s)."""
    kernel, problem = item.problem()
    host = kernel.make_inputs(problem, np.random.default_rng(0))
    asked = {
        "size": kernel.work(problem).bytes,
        "calls": item.calls,
        "params": problem.params.model_dump(mode="json"),
        "geometry": problem.geometry.kind if problem.geometry else None,
    }
    gc.collect()
    started = now_ns()
    backend = get_backend_for(item.kernel, **asked)
    choosing_ns = now_ns() - started
    placed = backend.block_until_ready(backend.device_put(host))
    started = now_ns()
    compute = backend.jit(lambda inputs: kernel.compute(backend, problem, inputs))
    for _ in range(item.calls):
        outputs = backend.block_until_ready(compute(placed))
    elapsed_ns = choosing_ns + now_ns() - started
    del outputs
    return {
        "backend": backend.name,
        "seconds": elapsed_ns * 1e-9,
        "choosing_s": choosing_ns * 1e-9,
    }


def main() -> None:
    """Answer until there are no more items."""
    start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(work_on(Item.of_json(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
