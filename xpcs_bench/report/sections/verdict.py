"""What was measured, how it ended, and what the rules say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from xpcs_bench.records import Case, Outcome, Standing, Status, Verdict
from xpcs_bench.report.cells import (
    Cell,
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    Tone,
    Words,
    column,
    count,
    items,
    joined,
    line,
    text,
    variant_id,
)
from xpcs_bench.report.outcomes import OUTCOMES, outcome_tone, outcome_words
from xpcs_bench.report.place import Place
from xpcs_bench.report.sections import claims, controls
from xpcs_bench.report.standing import Evidence, standing_words

__all__ = ["describe", "rules"]

FEW = 3
"""Names that a sentence can hold."""
_RUN: dict[str, tuple[str, Tone]] = {
    "complete": ("complete", "good"),
    "interrupted": ("interrupted", "bad"),
    "incomplete": ("incomplete", "bad"),
}
_ELSEWHERE = frozenset({"claims"})
"""Rules whose findings have a section of their own."""


def describe(evidence: Evidence) -> Section:
    """Say what was measured and how it ended."""
    return Section(
        "verdict",
        "Verdict",
        _verdict(evidence),
        tables=(
            # what is kept can wait until the answers are read
            rules(
                evidence,
                "rules",
                "Rules that are broken or cannot be judged",
                Outcome.ERROR,
                Outcome.FAIL,
                Outcome.INCONCLUSIVE,
            ),
        ),
    )


def _verdict(evidence: Evidence) -> Line:
    by_standing: dict[Standing, list[Place[Case]]] = defaultdict(list)
    for case_id, case in evidence.under_test.items():
        by_standing[evidence.standing(case_id)].append(case)
    order = (*Status, "not_measured")
    ended = [
        line(count(by_standing[standing]), " ", standing_words(standing))
        for standing in sorted(by_standing, key=order.index)
    ]
    skips = list(evidence.root["header"]["skipped"])
    if skips:
        ended.append(line(count(skips), " ", Words("skipped", "doubt")))
    status = evidence.root["status"].value
    return line(
        *(("Cases: ", joined(ended), ". ") if ended else ("No case was planned. ",)),
        "Run ",
        Words(*_RUN[status]),
        ". ",
        controls.sentence(evidence),
        claims.sentence(evidence),
        "Measured: ",
        _scope(evidence),
        ".",
    )


def _scope(evidence: Evidence) -> Line:
    """Say in a sentence what was measured; the names where they are few."""
    experiment = evidence.root["header"]["experiment"]
    variants = {case.value.variant.id: case for case in evidence.under_test.values()}
    lists: tuple[tuple[str, list[Place[Any]], Callable[[Place[Any]], Cell]], ...] = (
        ("kernels", list(experiment["kernels"]), lambda place: text(place["name"])),
        ("detectors", list(experiment["detectors"]), lambda place: text(place["name"])),
        (
            "geometries",
            list(experiment["geometries"]),
            lambda place: text(place["name"]),
        ),
        ("variants", list(variants.values()), variant_id),
    )
    return joined(
        (
            line(f"{noun} ", joined(map(show, places)))
            if len(places) <= FEW
            else line(count(places), f" {noun}")
            for noun, places, show in lists
            if places
        ),
        "; ",
    )


def rules(evidence: Evidence, name: str, title: str, *outcomes: Outcome) -> Table:
    """List what the rules found, the worst first, subjects of one finding together."""
    findings: dict[tuple[Outcome, str, str], list[Place[Verdict]]] = defaultdict(list)
    for verdict in evidence.root["summary"]["verdicts"]:
        found: Verdict = verdict.value
        if found.outcome in outcomes and found.rule not in _ELSEWHERE:
            findings[found.outcome, found.rule, found.reason].append(verdict)
    rows = tuple(
        Row(
            (
                text(verdicts[0]["rule"]),
                outcome_words(outcome),
                count(verdicts),
                text(verdicts[0]["reason"]),
                items(text(verdict["subject"]) for verdict in verdicts),
                items(
                    text(each) for verdict in verdicts for each in verdict["evidence"]
                ),
            ),
            tone=outcome_tone(outcome),
        )
        for (outcome, _, _), verdicts in sorted(
            findings.items(), key=lambda finding: OUTCOMES.index(finding[0][0])
        )
    )
    return Table(
        name,
        title,
        (
            column("Rule"),
            column("Outcome"),
            column("Subjects", numeric=True),
            column("Reason"),
            column("Which"),
            column("Evidence"),
        ),
        (RowGroup(None, rows),),
    )
