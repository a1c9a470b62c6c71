"""A process that has imported what workers need, and forks one when it is asked to.

Run as ``python -m xpcs_bench.run.fork_server SOCKET_FD PARENT_PID [LIBRARY ...]``; the
parent's side is :class:`~xpcs_bench.run.start.ForkServer`. It has one thread of its own
and initialises no backend: what runs threads, or holds a device, cannot be forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["main"]

_MODULES = (
    "numpy.random",
    "xpcs_bench.kernels.registry",
    "xpcs_bench.measure.parity",
    "xpcs_bench.measure.conversion",
)
"""What any worker imports sooner or later."""
_POLL_S = 0.001


def _become_a_worker(files: Sequence[int], core: int | None) -> NoReturn:
    """Be what a new interpreter would have become; never return."""
    from xpcs_bench.run import serve

    requests, answers, log = files
    code = 1
    try:
        os.setsid()  # Ctrl-C is for the parent, which ends its workers in order
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a file descriptor is wanted)
            os.dup2(nothing.fileno(), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        if core is not None:
            os.sched_setaffinity(0, {core})
        serve.main([str(requests), str(answers), str(os.getppid())])
        code = 0
    except BaseException:  # noqa: BLE001 (nobody above: its words go to the log)
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # the exit handlers in this memory are the server's
        os._exit(code)


def _fork(channel: socket.socket, files: Sequence[int], core: int | None) -> int:
    with warnings.catch_warnings():
        # BLAS has threads that wait, and survives it: it starts them anew in the child
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        pid = os.fork()
    if pid == 0:
        channel.close()
        _become_a_worker(files, core)
    return pid


def _wait(pid: int, timeout_s: float | None) -> int | None:
    """Return how a worker ended, as subprocess would; None: it has not."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        done, status = os.waitpid(pid, 0 if deadline is None else os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if deadline is not None and time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)


def _answer(
    channel: socket.socket, request: dict[str, Any], files: Sequence[int]
) -> dict[str, Any]:
    if "fork" in request:
        try:
            return {"pid": _fork(channel, files, request["core"])}
        finally:
            for file in files:
                os.close(file)
    return {"code": _wait(request["wait"], request["timeout_s"])}


def main(argv: list[str]) -> None:
    """Import, say so, and answer until the parent closes its end."""
    socket_fd, parent_pid, *libraries = argv
    gc.disable()  # all that is imported stays, and would be looked through ten times
    from xpcs_bench.run import serve

    serve.die_with_parent(int(parent_pid))
    for name in (*_MODULES, *libraries):
        importlib.import_module(name)
    serve.warm()
    gc.freeze()  # so that no collection in a worker writes to the memory that is shared
    gc.enable()
    with socket.socket(fileno=int(socket_fd)) as channel:
        channel.send(b"{}")
        while True:
            line, files, _, _ = socket.recv_fds(channel, 1 << 12, 3)
            if not line:
                return
            channel.send(json.dumps(_answer(channel, json.loads(line), files)).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
