"""How near cached calls come to what the machine can do, and how that was measured."""

from __future__ import annotations

from collections.abc import Callable

from xpcs_bench.records import (
    Achieved,
    Case,
    Ceiling,
    Diagnosis,
    Efficiency,
    Estimate,
    Outcome,
)
from xpcs_bench.records.ceiling import Resource
from xpcs_bench.report.cells import (
    Cell,
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    interval,
    items,
    line,
    number,
    problem_id,
    text,
    variant_id,
)
from xpcs_bench.report.outcomes import outcome_words
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]

_NONE = Words("none", "muted")
_UNITS: dict[Resource, str] = {"bytes": "B/s", "flops": "FLOP/s"}
_LIMITS = {
    "bandwidth": Words("bandwidth"),
    "flops": Words("operations"),
    None: Words("not known", "muted"),
}


def describe(evidence: Evidence) -> Section:
    """List the parts by problem, the ceilings, and how measuring those ended."""
    return Section(
        "efficiency",
        "Efficiency",
        _lead(evidence),
        tables=(
            _efficiencies(evidence),
            _rates(evidence),
            _ceilings(evidence),
            _checks(evidence),
        ),
    )


def _lead(evidence: Evidence) -> Line:
    if not evidence.root["header"]["experiment"]["efficiency"].value:
        return line("Efficiency was not asked for.")
    checks: list[Place[Diagnosis]] = list(evidence.root["ceiling_checks"])
    if not evidence.root["ceilings"].value:
        return line("No ceiling of this machine was measured.")
    lead = line(
        "What a cached call must move and compute at least, over its time, as a part "
        "of the most that this machine did in workers set up like those of the cases."
    )
    if any(check.value.outcome is not Outcome.PASS for check in checks):
        doubt = Words("Some ceilings are doubtful or missing", "doubt")
        lead = line(lead, " ", doubt, ": see how measuring them ended.")
    return lead


def _groups(
    evidence: Evidence,
    show: Callable[[Place[Case], Place[Efficiency]], Row],
    width: int,
) -> tuple[RowGroup, ...]:
    """Make a row of every cached call, where efficiencies were asked for."""
    found: dict[str, Place[Efficiency]] = {
        efficiency.value.case: efficiency
        for efficiency in evidence.root["summary"]["efficiencies"]
    }
    if not found:
        return ()

    def row(case: Place[Case]) -> Row:
        estimate = evidence.estimate(case, "steady_state")
        efficiency = found.get(case.value.id)
        if isinstance(estimate, Words) or efficiency is None:
            word = estimate if isinstance(estimate, Words) else _NONE
            return Row((variant_id(case), word, *(_NONE,) * (width - 2)))
        return show(case, efficiency)

    return tuple(
        RowGroup(problem_id(cases[0]), tuple(map(row, cases)))
        for cases in evidence.by_problem("steady_state").values()
    )


def _efficiencies(evidence: Evidence) -> Table:
    columns = (
        column("Variant"),
        column("Part of bandwidth", numeric=True),
        column("Part of flops", numeric=True),
        column("Limited by"),
        column("Note"),
    )
    return Table(
        "efficiency",
        "Cached calls as parts of the ceilings",
        columns,
        _groups(evidence, _parts, len(columns)),
        group_title="Problem",
        note=line(
            "The intervals are those of the time. An implementation that moves or "
            "computes more than the least shows a smaller part. Limited by: of which "
            "the larger part is used."
        ),
    )


def _parts(case: Place[Case], efficiency: Place[Efficiency]) -> Row:
    both = (("bandwidth", efficiency["bandwidth"]), ("flops", efficiency["flops"]))
    return Row(
        (
            variant_id(case),
            *(_shown(achieved["part"]) for _, achieved in both),
            _LIMITS[efficiency.value.limited_by],
            items(
                line(f"{name}: ", text(achieved["reason"]))
                for name, achieved in both
                if achieved.value.reason
            ),
        )
    )


def _rates(evidence: Evidence) -> Table:
    columns = (
        column("Variant"),
        column("Least bytes", numeric=True),
        column("Bandwidth", numeric=True),
        column("Ceiling", numeric=True),
        column("Level"),
        column("Least operations", numeric=True),
        column("Flops", numeric=True),
        column("Ceiling of flops", numeric=True),
    )

    def row(case: Place[Case], efficiency: Place[Efficiency]) -> Row:
        bandwidth, flops = efficiency["bandwidth"], efficiency["flops"]
        of_bytes = _of(evidence, bandwidth)
        of_flops = _of(evidence, flops)
        return Row(
            (
                variant_id(case),
                number(case["least_bytes"], "bytes"),
                _shown(bandwidth["per_second"]),
                number(of_bytes["per_second"], "B/s") if of_bytes else _NONE,
                text(of_bytes["level"]) if of_bytes else _NONE,
                number(case["least_flops"], "1"),
                _shown(flops["per_second"]),
                number(of_flops["per_second"], "FLOP/s") if of_flops else _NONE,
            )
        )

    return Table(
        "rates",
        "Rates of cached calls, and the ceilings that fit",
        columns,
        _groups(evidence, row, len(columns)),
        group_title="Problem",
        note=line(
            "The least is the kernel's own: inputs read once and outputs written once, "
            "and the operations of its formula, a function such as exp or sine counted "
            "as one. Level: which memory the bytes fit into."
        ),
    )


def _of(evidence: Evidence, achieved: Place[Achieved]) -> Place[Ceiling] | None:
    at = achieved.value.ceiling
    return None if at is None else evidence.root["ceilings"][at]


def _shown(estimate: Place[Estimate | None]) -> Cell:
    found = estimate.value
    return _NONE if found is None else interval(Place(found, estimate.pointer))


def _ceilings(evidence: Evidence) -> Table:
    ceilings: list[Place[Ceiling]] = list(evidence.root["ceilings"])
    groups = [
        RowGroup(
            line(what), tuple(_ceiling(c) for c in ceilings if c.value.resource == kind)
        )
        for kind, what in (
            ("bytes", "bytes a second"),
            ("flops", "operations a second"),
        )
    ]
    return Table(
        "ceilings",
        "Ceilings of this machine",
        (
            column("Operation"),
            column("Rate", numeric=True),
            column("Library"),
            column("Platform"),
            column("Type"),
            column("Threads"),
            column("Level"),
            column("Arrays", numeric=True),
            column("Cores used", numeric=True),
            column("How"),
        ),
        tuple(group for group in groups if group.rows),
        group_title="Ceiling",
        note=line(
            "A case is a part of the highest that fits: of its platform, as many "
            "threads, its type for operations, its level for bytes. Fewer cores used "
            "than there are: other work had them, and the ceiling is too low."
        ),
    )


def _ceiling(ceiling: Place[Ceiling]) -> Row:
    return Row(
        (
            text(ceiling["operation"]),
            number(ceiling["per_second"], _UNITS[ceiling.value.resource]),
            text(ceiling["library"]),
            text(ceiling["platform"]),
            text(ceiling["dtype"]),
            text(ceiling["threads"]),
            text(ceiling["level"]) if ceiling.value.level else _NONE,
            number(ceiling["working_set_bytes"], "bytes"),
            number(ceiling["cores_used"], "value"),
            text(ceiling["method"]),
        )
    )


def _checks(evidence: Evidence) -> Table:
    checks: list[Place[Diagnosis]] = list(evidence.root["ceiling_checks"])
    rows = tuple(
        Row(
            (
                text(check["check"]),
                outcome_words(check.value.outcome),
                text(check["found"]),
                text(check["advice"]),
            )
        )
        for check in checks
    )
    return Table(
        "ceiling_checks",
        "How measuring the ceilings ended",
        (column("Check"), column("Outcome"), column("Found"), column("What to do")),
        (RowGroup(None, rows),),
    )
