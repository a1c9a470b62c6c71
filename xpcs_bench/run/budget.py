"""The time of an experiment, and which of its groups gains most for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from xpcs_bench.analysis.effort import MOST_PROCESSES, widest
from xpcs_bench.records import Group, Measurement, Status
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.plan import Plan

__all__ = ["Budget"]


def _gain(half_width: float, n_processes: int) -> float:
    """By how much one more process is likely to narrow an interval."""
    return half_width * (1 - math.sqrt(n_processes / (n_processes + 1)))


class Budget:
    """What is left of the time, and who gets it.

    Parameters
    ----------
    plan : Plan
    evidence : Evidence
        Grows while the run goes on.
    monotonic : callable
        Seconds from an arbitrary origin.
    """

    def __init__(
        self, plan: Plan, evidence: Evidence, monotonic: Callable[[], float]
    ) -> None:
        self._sampling = plan.experiment.sampling
        self._cases = {case.id: case for case in plan.cases}
        self._groups = {group.id: group for group in plan.groups}
        self._evidence = evidence
        self._monotonic = monotonic
        self._began = monotonic()
        self._spent_before_s = evidence.wall_s

    def left_s(self) -> float:
        """What is left of the budget, earlier sessions included (s)."""
        budget_s = self._sampling.budget_s
        if budget_s is None:
            return math.inf
        return budget_s - self._spent_before_s - (self._monotonic() - self._began)

    def deserving(self) -> Iterator[Group]:
        """Yield the group that gains most from one more process, until there is none.

        That is where an interval is wide, made of few processes, and a process is
        quick: the widest alone would take all, where it is wide because it is noisy.
        Whoever asks for the next one has measured the one before. It ends when all are
        known as well as was asked for, or the next process would take longer than what
        is left; without a budget at once.
        """
        if self._sampling.budget_s is None:
            return
        width = self._widest(list(self._groups.values()))
        while True:
            gain = {
                name: _gain(known, self.taken(self._groups[name]))
                / self._cost_s(self._groups[name])
                for name, known in width.items()
                if known > self._sampling.precision
                and self.taken(self._groups[name]) < MOST_PROCESSES
                and self._cost_s(self._groups[name]) <= self.left_s()
            }
            if not gain:
                return
            group = self._groups[max(gain, key=gain.__getitem__)]
            yield group
            width |= self._widest([group])

    def taken(self, group: Group) -> int:
        """Count the processes that a group has had."""
        return 1 + max(row.process for row in self._of(group))

    def sound(self, group: Group) -> set[str]:
        """Name the cases that have ever been measured: others are not tried again."""
        return {
            row.case for row in self._of(group) if row.observation.status is Status.OK
        }

    def _widest(self, groups: Sequence[Group]) -> dict[str, float]:
        return widest(groups, self._cases, list(self._evidence.measurements.values()))

    def _of(self, group: Group) -> list[Measurement]:
        measurements = self._evidence.measurements.values()
        return [row for row in measurements if row.case in group.cases]

    def _cost_s(self, group: Group) -> float:
        """How long the last process of every case of a group took (s)."""
        last = {row.case: row.wall_s for row in self._of(group)}
        return sum(last.values())
