"""Has tried what claims without a number rest on, each in a process of its own.

Each is in the journal before the next begins, so that a run that was ended among them
goes on with those that are left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from xpcs_bench.errors import WorkerCrashed, WorkerFailure
from xpcs_bench.measure.behaviours.registry import BEHAVIOURS, Entry
from xpcs_bench.records import BehaviourSeen
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.wire import Tried, Try
from xpcs_bench.run.worker import Limits, Worker

__all__ = ["TIMEOUT_S", "Watcher", "behaviour_variables", "see_behaviours", "try_all"]

TIMEOUT_S = 120.0
"""Longest wait for one behaviour (s); the longest takes some ten seconds."""
_DECIDING = ("XPCS_", "JAX_ENABLE_X64", "XLA_CLIENT_MEM", "XLA_PYTHON_CLIENT_MEM")
"""Beginnings of the variables that decide what is tried; the registry sets them."""
_AHEAD = 1
"""How many workers come up while one is asked: nobody looks at a clock here."""

Start = Callable[[str, Limits, Mapping[str, str]], Worker]


class Watcher(Protocol):
    """Who wants to know how far it is."""

    def tried(self, seen: BehaviourSeen) -> None:
        """What was tried is on disk."""


def behaviour_variables(entry: Entry) -> dict[str, str]:
    """Environment variables of the process that tries a behaviour, complete.

    They are the user's, but for those that the outcome would depend on, and nothing is
    drawn on a screen.
    """
    mine = {k: v for k, v in os.environ.items() if not k.startswith(_DECIDING)}
    quiet = {
        "PYTHONUNBUFFERED": "1",
        "QT_QPA_PLATFORM": "offscreen",
        "MPLBACKEND": "agg",
    }
    return mine | quiet | dict(entry.variables)


def see_behaviours(
    plan: Plan,
    evidence: Evidence,
    journal: Journal,
    limits: Limits,
    watcher: Watcher,
    *,
    start: Start = Worker,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Try what ``evidence`` does not hold yet; add it to evidence and journal.

    What was lost with its worker is tried again when the run is resumed. The time
    counts as spent of a budget.
    """
    began = monotonic()
    names = [
        name
        for name in plan.behaviours
        if name not in evidence.behaviours or evidence.behaviours[name].kind == "lost"
    ]
    for seen in try_all(names, limits, start=start):
        evidence.behaviours[seen.behaviour] = seen
        journal.behaviour(seen)
        watcher.tried(seen)
    evidence.wall_s += monotonic() - began


def try_all(
    names: Sequence[str], limits: Limits, *, start: Start = Worker
) -> Iterator[BehaviourSeen]:
    """Yield what came of each, in order."""
    limits = Limits(min(limits.timeout_s, TIMEOUT_S), limits.memory_bytes)
    with ExitStack() as stack:
        workers: list[Worker] = []
        for place, name in enumerate(names):
            for following in names[place + len(workers) : place + 1 + _AHEAD]:
                variables = behaviour_variables(BEHAVIOURS[following])
                worker = start(following, limits, variables)
                stack.callback(worker.close)
                workers.append(worker)
            worker = workers.pop(0)
            try:
                yield worker.ask(Try(behaviour=name), Tried).seen
            except WorkerFailure as failure:
                yield _ended(name, failure)
            finally:
                worker.close()


def _ended(name: str, failure: WorkerFailure) -> BehaviourSeen:
    """Say what is seen of a process that did not answer."""
    # out of memory or of time it was killed by us, which says nothing of what is tried
    kind = "died" if isinstance(failure, WorkerCrashed) else "lost"
    return BehaviourSeen.model_validate(
        {"behaviour": name, "kind": kind, "message": str(failure)}
    )
