"""What it costs to take the main output of a kernel across a boundary."""

from __future__ import annotations

import json
import math
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from xpcs_bench.analysis.agreement import Tolerance, compare
from xpcs_bench.backends import ensure_numpy
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.boundaries.crossing import Boundary, StaleInput
from xpcs_bench.measure.boundary import BOUNDARIES, skip_reason
from xpcs_bench.measure.circumstances import Instruments, observed
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.steady_state import Labels, Readings
from xpcs_bench.measure.task import Task, place_inputs
from xpcs_bench.measure.values import ValueCheck, digest
from xpcs_bench.records import Block, Observation, Status

__all__ = ["LEAST_SAMPLES", "MOST_SAMPLES", "POOL_BYTES", "POOL_COUNT", "measure"]

LEAST_SAMPLES = 3
MOST_SAMPLES = 30
POOL_BYTES = 256 * 2**20
"""Most memory for the fresh arrays of one reading (bytes); one array always fits."""
POOL_COUNT = 256
"""Most fresh arrays of one reading: making them costs more than converting them."""

_UNCHANGED = Tolerance(0.0, 0.0, "A conversion changes nothing.")

_last_output: dict[str, Any] = {}
"""The main output of one problem: all boundaries of a variant share a worker."""


def _main_output(task: Task, clock: Clock) -> tuple[Any, int]:
    """Return the array that is converted, and what its first call took (ns)."""
    problem = task.case.model_dump(
        mode="json", exclude={"labels", "measure", "boundary"}
    )
    key = json.dumps([problem, task.seed], sort_keys=True)
    spent_ns = 0
    if key not in _last_output:
        _last_output.clear()
        _, outputs, spent_ns = first_call(task, place_inputs(task), clock)
        main = task.kernel.outputs(task.problem)[0].name
        _last_output[key] = outputs[main]
    return _last_output[key], spent_ns


class _Sampler:
    """Takes readings at an open boundary, every crossing with a fresh input."""

    def __init__(
        self, boundary: Boundary, clock: Clock, instruments: Instruments
    ) -> None:
        self._boundary = boundary
        self._clock = clock
        self._instruments = instruments
        self.item: Any = None
        """What crossed last."""
        self.outcome: Any = None
        """What became of it."""

    def take(self, loops: int, blocks: list[Block]) -> int:
        """Cross ``loops`` times, append the block, and return the reading (ns).

        One more crosses before: making the inputs has driven the code that converts out
        of the caches, and a view would be told as many times what it takes.
        """
        self.item = self.outcome = None  # released before more memory is asked for
        ahead, *items = self._boundary.fresh(1 + loops)
        cross, clock, outcome = self._boundary.cross, self._clock, None
        cross(ahead)
        with observed(clock, blocks, self._instruments):
            started = clock()
            for item in items:
                outcome = cross(item)
            elapsed_ns = clock() - started
        self.item, self.outcome = items[-1], outcome
        return elapsed_ns


def measure(
    task: Task, clock: Clock, instruments: Instruments | None = None
) -> Observation:
    """Sample the boundary of the case; every sample is a block of its own.

    Each crossing consumes an input that was never converted before, and the code that
    converts has just run. Inner loops are
    calibrated to ``min_sample_s`` as far as the pool of fresh inputs allows; sampling
    ends after ``MOST_SAMPLES``, or when the case's share of ``max_time_s`` is spent.
    What arrived last must equal what was sent, in value and type.

    Raises
    ------
    CannotMeasure
        There is no such boundary, or it cannot be crossed here.
    """
    name, device = task.case.boundary, task.case.variant.device
    reason = skip_reason(name, task.case.variant.backend, device)
    if name is None or reason:
        msg = f"boundary {name!r}: {reason}"
        raise CannotMeasure(msg)
    source, spent_ns = _main_output(task, clock)
    with tempfile.TemporaryDirectory(prefix="xpcs_bench-") as folder:
        boundary = BOUNDARIES[name](task.backend, device, source, Path(folder))
        with closing(boundary):
            try:
                read = instruments or Instruments()
                sampler = _Sampler(boundary, clock, read)
                found = _sample(task, clock, boundary, sampler, spent_ns)
                return found.model_copy(update={"cores": read.cores})
            except StaleInput as error:
                return Observation(status=Status.INVALID, reason=str(error))


def _labels(block: Block) -> Labels:
    """Return the labels of the one sample of a block: those of the block."""
    return Labels(
        block.cpu_ns,
        block.run_delay_ns,
        block.involuntary_switches,
        block.minor_faults,
    )


def _sample(
    task: Task, clock: Clock, boundary: Boundary, sampler: _Sampler, spent_ns: int
) -> Observation:
    sent = ensure_numpy(boundary.source)
    sampling = task.sampling
    warmups, samples, blocks = Readings(), Readings(), list[Block]()
    elapsed_ns = 0
    for _ in range(1 + sampling.warmup_calls):
        elapsed_ns = sampler.take(1, [])
        warmups.add([elapsed_ns], 1)
    pool = max(1, min(POOL_COUNT, POOL_BYTES // max(1, sent.nbytes)))
    least_ns = round(sampling.min_sample_s * 1e9)
    loops = min(pool, math.ceil(least_ns / max(1, elapsed_ns)))
    if loops > 1:
        warmups.add([sampler.take(loops, [])], loops)
    budget_ns = sampling.max_time_s * 1e9 / sampling.processes
    began = clock()
    while len(blocks) < MOST_SAMPLES and (
        len(blocks) < LEAST_SAMPLES or clock() - began < budget_ns
    ):
        elapsed_ns = sampler.take(loops, blocks)
        samples.add([elapsed_ns], loops, len(blocks) - 1, [_labels(blocks[-1])])
    name = task.kernel.outputs(task.problem)[0].name
    arrived = boundary.arrived(sampler.outcome)
    check = ValueCheck(
        checks=(compare(name, arrived, sent, _UNCHANGED, against="input"),),
        outputs=(digest(name, arrived),),
        output_bytes=arrived.nbytes,
        aliased="",
    )
    return check.observation(
        input_bytes=sent.nbytes,
        invalid=boundary.flaw(sampler.item, sampler.outcome),
        warmups=warmups.samples(),
        samples=samples.samples(),
        blocks=tuple(blocks),
        spent_ns=spent_ns + warmups.total_ns + samples.total_ns,
    )
