"""Two ways to compute one thing, and what is asked of their ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.kernels import Problem, create_kernel

__all__ = ["Contest", "Match", "cached_call"]

Call = Callable[[], Any]
"""Computes once, and returns when the result is there."""


@dataclass(frozen=True)
class Match:
    """Both sides, ready: inputs made and placed, whatever compiles not yet compiled."""

    candidate: Call
    rival: Call
    flops: float | None = None
    """The least work of the candidate, for its efficiency; None where that has no
    meaning."""
    bytes: float | None = None
    """The least traffic of the candidate with the memory."""
    single: bool = False
    """Whether the flops are those of single precision."""
    same: Callable[[Any, Any], str] | None = None
    """Says in a few words how far the two results are apart; raises if too far."""


@dataclass(frozen=True)
class Contest:
    """One line of the study."""

    name: str
    """Short, unique: ``qmap-all-outputs``."""
    candidate: str
    """What is fast, in words: library, formulation, type, size."""
    rival: str
    """What it is compared with, in words."""
    prepare: Callable[[], Match]
    """Called in the process that times it; raises ImportError where the rival is not
    installed."""
    least_ratio: float | None = None
    """What is asked of rival / candidate; None: nothing, the figure is of interest."""
    rounds: int = 15
    """Turns, each of one candidate and one rival call; fewer where they are slow."""


def cached_call(
    name: str,
    params: dict[str, Any],
    *,
    backend: str = "jax",
    detector: Detector | None = None,
    geometry: Geometry | None = None,
    dtype: Any = "float64",
    seed: int = 0,
) -> tuple[Call, Problem[Any], dict[str, Any]]:
    """Return the call of a kernel on placed inputs, its problem and its host inputs."""
    kernel = create_kernel(name)
    problem = Problem(kernel.Params(**params), detector, geometry, dtype)
    kernel.check(problem)
    library = create_backend(backend)
    host = kernel.make_inputs(problem, np.random.default_rng(seed))
    placed = library.block_until_ready(library.device_put(host))

    def compute(inputs: Any) -> Any:
        return kernel.compute(library, problem, inputs)

    call = library.jit(compute) if kernel.compiled else compute
    return lambda: library.block_until_ready(call(placed)), problem, host
