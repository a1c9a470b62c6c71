"""Policies whose times are written down, for this machine."""

import importlib.metadata
import platform

from xpcs_bench.backends.policy import (
    Candidate,
    Circumstances,
    Point,
    Policy,
    Series,
)
from xpcs_bench.backends.processor import processor_name, usable_cores

PLACES = frozenset({("numpy", "cpu"), ("jax", "cpu"), ("jax", "gpu")})


def exactly(seconds):
    return None if seconds is None else (seconds, 0.9 * seconds, 1.1 * seconds)


def candidate(backend, cached, first=None, again=None, device="cpu"):
    return Candidate(
        backend=backend,
        device=device,
        compiles=backend == "jax",
        first_call_s=exactly(first),
        recompile_s=exactly(again),
        cached_s=exactly(cached),
        judgement="baseline" if backend == "numpy" else "inconclusive",
    )


def point(size, *candidates, **numbers):
    return Point(
        size_bytes=size,
        numbers=numbers,
        detector=None,
        shape=None,
        candidates=candidates,
    )


def series(*points, kernel="qmap", geometry=None, converts="nothing", **params):
    return Series(
        kernel=kernel,
        params=params,
        geometry=geometry,
        dtype="float64",
        converts=converts,
        points=points,
    )


def here(**changes):
    version = importlib.metadata.version
    values = {
        "cpu": processor_name(),
        "cores": len(usable_cores()),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("numpy", "jax")},
        "devices": (),
    }
    return Circumstances(**(values | changes))


def policy(*rows, **changes):
    return Policy(
        schema_version=1,
        run_id="made",
        xpcs_bench="0",
        circumstances=here(**changes),
        series=rows,
    )


def crossing():
    """NumPy for small sizes and few calls, JAX for large ones and many."""
    return policy(
        series(
            point(
                1_000, candidate("numpy", 1e-6, 2e-6), candidate("jax", 5e-6, 0.2, 0.1)
            ),
            point(
                1_000_000,
                candidate("numpy", 1e-2, 2e-2),
                candidate("jax", 1e-3, 0.2, 0.1),
            ),
        )
    )
