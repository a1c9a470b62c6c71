"""Every search for a crossover has an answer, as narrow as was asked for."""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import Crossover, Outcome, RunRecord, Verdict

__all__ = ["verdicts"]


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield pass or inconclusive for every candidate; nothing where none was asked."""
    for index, found in enumerate(record.summary.crossovers):
        yield Verdict(
            rule="crossover",
            subject=f"{found.problem}/{found.candidate}",
            outcome=Outcome.PASS if _answered(found) else Outcome.INCONCLUSIVE,
            reason=found.reason,
            evidence=(f"/summary/crossovers/{index}",),
        )


def _answered(found: Crossover) -> bool:
    return found.answer != "cannot_tell" and all(turn.resolved for turn in found.turns)
