"""The warm-process recompile: the first call of a further kernel in a running program.

The first call of a cold process also starts the compiler, once. Here that is over: the
kernel has been called, everything compiled was forgotten, and a new function is traced,
lowered, compiled and executed. What else a process does once is over too (modules of
the library that load at first use, first pages of the allocator), and for a kernel of
another kind may not be. It is never an estimate of a first call.

One value a process, of the first recompilation. The median of three scattered hardly
less between processes, for three times the work: what disturbs lasts longer than a
process. The later ones read a little lower, and it is the first that a program meets.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from xpcs_bench.config import CompilationCache
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.compilations import Programs, listen
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.task import Task, place_inputs
from xpcs_bench.measure.values import check_values
from xpcs_bench.records import Observation, Samples

__all__ = ["Compiler", "measure", "skip_reason"]


class Compiler(Protocol):
    """What is asked of the library that compiles."""

    def told(self) -> Programs:
        """Return how many programs it said to have made ready so far."""

    def witness(self) -> None:
        """Call a small program, the same each time: compiled only where not kept."""

    def forget(self) -> None:
        """Drop all that was traced and compiled in this process."""


class _Jax:
    """jax, as it is asked by its public interface."""

    def __init__(self) -> None:
        import jax

        self._heard = listen()
        self._witness = jax.jit(lambda x: x + 1)
        self._clear: Callable[[], None] = jax.clear_caches

    def told(self) -> Programs:
        return self._heard.programs

    def witness(self) -> None:
        self._witness(np.float32(0)).block_until_ready()

    def forget(self) -> None:
        self._clear()


def skip_reason(
    boundary: str | None, backend: str, device: str, *, compiled: bool = True
) -> str | None:
    """Say why nothing is compiled again; None if it is."""
    del boundary, device
    if backend == "numpy":
        return "numpy has no recompilation: it does not compile."
    if backend != "jax":
        return (
            f"{backend} has no recompilation: of jax alone it is known how to make it "
            "forget what it has compiled."
        )
    if not compiled:
        return "the kernel has no recompilation: it is not compiled."
    return None


def measure(task: Task, clock: Clock, compiler: Compiler | None = None) -> Observation:
    """Time the first call of a new function after a first call and a clearing.

    ``value`` is in seconds, from asking for the compiled callable to the last output
    being ready, as in a first call; the first call of the process is in ``warmups``.
    The case is invalid unless the kernel was traced once and, where the library tells,
    everything was forgotten and the program was compiled, or found in the persistent
    cache where that is warm.

    Parameters
    ----------
    compiler : Compiler, optional
        None: that of the task's backend.

    Raises
    ------
    CannotMeasure
        The backend has no compiler that forgets, or the kernel is not compiled.
    """
    if compiler is None:
        compiler = _compiler(task)
    inputs = place_inputs(task)
    executable, outputs, first_ns = first_call(task, inputs, clock)
    del executable, outputs  # released before more memory is asked for
    begun = compiler.told()
    compiler.witness()
    kept = compiler.told()
    compiler.forget()
    gc.collect()  # an executable refers to itself: it would outlive its program
    forgotten = compiler.told()
    executable, outputs, elapsed_ns = first_call(task, inputs, clock)
    called = compiler.told()
    compiler.witness()
    proof = _Proof(
        cache=task.case.variant.compilation_cache,
        n_traces=executable.n_traces,
        first=kept.since(begun),
        called=called.since(forgotten),
        again=compiler.told().since(called),
    )
    return check_values(task, inputs, outputs).observation(
        input_bytes=inputs.nbytes,
        invalid=proof.objection(),
        warmups=Samples(elapsed_ns=(first_ns,), inner_loops=(1,), block=(0,)),
        value=elapsed_ns * 1e-9,
        method=proof.sentence(),
        n_traces=executable.n_traces,
        spent_ns=first_ns + elapsed_ns,
    )


def _compiler(task: Task) -> Compiler:
    reason = skip_reason(
        None, task.backend.name, task.case.variant.device, compiled=task.kernel.compiled
    )
    if reason:
        msg = f"{reason} Take 'recompile' out of 'measure' for it, or exclude the case."
        raise CannotMeasure(msg)
    return _Jax()


class _Proof(NamedTuple):
    """What is known of whether the call that was timed compiled."""

    cache: CompilationCache
    """The state of the persistent cache."""
    n_traces: int | None
    """Of the kernel, in the call that was timed."""
    first: Programs
    """By the witness before the clearing: where there are none, the library is mute."""
    called: Programs
    """By the call that was timed."""
    again: Programs
    """By the same witness in the end: where there are none, it had been kept."""

    def objection(self) -> str:
        """Say why it is no recompilation; empty where nothing speaks against it."""
        if self.n_traces != 1:
            return (
                f"the kernel was traced {self.n_traces} times in the call after the "
                "caches were cleared, and a recompilation traces it once."
            )
        if not self.first.ready:
            return ""
        if not self.again.ready:
            return (
                "a program that had been compiled before the caches were cleared was "
                "called afterwards and not compiled again: they were not cleared, so "
                "parts of the kernel may have been kept as well."
            )
        ready, found = self.called
        if not ready:
            return (
                "the kernel was traced and no program was compiled, so what was timed "
                "is no recompilation."
            )
        if self.cache == "warm":
            return self.called.missing()
        if found:
            return (
                f"{found} of {ready} programs were found in the persistent compilation "
                "cache and not compiled. Switch it off, or ask for a warm one with "
                "'compilation_cache' in the matrix."
            )
        return ""

    def sentence(self) -> str:
        """Say what is known of it."""
        if not self.first.ready:
            return "The kernel was traced anew; jax does not tell what it compiles."
        ready, found = self.called
        return (
            f"Traced anew; of {ready} programs {ready - found} were compiled and "
            f"{found} found in the persistent compilation cache."
        )
