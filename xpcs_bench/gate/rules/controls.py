"""Comparisons whose answer is known came out as they must.

Where a run has none, nothing is said: it compares nothing, or they were switched off,
and neither is worth a word about what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import RunRecord, Verdict

__all__ = ["verdicts"]


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield pass or inconclusive for both comparisons of every control."""
    for index, control in enumerate(record.summary.controls):
        yield Verdict(
            rule="controls",
            subject=control.candidate,
            outcome=control.outcome,
            reason=control.reason,
            evidence=(f"/summary/controls/{index}",),
        )
