"""Workers started ahead: interpreters come up while nobody looks at the clock.

Starting one takes about half a second of CPU time, most of it imports. A worker is
blank until it gets its first request, so any one with the right variables will do;
every case still gets a fresh process. Where it may be a fork, the interpreter that
forks it is what is started ahead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from xpcs_bench.config import CompilationCache, Experiment, Profile
from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.kernels.registry import own_modules
from xpcs_bench.records import Case
from xpcs_bench.run.schedule import Job, rounds_of
from xpcs_bench.run.start import ForkServer, can_fork
from xpcs_bench.run.worker import Limits, Worker, cores, worker_variables

__all__ = ["AHEAD", "FORKED", "Stock"]

AHEAD = 3
"""Rounds of processes whose first workers are started before anything is timed."""

FORKED = frozenset({"steady_state", "parity"})
"""Measures of which a fork tells the same as a new interpreter, see ADR 0015."""
_LIBRARIES = {"numpy": (), "jax": ("jax", "xpcs_bench.backends.jax_backend")}
"""By backend: what a server imports for it. jax starts no thread until it is used."""
_FOR_CHECKS = ("mpmath",)
"""What this project's kernels know the truth by: in the first process of a case, for
the later ones are told what was found."""


class _Kind(NamedTuple):
    """What a blank worker was started for."""

    backend: str
    device: str
    core: int | None
    forked: bool


class Stock:
    """Blank workers, by what they were started for; ends those that are left over.

    Parameters
    ----------
    limits : Limits
    profile : Profile
    forked : collection of str
        Measures whose workers are forks, where the profile and the platform allow it.
    kernels : collection of str
        What they will be asked for.
    """

    def __init__(
        self,
        limits: Limits,
        profile: Profile,
        forked: Collection[str] = FORKED,
        kernels: Collection[str] = (),
    ) -> None:
        self._limits = limits
        self._profile = profile
        self._forked = forked
        # a module of another package may start threads, which no server may have
        self._modules = own_modules(kernels)
        self._cores = cores() if profile.pinned else ()
        self._blank: dict[_Kind, list[Worker]] = {}
        self._servers: dict[tuple[str, str, int], ForkServer | None] = {}

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
        self._blank.clear()
        servers = [server for server in self._servers.values() if server is not None]
        self._servers.clear()
        for server in servers:
            server.kill()  # all of them, and only then is waited for one
        for server in servers:
            server.close()

    def expect(self, experiment: Experiment) -> None:
        """Start the servers that an experiment is likely to need, before it is planned.

        Planning takes as long as an interpreter takes to come up. What turns out not to
        be needed ends with the others.
        """
        matrix = experiment.matrix
        for backend in matrix.backend:
            rounds = [
                rounds_of(measure, experiment.sampling)
                for measure in experiment.measure
                if self._forks(measure, backend, "cpu")
            ]
            if rounds and "cpu" in matrix.device:
                for process in range(min(AHEAD, max(rounds))):
                    self._server(backend, "cpu", process)

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
        kind = self._kind(case, job)
        self._retire(kind, job.process)
        blank = self._blank.get(kind)
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
            kind = self._kind(case, job)
            if kind.forked:
                self._server(kind.backend, kind.device, job.process)
            else:
                self._blank.setdefault(kind, []).append(self._start(case, job))

    def settle(self) -> None:
        """Wait until nothing that was started ahead is still at work on it."""
        for server in self._servers.values():
            if server is not None:
                with contextlib.suppress(WorkerCrashed):  # who takes of it is told
                    server.come_up()
        for workers in self._blank.values():
            for worker in workers:
                worker.come_up()

    def _kind(self, case: Case, job: Job) -> _Kind:
        # all that take turns share a core; the next processes have the next one
        core = self._cores[job.process % len(self._cores)] if self._cores else None
        backend, device = case.variant.backend, case.variant.device
        forked = self._forks(case.measure, backend, device)
        return _Kind(backend, device, core, forked)

    def _forks(self, measure: str, backend: str, device: str) -> bool:
        return (
            self._profile.start == "forked"
            and measure in self._forked
            # what a driver keeps of a device is not for two processes
            and device == "cpu"
            and backend in _LIBRARIES
            and can_fork()
        )

    def _server(self, backend: str, device: str, process: int) -> ForkServer | None:
        """Return a server, started if there is none; None: it has died.

        The processes of each index have one of their own. Where library and heap lie
        is drawn once a server, and decides what a call of a microsecond takes: forks of
        a single one agree with each other, and not with the next run's.
        """
        key = (backend, device, process)
        if key not in self._servers:
            variables = worker_variables(backend, device, self._profile)
            modules = (*_LIBRARIES[backend], *self._modules)
            if self._modules and process == 0:
                modules = (*modules, *_FOR_CHECKS)
            self._servers[key] = ForkServer(variables, *modules)
        return self._servers[key]

    def _retire(self, kind: _Kind, process: int) -> None:
        """End the servers of indices that are done with, now that one is asked for.

        Those started ahead say nothing of it. Forks of the index before may be alive.
        """
        for key in list(self._servers):
            # a search begins anew with the first process of another size
            if key[:2] == (kind.backend, kind.device) and not (
                process - 1 <= key[2] <= process + AHEAD
            ):
                self._close(key)

    def _close(self, key: tuple[str, str, int]) -> None:
        server = self._servers.pop(key)
        if server is not None:
            server.close()

    def _start(
        self,
        case: Case,
        job: Job,
        cache: tuple[CompilationCache, Path] | None = None,
    ) -> Worker:
        kind = self._kind(case, job)
        variables = worker_variables(kind.backend, kind.device, self._profile, cache)
        server = None
        if kind.forked and cache is None:
            server = self._server(kind.backend, kind.device, job.process)
        if server is not None:
            try:
                return Worker(case.id, self._limits, variables, kind.core, server)
            except WorkerCrashed:
                # new interpreters do as well, and say themselves what is wrong
                server.close()
                self._servers[kind.backend, kind.device, job.process] = None
        return Worker(case.id, self._limits, variables, kind.core)
