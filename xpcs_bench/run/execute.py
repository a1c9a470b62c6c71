"""Carries out a plan: jobs to workers, answers to the journal."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from xpcs_bench.errors import WorkerFailure
from xpcs_bench.records import (
    Case,
    Measurement,
    Status,
    Verified,
    without_revision,
)
from xpcs_bench.run.budget import Budget
from xpcs_bench.run.compilation_cache import CacheFolders
from xpcs_bench.run.gating import Gating
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.listener import Listener
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, another, schedule
from xpcs_bench.run.search import Searching
from xpcs_bench.run.stock import AHEAD, Stock
from xpcs_bench.run.visit import Turns, Visit, failed, lost
from xpcs_bench.run.wire import (
    Finish,
    Load,
    Loaded,
    Measure,
    Message,
    Observed,
    Prepare,
    Ready,
    Take,
    Taken,
)
from xpcs_bench.run.worker import Limits, Worker

__all__ = ["execute"]

_RESULTS = frozenset({Status.OK, Status.PARITY_FAILED, Status.INVALID})
"""A measurement with one of these is not repeated when a run is resumed."""

T = TypeVar("T")
M = TypeVar("M", bound=Message)


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
        Where workers come from, closed when all is measured; None: processes of this
        machine.
    monotonic : callable
        Seconds from an arbitrary origin: what a budget is counted in.
    """
    done = frozenset(
        key
        for key, measurement in evidence.measurements.items()
        if measurement.observation.status in _RESULTS
    )
    with ExitStack() as stack:
        kernels = [choice.name for choice in plan.experiment.kernels]
        workers = stack.enter_context(
            stock or Stock(limits, plan.experiment.profile, kernels=kernels)
        )
        budget = Budget(plan, evidence, monotonic)
        run = _Run(plan, evidence, journal, workers, listener, monotonic)
        stack.callback(run.close)
        if plan.baseline:
            gating = Gating(plan, evidence, budget, limits.memory_bytes)
            listener.started(0)
            for jobs in gating.batches(done):
                listener.extended(sum(len(job.cases) for job in jobs))
                run.carry_out_all(jobs, budget)
            return
        if plan.experiment.crossover is not None:
            search = Searching(plan, evidence, budget, limits.memory_bytes)
            listener.started(0)
            for jobs in search.batches(done):
                listener.extended(sum(len(job.cases) for job in jobs))
                run.carry_out_all(jobs, budget, search.still)
            return
        jobs = list(schedule(plan, done, limits.memory_bytes))
        listener.started(sum(len(job.cases) for job in jobs))
        run.carry_out_all(jobs, budget)
        for group in budget.deserving():
            process, sound = budget.taken(group), budget.sound(group)
            jobs = another(group, sound, process, plan, limits.memory_bytes)
            listener.extended(sum(len(job.cases) for job in jobs))
            # it is likely to be the next one, too
            more = another(group, sound, process + 1, plan, limits.memory_bytes)
            for job, following in zip(jobs, [*jobs[1:], *more[:1]], strict=False):
                run.carry_out(job, following)


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

    def carry_out_all(
        self,
        jobs: Sequence[Job],
        budget: Budget,
        still: Callable[[Job], Job | None] = lambda job: job,
    ) -> None:
        """Measure the cases of jobs, as long as there is time.

        Parameters
        ----------
        still : callable
            Asked right before a job what is left of it to be done.
        """
        # side by side now, and not one after the other later: nothing is timed yet
        first = {job.process: job for job in reversed(jobs)}
        for process in sorted(first)[:AHEAD]:
            self._stock.lay_in(first[process])
        for planned, following in zip_longest(jobs, jobs[1:]):
            # every case is seen once, whatever that costs
            in_time = planned.process == 0 or budget.left_s() > 0
            job = still(planned) if in_time else None
            left_out = len(planned.cases) - (len(job.cases) if job else 0)
            if left_out:
                self._listener.extended(-left_out)
            if job:
                # what is started for a later process ends the forks of earlier ones
                near = following and following.process <= job.process + 1
                self.carry_out(job, following if near else None)

    def carry_out(self, job: Job, following: Job | None) -> None:
        """Measure the cases of a job."""
        if job.together:
            self.turns(job, following)
        else:
            self.one_after_the_other(job, following)

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
                    self._record(case, lost(case, job, failure))
                    continue
                worker = worker or self._stock.take(case, job, cache)
                if case.measure != "parity":
                    self._stock.settle()
                visit = Visit(case, job, worker, self._monotonic)
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
                Visit(
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
            live: list[Turns] = []
            for visit in self._shuffled(loaded):
                self._listener.working(visit.case, job.process)
                try:
                    ready = visit.worker.ask(Prepare(), Ready)
                except WorkerFailure as failure:
                    self._failed(visit, failure)
                else:
                    live.append(Turns(visit, ready))
            self._sample(live)
            self._stock.lay_in(following)  # the clock has stopped for this group
            told = self._tell([turns.visit for turns in live], lambda _: Finish())
            for visit, observed in self._heard(told, Observed):
                self._observed(visit, observed)

    def _tell(
        self, visits: list[Visit], request: Callable[[Visit], Message]
    ) -> list[Visit]:
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

    def _heard(self, visits: list[Visit], answer: type[M]) -> Iterator[tuple[Visit, M]]:
        """Yield who answered, and what; the others have failed."""
        for visit in visits:
            try:
                heard = visit.worker.hear(answer)
            except WorkerFailure as failure:
                self._failed(visit, failure)
            else:
                yield visit, heard

    def _sample(self, live: list[Turns]) -> None:
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
            case=without_revision(case),
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
        )

    def _load(self, case: Case) -> Load:
        return Load(
            case=without_revision(case),
            sampling=self._sampling,
            seed=self._plan.experiment.seed,
            tolerances=self._plan.experiment.tolerances,
            verified=self._verified.get(case.id),
        )

    def _observed(self, visit: Visit, observed: Observed) -> None:
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

    def _failed(self, visit: Visit, failure: WorkerFailure) -> None:
        self._record(visit.case, visit.measurement(failed(failure), None))

    def _record(self, case: Case, measurement: Measurement) -> None:
        self._evidence.measurements[measurement.case, measurement.process] = measurement
        self._verify(measurement)
        self._journal.measurement(measurement)
        self._listener.measured(case, measurement)
