"""The functions as kernels, in a package beside the project as anybody's would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import functions
import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels.kernel import (
    Arrays,
    Kernel,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)


class Params(ConfinedModel):
    """None: the arguments are those of the functions."""


class _Function(Kernel[Params]):
    version = "1"
    summary = "One of the functions that all harnesses time."
    source = "functions.py"
    needs = frozenset()
    compiled = False
    Params = Params
    function: ClassVar[str]

    def outputs(self, problem: Problem[Params]) -> tuple[Output, ...]:
        del problem
        dims = ("row", "column") if self.function == "qmap" else ("element",)
        return (Output("value", dims, "1"),)

    def make_inputs(
        self, problem: Problem[Params], rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        del problem, rng
        return dict(functions.arguments(self.function))

    def compute(
        self, backend: BackendProtocol, problem: Problem[Params], inputs: Arrays
    ) -> Mapping[str, Any]:
        del backend, problem
        return {"value": functions.COMPUTE[self.function](inputs)}

    def tolerance(self, problem: Problem[Params], output: str) -> Tolerance:
        del problem, output
        return Tolerance(0.0, 0.0, "the same code on the same numbers")

    def truth(
        self, problem: Problem[Params], inputs: Mapping[str, NDArray[Any]]
    ) -> Mapping[str, list[Truth]]:
        del problem, inputs
        return {}

    def work(self, problem: Problem[Params]) -> Work:
        del problem
        inputs = functions.arguments(self.function)
        nbytes = sum(array.nbytes for array in inputs.values())
        size = 1024**2 if self.function == "qmap" else len(inputs["x"])
        return Work(flops=size, bytes=nbytes + 8 * size)


class QMap(_Function):
    """A q-map of a million pixels."""

    name = "rival_qmap"
    function = "qmap"


class TwentyMicroseconds(_Function):
    """A call of some 20 us."""

    name = "rival_20us"
    function = "20us"


class OneMicrosecond(_Function):
    """A call of some 1 us."""

    name = "rival_1us"
    function = "1us"
