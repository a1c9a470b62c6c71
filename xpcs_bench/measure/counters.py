"""What a case makes the machine do, counted: the same however busy the machine is.

Two calls in one fresh process, and nothing is timed. The first is *the* first call, the
second a cached one. All counters but one are the same in every process. What Python and
NumPy allocate in a cached call is the same but for small objects: to the byte in most
kernels, 334 371 to 335 728 bytes in ``g2``, where NumPy makes names that Python keeps
for a while. (In a first call of jax, tracing took 2.7369 to 2.7382 MB.) Page faults are
no counter: they depend on what the allocator kept.
"""

from __future__ import annotations

import gc
import math
import re
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.compilations import is_heard, listen
from xpcs_bench.measure.executable import Executable, first_call
from xpcs_bench.measure.task import Inputs, Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation

__all__ = ["COUNTERS", "measure"]

COUNTERS: Mapping[str, str] = {
    "compilations": "programs compiled in the first call",
    "recompilations": "programs compiled in the call after the first",
    "traces": "traces of the kernel by the end of both calls",
    "jaxpr_equations": "equations of the traced program, those of inner ones included",
    "hlo_instructions": "instructions of the optimised program, fused ones included",
    "flops": "floating-point operations of a call, as XLA counts them",
    "transcendentals": "elements that go through exp, sin and their like",
    "bytes_accessed": "bytes that the instructions of a call read and write",
    "argument_bytes": "inputs that the compiled program takes",
    "output_bytes": "outputs that it returns",
    "temporary_bytes": "what it holds besides them",
    "allocated_peak_bytes": "most that Python and NumPy had allocated in a cached call",
    "least_flops": "the kernel's own statement of the least work",
    "least_bytes": "inputs read once and outputs written once",
}
"""Every counter with what it counts. XLA counts the body of a loop once where it does
not know how often it runs."""

_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.\-]+ = ", re.MULTILINE)
_COSTS = {
    "flops": "flops",
    "transcendentals": "transcendentals",
    "bytes_accessed": "bytes accessed",
}
"""Counter to its name in XLA's analysis of costs."""
_SIZES = {
    "argument_bytes": "argument_size_in_bytes",
    "output_bytes": "output_size_in_bytes",
    "temporary_bytes": "temp_size_in_bytes",
}
"""Counter to its name in XLA's analysis of memory."""
_PROGRAM = ("jaxpr_equations", "hlo_instructions", *_COSTS, *_SIZES)
"""What is counted on a compiled program."""


@dataclass
class _Tally:
    """What was counted, and why the rest was not."""

    counted: dict[str, float] = field(default_factory=dict)
    uncounted: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: float | None, otherwise: str) -> None:
        """Enter a count; None: the reason instead, for nothing is not zero."""
        if value is None:
            self.uncounted[name] = otherwise
        else:
            self.counted[name] = float(value)


def _allocating_call(
    executable: Executable, inputs: Inputs
) -> tuple[Mapping[str, Any], int]:
    """Call once more; return the outputs and the most that was allocated (bytes)."""
    already, collecting = tracemalloc.is_tracing(), gc.isenabled()
    gc.collect()
    gc.disable()  # what a collection frees, and when, is not the case's doing
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        outputs = executable.call(inputs.given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not already:
            tracemalloc.stop()
        if collecting:
            gc.enable()
    return outputs, peak - before


def _inner(value: object) -> Iterator[Any]:
    """Yield the programs in a parameter of an equation: branches, bodies, callees."""
    if hasattr(value, "eqns"):
        yield value
    elif hasattr(value, "jaxpr"):
        yield value.jaxpr
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _inner(item)


def _equations(program: Any) -> int:
    return sum(
        1
        + sum(
            _equations(inner) for x in equation.params.values() for inner in _inner(x)
        )
        for equation in program.eqns
    )


def _cost(analysis: Mapping[str, float] | None, name: str) -> float | None:
    if not analysis:
        return None
    # what XLA counted as zero it leaves out: copying an array has no "flops"
    cost = analysis.get(name, 0.0)
    # and what it cannot count it reports as negative
    return cost if math.isfinite(cost) and cost >= 0 else None


def _count_program(tally: _Tally, traced: Any) -> None:
    """Count on a program what can be counted without running it."""
    compiled = traced.lower().compile()
    silent = "the platform does not tell."
    tally.put("jaxpr_equations", _equations(traced.jaxpr.jaxpr), silent)
    text = compiled.as_text()
    instructions = len(_INSTRUCTION.findall(text)) if text else None
    tally.put("hlo_instructions", instructions or None, silent)
    costs = compiled.cost_analysis()
    for name, theirs in _COSTS.items():
        tally.put(name, _cost(costs, theirs), silent)
    sizes = compiled.memory_analysis()
    for name, theirs in _SIZES.items():
        tally.put(name, getattr(sizes, theirs, None), silent)


def _closed_over(inputs: Inputs, program: Any, argument_bytes: float | None) -> str:
    """Say for certain that inputs were constants of the program; else nothing.

    A compiler computes with constants before the first call, and what it computed is
    missing from every call. An input that the program takes no notice of is not yet
    certain: the kernel may have no use for it.
    """
    used = {id(x) for equation in program.jaxpr.eqns for x in equation.invars}
    used |= {id(x) for x in program.jaxpr.outvars}
    # a mapping's arrays are the arguments of the program in the order of their names
    names = dict(zip(sorted(inputs.host), program.jaxpr.invars, strict=True))
    unused = [name for name, x in names.items() if id(x) not in used]
    if inputs.nbytes and (argument_bytes == 0 or len(unused) == len(names)):
        return (
            f"the compiled program takes none of its {inputs.nbytes} bytes of inputs "
            f"({', '.join(names)}): they were closed over. What can be computed from "
            "constants is computed while compiling, and is missing from every call. "
            "Compute from the arguments."
        )
    constants = {(x.shape, str(x.dtype), _bytes(x)) for x in program.consts}
    for name in unused:
        array = inputs.host[name]
        if array.nbytes and (array.shape, str(array.dtype), _bytes(array)) in constants:
            return (
                f"input {name!r} is a constant of the compiled program and none of its "
                "arguments: it was closed over. What can be computed from constants "
                "is computed while compiling, and is missing from every call. Compute "
                "from the arguments."
            )
    return ""


def _bytes(array: Any) -> bytes:
    return np.ascontiguousarray(np.asarray(array)).tobytes()


def measure(task: Task, clock: Clock) -> Observation:
    """Count two calls; the counts are in ``counters``, what has none in ``uncounted``.

    The case is invalid where the program provably does not take its inputs.
    """
    backend = task.backend
    backend.devices()  # initialises it: that compiles, too
    inputs = place_inputs(task)
    compilations = listen() if backend.name == "jax" else None
    at_first = compilations.count if compilations else 0
    executable, outputs, spent_ns = first_call(task, inputs, clock)
    at_second = compilations.count if compilations else 0
    del outputs  # released before more memory is asked for
    outputs, allocated_peak = _allocating_call(executable, inputs)
    at_end = compilations.count if compilations else 0

    tally = _Tally()
    told = compilations is not None and is_heard(compilations)
    mute = (
        f"backend {backend.name!r} does not say when it compiles."
        if backend.supports_jit
        else f"backend {backend.name!r} compiles nothing."
    )
    tally.put("compilations", at_second - at_first if told else None, mute)
    tally.put("recompilations", at_end - at_second if told else None, mute)
    not_compiled = (
        "the kernel is not compiled."
        if backend.supports_jit
        else f"backend {backend.name!r} compiles nothing."
    )
    tally.put("traces", executable.n_traces, not_compiled)
    invalid = ""
    if executable.n_traces is None:
        tally.uncounted |= dict.fromkeys(_PROGRAM, not_compiled)
    elif not hasattr(executable.compiled, "trace"):
        opaque = (
            f"backend {backend.name!r} returned {type(executable.compiled).__name__!r} "
            "from jit, which has no 'trace' to look into."
        )
        tally.uncounted |= dict.fromkeys(_PROGRAM, opaque)
    else:
        # of the very program that was called: jax has kept it
        traced = executable.compiled.trace(inputs.given)
        _count_program(tally, traced)
        invalid = _closed_over(
            inputs, traced.jaxpr, tally.counted.get("argument_bytes")
        )
    tally.put(
        "allocated_peak_bytes",
        None if at_end > at_second else allocated_peak,
        "the second call compiled again, and what a compiler allocates is not exact.",
    )
    least = task.kernel.work(task.problem)
    tally.put("least_flops", least.flops, "")
    tally.put("least_bytes", least.bytes, "")
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        invalid=invalid,
        counters={
            name: tally.counted[name] for name in COUNTERS if name in tally.counted
        },
        uncounted=tally.uncounted,
        n_traces=executable.n_traces,
        spent_ns=spent_ns,
    )
