"""What was asked for and is not answered: skips, failures, and cases not reached."""

from __future__ import annotations

from collections import defaultdict

from xpcs_bench.records import Measurement, Skip, Status
from xpcs_bench.report.cells import (
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    case_id,
    column,
    count,
    items,
    line,
    number,
    text,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence, standing_words

__all__ = ["describe"]


def describe(evidence: Evidence) -> Section:
    """List skips by their reason, failures by process, and cases not reached."""
    tables = (_failures(evidence), _skips(evidence), _unreached(evidence))
    nothing = not any(table.n_rows for table in tables)
    return Section(
        "losses",
        "Skipped and failed",
        line("Every case that was asked for was measured.") if nothing else Line(()),
        tables=tables,
    )


def _failures(evidence: Evidence) -> Table:
    rows = []
    for case_name, case in evidence.cases.items():
        failed: list[Place[Measurement]] = [
            seen
            for seen in evidence.measurements.get(case_name, ())
            if seen.value.observation.status is not Status.OK
        ]
        rows += [
            Row(
                (
                    case_id(case),
                    standing_words(seen.value.observation.status),
                    number(seen["process"], "index"),
                    text(seen["observation"]["reason"]),
                    text(seen["log"], block=True),
                ),
                tone="bad",
            )
            for seen in failed
        ]
    return Table(
        "failures",
        "Failed processes",
        (
            column("Case"),
            column("Status"),
            column("Process", numeric=True),
            column("Reason"),
            column("Log"),
        ),
        (RowGroup(None, tuple(rows)),),
        note=line("The log is what the worker wrote last."),
    )


def _skips(evidence: Evidence) -> Table:
    by_reason: dict[str, list[Place[Skip]]] = defaultdict(list)
    for skip in evidence.root["header"]["skipped"]:
        by_reason[skip.value.reason].append(skip)
    rows = tuple(
        Row(
            (
                text(skips[0]["reason"]),
                count(skips),
                items(text(skip["case"]) for skip in skips),
            )
        )
        for skips in by_reason.values()
    )
    return Table(
        "skips",
        "Skipped cases by reason",
        (column("Reason"), column("Cases", numeric=True), column("Which")),
        (RowGroup(None, rows),),
    )


def _unreached(evidence: Evidence) -> Table:
    rows = tuple(
        Row((case_id(case), standing_words("not_measured")))
        for case_name, case in evidence.cases.items()
        if evidence.standing(case_name) == "not_measured"
    )
    return Table(
        "unreached",
        "Cases without a measurement",
        (column("Case"), column("Status")),
        (RowGroup(None, rows),),
        note=line("Resume the run to measure them."),
    )
