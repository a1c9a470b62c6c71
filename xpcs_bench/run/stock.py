"""Workers started ahead: interpreters come up while nobody looks at the clock.

Starting one takes about half a second of CPU time, most of it imports. A worker is
blank until it gets its first request, so any one with the right variables will do;
every case still gets a fresh process.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from xpcs_bench.config import CompilationCache, Profile
from xpcs_bench.records import Case
from xpcs_bench.run.schedule import Job
from xpcs_bench.run.worker import Limits, Worker, cores, worker_variables

__all__ = ["Stock"]


class _Kind(NamedTuple):
    """What a blank worker was started for."""

    backend: str
    device: str
    core: int | None


class Stock:
    """Blank workers, by what they were started for; ends those that are left over."""

    def __init__(self, limits: Limits, profile: Profile) -> None:
        self._limits = limits
        self._profile = profile
        self._cores = cores() if profile.pinned else ()
        self._blank: dict[_Kind, list[Worker]] = {}

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

    def take(
        self,
        case: Case,
        job: Job,
        cache: tuple[CompilationCache, Path] | None = None,
    ) -> Worker:
        """Hand out a fresh worker for a case; the caller closes it.

        One with a compilation cache has a folder of its own, so that none is blank.
        """
        if cache is not None:
            return self._start(case, job, cache)
        blank = self._blank.get(self._kind(case, job))
        worker = blank.pop() if blank else self._start(case, job)
        worker.name = case.id
        return worker

    def lay_in(self, job: Job | None) -> None:
        """Start what a job will need; call it only while nobody is timed."""
        if job is None:
            return
        for case in job.cases if job.together else job.cases[:1]:
            if case.variant.compilation_cache != "off":
                continue
            blank = self._blank.setdefault(self._kind(case, job), [])
            blank.append(self._start(case, job))

    def _kind(self, case: Case, job: Job) -> _Kind:
        # all that take turns share a core; the next processes have the next one
        core = self._cores[job.process % len(self._cores)] if self._cores else None
        return _Kind(case.variant.backend, case.variant.device, core)

    def _start(
        self,
        case: Case,
        job: Job,
        cache: tuple[CompilationCache, Path] | None = None,
    ) -> Worker:
        kind = self._kind(case, job)
        variables = worker_variables(kind.backend, kind.device, self._profile, cache)
        return Worker(case.id, self._limits, variables, kind.core)
