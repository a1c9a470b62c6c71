"""In which order the cases are measured, and which of them take turns.

The outermost round is over fresh processes: every case has been seen once before any
is seen twice, so an interrupted run says something of everything, and a drift of the
machine hits all alike. Inside a round the order is random, from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from xpcs_bench.config import MeasureName, Sampling
from xpcs_bench.records import Case, Group
from xpcs_bench.run.plan import Plan

__all__ = ["Job", "another", "processes_of", "rounds_of", "schedule"]

_ONE_PROCESS = frozenset({"parity", "peak_memory", "counters"})
"""Deterministic up to the allocator: one fresh process tells as much as three."""


@dataclass(frozen=True)
class Job:
    """Work that needs its own fresh processes."""

    process: int
    """Round: which of the fresh processes of its cases this is."""
    cases: tuple[Case, ...]
    together: bool
    """True: sampled, one live worker a case, in turns where there are several. False:
    one worker for all, one case after the other."""


def rounds_of(measure: MeasureName, sampling: Sampling) -> int:
    """How many fresh processes the cases of a measure get."""
    return 1 if measure in _ONE_PROCESS else sampling.processes


def processes_of(case: Case, plan: Plan) -> int:
    """How many fresh processes a case gets."""
    return rounds_of(case.measure, plan.experiment.sampling)


def schedule(
    plan: Plan, done: Collection[tuple[str, int]], memory_limit: int
) -> Iterator[Job]:
    """Yield the jobs that are left.

    Parameters
    ----------
    done : collection of (case id, process)
        What has a measurement already. A group whose turns were cut short is done
        again as a whole: a ratio needs both sides in one round.
    memory_limit : int
        Cases of a group that together need more take no turns, but follow each other.
    """
    cases = {case.id: case for case in plan.cases}
    order = random.Random(plan.experiment.seed)  # noqa: S311 (an order, no secret)
    for process in range(plan.experiment.sampling.processes):
        jobs: list[Job] = []
        shared: dict[tuple[str, ...], list[Case]] = {}
        for group in plan.groups:
            members = [cases[member] for member in group.cases]
            members = [case for case in members if process < processes_of(case, plan)]
            left = [case for case in members if (case.id, process) not in done]
            if not left:
                continue
            if members[0].measure == "steady_state":
                jobs += _jobs_of(members, left, process, plan, memory_limit)
            else:
                for case in left:
                    shared.setdefault(_worker_of(case), []).append(case)
        jobs += [Job(process, tuple(row), together=False) for row in shared.values()]
        order.shuffle(jobs)
        yield from jobs


def another(
    group: Group, sound: Collection[str], process: int, plan: Plan, memory_limit: int
) -> list[Job]:
    """Return the jobs that give cases of a group one more fresh process.

    Parameters
    ----------
    sound : collection of str
        Ids of the cases that are worth another try.
    """
    cases = [case for case in plan.cases if case.id in group.cases and case.id in sound]
    return _jobs_of(cases, cases, process, plan, memory_limit)


def _jobs_of(
    members: Sequence[Case],
    left: Sequence[Case],
    process: int,
    plan: Plan,
    memory_limit: int,
) -> list[Job]:
    """Let the members of a group take turns, or those that are left follow each other.

    They follow each other where they take no turns, or do not fit into memory together.
    """
    together = members[0].measure == "steady_state"
    need = sum(plan.memory_bytes[case.id] for case in members)
    if together and need <= memory_limit:
        return [Job(process, tuple(members), together=True)]
    return [Job(process, (case,), together=together) for case in left]


def _worker_of(case: Case) -> tuple[str, ...]:
    """Cases with the same key share a worker: none of them depends on being first.

    A conversion carries what the problem's kernel returned, so the boundaries of one
    problem and variant go together. For values nobody looks at the clock, and a worker
    per case would start a thousand interpreters to compare a thousand small arrays.
    """
    match case.measure:
        case "conversion":
            return (case.measure, case.problem_id, case.variant.id)
        case "parity":
            return (case.measure, case.kernel, case.variant.id)
        case _:
            return (case.id,)
