"""Has the ceilings of this machine measured, in workers set up like those of the cases.

Each check is in the journal before the next begins, so that a run that was ended among
them goes on with those that are left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Protocol

from xpcs_bench.errors import WorkerFailure
from xpcs_bench.records import Diagnosis, Outcome
from xpcs_bench.run.examine import examine_with
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.worker import Limits, Worker, cores, worker_variables

__all__ = ["Hearer", "StartWorker", "ceiling_checks", "measure_ceilings"]

_GPU = "gpu_rates"

StartWorker = Callable[[str, Limits, Mapping[str, str], int | None], Worker]
"""From name, limits, variables and core to a worker."""


class Hearer(Protocol):
    """Who wants to know how far it is."""

    def examined(self, diagnosis: Diagnosis) -> None:
        """A check is on disk."""


def ceiling_checks(plan: Plan) -> tuple[str, ...]:
    """Name the checks that measure what the cached calls of a plan are parts of."""
    if not plan.experiment.efficiency:
        return ()
    variants = [case.variant for case in plan.cases if case.measure == "steady_state"]
    on_cpu = {variant.backend for variant in variants if variant.device == "cpu"}
    threads = "one_thread" if plan.experiment.profile.threads == 1 else "all_threads"
    names = [f"bandwidth_{threads}", f"blas_{threads}"] if on_cpu else []
    if "jax" in on_cpu:
        names.append(f"xla_{threads}")
    if any(variant.device == "gpu" for variant in variants):
        names.append(_GPU)
    return tuple(names)


def measure_ceilings(
    plan: Plan,
    evidence: Evidence,
    journal: Journal,
    limits: Limits,
    hearer: Hearer,
    *,
    start: StartWorker = Worker,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Measure what ``evidence`` does not hold yet; add it to evidence and journal.

    A check that was lost with its worker costs no case: there is a ceiling less, until
    the run is resumed. The time counts as spent of a budget.
    """
    began = monotonic()

    def keep(diagnosis: Diagnosis) -> None:
        evidence.ceiling_checks[diagnosis.check] = diagnosis
        journal.ceiling_check(diagnosis)
        hearer.examined(diagnosis)

    known = {
        name
        for name, diagnosis in evidence.ceiling_checks.items()
        if diagnosis.outcome is not Outcome.ERROR
    }
    names = [name for name in ceiling_checks(plan) if name not in known]
    for device in ("cpu", "gpu"):
        _examine(
            [name for name in names if (name == _GPU) is (device == "gpu")],
            device,
            plan,
            limits,
            start,
            keep,
        )
    evidence.wall_s += monotonic() - began


def _examine(
    names: list[str],
    device: str,
    plan: Plan,
    limits: Limits,
    start: StartWorker,
    keep: Callable[[Diagnosis], None],
) -> None:
    """Ask a worker like those of the cases on a device."""
    profile = plan.experiment.profile
    variables = worker_variables("jax", device, profile)
    # cases take turns on one core after the other; all are taken to be alike
    core = cores()[0] if profile.pinned and cores() else None

    def worker(name: str, limits: Limits, _: Mapping[str, str]) -> Worker:
        return start(name, limits, variables, core)

    left = set(names)
    try:
        with closing(
            examine_with(limits, names, worker=worker, threads=profile.threads)
        ) as found:
            for diagnosis in found:
                left.remove(diagnosis.check)
                keep(diagnosis)
    except WorkerFailure as failure:
        for name in names:
            if name in left:
                keep(_unmeasured(name, failure))


def _unmeasured(name: str, failure: WorkerFailure) -> Diagnosis:
    return Diagnosis(
        check=name,
        outcome=Outcome.ERROR,
        found=f"no worker came up: {failure}",
        advice="See what 'xpcs-bench doctor' says; a resumed run tries again.",
    )
