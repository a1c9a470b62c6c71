"""Carries out a plan: jobs to workers, answers to the journal."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from xpcs_bench.analysis.estimate import settled
from xpcs_bench.errors import (
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerRaised,
    WorkerTimedOut,
)
from xpcs_bench.records import Case, Environment, Measurement, Observation, Status
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, schedule
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


@dataclass
class _Turns:
    """One live worker of a group that is sampled in turns."""

    case: Case
    worker: Worker
    started: str
    ready: Ready
    per_call_ns: list[float] = field(default_factory=list)
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
    run = _Run(plan, evidence, journal, limits, listener)
    for job in jobs:
        run.turns(job) if job.together else run.one_after_the_other(job)


class _Run:
    def __init__(
        self,
        plan: Plan,
        evidence: Evidence,
        journal: Journal,
        limits: Limits,
        listener: Listener,
    ) -> None:
        self._plan = plan
        self._sampling = plan.experiment.sampling
        self._evidence = evidence
        self._journal = journal
        self._limits = limits
        self._listener = listener
        self._order = random.Random(plan.experiment.seed)  # noqa: S311 (an order)

    def one_after_the_other(self, job: Job) -> None:
        """Measure the cases in one worker; start a new one when it is lost."""
        worker: Worker | None = None
        try:
            for case in job.cases:
                self._listener.working(case, job.process)
                started = _now()
                fresh = worker is None
                if worker is None:
                    worker = self._start(case)
                age_before = 0.0 if fresh else worker.age_s
                try:
                    observed = worker.ask(self._request(case, Measure), Observed)
                except WorkerFailure as failure:
                    self._failed(case, job, worker, started, failure, age_before)
                    worker.close()
                    worker = None
                else:
                    self._observed(case, job, worker, started, observed, age_before)
        finally:
            if worker is not None:
                worker.close()

    def turns(self, job: Job) -> None:
        """Sample the cases of a group in turns, one working at a time."""
        with ExitStack() as stack:
            started = {case.id: _now() for case in job.cases}
            # all come up side by side; from then on one works at a time
            workers = [
                (case, stack.enter_context(self._start(case))) for case in job.cases
            ]
            live: list[_Turns] = []
            for case, worker in self._shuffled(workers):
                self._listener.working(case, job.process)
                try:
                    ready = worker.ask(self._request(case, Prepare), Ready)
                except WorkerFailure as failure:
                    self._failed(case, job, worker, started[case.id], failure)
                else:
                    live.append(_Turns(case, worker, started[case.id], ready))
            self._sample(job, live)
            for turns in live:
                try:
                    observed = turns.worker.ask(Finish(), Observed)
                except WorkerFailure as failure:
                    self._failed(turns.case, job, turns.worker, turns.started, failure)
                else:
                    self._observed(
                        turns.case, job, turns.worker, turns.started, observed
                    )

    def _sample(self, job: Job, live: list[_Turns]) -> None:
        """Go round until all are settled or have spent their time.

        Who is settled keeps its turn while another is not: a ratio wants both sides
        from the same moments.
        """
        budget_s = self._sampling.max_time_s / self._sampling.processes
        active = list(live)
        while active:
            for turns in self._shuffled(active):
                self._listener.working(turns.case, job.process)
                try:
                    taken = turns.worker.ask(Take(count=turns.block()), Taken)
                except WorkerFailure as failure:
                    self._failed(turns.case, job, turns.worker, turns.started, failure)
                    active.remove(turns)
                    live.remove(turns)
                    continue
                turns.per_call_ns += taken.per_call_ns
                turns.sampled_s += (
                    sum(taken.per_call_ns) * turns.ready.inner_loops * 1e-9
                )
            active = [turns for turns in active if turns.sampled_s < budget_s]
            if all(
                settled(turns.per_call_ns, self._sampling.precision) for turns in active
            ):
                return

    def _shuffled(self, items: list[T]) -> list[T]:
        return self._order.sample(items, len(items))

    def _start(self, case: Case) -> Worker:
        variables = worker_variables(case.variant.backend, case.variant.device)
        return Worker(case.id, self._limits, variables)

    def _request(self, case: Case, kind: type[R]) -> R:
        return kind(
            case=case,
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
        )

    def _observed(
        self,
        case: Case,
        job: Job,
        worker: Worker,
        started: str,
        observed: Observed,
        age_before: float = 0.0,
    ) -> None:
        self._note(observed.environment)
        self._record(
            case,
            job,
            worker,
            started,
            observed.observation,
            observed.environment.fingerprint,
            age_before,
        )

    def _failed(
        self,
        case: Case,
        job: Job,
        worker: Worker,
        started: str,
        failure: WorkerFailure,
        age_before: float = 0.0,
    ) -> None:
        status = next(
            status for kind, status in _STATUS.items() if isinstance(failure, kind)
        )
        observation = Observation(status=status, reason=str(failure))
        self._record(case, job, worker, started, observation, None, age_before)

    def _note(self, environment: Environment) -> None:
        if environment.fingerprint not in self._evidence.environments:
            self._evidence.environments[environment.fingerprint] = environment
            self._journal.environment(environment)

    def _record(
        self,
        case: Case,
        job: Job,
        worker: Worker,
        started: str,
        observation: Observation,
        fingerprint: str | None,
        age_before: float,
    ) -> None:
        measurement = Measurement(
            case=case.id,
            process=job.process,
            environment=fingerprint,
            started=started,
            wall_s=worker.age_s - age_before,
            startup_s=0.0 if age_before else worker.startup_s,
            interleaved=job.together and len(job.cases) > 1,
            log=worker.log(),
            observation=observation,
        )
        self._evidence.measurements[case.id, job.process] = measurement
        self._journal.measurement(measurement)
        self._listener.measured(case, measurement)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
