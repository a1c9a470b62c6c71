"""Workers started ahead: interpreters come up while nobody looks at the clock.

Starting one takes about half a second of CPU time, most of it imports. A worker is
blank until it gets its first request, so any one with the right variables will do;
every case still gets a fresh process.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from xpcs_bench.records import Case
from xpcs_bench.run.schedule import Job
from xpcs_bench.run.worker import Limits, Worker, worker_variables

__all__ = ["Stock"]


class Stock:
    """Blank workers, by what they were started for; ends those that are left over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._blank: dict[tuple[str, str], list[Worker]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for workers in self._blank.values():
            for worker in workers:
                worker.close()

    def take(self, case: Case) -> Worker:
        """Hand out a fresh worker for a case; the caller closes it."""
        blank = self._blank.get(_key(case))
        worker = blank.pop() if blank else self._start(case)
        worker.name = case.id
        return worker

    def lay_in(self, job: Job | None) -> None:
        """Start what a job will need; call it only while nobody is timed."""
        if job is None:
            return
        for case in job.cases if job.together else job.cases[:1]:
            blank = self._blank.setdefault(_key(case), [])
            blank.append(self._start(case))

    def _start(self, case: Case) -> Worker:
        variables = worker_variables(case.variant.backend, case.variant.device)
        return Worker(case.id, self._limits, variables)


def _key(case: Case) -> tuple[str, str]:
    return case.variant.backend, case.variant.device
