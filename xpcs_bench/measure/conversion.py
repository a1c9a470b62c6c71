"""What it costs to take the main output of a kernel across a boundary."""

from __future__ import annotations

import json
import math
import tempfile
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from xpcs_bench.analysis.agreement import Tolerance, compare
from xpcs_bench.backends import ensure_numpy
from xpcs_bench.measure.boundaries.crossing import Boundary, StaleInput
from xpcs_bench.measure.boundary import BOUNDARIES
from xpcs_bench.measure.circumstances import ReadCounters, observed, read_counters
from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.executable import first_call
from xpcs_bench.measure.steady_state import Readings
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

    def __init__(self, boundary: Boundary, clock: Clock, read: ReadCounters) -> None:
        self._boundary = boundary
        self._clock = clock
        self._read = read
        self.blocks: list[Block] = []
        self.item: Any = None
        self.outcome: Any = None

    def take(self, loops: int, blocks: list[Block]) -> array[int]:
        """Cross ``loops`` times and append the block; return the one reading (ns)."""
        self.item = self.outcome = None  # released before more memory is asked for
        items = self._boundary.fresh(loops)
        cross, clock, outcome = self._boundary.cross, self._clock, None
        with observed(clock, blocks, self._read):
            started = clock()
            for item in items:
                outcome = cross(item)
            elapsed_ns = clock() - started
        self.item, self.outcome = items[-1], outcome
        return array("q", [elapsed_ns])


def measure(
    task: Task, clock: Clock, read: ReadCounters = read_counters
) -> Observation:
    """Sample the boundary of the case; every sample is a block of its own.

    Each crossing consumes an input that was never converted before. Inner loops are
    calibrated to ``min_sample_s`` as far as the pool of fresh inputs allows; sampling
    ends after ``MOST_SAMPLES``, or when the case's share of ``max_time_s`` is spent.
    What arrived last must equal what was sent, in value and type.
    """
    source, spent_ns = _main_output(task, clock)
    name = task.kernel.outputs(task.problem)[0].name
    crossing = BOUNDARIES[task.case.boundary or ""]
    with tempfile.TemporaryDirectory(prefix="xpcs_bench-") as folder:
        boundary = crossing(
            task.backend, task.case.variant.device, source, Path(folder)
        )
        with closing(boundary):
            try:
                return _sample(task, clock, read, boundary, name, spent_ns)
            except StaleInput as error:
                return Observation(status=Status.INVALID, reason=str(error))


def _sample(
    task: Task,
    clock: Clock,
    read: ReadCounters,
    boundary: Boundary,
    name: str,
    spent_ns: int,
) -> Observation:
    sent = ensure_numpy(boundary.source)
    sampling = task.sampling
    sampler, warmups, samples = _Sampler(boundary, clock, read), Readings(), Readings()
    blocks: list[Block] = []
    least_ns = sampling.min_sample_s * 1e9
    for _ in range(1 + sampling.warmup_calls):
        reading = sampler.take(1, [])
        warmups.add(reading, 1)
    pool = max(1, min(POOL_COUNT, POOL_BYTES // max(1, sent.nbytes)))
    loops = min(pool, math.ceil(least_ns / max(1, reading[0])))
    if loops > 1:
        warmups.add(sampler.take(loops, []), loops)
    budget_ns = sampling.max_time_s * 1e9 / sampling.processes
    began = clock()
    while len(blocks) < MOST_SAMPLES and (
        len(blocks) < LEAST_SAMPLES or clock() - began < budget_ns
    ):
        reading = sampler.take(loops, blocks)
        samples.add(reading, loops, len(blocks) - 1)
    arrived = boundary.arrived(sampler.outcome)
    check = ValueCheck(
        checks=(compare(name, arrived, sent, _UNCHANGED, against="input"),),
        outputs=(digest(name, np.asarray(arrived)),),
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
