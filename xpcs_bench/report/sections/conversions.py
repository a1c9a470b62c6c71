"""What it costs to carry an array over each boundary."""

from __future__ import annotations

from xpcs_bench.records import Case
from xpcs_bench.report.cells import (
    Cell,
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

__all__ = ["carried_bytes", "describe"]


def describe(evidence: Evidence) -> Section:
    """List the conversions by boundary, the smallest array first."""
    boundaries: dict[str, list[Place[Case]]] = {}
    for case in evidence.cases.values():
        if case.value.measure == "conversion" and case.value.boundary is not None:
            boundaries.setdefault(case.value.boundary, []).append(case)

    def order(case: Place[Case]) -> tuple[int, str]:
        size = carried_bytes(evidence, case)
        return (size.value if size else 0, case.value.variant.id)

    groups = tuple(
        RowGroup(
            text(cases[0]["boundary"]),
            tuple(_row(evidence, case) for case in sorted(cases, key=order)),
        )
        for cases in boundaries.values()
    )
    return Section(
        "conversions",
        "Conversion cost",
        line(
            "A view and a copy are two boundaries: one hands memory out, one moves it."
            if groups
            else "No conversion was measured."
        ),
        tables=(
            Table(
                "conversions",
                "Conversions by boundary and size",
                (
                    column("Array of"),
                    column("Variant"),
                    column("Size", numeric=True),
                    column("Time", numeric=True),
                ),
                groups,
                group_title="Boundary",
            ),
        ),
        plots=("conversion_by_size",),
    )


def carried_bytes(evidence: Evidence, case: Place[Case]) -> Place[int] | None:
    """Return how many bytes cross the boundary; None if no process could say."""
    for measurement in evidence.measurements.get(case.value.id, ()):
        observation = measurement["observation"]
        for field in ("input_bytes", "output_bytes"):
            size: Place[int] = observation[field]
            if size.value > 0:
                return size
    return None


def _row(evidence: Evidence, case: Place[Case]) -> Row:
    size = carried_bytes(evidence, case)
    estimate = evidence.estimate(case, "conversion")
    time: Cell = estimate if isinstance(estimate, Words) else interval(estimate)
    return Row(
        (
            problem_id(case),
            variant_id(case),
            number(size, "bytes") if size else Words("not known", "muted"),
            time,
        )
    )
