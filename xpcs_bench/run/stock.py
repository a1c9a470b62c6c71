"""Workers started ahead: interpreters come up while nobody looks at the clock.

Starting one takes about half a second of CPU time, most of it imports. A worker is
blank until it gets its first request, so any one with the right variables will do;
every case still gets a fresh process. Where it may be a fork, the interpreter that
forks it is what is started ahead.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

from xpcs_bench.config import CompilationCache, Experiment, Profile
from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.kernels.registry import own_modules
from xpcs_bench.records import Case, Revision
from xpcs_bench.run.home import HERE, Home
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


_Place = tuple[Revision, str, str]
"""Revision, backend and device."""


class _Kind(NamedTuple):
    """What a blank worker was started for."""

    revision: Revision
    backend: str
    device: str
    core: int | None
    forked: bool
    kept: bool
    """Whether it finds what others have compiled."""

    @property
    def place(self) -> _Place:
        """What the servers of all its cores and indices share."""
        return self.revision, self.backend, self.device


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
    homes : mapping
        Where the workers of a revision live; here where nothing is said.
    """

    def __init__(
        self,
        limits: Limits,
        profile: Profile,
        forked: Collection[str] = FORKED,
        kernels: Collection[str] = (),
        homes: Mapping[Revision, Home] = MappingProxyType({}),
    ) -> None:
        self._limits = limits
        self._profile = profile
        self._forked = forked
        # a module of another package may start threads, which no server may have
        self._modules = own_modules(kernels)
        self._cores = cores() if profile.pinned else ()
        self._blank: dict[_Kind, list[Worker]] = {}
        self._homes = homes
        self._servers: dict[tuple[_Place, int], ForkServer | None] = {}
        self._programs: tempfile.TemporaryDirectory[str] | None = None

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
        if self._programs is not None:
            self._programs.cleanup()
            self._programs = None

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
                    self._server(("", backend, "cpu"), process)

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
                self._server(kind.place, job.process)
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
        kept = self._profile.programs == "kept" and case.measure in FORKED
        return _Kind(case.variant.revision, backend, device, core, forked, kept)

    def _forks(self, measure: str, backend: str, device: str) -> bool:
        return (
            self._profile.start == "forked"
            and measure in self._forked
            # what a driver keeps of a device is not for two processes
            and device == "cpu"
            and backend in _LIBRARIES
            and can_fork()
        )

    def _server(self, place: _Place, process: int) -> ForkServer | None:
        """Return a server, started if there is none; None: it has died.

        The processes of each index have one of their own. Where library and heap lie
        is drawn once a server, and decides what a call of a microsecond takes: forks of
        a single one agree with each other, and not with the next run's.
        """
        key = (place, process)
        if key not in self._servers:
            revision, backend, device = place
            variables = worker_variables(
                backend, device, self._profile, self._kept_programs()
            )
            home = self._home(revision)
            modules = _LIBRARIES[backend]
            if home == HERE:
                # another revision may have its kernels in other modules
                modules = (*modules, *self._modules)
            if self._modules and process == 0:
                modules = (*modules, *_FOR_CHECKS)
            self._servers[key] = ForkServer(variables, *modules, home=home)
        return self._servers[key]

    def _home(self, revision: Revision) -> Home:
        return self._homes.get(revision, HERE)

    def _kept_programs(self) -> tuple[CompilationCache, Path] | None:
        """Return the folder in which workers of cached calls keep what they compile.

        None: each compiles anew. All revisions share it: a program is found by all
        that it is made of, and what both have in common is then the same executable.
        """
        if self._profile.programs != "kept":
            return None
        if self._programs is None:
            self._programs = tempfile.TemporaryDirectory(
                prefix="xpcs_bench-programs-", ignore_cleanup_errors=True
            )
        return "warm", Path(self._programs.name)

    def _retire(self, kind: _Kind, process: int) -> None:
        """End the servers of indices that are done with, now that one is asked for.

        Those started ahead say nothing of it. Forks of the index before may be alive.
        """
        for key in list(self._servers):
            # a search begins anew with the first process of another size
            if key[0] == kind.place and not (process - 1 <= key[1] <= process + AHEAD):
                self._close(key)

    def _close(self, key: tuple[_Place, int]) -> None:
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
        home = self._home(kind.revision)
        if cache is None and kind.kept:
            cache = self._kept_programs()
        variables = worker_variables(kind.backend, kind.device, self._profile, cache)
        server = None
        if kind.forked and case.variant.compilation_cache == "off":
            server = self._server(kind.place, job.process)
        if server is not None:
            try:
                return Worker(case.id, self._limits, variables, kind.core, server)
            except WorkerCrashed:
                # new interpreters do as well, and say themselves what is wrong
                server.close()
                self._servers[kind.place, job.process] = None
        return Worker(case.id, self._limits, variables, kind.core, home=home)
