"""A candidate revision is not slower than its baseline, nor needs more memory.

Where two revisions were not compared nothing is said. A case whose values were wrong
has no speed: it fails the rule of parity, and cannot be told here.
"""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.analysis.regression import gated
from xpcs_bench.records import Outcome, RunRecord, Verdict

__all__ = ["verdicts"]


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield pass, fail or inconclusive for every case of a gate."""
    cases = {case.id: case for case in record.header.cases}
    found = {
        regression.group: (index, regression)
        for index, regression in enumerate(record.summary.regressions)
    }
    for group in record.header.groups:
        if not gated(cases, group):
            continue
        if group.id not in found:
            yield Verdict(
                rule="regression",
                subject=group.id,
                outcome=Outcome.INCONCLUSIVE,
                reason="no pair of processes measured both revisions with right "
                "values, so that there is no speed to compare.",
            )
            continue
        index, regression = found[group.id]
        yield Verdict(
            rule="regression",
            subject=group.id,
            outcome=regression.outcome,
            reason=regression.reason,
            evidence=(f"/summary/regressions/{index}",),
        )
