"""All outputs of a case against the NumPy reference and the truth; nothing is timed."""

from __future__ import annotations

from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.task import Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation

__all__ = ["measure"]


def measure(task: Task, clock: Clock) -> Observation:
    """Check every output of the compiled executable; the result is in ``checks``."""
    inputs = place_inputs(task)
    executable, outputs, elapsed_ns = first_call(task, inputs, clock)
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        n_traces=executable.n_traces,
        spent_ns=elapsed_ns,
    )
