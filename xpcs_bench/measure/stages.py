"""What a first call is made of: import, backend_init, trace, lower, compile, execute.

A process can go through them once. They and the undivided first call are never taken
in one process: compiling ahead of time leaves the compiler's caches warm.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.compilations import Compilations, listen
from xpcs_bench.measure.executable import Executable
from xpcs_bench.measure.task import Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation, Status

__all__ = ["STAGES", "measure", "skip_reason"]

STAGES = ("import", "backend_init", "trace", "lower", "compile", "execute")

_LIBRARIES = {"jax": ("jax", "jaxlib")}
"""By backend: modules that must not have been imported when the stages begin."""

T = TypeVar("T")


def skip_reason(
    boundary: str | None, backend: str, device: str, *, compiled: bool = True
) -> str | None:
    """Say why there are no stages; None if there are."""
    del boundary, device
    if backend == "numpy":
        return "numpy has no stages: it does not trace, lower or compile."
    if not compiled:
        return "the kernel has no stages: it is not compiled."
    return None


def measure(task: Task, clock: Clock) -> Observation:
    """Go through the stages one by one; they are in ``stages_ns``, in order.

    ``import`` creates the backend, which imports and configures its library. Making
    the inputs, between ``backend_init`` and ``trace``, belongs to no stage. With a warm
    compilation cache the case is invalid if jax tells that it compiled all the same.

    Raises
    ------
    CannotMeasure
        The backend's compiled callable cannot be taken apart.
    """
    already = [
        library
        for library in _LIBRARIES.get(task.case.variant.backend, ())
        if library in sys.modules
    ]
    if already:
        return Observation(
            status=Status.INVALID,
            reason=(
                f"{' and '.join(already)} had been imported before the stages began, "
                "so the import cannot be timed. Stages need a fresh process in which "
                "nothing has asked for the backend."
            ),
        )
    durations: dict[str, int] = {}

    def staged(name: str, act: Callable[[], T]) -> T:
        started = clock()
        result = act()
        durations[name] = clock() - started
        return result

    backend = staged("import", lambda: task.backend)
    staged("backend_init", backend.devices)
    inputs = place_inputs(task)
    warm = task.case.variant.compilation_cache == "warm"
    heard = listen() if warm and backend.name == "jax" else Compilations()
    before = heard.programs
    executable = Executable(task)
    whole: Any = executable.compiled
    if not hasattr(whole, "trace"):
        msg = (
            f"backend {backend.name!r} returned {type(whole).__name__!r} from jit, and "
            "that has no 'trace'. Stages are measured of callables that follow "
            "jax.stages. Take 'stages' out of 'measure' for this backend."
        )
        raise CannotMeasure(msg)
    traced = staged("trace", lambda: whole.trace(inputs.given))
    lowered = staged("lower", traced.lower)
    compiled = staged("compile", lowered.compile)
    outputs = staged("execute", lambda: executable.block(compiled(inputs.given)))
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        invalid=heard.programs.since(before).missing(),
        stages_ns=durations,
        n_traces=executable.n_traces,
        spent_ns=sum(durations.values()),
    )
