"""How many threads the libraries take."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np

from xpcs_bench.backends import create_backend
from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
    skipped,
)

__all__ = ["blas", "xla"]

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_POOL = "tf_XLAEigen"
"""How XLA names the threads that compute."""


def _library() -> str:
    described: Any = np.show_config(mode="dicts")
    built = described.get("Build Dependencies", {}).get("blas", {})
    return f"{built.get('name', 'unknown BLAS')} {built.get('version', '')}".strip()


def blas(surroundings: Surroundings) -> Finding:
    """Threads of NumPy's linear algebra."""
    settings = surroundings.set_variables(*_VARIABLES)
    said = f"{_library()}; {settings or 'no variable limits its threads'}"
    try:
        # not among the dependencies: a number is nice to have, one more package is not
        threadpoolctl: Any = import_module("threadpoolctl")
    except ImportError:
        return skipped(
            f"{said}; threadpoolctl is not installed, which would count them",
            "Set OPENBLAS_NUM_THREADS or OMP_NUM_THREADS for a number that is known, "
            "or install threadpoolctl.",
        )
    counts = [
        row["num_threads"]
        for row in threadpoolctl.threadpool_info()
        if row["user_api"] == "blas"
    ]
    most = max(counts, default=0)
    found = f"{said}; {most} threads on {surroundings.cores} usable cores"
    numbers = {"threads": (float(most), "1")}
    if most > surroundings.cores:
        advice = f"Set OPENBLAS_NUM_THREADS={surroundings.cores}: threads wait in turn."
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)


def xla(surroundings: Surroundings) -> Finding:
    """Threads of XLA's pool on the CPU."""
    create_backend("jax").devices()  # starts them
    tasks = surroundings.root / "proc/self/task"
    if not tasks.exists():
        return skipped(
            "threads have no names here: not Linux",
            "Set NPROC for a pool of a known size.",
        )
    names = Counter(
        (path / "comm").read_text().strip() for path in tasks.glob("[0-9]*")
    )
    count = names[_POOL]
    settings = surroundings.set_variables("NPROC")
    found = (
        f"{count} threads on {surroundings.cores} usable cores; "
        f"{settings or 'NPROC is not set'}"
    )
    if count == 0:
        return skipped(
            f"no thread is named {_POOL}",
            "Set NPROC for a pool of a known size.",
        )
    numbers = {"threads": (float(count), "1")}
    if count > surroundings.cores:
        advice = f"Set NPROC={surroundings.cores}: its flags do not limit the pool."
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)
