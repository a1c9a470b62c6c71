"""Every sentence that the experiment claims is true here.

Where an experiment claims nothing, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import RunRecord, Verdict

__all__ = ["verdicts"]


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield what became of each claim; one that cannot be tested here is skipped."""
    for index, claim in enumerate(record.summary.claims):
        yield Verdict(
            rule="claims",
            subject=claim.id,
            outcome=claim.outcome,
            reason=claim.reason,
            evidence=(f"/summary/claims/{index}",),
        )
