"""Whether the values that an executable returned are right, and what they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.analysis.agreement import (
    Tolerance,
    compare_outputs,
    compare_truth,
    require_finite,
)
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.task import Inputs, Task, require_types
from xpcs_bench.records import Agreement, Observation, OutputDigest, Status, Verified

__all__ = ["ValueCheck", "check_values", "digest", "reference_outputs", "sentence"]

Host = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ValueCheck:
    """What is known of the outputs of one call."""

    checks: tuple[Agreement, ...]
    outputs: tuple[OutputDigest, ...]
    output_bytes: int
    aliased: str
    """Empty, or a sentence: an output is not the executable's own."""

    def observation(
        self, *, input_bytes: int, invalid: str = "", **fields: Any
    ) -> Observation:
        """Complete an observation; wrong values outweigh what else makes it invalid."""
        status, reason = Status.OK, ""
        failed = [check for check in self.checks if not check.passed]
        if failed:
            status, reason = Status.PARITY_FAILED, sentence(failed[0])
            if len(failed) > 1:
                reason += (
                    f" {len(failed) - 1} more of {len(self.checks)} checks failed."
                )
        elif invalid or self.aliased:
            status, reason = Status.INVALID, invalid or self.aliased
        return Observation(
            status=status,
            reason=reason,
            checks=self.checks,
            outputs=self.outputs,
            input_bytes=input_bytes,
            output_bytes=self.output_bytes,
            **fields,
        )


def sentence(check: Agreement) -> str:
    """Say which output it is about, against what, and what was found where."""
    return f"output {check.output!r} against the {check.against}: {check.reason}"


_last_reference: dict[str, Host] = {}
"""The reference of one problem: the cases of a worker mostly share it, and more than
one set of outputs may not fit into memory."""


def reference_outputs(task: Task, inputs: Inputs) -> Host:
    """Compute the kernel's reference, in the dtype of the case, from the host inputs.

    Raises
    ------
    CannotMeasure
        They are not what the kernel declares: there is nothing to be right about.
    """
    case = task.case.model_dump(
        mode="json",
        include={"kernel", "kernel_version", "params", "detector", "geometry"},
    )
    key = json.dumps([case, task.problem.dtype, task.seed], sort_keys=True)
    if key not in _last_reference:
        reference = task.kernel.reference(task.problem, inputs.host)
        _require_declared(task, reference)
        _last_reference.clear()
        _last_reference[key] = reference
    return _last_reference[key]


def check_values(
    task: Task,
    inputs: Inputs,
    outputs: Mapping[str, Any],
    verified: Verified | None = None,
) -> ValueCheck:
    """Check the outputs of one call; give it those of the call that was timed.

    Against the reference: names, shapes, types, non-finite pattern, values. Against
    the truth, where the kernel knows it: values at sampled points. An output that
    must be finite and is not has one more, failed, check: the reference may be
    non-finite too. What is equal to ``verified`` bit by bit is not compared again.

    Raises
    ------
    CannotMeasure
        There is nothing to be right about, or calls that convert their inputs give them
        another type.
    """
    actual = {name: _on_host(task, x) for name, x in outputs.items()}
    digests = tuple(digest(name, array) for name, array in actual.items())
    output_bytes = sum(array.nbytes for array in actual.values())
    if verified is not None and digests == verified.outputs:
        return ValueCheck(verified.checks, digests, output_bytes, aliased="")
    if task.case.variant.converts_input:
        require_types(task, inputs.host, task.place(inputs.host))
    reference = reference_outputs(task, inputs)
    tolerances = {name: _tolerance(task, name) for name in reference}
    checks = list(compare_outputs(actual, reference, tolerances))
    for name, truths in task.kernel.truth(task.problem, inputs.host).items():
        if name in actual:
            dtype = reference[name].dtype
            checks.append(
                compare_truth(name, actual[name], truths, tolerances[name], dtype)
            )
    for output in task.kernel.outputs(task.problem):
        if output.finite and output.name in actual:
            finiteness = require_finite(output.name, actual[output.name])
            if not finiteness.passed:
                checks.append(finiteness)
    return ValueCheck(
        checks=tuple(checks),
        outputs=digests,
        output_bytes=output_bytes,
        aliased=_aliased(actual, reference),
    )


def _on_host(task: Task, output: Any) -> NDArray[Any]:
    # what the call has converted is no array of the backend any more
    if isinstance(output, np.ndarray):
        return output
    return np.asarray(task.backend.to_numpy(output))


def digest(name: str, array: NDArray[Any]) -> OutputDigest:
    """Digest the values of an output, whatever their layout in memory."""
    contents = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return OutputDigest(
        name=name,
        shape=array.shape,
        dtype=str(array.dtype),
        sha256=hashlib.sha256(contents.data).hexdigest(),
    )


def _require_declared(task: Task, reference: Host) -> None:
    declared = {
        output.name: np.dtype(output.dtype or task.problem.dtype)
        for output in task.kernel.outputs(task.problem)
    }
    found = {name: array.dtype for name, array in reference.items()}
    if found != declared:
        msg = (
            f"kernel {task.case.kernel!r} has the reference {_listed(found)}, and "
            f"declares {_listed(declared)}. Correct its outputs(), compute() or "
            "reference()."
        )
        raise CannotMeasure(msg)


def _listed(dtypes: Mapping[str, np.dtype[Any]]) -> str:
    return ", ".join(f"{name}: {dtype}" for name, dtype in dtypes.items()) or "nothing"


def _tolerance(task: Task, output: str) -> Tolerance:
    """Return the kernel's own, or the last override in the experiment that matches."""
    tolerance = task.kernel.tolerance(task.problem, output)
    for row in task.tolerances:
        if (
            row.kernel == task.case.kernel
            and row.output in {None, output}
            and row.dtype in {None, task.problem.dtype}
        ):
            tolerance = Tolerance(row.rtol, row.atol, row.reason)
    return tolerance


def _aliased(actual: Host, reference: Host) -> str:
    for name, array in actual.items():
        if name in reference and np.may_share_memory(array, reference[name]):
            return (
                f"output {name!r} is the very array of the reference: the kernel keeps "
                "its results between calls, so neither its time nor its values were "
                "tested. A kernel computes anew in every call."
            )
    return ""
