"""The jobs of a gate: more pairs of processes where a case is undecided, only there.

The numbers of pairs after which it looks were fixed beforehand. A decision is made of
all pairs so far, so that a gate that is resumed goes on from its evidence.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import replace

from xpcs_bench.analysis.regression import regressions
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.config import PRESETS_OF_GATES
from xpcs_bench.records import Group, Outcome
from xpcs_bench.run.budget import Budget
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import Job, another, schedule

__all__ = ["Gating"]


class Gating:
    """Says what to measure until every case is decided, or has had its last look.

    Parameters
    ----------
    plan : Plan
        Of two revisions.
    evidence : Evidence
        Grows while the run goes on.
    budget : Budget
        Ends it between two looks when it is spent.
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
        self._gate = plan.experiment.gate or PRESETS_OF_GATES["default"]
        self._order = random.Random(plan.experiment.seed)  # noqa: S311 (an order)

    def batches(self, done: Collection[tuple[str, int]]) -> Iterator[list[Job]]:
        """Yield the jobs up to each look; whoever asks for more has measured them.

        Parameters
        ----------
        done : collection of (case id, process)
            What has a measurement already.
        """
        first, *others = self._gate.looks
        sampling = self._plan.experiment.sampling.model_copy(
            update={"processes": first}
        )
        experiment = self._plan.experiment.model_copy(update={"sampling": sampling})
        started = replace(self._plan, experiment=experiment)
        yield list(schedule(started, done, self._memory_limit))
        before = first
        for look in others:
            groups = self._undecided()
            if not groups or self._budget.left_s() <= 0:
                return
            yield self._more(groups, range(before, look), done)
            before = look

    def _undecided(self) -> list[Group]:
        """Return the groups that a further pair would tell something of.

        A control that did not come out right is one: nothing is told without it. The
        cases that it is there for are not: what they say by themselves is known.
        """
        measurements = list(self._evidence.measurements.values())
        summary = summarise(self._plan.cases, self._plan.groups, measurements)
        found = regressions(
            self._gate,
            self._plan.cases,
            self._plan.groups,
            measurements,
            controls=(),
        )
        wanted = {row.group for row in found if row.outcome is Outcome.INCONCLUSIVE} | {
            control.group
            for control in summary.controls
            if control.outcome is not Outcome.PASS and control.ratio is not None
        }
        return [group for group in self._plan.groups if group.id in wanted]

    def _more(
        self,
        groups: list[Group],
        processes: range,
        done: Collection[tuple[str, int]],
    ) -> list[Job]:
        jobs: list[Job] = []
        for process in processes:
            found = [
                job
                for group in groups
                if any((case, process) not in done for case in group.cases)
                for job in another(
                    group, group.cases, process, self._plan, self._memory_limit
                )
            ]
            self._order.shuffle(found)
            jobs += found
        return jobs
