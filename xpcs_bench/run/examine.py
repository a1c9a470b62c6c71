"""Examines this machine: check after check, in worker processes.

A check that takes its worker with it costs itself alone: the next gets a new worker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack

from xpcs_bench.errors import WorkerFailure
from xpcs_bench.measure.examination.registry import CHECKS, PROCESSES, Entry
from xpcs_bench.records import Diagnosis, Outcome
from xpcs_bench.run.wire import Examine, Examined
from xpcs_bench.run.worker import Limits, Worker

__all__ = ["TIMEOUT_S", "examine_with"]

TIMEOUT_S = 60.0
"""Longest wait for one check (s); the longest takes some two seconds."""


def examine_with(
    limits: Limits,
    names: Sequence[str],
    checks: Mapping[str, Entry] = CHECKS,
    worker: Callable[[str, Limits, Mapping[str, str]], Worker] = Worker,
    threads: int | None = None,
) -> Generator[Diagnosis, None, None]:
    """Yield a diagnosis for every name, in the order of the registry.

    Parameters
    ----------
    worker : callable
        Makes a worker of a kind of process; it may set it up in its own way.
    threads : int, optional
        How many threads the libraries in such a worker take; None: all they can.

    Raises
    ------
    WorkerFailure
        No worker comes up: the installation itself is broken.
    """
    unfinished: set[str] = set()
    with ExitStack() as stack:
        live: dict[str, Worker] = {}
        for name in (name for name in checks if name in names):
            entry = checks[name]
            if entry.after in unfinished:
                yield Diagnosis(
                    check=name,
                    outcome=Outcome.SKIP,
                    found=f"{entry.after} came to no end, and this would not either",
                    advice=f"See the row {entry.after!r} first.",
                )
                continue
            kind = entry.process
            if kind not in live:
                live[kind] = stack.enter_context(worker(kind, limits, _variables(kind)))
                live[kind].greet()
            try:
                request = Examine(check=name, threads=threads)
                diagnosis = live[kind].ask(request, Examined).diagnosis
            except WorkerFailure as failure:
                diagnosis = _ended(name, entry, failure)
                live.pop(kind).close()
            if diagnosis.outcome in {Outcome.ERROR, Outcome.SKIP}:
                unfinished.add(name)
            yield diagnosis


def _variables(kind: str) -> dict[str, str]:
    return os.environ | {"PYTHONUNBUFFERED": "1"} | PROCESSES[kind]


def _ended(name: str, entry: Entry, failure: WorkerFailure) -> Diagnosis:
    """Make the diagnosis of a check whose worker is gone; its last words say why."""
    words = [line for line in failure.log.splitlines() if line.strip()]
    said = f" It said: {_last_words(words)}" if words else ""
    return Diagnosis(
        check=name,
        outcome=Outcome.ERROR,
        found=f"{failure}{said}",
        advice=entry.remedy,
    )


def _last_words(lines: Sequence[str]) -> str:
    """Return the line of the log that says most: the first that aborts, or the last."""
    # a fatal line of XLA stands before the stack that it prints
    fatal = [line for line in lines if line.startswith("F") or "Error" in line]
    return (fatal or list(lines[-1:]))[0].strip()[:300]
