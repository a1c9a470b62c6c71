"""The undivided first call of a fresh process, compilation included."""

from __future__ import annotations

from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.compilations import Compilations, listen
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.task import Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation

__all__ = ["measure"]


def measure(task: Task, clock: Clock) -> Observation:
    """Time from asking for the compiled callable to the last output being ready.

    The library is imported, the backend initialised and the inputs placed before the
    clock starts; nothing else has been compiled. Where calls convert, the first one
    does too: no input was placed before. ``value`` is in seconds. With a warm
    compilation cache the case is invalid if jax tells that it compiled all the same.
    """
    inputs = place_inputs(task)
    warm = task.case.variant.compilation_cache == "warm"
    heard = listen() if warm and task.backend.name == "jax" else Compilations()
    before = heard.programs
    executable, outputs, elapsed_ns = first_call(task, inputs, clock)
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        invalid=heard.programs.since(before).missing(),
        value=elapsed_ns * 1e-9,
        n_traces=executable.n_traces,
        spent_ns=elapsed_ns,
    )
