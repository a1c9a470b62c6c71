"""One case with everything that is needed to run it in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol, create_backend
from xpcs_bench.config import Sampling, ToleranceOverride
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.kernels.kernel import Kernel, Problem
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.records import Case

__all__ = [
    "Inputs",
    "Task",
    "build_task",
    "make_inputs",
    "place_inputs",
    "require_types",
]


@dataclass(frozen=True)
class Task:
    """A case, its kernel and its backend.

    The backend is created when it is first asked for, and not before: the stages of a
    first call begin with the import of its library.
    """

    case: Case
    sampling: Sampling
    seed: int
    tolerances: tuple[ToleranceOverride, ...]
    kernel: Kernel[Any]
    problem: Problem[Any]
    make_backend: Callable[[], BackendProtocol]

    @cached_property
    def backend(self) -> BackendProtocol:
        """The backend under test.

        Raises
        ------
        CannotMeasure
            It computes in 32 bits what it is given in 64.
        """
        backend = self.make_backend()
        _require_64_bits(backend)
        return backend

    def place(self, host: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
        """Convert host arrays to the backend's, on the device of the case.

        They may not be there yet. It is the protocol's own way for a named device,
        and the one that ``DeviceManager.place_on_device`` goes.
        """
        placed: Mapping[str, Any] = self.backend.device_put(
            host, device=self.case.variant.device
        )
        return placed


def build_task(
    case: Case,
    sampling: Sampling,
    seed: int,
    tolerances: tuple[ToleranceOverride, ...],
) -> Task:
    """Look up the kernel and state the problem; imports no array library but NumPy.

    Raises
    ------
    CannotMeasure
        The kernel in this environment is of another version than the planned one.
    """
    kernel = create_kernel(case.kernel)
    if kernel.version != case.kernel_version:
        msg = (
            f"kernel {case.kernel!r} is version {kernel.version!r} in the worker and "
            f"{case.kernel_version!r} in the plan. Times and values of two versions "
            "are not comparable. Plan and measure with the same version of the kernel."
        )
        raise CannotMeasure(msg)
    problem = Problem(
        params=kernel.Params.model_validate(case.params),
        detector=case.detector,
        geometry=case.geometry,
        dtype=case.variant.dtype,
    )

    def make_backend() -> BackendProtocol:
        return create_backend(case.variant.backend)

    return Task(case, sampling, seed, tolerances, kernel, problem, make_backend)


def _require_64_bits(backend: BackendProtocol) -> None:
    if backend.name != "jax":
        return
    jax = sys.modules["jax"]
    if not jax.config.jax_enable_x64:
        msg = (
            "jax computes in 32 bits in this worker (jax_enable_x64 is False), so "
            "float64 inputs would silently become float32. Both types of a matrix are "
            "measured with it on. Unset JAX_ENABLE_X64, or set it to true."
        )
        raise CannotMeasure(msg)


@dataclass(frozen=True)
class Inputs:
    """The arguments of every call of a case."""

    host: dict[str, NDArray[Any]]
    """As NumPy arrays, read-only: reference and truth are computed from them."""
    given: Mapping[str, Any]
    """What a call is given: arrays on the device under test, ready; those of the host
    where the call converts them itself."""

    @property
    def nbytes(self) -> int:
        """Size on the host (bytes)."""
        return sum(array.nbytes for array in self.host.values())


def make_inputs(task: Task) -> dict[str, NDArray[Any]]:
    """Make the host inputs: the same for one seed, and read-only from here on."""
    host = task.kernel.make_inputs(task.problem, np.random.default_rng(task.seed))
    for array in host.values():
        array.flags.writeable = False
    return host


def place_inputs(task: Task) -> Inputs:
    """Make the inputs and wait until they are on the device of the case.

    Where its calls convert them none is placed: the first transfer of a process is
    then part of the first call.

    Raises
    ------
    CannotMeasure
        The device holds them in another type than the host.
    """
    host = make_inputs(task)
    backend = task.backend
    if task.case.variant.converts_input:
        return Inputs(host, host)
    placed = backend.block_until_ready(task.place(host))
    require_types(task, host, placed)
    return Inputs(host, placed)


def require_types(
    task: Task, host: Mapping[str, NDArray[Any]], placed: Mapping[str, Any]
) -> None:
    """Refuse inputs that are of another type on the device than on the host.

    Raises
    ------
    CannotMeasure
        Naming the first of them.
    """
    for name, array in host.items():
        if placed[name].dtype != array.dtype:
            msg = (
                f"input {name!r} is {array.dtype} on the host and {placed[name].dtype} "
                f"on {task.case.variant.device!r}: backend {task.backend.name!r} "
                "converted it silently. A case is measured in the type it names. "
                "Enable 64-bit types in the backend, or take the case out with "
                "'exclude'."
            )
            raise CannotMeasure(msg)
