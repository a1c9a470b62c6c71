"""Runs of the engine on plans that no file could ask for, as the studies need them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from xpcs_bench.config.load import load_experiment
from xpcs_bench.measure.environment import capture, probe
from xpcs_bench.records import Case, Group, RunRecord, Variant
from xpcs_bench.run.execute import execute
from xpcs_bench.run.journal import Evidence, Journal, read_journal
from xpcs_bench.run.listener import Silent
from xpcs_bench.run.plan import Plan, make_plan
from xpcs_bench.run.prepare import PROBE_TIMEOUT_S, catalogue
from xpcs_bench.run.stock import Stock
from xpcs_bench.run.store import begin, compose
from xpcs_bench.run.worker import Limits

__all__ = ["AGAIN", "MEMORY", "carry_out", "paired", "plan_of"]

AGAIN = "again"
"""Name of the implementation that is the builtin one a second time."""
MEMORY = 4 * 2**30
"""What a plan may take, and a worker (bytes)."""


def plan_of(text: str) -> Plan:
    """Plan an experiment that is written here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.yaml"
        path.write_text(text)
        loaded = load_experiment(path, catalogue=catalogue())
    # in a process of its own would be cleaner; studies may import jax
    available = probe(loaded.experiment.matrix.backends)
    return make_plan(loaded.experiment, available, MEMORY)


def paired(plan: Plan) -> Plan:
    """Return the plan whose groups are a case and the same case again, and no more."""
    cases: list[Case] = []
    groups: list[Group] = []
    memory: dict[str, int] = {}
    for case in plan.cases:
        variant = case.variant.model_dump() | {"implementation": AGAIN}
        again = Case(**case.model_dump() | {"variant": Variant(**variant)})
        cases += [case, again]
        memory |= dict.fromkeys((case.id, again.id), plan.memory_bytes[case.id])
        groups.append(Group(id=case.id, reference=case.id, cases=(case.id, again.id)))
    return Plan(plan.experiment, tuple(cases), tuple(groups), (), memory)


def carry_out(
    plan: Plan,
    stock: Callable[[Limits], Stock] | None = None,
    command: Sequence[str] = ("study",),
) -> RunRecord:
    """Measure a plan and conclude; nothing is left on disk."""
    limits = Limits(PROBE_TIMEOUT_S, MEMORY)
    with tempfile.TemporaryDirectory() as out:
        folder, header = begin(plan, Path(out), command, ("-", "0" * 64), capture(None))
        evidence = Evidence(header)
        with Journal(folder) as journal:
            journal.header(header)
            execute(
                plan,
                evidence,
                journal,
                limits,
                Silent(),
                stock=stock(limits) if stock else None,
            )
        return compose(read_journal(folder), interrupted=False)
