"""A clock, a backend and kernels that are scripted: what they cost and answer is known.

All of them write to one list of events, so that a test can read in which order things
happened, and what was between two readings of the clock.
"""

import os
import sys
import weakref
from dataclasses import replace
from typing import ClassVar

import making
import numpy as np

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels.kernel import Kernel, Output, Problem, Tolerance, Truth, Work
from xpcs_bench.measure.circumstances import Counters, Instruments
from xpcs_bench.measure.task import Task
from xpcs_bench.records import Device


class Clock:
    """Stands still unless told to move; every reading costs ``reading_ns``."""

    def __init__(self, events=None, reading_ns=0):
        self.now = 0
        self.reading_ns = reading_ns
        self.events = [] if events is None else events

    def __call__(self):
        self.events.append("clock")
        self.now += self.reading_ns
        return self.now

    def spend(self, ns):
        self.now += ns


class Params(ConfinedModel):
    size: int = 8
    """Elements."""


class Square(Kernel[Params]):
    """Two outputs, ``square`` and ``sign``, of known value."""

    name = "toy"
    version = "1"
    summary = "Squares its input."
    source = "this file"
    needs = frozenset()
    Params = Params

    def __init__(self):
        self.computed = 0

    def outputs(self, problem):
        return (
            Output("square", ("element",), "1"),
            Output("sign", ("element",), "1", dtype="int64"),
        )

    def make_inputs(self, problem, rng):
        return {"x": rng.uniform(1, 2, problem.params.size).astype(problem.dtype)}

    def compute(self, backend, problem, inputs):
        self.computed += 1
        x = inputs["x"]
        return {"square": x * x, "sign": backend.sign(x).astype("int64")}

    def tolerance(self, problem, output):
        return Tolerance(1e-6, 0.0, "stated by the test")

    def truth(self, problem, inputs):
        return {"square": [Truth((2,), float(inputs["x"][2]) ** 2)]}

    def work(self, problem):
        return Work(flops=problem.params.size, bytes=16 * problem.params.size)


def right(x):
    """What the kernel must return."""
    return {"square": x * x, "sign": np.sign(x).astype(np.int64)}


class Pending:
    """An array that has no values until it was waited for."""

    alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def __init__(self, values, *, ready=False):
        self.values = values
        self.ready = ready
        self.dtype = values.dtype
        self.shape = values.shape
        Pending.alive.add(self)


class Backend(NumPyBackend):
    """Compiles, computes asynchronously, and answers as it was told to.

    Parameters
    ----------
    answer : callable
        From the values of the input to the outputs; called with the number of the
        call if it takes two arguments.
    traces_at : set of int
        Numbers of the calls (from 1) that trace the kernel.
    """

    name = "scripted"
    supports_jit = True

    def __init__(
        self,
        clock,
        answer=lambda x, _: right(x),
        *,
        traces_at=frozenset({1}),
        trace_ns=1_000_000,
        dispatch_ns=10,
        compute_ns=90,
    ):
        self.clock = clock
        self.events = clock.events
        self.answer = answer
        self.traces_at = traces_at
        self.trace_ns = trace_ns
        self.dispatch_ns = dispatch_ns
        self.compute_ns = compute_ns
        self.calls = 0
        self.most_alive = 0

    def devices(self):
        self.events.append("devices")
        return (Device(platform="cpu", index=0, name="scripted", memory_bytes=None),)

    def device_put(self, tree, /, device=None):
        self.events.append(f"device_put {device}")
        return {name: Pending(np.array(x)) for name, x in tree.items()}

    def jit(self, func, /, static_argnums=None, static_argnames=None):
        self.events.append("jit")

        def compiled(inputs):
            assert inputs["x"].ready, "an input was not waited for"
            self.calls += 1
            if self.calls in self.traces_at:
                func({name: x.values for name, x in inputs.items()})
                self.clock.spend(self.trace_ns)
            self.events.append("dispatch")
            self.clock.spend(self.dispatch_ns)
            self.most_alive = max(self.most_alive, len(Pending.alive))
            outputs = self.answer(inputs["x"].values, self.calls)
            return {name: Pending(np.asarray(y)) for name, y in outputs.items()}

        return compiled

    def block_until_ready(self, tree, /):
        self.events.append("block")
        leaves = list(tree.values()) if isinstance(tree, dict) else list(tree)
        if any(not leaf.ready for leaf in leaves):
            self.clock.spend(self.compute_ns)
        for leaf in leaves:
            leaf.ready = True
        return tree

    def to_numpy(self, x, /):
        assert x.ready, "values were taken before they were there"
        return x.values


def task(
    backend, kernel=None, *, dtype="float64", tolerances=(), case=None, **sampling
):
    """A task whose backend is given, or made by a callable."""
    kernel = kernel or Square()
    case = case or making.case("scripted")
    variant = case.variant.model_copy(update={"dtype": dtype})
    case = case.model_copy(update={"variant": variant})
    problem = Problem(kernel.Params(), None, None, dtype)
    make = backend if callable(backend) else lambda: backend
    values = {"min_sample_s": 1e-9} | sampling
    return Task(case, making.sampling(**values), 7, tolerances, kernel, problem, make)


def instruments(*rows, events=None):
    """Instruments that show the rows in turn: CPU time, and the three counters."""
    events = [] if events is None else events
    cpu = [row[0] for row in rows]
    left = [Counters(*row[1:]) for row in rows]

    def cpu_ns():
        events.append("cpu")
        return cpu.pop(0)

    def counters():
        events.append("counters")
        return left.pop(0)

    return Instruments(cpu_ns, counters)


def on(a_task, **changes):
    """The same task with other fields."""
    return replace(a_task, **changes)


def caching(folder):
    """Variables of a process whose jax keeps all that it compiles in a folder."""
    return {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "JAX_ENABLE_X64": "true",
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
