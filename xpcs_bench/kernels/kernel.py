"""What a kernel is: a computation under test, with all that is needed to judge it.

A kernel is one file in this folder and one line in ``registry.py``; a third party
adds one through the entry point group ``xpcs_bench.kernels``. It is written once,
against :class:`~xpcs_bench.backends.BackendProtocol`, and takes the backend as an
argument.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.analysis.agreement import Tolerance
from xpcs_bench.backends import BackendProtocol, NumPyBackend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError

__all__ = [
    "Arrays",
    "Capability",
    "Host",
    "Kernel",
    "Need",
    "Output",
    "Problem",
    "Tolerance",
    "Truth",
    "Work",
]

Need = Literal["detector", "geometry"]
Capability = Literal["grad"]
"""What some backends can do and others cannot: ``grad`` is ``supports_grad``."""
Arrays = Mapping[str, Any]
"""Named arrays of one backend."""
Host = dict[str, NDArray[Any]]
"""Named NumPy arrays."""

P = TypeVar("P", bound=ConfinedModel)


@dataclass(frozen=True)
class Problem(Generic[P]):
    """What a case computes, without who computes it.

    Everything here is static: it may decide shapes and Python control flow, and it is
    the same for all variants of a group. What varies inside one compiled executable
    is in the inputs.
    """

    params: P
    detector: Detector | None
    geometry: Geometry | None
    dtype: Literal["float64", "float32"]

    @property
    def setup(self) -> tuple[Detector, Geometry]:
        """Detector and geometry, for kernels that need both.

        Raises
        ------
        ConfigError
            When one of them is missing.
        """
        if self.detector is None or self.geometry is None:
            missing = "detector" if self.detector is None else "geometry"
            msg = (
                f"the problem has no {missing}. This computation needs a detector and "
                "a geometry. Give at least one of each."
            )
            raise ConfigError(msg)
        return self.detector, self.geometry


@dataclass(frozen=True)
class Output:
    """One array that a kernel returns."""

    name: str
    dims: tuple[str, ...]
    """Names of its axes: ``("row", "column")``."""
    unit: str
    """``1/angstrom``, ``deg``, ``1``."""
    dtype: str | None = None
    """The type it always has, for labels and counts; None: that of the problem."""
    finite: bool = True
    """Whether every element must be finite."""
    statistical: bool = False
    """Whether it scatters with the random numbers of the kernel: its tolerance is that
    scatter, and not rounding."""
    solved: bool = False
    """Whether it solves equations, such as those of least squares: rounding errors are
    then multiplied by the condition of the equations, and a tolerance may be wider."""


@dataclass(frozen=True)
class Truth:
    """The right value of one element, from a source that is not under test."""

    index: tuple[int, ...]
    value: Any
    """An ``mpmath.mpf``, or a number that is exact."""


@dataclass(frozen=True)
class Work:
    """The least work that any implementation must do, for efficiency and planning."""

    flops: int
    bytes: int
    """Inputs read once and outputs written once."""


class Kernel(ABC, Generic[P]):
    """A computation under test. Instances carry no state."""

    name: ClassVar[str]
    """As written in a configuration."""
    version: ClassVar[str]
    """Raised when the results or the work change meaning; old history then ends."""
    summary: ClassVar[str]
    """One sentence for ``xpcs-bench list``."""
    source: ClassVar[str]
    """Where the formula comes from: paper and equation, or document and section."""
    needs: ClassVar[frozenset[Need]]
    """What the plan crosses the kernel with."""
    Params: ClassVar[type[ConfinedModel]]
    """Its parameters; every field has a default and a docstring."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    """What a backend must be able to do; its cases are skipped where it cannot."""
    compiled: ClassVar[bool] = True
    """Whether a backend that compiles compiles :meth:`compute`; False for a computation
    that leaves the array library on its way, as reading and writing files does."""

    def check(self, problem: Problem[P]) -> None:
        """Refuse a problem that this kernel cannot compute, before it is planned.

        Raises
        ------
        ConfigError
            When the problem lacks what the kernel needs, or when its parameters do
            not go with its geometry; the message says what to write.
        """
        present = {"detector": problem.detector, "geometry": problem.geometry}
        for need in sorted(self.needs):
            if present[need] is None:
                msg = (
                    f"the kernel {self.name!r} needs a {need}, and the problem has "
                    f"none. Give at least one {need} in the experiment."
                )
                raise ConfigError(msg)

    @abstractmethod
    def outputs(self, problem: Problem[P]) -> tuple[Output, ...]:
        """Return what :meth:`compute` returns, in order; the first is the main one."""

    @abstractmethod
    def make_inputs(self, problem: Problem[P], rng: np.random.Generator) -> Host:
        """Make the inputs on the host, in the problem's type, the same for a seed."""

    @abstractmethod
    def compute(
        self, backend: BackendProtocol, problem: Problem[P], inputs: Arrays
    ) -> Arrays:
        """Compute the outputs by name; pure, and traceable by a tracing backend."""

    def reference(self, problem: Problem[P], inputs: Host) -> Host:
        """Compute the values that every variant is compared with, on the host.

        NumPy's own, unless the kernel requires what NumPy cannot do, or is random.
        """
        outputs = self.compute(NumPyBackend(), problem, inputs)
        return {name: np.asarray(array) for name, array in outputs.items()}

    @abstractmethod
    def tolerance(self, problem: Problem[P], output: str) -> Tolerance:
        """Return how far an output may be from the NumPy reference, and from truth."""

    @abstractmethod
    def truth(self, problem: Problem[P], inputs: Host) -> Mapping[str, Sequence[Truth]]:
        """Return right values at sampled points, by output, computed from the inputs.

        Must not use any backend. An empty mapping says that no truth is known.
        """

    @abstractmethod
    def work(self, problem: Problem[P]) -> Work:
        """Return the least work; must be cheap and allocate nothing."""
