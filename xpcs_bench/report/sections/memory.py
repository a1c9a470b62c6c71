"""How much memory each variant takes at its peak."""

from __future__ import annotations

from xpcs_bench.records import Case
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
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]


def describe(evidence: Evidence) -> Section:
    """List the peak memory by problem."""
    groups = tuple(
        RowGroup(problem_id(cases[0]), tuple(_row(evidence, case) for case in cases))
        for cases in evidence.by_problem("peak_memory").values()
    )
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
                    column("Host", numeric=True),
                    column("Device", numeric=True),
                    column("Processes", numeric=True),
                    column("How it was read"),
                ),
                groups,
                group_title="Problem",
            ),
        ),
    )


def _row(evidence: Evidence, case: Place[Case]) -> Row:
    estimate = evidence.estimate(case, "peak_memory")
    blank = Words("none", "muted")
    if isinstance(estimate, Words):
        return Row((variant_id(case), estimate, blank, blank, blank))
    # an estimate has at least one process behind it
    observation = evidence.measurements[case.value.id][0]["observation"]
    return Row(
        (
            variant_id(case),
            interval(estimate),
            number(observation["device_peak_bytes"], "bytes"),
            number(estimate["n_processes"], "1"),
            text(observation["method"]),
        )
    )
