"""The compiled callable of a case, with the proof that it was compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xpcs_bench.kernels.kernel import Arrays
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.task import Inputs, Task

__all__ = ["Executable", "first_call"]


class Executable:
    """What is timed: one kernel on one problem, compiled by the backend.

    The inputs are always arguments. In a closure they would be constants, which a
    compiler folds: 12 % fewer flops than the work that was asked for.

    A call is ``end(begin(given))``, and what the case converts is inside it. The way in
    is not waited for: the computation does that. The way out begins when the outputs
    are there. jax makes new ones in every call, so that none keeps a host copy.

    Attributes
    ----------
    compiled : callable
        Takes the placed inputs and returns the outputs by name, perhaps not yet ready.
    block : callable
        Waits for outputs and returns them.
    begin : callable
        Takes what a call is given and returns the outputs, perhaps not yet ready:
        ``compiled``, after the inputs were converted where the case does that.
    end : callable
        Waits for outputs and returns them, as NumPy arrays where the case converts
        them: else ``block``.
    """

    def __init__(self, task: Task) -> None:
        backend, kernel, problem = task.backend, task.kernel, task.problem
        self._traces = 0
        self._traceable = backend.supports_jit and kernel.compiled

        # a function made here belongs to this executable alone: jax shares compiled
        # code between all wrappers of one function
        def body(inputs: Arrays) -> Arrays:
            self._traces += 1
            return kernel.compute(backend, problem, inputs)

        def plain(inputs: Arrays) -> Arrays:
            return kernel.compute(backend, problem, inputs)

        self.body = body if self._traceable else plain
        self.compiled: Callable[[Arrays], Mapping[str, Any]] = (
            backend.jit(self.body) if kernel.compiled else self.body
        )
        self.block: Callable[[Any], Any] = backend.block_until_ready
        self.begin, self.end = self.compiled, self.block
        compiled, block, place = self.compiled, self.block, task.place

        def begin(host: Arrays) -> Mapping[str, Any]:
            return compiled(place(host))

        def end(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
            return {name: backend.to_numpy(x) for name, x in block(outputs).items()}

        if task.case.variant.converts_input:
            self.begin = begin
        if task.case.variant.converts_output:
            self.end = end

    @property
    def n_traces(self) -> int | None:
        """How often the kernel was traced so far; None where nothing is compiled."""
        return self._traces if self._traceable else None

    def call(self, given: Arrays) -> Mapping[str, Any]:
        """Compute the outputs and wait for every one of them."""
        outputs: Mapping[str, Any] = self.end(self.begin(given))
        return outputs


def first_call(
    task: Task, inputs: Inputs, clock: Clock
) -> tuple[Executable, Mapping[str, Any], int]:
    """Make the executable and call it once; return it, the outputs and the time (ns).

    It is *the* first call only once per process: the compiler's own start-up, some
    50 ms of jax, is paid by whatever is compiled first.
    """
    started = clock()
    executable = Executable(task)
    outputs = executable.call(inputs.given)
    return executable, outputs, clock() - started
