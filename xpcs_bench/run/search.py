"""The jobs of a run that searches: what comes next is known when something was seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from xpcs_bench.analysis.families import Families, processes_taken
from xpcs_bench.records import Group, Measurement, Status
from xpcs_bench.run.budget import Budget
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, another, schedule

__all__ = ["Searching"]


class Searching:
    """Asks a search what to measure next, from what the run has measured so far.

    It keeps nothing of its own: a run that is resumed goes on from its evidence.

    Parameters
    ----------
    plan : Plan
        Of an experiment with a search.
    evidence : Evidence
        Grows while the run goes on.
    budget : Budget
        Ends the search when it is spent.
    memory_limit : int
        Cases of a group that together need more take no turns, but follow each other.
    """

    def __init__(
        self, plan: Plan, evidence: Evidence, budget: Budget, memory_limit: int
    ) -> None:
        self._plan = plan
        self._evidence = evidence
        self._budget = budget
        self._memory_limit = memory_limit
        self._families = Families(
            plan.experiment, plan.cases, plan.groups, plan.skipped
        )
        self._order = random.Random(plan.experiment.seed)  # noqa: S311 (an order)

    def batches(self, done: frozenset[tuple[str, int]]) -> Iterator[list[Job]]:
        """Yield jobs that may follow each other without another look at what they saw.

        Controls come first, then the search, then what else is measured, at the sizes
        that the search has measured. Whoever asks for the next batch has measured the
        one before.

        Parameters
        ----------
        done : collection of (case id, process)
            What has a measurement already.
        """
        searched = {
            group.id for family in self._families for group in family.groups.values()
        }
        cases = {case.id: case for case in self._plan.cases}
        controls = [
            group
            for group in self._plan.groups
            if cases[group.reference].variant.control
        ]
        yield self._scheduled(controls, done)
        while jobs := self._next():
            yield jobs
            if self._budget.left_s() <= 0:
                break
        measured = list(self._evidence.measurements.values())
        beside = set(self._families.unneeded(measured))
        others = [
            group.model_copy(
                update={"cases": tuple(c for c in group.cases if c not in beside)}
            )
            for group in self._plan.groups
            if group.id not in searched and group not in controls
        ]
        yield self._scheduled([group for group in others if group.cases], done)

    def _scheduled(
        self, groups: list[Group], done: frozenset[tuple[str, int]]
    ) -> list[Job]:
        plan = replace(self._plan, groups=tuple(groups))
        return list(schedule(plan, done, self._memory_limit))

    def _next(self) -> list[Job]:
        """Return the jobs of the next sizes, the first process of all of them first."""
        measurements = list(self._evidence.measurements.values())
        rows: dict[str, list[Measurement]] = {}
        for row in measurements:
            rows.setdefault(row.case, []).append(row)
        rounds: dict[int, list[Job]] = {}
        for family in self._families:
            for size, count in self._families.wanted(family, measurements).items():
                group = family.groups[size]
                for process in range(processes_taken(group, rows), count):
                    rounds.setdefault(process, []).extend(
                        another(
                            group,
                            group.cases,
                            process,
                            self._plan,
                            self._memory_limit,
                        )
                    )
        jobs: list[Job] = []
        for _, found in sorted(rounds.items()):
            self._order.shuffle(found)
            jobs += found
        return jobs

    def still(self, job: Job) -> Job | None:
        """Return a job without the cases that failed meanwhile; None: nothing is left.

        A case that took too long, or too much memory, is not tried again at its size.
        """
        failed = {
            row.case
            for row in self._evidence.measurements.values()
            if row.observation.status is not Status.OK
        }
        cases = tuple(case for case in job.cases if case.id not in failed)
        return replace(job, cases=cases) if cases else None
