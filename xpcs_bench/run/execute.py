"""Carries out a plan: jobs to workers, answers to the journal."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Protocol, TypeVar

from xpcs_bench.errors import (
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerRaised,
    WorkerTimedOut,
)
from xpcs_bench.records import Case, Measurement, Observation, Status
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, schedule
from xpcs_bench.run.stock import Stock
from xpcs_bench.run.wire import (
    Availability,
    Finish,
    Measure,
    Observed,
    Prepare,
    Probe,
    Probed,
    Ready,
    Take,
    Taken,
)
from xpcs_bench.run.worker import Limits, Worker, worker_variables

__all__ = ["Listener", "Silent", "execute", "probe"]

_BLOCK_S = 0.05
"""How long one case samples before the next of its group has its turn: long against
the cost of changing turns (1 ms), short against the drift of a machine (seconds)."""
_MAX_BLOCK = 1000
"""Most samples in one block."""

_STATUS: Mapping[type[WorkerFailure], Status] = {
    WorkerRaised: Status.RAISED,
    WorkerOutOfMemory: Status.OUT_OF_MEMORY,
    WorkerTimedOut: Status.TIMED_OUT,
    WorkerCrashed: Status.CRASHED,
}

_RESULTS = frozenset({Status.OK, Status.PARITY_FAILED, Status.INVALID})
"""A measurement with one of these is not repeated when a run is resumed."""

T = TypeVar("T")
R = TypeVar("R", Measure, Prepare)


class Listener(Protocol):
    """Who wants to know how far the run is."""

    def started(self, total: int) -> None:
        """So many measurements are to come."""

    def working(self, case: Case, process: int) -> None:
        """A case is being measured."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """A measurement is on disk."""


class Silent:
    """A listener that says nothing."""

    def started(self, total: int) -> None:
        """Say nothing."""

    def working(self, case: Case, process: int) -> None:
        """Say nothing."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """Say nothing."""


class _Visit:
    """One case in one worker, from when it is its turn to its last word."""

    def __init__(self, case: Case, job: Job, worker: Worker) -> None:
        self.case = case
        self.process = job.process
        self.interleaved = job.together and len(job.cases) > 1
        self.worker = worker
        self.started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._began = time.monotonic()
        self._waited_before_s = worker.waited_s

    def measurement(
        self, observation: Observation, environment: str | None
    ) -> Measurement:
        return Measurement(
            case=self.case.id,
            process=self.process,
            environment=environment,
            started=self.started,
            wall_s=time.monotonic() - self._began,
            startup_s=self.worker.waited_s - self._waited_before_s,
            interleaved=self.interleaved,
            log=self.worker.log(),
            observation=observation,
        )


@dataclass
class _Turns:
    """A case that is sampled in turns: warmed up, and how far it is."""

    visit: _Visit
    ready: Ready
    half_width: float = math.inf
    sampled_s: float = 0.0

    def block(self) -> int:
        sample_ns = self.ready.call_ns * self.ready.inner_loops
        return max(1, min(_MAX_BLOCK, round(_BLOCK_S * 1e9 / max(sample_ns, 1))))


def probe(limits: Limits) -> dict[str, Availability]:
    """Ask a fresh worker what could run on this machine.

    Raises
    ------
    WorkerFailure
        The worker did not answer: the installation itself is broken.
    """
    with Worker("probe", limits, worker_variables(None, None)) as worker:
        return worker.ask(Probe(), Probed).backends


def execute(
    plan: Plan, evidence: Evidence, journal: Journal, limits: Limits, listener: Listener
) -> None:
    """Measure what ``evidence`` does not hold yet; add it to evidence and journal.

    A worker that fails costs its own case. KeyboardInterrupt passes through; what was
    measured before it stays.
    """
    done = {
        key
        for key, measurement in evidence.measurements.items()
        if measurement.observation.status in _RESULTS
    }
    jobs = list(schedule(plan, done, limits.memory_bytes))
    listener.started(sum(len(job.cases) for job in jobs))
    with Stock(limits, plan.experiment.profile) as stock:
        run = _Run(plan, evidence, journal, stock, listener)
        for job, following in zip_longest(jobs, jobs[1:]):
            if job.together:
                run.turns(job, following)
            else:
                run.one_after_the_other(job, following)


class _Run:
    def __init__(
        self,
        plan: Plan,
        evidence: Evidence,
        journal: Journal,
        stock: Stock,
        listener: Listener,
    ) -> None:
        self._plan = plan
        self._sampling = plan.experiment.sampling
        self._evidence = evidence
        self._journal = journal
        self._stock = stock
        self._listener = listener
        self._order = random.Random(plan.experiment.seed)  # noqa: S311 (an order)

    def one_after_the_other(self, job: Job, following: Job | None) -> None:
        """Measure the cases in one worker; start a new one when it is lost."""
        worker: Worker | None = None
        try:
            for case in job.cases:
                self._listener.working(case, job.process)
                worker = worker or self._stock.take(case, job)
                visit = _Visit(case, job, worker)
                if case.measure == "parity":
                    self._stock.lay_in(following)  # nobody looks at the clock
                try:
                    observed = worker.ask(self._request(case, Measure), Observed)
                except WorkerFailure as failure:
                    self._failed(visit, failure)
                    worker.close()
                    worker = None
                else:
                    self._observed(visit, observed)
        finally:
            if worker is not None:
                worker.close()

    def turns(self, job: Job, following: Job | None) -> None:
        """Sample the cases of a group in turns, one working at a time."""
        with ExitStack() as stack:
            # all come up side by side; from then on one works at a time
            visits = [
                _Visit(case, job, stack.enter_context(self._stock.take(case, job)))
                for case in job.cases
            ]
            for visit in visits:
                visit.worker.come_up()
            live: list[_Turns] = []
            for visit in self._shuffled(visits):
                self._listener.working(visit.case, job.process)
                try:
                    ready = visit.worker.ask(self._request(visit.case, Prepare), Ready)
                except WorkerFailure as failure:
                    self._failed(visit, failure)
                else:
                    live.append(_Turns(visit, ready))
            self._sample(live)
            self._stock.lay_in(following)  # the clock has stopped for this group
            for turns in live:
                try:
                    observed = turns.visit.worker.ask(Finish(), Observed)
                except WorkerFailure as failure:
                    self._failed(turns.visit, failure)
                else:
                    self._observed(turns.visit, observed)

    def _sample(self, live: list[_Turns]) -> None:
        """Go round until all are settled or have spent their time.

        Who is settled keeps its turn while another is not: a ratio wants both sides
        from the same moments. Who fails leaves ``live``.
        """
        budget_s = self._sampling.max_time_s / self._sampling.processes
        active = list(live)
        while active:
            for turns in self._shuffled(active):
                visit = turns.visit
                self._listener.working(visit.case, visit.process)
                try:
                    taken = visit.worker.ask(Take(count=turns.block()), Taken)
                except WorkerFailure as failure:
                    self._failed(visit, failure)
                    active.remove(turns)
                    live.remove(turns)
                    continue
                if taken.half_width is not None:
                    turns.half_width = taken.half_width
                turns.sampled_s += (
                    sum(taken.per_call_ns) * turns.ready.inner_loops * 1e-9
                )
            active = [turns for turns in active if turns.sampled_s < budget_s]
            if all(turns.half_width <= self._sampling.precision for turns in active):
                return

    def _shuffled(self, items: list[T]) -> list[T]:
        return self._order.sample(items, len(items))

    def _request(self, case: Case, kind: type[R]) -> R:
        return kind(
            case=case,
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
        )

    def _observed(self, visit: _Visit, observed: Observed) -> None:
        environment = observed.environment
        if environment.fingerprint not in self._evidence.environments:
            self._evidence.environments[environment.fingerprint] = environment
            self._journal.environment(environment)
        self._record(
            visit, visit.measurement(observed.observation, environment.fingerprint)
        )

    def _failed(self, visit: _Visit, failure: WorkerFailure) -> None:
        status = next(
            status for kind, status in _STATUS.items() if isinstance(failure, kind)
        )
        observation = Observation(status=status, reason=str(failure))
        self._record(visit, visit.measurement(observation, None))

    def _record(self, visit: _Visit, measurement: Measurement) -> None:
        self._evidence.measurements[measurement.case, measurement.process] = measurement
        self._journal.measurement(measurement)
        self._listener.measured(visit.case, measurement)
