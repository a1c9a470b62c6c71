"""The partition of an Eiger 4M: arithmetic beside a search, JAX beside NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.config import Detector, Geometry
from xpcs_bench.kernels import create_kernel

EIGER_4M = Detector(name="eiger-4m", shape=(2167, 2070), pixel_size_um=75)
SAXS = Geometry(name="saxs", kind="transmission", energy_kev=10, distance_mm=5000)


def between(candidate: tuple[str, str], rival: tuple[str, str], **params: Any) -> Match:
    """Make both sides, each of a backend and a formulation, with one set of inputs."""
    calls, problems = [], []
    for backend, formulation in (candidate, rival):
        call, problem, _ = cached_call(
            "partition",
            {"formulation": formulation, **params},
            backend=backend,
            detector=EIGER_4M,
            geometry=SAXS,
        )
        calls.append(call)
        problems.append(problem)
    work = create_kernel("partition").work(problems[0])
    return Match(*calls, flops=work.flops, bytes=work.bytes, same=identical)


def identical(actual: Any, desired: Any) -> str:
    """Say that all labels and counts are the same.

    Raises
    ------
    AssertionError
        When one is not.
    """
    for name in desired:
        np.testing.assert_array_equal(np.asarray(actual[name]), desired[name])
    return f"all {desired['labels'].size} labels and all counts are the same"


CONTESTS = (
    Contest(
        "partition",
        "JAX, index by arithmetic, double, Eiger 4M, 36 x 10",
        "NumPy digitize",
        lambda: between(("jax", "arithmetic"), ("numpy", "digitize")),
        least_ratio=10,
    ),
    Contest(
        "partition-logarithmic",
        "JAX, index by arithmetic, double, Eiger 4M, 36 logarithmic x 10",
        "NumPy digitize",
        lambda: between(
            ("jax", "arithmetic"), ("numpy", "digitize"), spacing="logarithmic"
        ),
    ),
    Contest(
        "partition-static",
        "JAX, index by arithmetic, double, Eiger 4M, 360 static in 36 x 1",
        "NumPy digitize",
        lambda: between(
            ("jax", "arithmetic"), ("numpy", "digitize"), phi_bins=1, static_first=10
        ),
    ),
    Contest(
        "partition-numpy",
        "NumPy, index by arithmetic, double, Eiger 4M, 36 x 10",
        "NumPy digitize",
        lambda: between(("numpy", "arithmetic"), ("numpy", "digitize")),
    ),
    Contest(
        "partition-search",
        "JAX, index by arithmetic, double, Eiger 4M, 36 x 10",
        "JAX digitize",
        lambda: between(("jax", "arithmetic"), ("jax", "digitize")),
        rounds=7,
    ),
)
