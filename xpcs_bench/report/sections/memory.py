"""How much memory each variant takes at its peak."""

from __future__ import annotations

from xpcs_bench.report.cells import (
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    interval,
    line,
    number,
    problem_id,
    variant_id,
)
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]


def describe(evidence: Evidence) -> Section:
    """List the peak memory by problem."""
    groups = []
    for cases in evidence.by_problem("peak_memory").values():
        rows = []
        for case in cases:
            estimate = evidence.estimate(case, "peak_memory")
            rows.append(
                Row(
                    (variant_id(case), estimate, Words("none", "muted"))
                    if isinstance(estimate, Words)
                    else (
                        variant_id(case),
                        interval(estimate),
                        number(estimate["n_processes"], "1"),
                    )
                )
            )
        groups.append(RowGroup(problem_id(cases[0]), tuple(rows)))
    return Section(
        "memory",
        "Peak memory",
        line(
            "What a worker held at its peak beyond what it held when idle."
            if groups
            else "Peak memory was not measured."
        ),
        tables=(
            Table(
                "memory",
                "Peak memory by variant",
                (
                    column("Variant"),
                    column("Peak memory", numeric=True),
                    column("Processes", numeric=True),
                ),
                tuple(groups),
                group_title="Problem",
            ),
        ),
    )
