"""Sentences of documents beside what was measured, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from xpcs_bench.records import ClaimFinding, Outcome
from xpcs_bench.report.cells import (
    Cell,
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    column,
    count,
    interval,
    items,
    joined,
    line,
    text,
)
from xpcs_bench.report.outcomes import OUTCOMES, outcome_tone, outcome_words
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe", "sentence"]


def sentence(evidence: Evidence) -> Line:
    """Say how many claims there are of each outcome; nothing where there are none."""
    by_outcome: dict[Outcome, list[Place[ClaimFinding]]] = defaultdict(list)
    for claim in evidence.root["summary"]["claims"]:
        by_outcome[claim.value.outcome].append(claim)
    if not by_outcome:
        return line()
    counted = joined(
        line(count(by_outcome[outcome]), " ", outcome_words(outcome))
        for outcome in reversed(OUTCOMES)
        if outcome in by_outcome
    )
    return line("Claims: ", counted, ". ")


def describe(evidence: Evidence) -> Section:
    """List every claim beside what was found, in the order of the experiment."""
    claims = list(evidence.root["summary"]["claims"])
    lead = line("No sentence of a document was to be decided.")
    if claims:
        lead = line(
            sentence(evidence),
            "A claim of a number passes where all of the interval lies within what is "
            "claimed, and fails where all of it lies outside. One that cannot be "
            "tested here is skipped.",
        )
    return Section("claims", "Claims", lead, tables=(_table(claims),))


def _table(claims: list[Place[ClaimFinding]]) -> Table:
    groups = (
        list(members) for _, members in groupby(claims, lambda each: each.value.source)
    )
    return Table(
        "claims",
        "Sentences, and what was found",
        (
            column("Claim"),
            column("Sentence"),
            column("Claimed"),
            column("Measured", numeric=True),
            column("Outcome"),
            column("Why"),
            column("Evidence"),
        ),
        tuple(
            RowGroup(text(members[0]["source"]), tuple(map(_row, members)))
            for members in groups
        ),
        group_title="Source",
    )


def _row(claim: Place[ClaimFinding]) -> Row:
    return Row(
        (
            text(claim["id"]),
            text(claim["says"]),
            text(claim["claimed"]),
            _measured(claim),
            outcome_words(claim.value.outcome),
            text(claim["reason"]),
            items(text(each) for each in claim["evidence"]),
        ),
        tone=outcome_tone(claim.value.outcome),
    )


def _measured(claim: Place[ClaimFinding]) -> Cell:
    if claim.value.measured is not None:
        return interval(claim["measured"])
    return text(claim["found"])
