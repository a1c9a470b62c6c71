"""The worker process: answers the parent's requests, one line each.

Run as ``python -m xpcs_bench.run.serve READ_FD WRITE_FD PARENT_PID``. What the code
under test prints goes to the log (stdout and stderr of this process), never into the
conversation. jax is imported only by the measure that needs it.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from xpcs_bench import __version__
from xpcs_bench.kernels.registry import kernel_names
from xpcs_bench.measure.circumstances import core_count
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.environment import capture, probe
from xpcs_bench.measure.registry import one_shot
from xpcs_bench.measure.steady_state import SteadyState
from xpcs_bench.measure.task import Task, build_task
from xpcs_bench.run.wire import (
    PROTOCOL,
    Availability,
    Examine,
    Examined,
    Failed,
    Finish,
    Hello,
    Load,
    Loaded,
    Measure,
    Message,
    Observed,
    Prepare,
    Probe,
    Probed,
    Ready,
    Take,
    Taken,
    Tried,
    Try,
    decode,
    encode,
)

__all__ = ["die_with_parent", "main", "serve", "warm"]

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to end this process when the parent dies, however it dies."""
    if sys.platform != "linux":
        return  # the end of the request pipe ends the worker at its next request
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the call above
        sys.exit(1)


def warm() -> None:
    """Find out what is the same for every worker of one server, before it forks.

    Environments read versions from disk and ask git, and registries read what other
    packages register.
    """
    capture(None)
    kernel_names()


def _volunteer_for_the_oom_killer() -> None:
    """If memory runs out, let the kernel take this worker and not the parent."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 (no Path for a kernel file)
            file.write("1000")
    except OSError:
        # not Linux, or not allowed: the parent's own limit still watches this process
        return


def _is_out_of_memory(error: BaseException) -> bool:
    # jaxlib raises XlaRuntimeError("RESOURCE_EXHAUSTED: ...") for device and host
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


class _Session:
    """The case at hand; at most one is prepared at a time."""

    def __init__(self) -> None:
        self._steady: SteadyState | None = None
        self._task: Task | None = None

    def answer(self, request: Message) -> Message:
        match request:
            case Probe():
                return Probed(
                    backends={
                        name: Availability(
                            available=found.available,
                            reason=found.reason,
                            version=found.version,
                            devices=found.devices,
                            capabilities=found.capabilities,
                        )
                        for name, found in probe(request.backends).items()
                    }
                )
            case Examine():
                # no measurement needs them
                from xpcs_bench.measure.examination.finding import Surroundings
                from xpcs_bench.measure.examination.registry import examine

                cores = min(core_count(), request.threads or core_count())
                found = examine(request.check, Surroundings(cores=cores))
                return Examined(diagnosis=found)
            case Try():
                # nor does any need this
                from xpcs_bench.measure.behaviours.registry import see

                return Tried(seen=see(request.behaviour))
            case Measure():
                task = self._build(request)
                return self._observed(one_shot(request.case.measure)(task, now_ns))
            case Load():
                task = self._build(request)
                self._steady = SteadyState(task, now_ns, verified=request.verified)
                self._steady.load()
                return Loaded()
            case Prepare():
                prepared = self._sampler().prepare()
                return Ready(inner_loops=prepared.inner_loops, call_ns=prepared.call_ns)
            case Take():
                sampler = self._sampler()
                taken = sampler.sample(request.count)
                known = sampler.half_width
                return Taken(
                    per_call_ns=taken,
                    half_width=known if math.isfinite(known) else None,
                )
            case Finish():
                return self._observed(self._sampler().finish())
            case _:
                msg = f"a worker cannot answer {request.type!r}"
                raise ValueError(msg)

    def _build(self, request: Measure | Load) -> Task:
        self._task = build_task(
            request.case, request.sampling, request.seed, request.tolerances
        )
        return self._task

    def _sampler(self) -> SteadyState:
        if self._steady is None:
            msg = "asked for samples before 'load'"
            raise ValueError(msg)
        return self._steady

    def _observed(self, observation: object) -> Observed:
        backend = self._task.backend if self._task else None
        return Observed.model_validate(
            {"observation": observation, "environment": capture(backend)}
        )


def serve(requests: BinaryIO, send: Callable[[Message], None]) -> None:
    """Answer until the pipe of requests ends."""
    session = _Session()
    for line in requests:
        try:
            answer = session.answer(decode(line))
        except Exception as error:  # noqa: BLE001 (whatever the code under test raises is its result)
            traceback.print_exc()
            answer = Failed(
                kind="out_of_memory" if _is_out_of_memory(error) else "raised",
                message=f"{type(error).__name__}: {error}",
            )
        send(answer)


def main(argv: list[str]) -> None:
    """Take the pipes and the parent's process id from the command line, and serve."""
    read_fd, write_fd, parent_pid = map(int, argv)
    die_with_parent(parent_pid)
    _volunteer_for_the_oom_killer()
    with os.fdopen(read_fd, "rb") as requests, os.fdopen(write_fd, "wb") as answers:

        def send(message: Message) -> None:
            answers.write(encode(message))
            answers.flush()

        send(Hello(protocol=PROTOCOL, xpcs_bench=__version__, pid=os.getpid()))
        serve(requests, send)


if __name__ == "__main__":
    main(sys.argv[1:])
