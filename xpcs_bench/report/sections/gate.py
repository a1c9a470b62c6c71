"""A candidate revision beside its baseline, case by case, and what became of each."""

from __future__ import annotations

from xpcs_bench.records import Regression
from xpcs_bench.report.cells import (
    Row,
    RowGroup,
    Section,
    Table,
    column,
    count,
    interval,
    joined,
    line,
    number,
    text,
)
from xpcs_bench.report.outcomes import OUTCOMES, outcome_tone, outcome_words
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]


def describe(evidence: Evidence) -> Section:
    """List every case of a gate, the worst first."""
    header = evidence.root["header"]
    found = sorted(
        evidence.root["summary"]["regressions"],
        key=lambda each: OUTCOMES.index(each.value.outcome),
    )
    lead = line("Two revisions were not compared.")
    if header.value.baseline:
        counted = joined(
            line(count(rows), " ", outcome_words(outcome))
            for outcome in OUTCOMES
            if (rows := [each for each in found if each.value.outcome is outcome])
        )
        lead = line(
            "The candidate beside its baseline ",
            text(header["baseline"]),
            ": cases ",
            counted,
            ". Ratio is candidate / baseline: above one is slower, or larger.",
        )
    return Section("gate", "Gate", lead, tables=(_table(found),))


def _table(found: list[Place[Regression]]) -> Table:
    return Table(
        "gate",
        "Candidate against baseline",
        (
            column("Case"),
            column("Outcome"),
            column("Ratio", numeric=True),
            column("To find", numeric=True),
            column("Would see", numeric=True),
            column("Pairs", numeric=True),
            column("Why"),
        ),
        (RowGroup(None, tuple(map(_row, found))),),
        note=line(
            "Fail: the candidate is surely slower by more than the margin. Pass: it is "
            "not slower by what was to be found. Would see: the slowdown that nearly "
            "every such gate would have failed."
        ),
    )


def _row(regression: Place[Regression]) -> Row:
    return Row(
        (
            text(regression["group"]),
            outcome_words(regression.value.outcome),
            interval(regression["ratio"]),
            number(regression["find"], "fraction"),
            number(regression["smallest_change"], "fraction"),
            number(regression["ratio"]["n_processes"], "1"),
            text(regression["reason"]),
        ),
        tone=outcome_tone(regression.value.outcome),
    )
