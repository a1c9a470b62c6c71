"""Kernels and backends that do what must not happen, registered by entry points.

They are the other half of the tests of the runner: a real package beside the project,
seen by real worker processes.
"""

import os
import signal
import time

import numpy as np

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels.kernel import Kernel, Output, Tolerance, Truth, Work


class Params(ConfinedModel):
    size: int = 64
    """Elements."""


class Sound(Kernel[Params]):
    name = "sound"
    version = "1"
    summary = "Squares its input."
    source = "this file"
    needs = frozenset()
    Params = Params

    def outputs(self, problem):
        return (Output("square", ("element",), "1"),)

    def make_inputs(self, problem, rng):
        return {"x": rng.random(problem.params.size).astype(problem.dtype)}

    def compute(self, backend, problem, inputs):
        return {"square": inputs["x"] * inputs["x"]}

    def tolerance(self, problem, output):
        return Tolerance(rtol=1e-15, atol=0.0, reason="one rounding")

    def truth(self, problem, inputs):
        return {"square": [Truth((0,), float(inputs["x"][0]) ** 2)]}

    def work(self, problem):
        return Work(flops=problem.params.size, bytes=16 * problem.params.size)


class KillsItself(Sound):
    name = "kills_itself"

    def compute(self, backend, problem, inputs):
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Raises(Sound):
    name = "raises"

    def compute(self, backend, problem, inputs):
        msg = "the sample fell off its stage"
        raise RuntimeError(msg)


class NeverReturns(Sound):
    name = "never_returns"

    def compute(self, backend, problem, inputs):
        while True:
            time.sleep(1)


class Hoards(Sound):
    name = "hoards"

    def compute(self, backend, problem, inputs):
        kept = []
        while True:
            kept.append(np.ones(1 << 21))
            time.sleep(0.01)


class ReturnsNaN(Sound):
    name = "returns_nan"

    def compute(self, backend, problem, inputs):
        return {"square": inputs["x"] * np.nan}


class NeedsGradients(Sound):
    name = "needs_gradients"
    requires = frozenset({"grad"})


class NeverCompiled(Sound):
    name = "never_compiled"
    compiled = False


class _Wrong(NumPyBackend):
    """Fast, and wrong in one way."""

    def jit(self, func, *args, **kwargs):
        def spoilt(*inputs):
            outputs = dict(func(*inputs))
            name = next(iter(outputs))
            outputs[name] = self.spoil(outputs[name])
            return outputs

        return spoilt


class OneElementOff(_Wrong):
    name = "one_element_off"

    @staticmethod
    def spoil(values):
        values = values.copy()
        values.flat[7] *= 1 + 1e-9
        return values


class Zeros(_Wrong):
    name = "zeros"

    @staticmethod
    def spoil(values):
        return np.zeros_like(values)


class WrongDtype(_Wrong):
    name = "wrong_dtype"

    @staticmethod
    def spoil(values):
        return values.astype(np.float32)


class NaNForANumber(_Wrong):
    name = "nan_for_a_number"

    @staticmethod
    def spoil(values):
        values = values.copy()
        values.flat[3] = np.nan
        return values
