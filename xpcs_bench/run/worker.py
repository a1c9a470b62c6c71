"""The parent's side of one worker process: start it, ask it, watch it, end it.

A worker that crashes, hangs or grows past its memory limit raises a
:class:`~xpcs_bench.errors.WorkerFailure` from the request at hand, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psutil
from pydantic import ValidationError

from xpcs_bench.config import PROFILES, CompilationCache, Profile, Start
from xpcs_bench.errors import (
    ProtocolMismatch,
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerRaised,
    WorkerTimedOut,
)
from xpcs_bench.measure.environment import CACHE_STATE
from xpcs_bench.run.home import HERE, Home
from xpcs_bench.run.start import Ends, ForkServer, spawn
from xpcs_bench.run.wire import PROTOCOL, Failed, Hello, Message, decode, encode_request
from xpcs_bench.units import format_bytes, format_duration

__all__ = ["Limits", "Worker", "cores", "worker_variables"]

_POLL_S = 0.1
"""How often memory is looked at while waiting; one look costs about 20 us."""
_LOG_BYTES = 4000
"""How much of the end of a worker's output is kept."""

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Limits:
    """When a worker is killed."""

    timeout_s: float
    """Longest silence after a request (s)."""
    memory_bytes: int
    """Resident memory (bytes)."""


_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    # XLA asks for the number of cores: nothing else limits the pool of its CPU client
    "NPROC",
)
_RETAINED = {
    # glibc: nothing is mapped for one array alone, and little is given back
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "67108864",
}


def worker_variables(
    backend: str | None,
    device: str | None,
    profile: Profile = PROFILES["as_user"],
    cache: tuple[CompilationCache, Path] | None = None,
) -> dict[str, str]:
    """Environment variables of a worker, complete.

    ``cache`` is the state of the persistent compilation cache, and its folder; None:
    it is off.

    They must be set before the process starts: jax reads some at import and some when
    its backend initialises, and ignores them silently afterwards.
    """
    variables = dict(os.environ)
    # an unnoticed persistent cache halves first calls; it is off unless asked for
    variables.pop("JAX_COMPILATION_CACHE_DIR", None)
    variables["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    variables["JAX_ENABLE_X64"] = "true"
    variables["PYTHONUNBUFFERED"] = "1"
    if cache is not None:
        state, folder = cache
        variables |= {
            "JAX_ENABLE_COMPILATION_CACHE": "true",
            "JAX_COMPILATION_CACHE_DIR": str(folder),
            # jax would keep nothing that took less than a second to compile
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            # else the folder is part of what programs are found by, and no process
            # would find in its copy what another has compiled
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
            CACHE_STATE: state,
        }
    if profile.threads is not None:
        variables |= dict.fromkeys(_THREADS, str(profile.threads))
    if profile.memory == "retained":
        variables |= _RETAINED
    if backend is not None and device == "cpu":
        # a visible GPU would otherwise be initialised and its memory taken
        variables["JAX_PLATFORMS"] = "cpu"
    return variables


def cores() -> tuple[int, ...]:
    """Cores that this process may use; none where the platform cannot bind to one."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


class Worker:
    """A live worker process; a context manager that ends it.

    Parameters
    ----------
    name : str
        What it works on, for messages.
    limits : Limits
    variables : mapping
        Its whole environment, see :func:`worker_variables`.
    core : int, optional
        The one core that it and its threads may use.
    server : ForkServer, optional
        With these variables, and forks it; None: it is an interpreter of its own.
    home : Home
        Where that interpreter is.

    The process starts at once and comes up while the caller does something else; the
    first request, or :meth:`greet`, waits until it is there.

    Attributes
    ----------
    name : str
    start : {"spawned", "forked"}
    waited_s : float
        How long the caller has waited for it to come up (s).
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        variables: Mapping[str, str],
        core: int | None = None,
        server: ForkServer | None = None,
        home: Home = HERE,
    ) -> None:
        self.name = name
        self._limits = limits
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        self._requests = os.fdopen(request_write, "wb")
        self._answers = answer_read
        self._pending = bytearray()
        self.start: Start = "spawned" if server is None else "forked"
        began = time.monotonic()
        try:
            ends = Ends(request_read, answer_write, self._log.fileno())
            self._process = (
                spawn(ends, variables, core, home)
                if server is None
                else server.fork(ends, core)
            )
        except WorkerFailure:
            self._requests.close()
            os.close(self._answers)
            self._log.close()
            raise
        finally:
            self.waited_s = time.monotonic() - began
            os.close(request_read)
            os.close(answer_write)
        self._memory = psutil.Process(self._process.pid)
        self._greeted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def come_up(self) -> None:
        """Wait until it is there, or gone: then its first request says why."""
        with contextlib.suppress(WorkerFailure):
            self.greet()

    def greet(self) -> None:
        """Wait until it is there.

        Raises
        ------
        WorkerCrashed, WorkerTimedOut, ProtocolMismatch
            It does not come up, or cannot be talked to.
        """
        if self._greeted:
            return
        began = time.monotonic()
        try:
            hello = self._receive(Hello)
        finally:
            self.waited_s += time.monotonic() - began
        if hello.protocol[0] != PROTOCOL[0]:
            msg = (
                f"{self.name}: the worker speaks protocol {hello.protocol!r}, this "
                f"program {PROTOCOL!r}. Major versions must agree; nothing is "
                f"measured. Install matching versions of xpcs_bench."
            )
            raise ProtocolMismatch(msg, self.log())
        self._greeted = True

    def ask(self, request: Message, answer: type[M]) -> M:
        """Send a request and wait for its answer.

        Raises
        ------
        WorkerRaised
            The code under test raised; the worker lives on.
        WorkerOutOfMemory
            An allocation failed (the worker lives on), or it was killed for its size.
        WorkerCrashed, WorkerTimedOut
            The worker is gone.
        """
        self.tell(request)
        return self.hear(answer)

    def tell(self, request: Message) -> None:
        """Send a request; its answer is waited for with :meth:`hear`.

        Raises
        ------
        WorkerCrashed, WorkerTimedOut, ProtocolMismatch
            It is not there.
        """
        self.greet()
        try:
            self._requests.write(encode_request(request))
            self._requests.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def hear(self, answer: type[M]) -> M:
        """Wait for the answer to the last request; raises as :meth:`ask`."""
        return self._receive(answer)

    def log(self) -> str:
        """The last lines that it wrote to stdout and stderr."""
        if self._log.closed:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_BYTES))
        text = self._log.read().decode(errors="replace")
        return text if size <= _LOG_BYTES else "... " + text.partition("\n")[2]

    def close(self) -> None:
        """End it: at once, whatever it is doing."""
        with contextlib.suppress(OSError):  # a pipe whose reader is gone
            self._requests.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._answers)
        self._log.close()

    def _receive(self, answer: type[M]) -> M:
        line = self._line()
        try:
            message = decode(line)
        except ValidationError as error:
            msg = (
                f"{self.name}: the worker wrote {bytes(line[:80])!r}, which is no "
                f"message of protocol {PROTOCOL!r}. Nothing else may write to its "
                f"answer pipe; {error.error_count()} fields are wrong."
            )
            raise WorkerCrashed(msg, self.log()) from error
        if isinstance(message, Failed):
            failure = (
                WorkerOutOfMemory if message.kind == "out_of_memory" else WorkerRaised
            )
            raise failure(message.message, self.log())
        if not isinstance(message, answer):
            msg = (
                f"{self.name}: expected {answer.__name__}, the worker said {message!r}"
            )
            raise WorkerCrashed(msg, self.log())
        return message

    def _line(self) -> bytes:
        deadline = time.monotonic() + self._limits.timeout_s
        while True:
            head, newline, tail = self._pending.partition(b"\n")
            if newline:
                self._pending = tail
                return bytes(head)
            readable, _, _ = select.select([self._answers], [], [], _POLL_S)
            if readable:
                chunk = os.read(self._answers, 1 << 20)
                if not chunk:
                    raise self._ended()
                self._pending += chunk
                continue
            self._check_memory()
            if time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                msg = (
                    f"no answer within {format_duration(self._limits.timeout_s)}, so "
                    f"the worker was killed. If the case is slow and not stuck, raise "
                    f"'sampling.timeout_s'."
                )
                raise WorkerTimedOut(msg, self.log())

    def _check_memory(self) -> None:
        try:
            resident = self._memory.memory_info().rss
        except psutil.Error:
            return  # it has just ended: the next read says so
        if resident <= self._limits.memory_bytes:
            return
        self._process.kill()
        self._process.wait()
        msg = (
            f"the worker held {format_bytes(resident)}, past its limit of "
            f"{format_bytes(self._limits.memory_bytes)}, and was killed. Take a "
            f"smaller detector, or raise 'sampling.memory_limit'."
        )
        raise WorkerOutOfMemory(msg, self.log())

    def _ended(self) -> WorkerCrashed:
        # its end of the pipe is closed: it is dead or dying
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            hint = (
                " (someone, or the system when memory ran out, killed it)"
                if -code == signal.SIGKILL
                else ""
            )
            msg = (
                f"the worker was ended by {name}{hint}; its last words are in the log."
            )
        else:
            msg = f"the worker ended with exit status {code} and without an answer."
        return WorkerCrashed(msg, self.log())
