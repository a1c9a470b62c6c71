"""Carries out a plan: jobs to workers, answers to the journal."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Protocol, TypeVar

from xpcs_bench.analysis.effort import MOST_PROCESSES, widest
from xpcs_bench.errors import (
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerRaised,
    WorkerTimedOut,
)
from xpcs_bench.measure import environment
from xpcs_bench.records import (
    Case,
    Diagnosis,
    Group,
    Measurement,
    Observation,
    Status,
    Verified,
)
from xpcs_bench.run.compilation_cache import CacheFolders
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, another, schedule
from xpcs_bench.run.stock import Stock
from xpcs_bench.run.wire import (
    Availability,
    Finish,
    Load,
    Loaded,
    Measure,
    Message,
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
_AHEAD = 3
"""Rounds of processes whose first workers are started before anything is timed."""

_STATUS: Mapping[type[WorkerFailure], Status] = {
    WorkerRaised: Status.RAISED,
    WorkerOutOfMemory: Status.OUT_OF_MEMORY,
    WorkerTimedOut: Status.TIMED_OUT,
    WorkerCrashed: Status.CRASHED,
}

_RESULTS = frozenset({Status.OK, Status.PARITY_FAILED, Status.INVALID})
"""A measurement with one of these is not repeated when a run is resumed."""

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Listener(Protocol):
    """Who wants to know how far the run is."""

    def started(self, total: int) -> None:
        """So many measurements are to come."""

    def extended(self, count: int) -> None:
        """So many more are to come than was said before; below zero: so many fewer."""

    def examined(self, diagnosis: Diagnosis) -> None:
        """A check that measures ceilings of the machine is on disk."""

    def working(self, case: Case, process: int) -> None:
        """A case is being measured."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """A measurement is on disk."""


class Silent:
    """A listener that says nothing."""

    def started(self, total: int) -> None:
        """Say nothing."""

    def extended(self, count: int) -> None:
        """Say nothing."""

    def examined(self, diagnosis: Diagnosis) -> None:
        """Say nothing."""

    def working(self, case: Case, process: int) -> None:
        """Say nothing."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """Say nothing."""


class _Visit:
    """One case in one worker, from when it is its turn to its last word."""

    def __init__(
        self, case: Case, job: Job, worker: Worker, monotonic: Callable[[], float]
    ) -> None:
        self.case = case
        self.process = job.process
        self.interleaved = job.together and len(job.cases) > 1
        self.worker = worker
        self.started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._monotonic = monotonic
        self._began = monotonic()
        self._waited_before_s = worker.waited_s

    def measurement(
        self, observation: Observation, environment: str | None
    ) -> Measurement:
        return Measurement(
            case=self.case.id,
            process=self.process,
            environment=environment,
            started=self.started,
            wall_s=self._monotonic() - self._began,
            startup_s=self.worker.waited_s - self._waited_before_s,
            interleaved=self.interleaved,
            start=self.worker.start,
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


def probe(limits: Limits, backends: tuple[str, ...] = ()) -> dict[str, Availability]:
    """Ask a fresh worker what could run on this machine; none for NumPy alone.

    Parameters
    ----------
    backends : tuple of str
        Those that matter; empty: all that are registered.

    Raises
    ------
    WorkerFailure
        The worker did not answer: the installation itself is broken.
    """
    if backends == ("numpy",):
        # it is in this process already, and all it has is this machine
        (found,) = environment.probe(backends).values()
        return {"numpy": Availability.model_validate(vars(found))}
    with Worker("probe", limits, worker_variables(None, None)) as worker:
        return worker.ask(Probe(backends=backends), Probed).backends


def execute(
    plan: Plan,
    evidence: Evidence,
    journal: Journal,
    limits: Limits,
    listener: Listener,
    *,
    stock: Stock | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Measure what ``evidence`` does not hold yet; add it to evidence and journal.

    A worker that fails costs its own case. KeyboardInterrupt passes through; what was
    measured before it stays.

    Parameters
    ----------
    stock : Stock, optional
        Where workers come from; None: processes of this machine.
    monotonic : callable
        Seconds from an arbitrary origin: what a budget is counted in.
    """
    done = {
        key
        for key, measurement in evidence.measurements.items()
        if measurement.observation.status in _RESULTS
    }
    jobs = list(schedule(plan, done, limits.memory_bytes))
    listener.started(sum(len(job.cases) for job in jobs))
    with ExitStack() as stack:
        workers = stack.enter_context(stock or Stock(limits, plan.experiment.profile))
        run = _Run(plan, evidence, journal, workers, listener, monotonic)
        stack.callback(run.close)
        # side by side now, and not one after the other later: nothing is timed yet
        first = {job.process: job for job in reversed(jobs)}
        for process in sorted(first)[:_AHEAD]:
            workers.lay_in(first[process])
        for job, following in zip_longest(jobs, jobs[1:]):
            # every case is seen once, whatever that costs
            if job.process == 0 or run.left_s() > 0:
                run.carry_out(job, following)
            else:
                listener.extended(-len(job.cases))
        run.spend_what_is_left(limits.memory_bytes)


def _failure(failure: WorkerFailure) -> Observation:
    status = next(
        status for kind, status in _STATUS.items() if isinstance(failure, kind)
    )
    return Observation(status=status, reason=str(failure))


def _lost(case: Case, job: Job, failure: WorkerFailure) -> Measurement:
    """Return the measurement of a case that was lost before its own process began."""
    return Measurement(
        case=case.id,
        process=job.process,
        environment=None,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        wall_s=0.0,
        startup_s=0.0,
        interleaved=False,
        log=failure.log,
        observation=_failure(failure),
    )


def _gain(half_width: float, n_processes: int) -> float:
    """By how much one more process is likely to narrow an interval."""
    return half_width * (1 - math.sqrt(n_processes / (n_processes + 1)))


class _Run:
    def __init__(
        self,
        plan: Plan,
        evidence: Evidence,
        journal: Journal,
        stock: Stock,
        listener: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        self._monotonic = monotonic
        self._plan = plan
        self._sampling = plan.experiment.sampling
        self._evidence = evidence
        self._journal = journal
        self._stock = stock
        self._listener = listener
        self._began = monotonic()
        self._spent_before_s = evidence.wall_s
        self._caches = CacheFolders(self._fill_cache)
        self._order = random.Random(plan.experiment.seed)  # noqa: S311 (an order)
        self._verified: dict[str, Verified] = {}
        for measurement in evidence.measurements.values():
            self._verify(measurement)

    def close(self) -> None:
        """Remove the folders that were made for the run."""
        self._caches.close()

    def _fill_cache(self, case: Case, folder: Path) -> None:
        """Let a process of the case leave in the folder what it has compiled."""
        job = Job(0, (case,), together=False)
        worker = self._stock.take(case, job, ("warm", folder))
        try:
            worker.ask(self._request(case), Observed)
        finally:
            worker.close()

    def left_s(self) -> float:
        """What is left of the budget, earlier sessions included (s)."""
        budget_s = self._sampling.budget_s
        if budget_s is None:
            return math.inf
        return budget_s - self._spent_before_s - (self._monotonic() - self._began)

    def carry_out(self, job: Job, following: Job | None) -> None:
        """Measure the cases of a job."""
        if job.together:
            self.turns(job, following)
        else:
            self.one_after_the_other(job, following)

    def spend_what_is_left(self, memory_limit: int) -> None:
        """Give the groups that gain most more processes, one by one.

        That is where an interval is wide, made of few processes, and a process is
        quick: the widest alone would take all, where it is wide because it is noisy.
        Until all are known as well as was asked for, or the next process would take
        longer than what is left of the budget.
        """
        if self._sampling.budget_s is None:
            return
        cases = {case.id: case for case in self._plan.cases}
        groups = {group.id: group for group in self._plan.groups}
        width = self._widest(list(groups.values()), cases)
        while True:
            gain = {
                name: _gain(known, self._taken(groups[name]))
                / self._cost_s(groups[name])
                for name, known in width.items()
                if known > self._sampling.precision
                and self._taken(groups[name]) < MOST_PROCESSES
                and self._cost_s(groups[name]) <= self.left_s()
            }
            if not gain:
                return
            group = groups[max(gain, key=gain.__getitem__)]
            process = self._taken(group)
            jobs = another(group, self._sound(group), process, self._plan, memory_limit)
            self._listener.extended(sum(len(job.cases) for job in jobs))
            # it is likely to be the next one, too
            more = another(
                group, self._sound(group), process + 1, self._plan, memory_limit
            )
            for job, following in zip(jobs, [*jobs[1:], *more[:1]], strict=False):
                self.carry_out(job, following)
            width |= self._widest([group], cases)

    def _widest(
        self, groups: list[Group], cases: Mapping[str, Case]
    ) -> dict[str, float]:
        return widest(groups, cases, list(self._evidence.measurements.values()))

    def _of(self, group: Group) -> list[Measurement]:
        measurements = self._evidence.measurements.values()
        return [row for row in measurements if row.case in group.cases]

    def _taken(self, group: Group) -> int:
        return 1 + max(row.process for row in self._of(group))

    def _cost_s(self, group: Group) -> float:
        """How long the last process of every case of a group took (s)."""
        last = {row.case: row.wall_s for row in self._of(group)}
        return sum(last.values())

    def _sound(self, group: Group) -> set[str]:
        """Cases that have ever been measured: the others are not tried again."""
        return {
            row.case for row in self._of(group) if row.observation.status is Status.OK
        }

    def one_after_the_other(self, job: Job, following: Job | None) -> None:
        """Measure the cases in one worker; start a new one when it is lost."""
        worker: Worker | None = None
        try:
            for case in job.cases:
                self._listener.working(case, job.process)
                try:
                    cache = self._caches.folder(case)
                except WorkerFailure as failure:
                    # what fills the cache is the case itself
                    self._record(case, _lost(case, job, failure))
                    continue
                worker = worker or self._stock.take(case, job, cache)
                if case.measure != "parity":
                    self._stock.settle()
                visit = _Visit(case, job, worker, self._monotonic)
                if case.measure == "parity":
                    self._stock.lay_in(following)  # nobody looks at the clock
                try:
                    observed = worker.ask(self._request(case), Observed)
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
                _Visit(
                    case,
                    job,
                    stack.enter_context(self._stock.take(case, job)),
                    self._monotonic,
                )
                for case in job.cases
            ]
            self._stock.settle()
            for visit in visits:
                visit.worker.come_up()
            told = self._tell(visits, lambda visit: self._load(visit.case))
            loaded = [visit for visit, _ in self._heard(told, Loaded)]
            live: list[_Turns] = []
            for visit in self._shuffled(loaded):
                self._listener.working(visit.case, job.process)
                try:
                    ready = visit.worker.ask(Prepare(), Ready)
                except WorkerFailure as failure:
                    self._failed(visit, failure)
                else:
                    live.append(_Turns(visit, ready))
            self._sample(live)
            self._stock.lay_in(following)  # the clock has stopped for this group
            told = self._tell([turns.visit for turns in live], lambda _: Finish())
            for visit, observed in self._heard(told, Observed):
                self._observed(visit, observed)

    def _tell(
        self, visits: list[_Visit], request: Callable[[_Visit], Message]
    ) -> list[_Visit]:
        """Send requests that all may work on at once; return who got one."""
        told = []
        for visit in visits:
            try:
                visit.worker.tell(request(visit))
            except WorkerFailure as failure:
                self._failed(visit, failure)
            else:
                told.append(visit)
        return told

    def _heard(
        self, visits: list[_Visit], answer: type[M]
    ) -> Iterator[tuple[_Visit, M]]:
        """Yield who answered, and what; the others have failed."""
        for visit in visits:
            try:
                heard = visit.worker.hear(answer)
            except WorkerFailure as failure:
                self._failed(visit, failure)
            else:
                yield visit, heard

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

    def _request(self, case: Case) -> Measure:
        return Measure(
            case=case,
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
        )

    def _load(self, case: Case) -> Load:
        return Load(
            case=case,
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
            verified=self._verified.get(case.id),
        )

    def _observed(self, visit: _Visit, observed: Observed) -> None:
        environment = observed.environment
        if environment.fingerprint not in self._evidence.environments:
            self._evidence.environments[environment.fingerprint] = environment
            self._journal.environment(environment)
        self._record(
            visit.case, visit.measurement(observed.observation, environment.fingerprint)
        )

    def _verify(self, measurement: Measurement) -> None:
        """Remember outputs that were found right: they need not be compared again."""
        observation = measurement.observation
        if observation.status is Status.OK and observation.checks:
            self._verified[measurement.case] = Verified(
                checks=observation.checks, outputs=observation.outputs
            )

    def _failed(self, visit: _Visit, failure: WorkerFailure) -> None:
        self._record(visit.case, visit.measurement(_failure(failure), None))

    def _record(self, case: Case, measurement: Measurement) -> None:
        self._evidence.measurements[measurement.case, measurement.process] = measurement
        self._verify(measurement)
        self._journal.measurement(measurement)
        self._listener.measured(case, measurement)
