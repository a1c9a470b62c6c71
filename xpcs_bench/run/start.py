"""How a worker comes into being: a new interpreter, or a fork of one that waits.

A new interpreter imports what every worker needs before it can be asked for anything;
a fork has it already. Its cached calls take the same time, and its first calls do not
(ADR 0015), so only the former are asked of forks.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.run.home import HERE, Home

__all__ = ["Ends", "ForkServer", "Process", "can_fork", "spawn"]

_LOG_BYTES = 4000


class Ends(NamedTuple):
    """The worker's ends of its pipes, and where its words go; file descriptors."""

    requests: int
    answers: int
    log: int


class Process(Protocol):
    """A worker's process, as :class:`subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Process id."""

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, or raise :class:`subprocess.TimeoutExpired`."""


def can_fork() -> bool:
    """Whether this platform forks safely: elsewhere system libraries do not."""
    return sys.platform == "linux"


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """Start processes on one core: what is started inherits it, with all its threads.

    It is this thread alone that goes there and comes back.
    """
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def spawn(
    ends: Ends, variables: Mapping[str, str], core: int | None, home: Home = HERE
) -> Process:
    """Start a new interpreter."""
    with _on_core(core):
        return subprocess.Popen(  # noqa: S603 (our own module)
            [
                *home.command,
                "-m",
                "xpcs_bench.run.serve",
                str(ends.requests),
                str(ends.answers),
                str(os.getpid()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=ends.log,
            stderr=subprocess.STDOUT,
            env=home.variables(variables),
            pass_fds=(ends.requests, ends.answers),
            # Ctrl-C is for the parent, which ends its workers in order
            start_new_session=True,
        )


class ForkServer:
    """An interpreter with one set of variables that forks workers; starts at once.

    Parameters
    ----------
    variables : mapping
        Its whole environment, and that of the workers.
    libraries : str
        Modules to import besides what every worker needs.
    home : Home
        Where it lives, and the workers with it.
    """

    def __init__(
        self, variables: Mapping[str, str], *libraries: str, home: Home = HERE
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the server)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                [
                    *home.command,
                    "-m",
                    "xpcs_bench.run.fork_server",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    *libraries,
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                env=home.variables(variables),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._up = False

    def come_up(self) -> None:
        """Wait until it can fork.

        Raises
        ------
        WorkerCrashed
            It has ended: what workers import cannot be imported.
        """
        if not self._up:
            self._receive()
            self._up = True

    def fork(self, ends: Ends, core: int | None) -> Process:
        """Fork a worker.

        Raises
        ------
        WorkerCrashed
            The server has ended.
        """
        self.come_up()
        return _Forked(self, self._ask({"fork": True, "core": core}, ends)["pid"])

    def wait(self, pid: int, timeout_s: float | None) -> int | None:
        """Return how a worker has ended; None: not within ``timeout_s``."""
        try:
            code = self._ask({"wait": pid, "timeout_s": timeout_s})["code"]
        except WorkerCrashed:
            return -signal.SIGKILL  # they die with their server
        return None if code is None else int(code)

    def kill(self) -> None:
        """Let it end, and every worker that it has forked, and wait for none."""
        self._process.kill()

    def close(self) -> None:
        """End it, and every worker that it has forked."""
        self._channel.close()
        self.kill()
        self._process.wait()
        self._log.close()

    def _ask(self, request: Mapping[str, Any], ends: Ends | None = None) -> Any:
        message = json.dumps(request).encode()
        try:
            socket.send_fds(self._channel, [message], ends or [])
        except OSError:
            raise self._ended() from None
        return self._receive()

    def _receive(self) -> Any:
        with contextlib.suppress(ConnectionError):
            if answer := self._channel.recv(1 << 12):
                return json.loads(answer)
        raise self._ended()

    def _ended(self) -> WorkerCrashed:
        code = self._process.wait()
        log = ""
        if not self._log.closed:
            size = self._log.seek(0, os.SEEK_END)
            self._log.seek(max(0, size - _LOG_BYTES))
            log = self._log.read().decode(errors="replace")
        msg = (
            f"the process that forks workers ended with status {code}; its last words "
            "are in the log. With 'profile: {base: as_user, start: spawned}' every "
            "worker is an interpreter of its own."
        )
        return WorkerCrashed(msg, log)


class _Forked:
    """A worker that a server has forked; only the server can learn how it ends."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self._code: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._server.wait(self.pid, 0.0)
        return self._code

    def kill(self) -> None:
        if self._code is None:
            # until the server has waited for it, nobody else can have its number
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            self._code = self._server.wait(self.pid, timeout)
        if self._code is None:
            command = f"worker {self.pid}"
            raise subprocess.TimeoutExpired(command, timeout or 0.0)
        return self._code
