"""How the comparisons came out whose answer is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from xpcs_bench.analysis.controls import CONTROLLED
from xpcs_bench.records import Case, Control, Outcome
from xpcs_bench.report.cells import (
    Cell,
    Line,
    Row,
    RowGroup,
    Table,
    Words,
    column,
    count,
    interval,
    joined,
    line,
    number,
    text,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["sentence", "table"]

FEW = 3
"""Controls whose ratios a sentence can hold."""
_KINDS = {"same": Words("one code twice"), "slowed": Words("slowed code")}
_OUTCOMES = {Outcome.PASS: Words("pass", "good")}
_FAILED = Words("cannot tell", "doubt")


def sentence(evidence: Evidence) -> Line:
    """Say how many controls hold; their ratios too, where there are few."""
    found = list(_controls(evidence))
    if not found:
        compares = any(
            comparison.value.metric in CONTROLLED
            for comparison, *_ in evidence.comparisons()
        )
        # a run that compares nothing needs none
        return line("Controls: ", Words("none", "doubt"), ". ") if compares else line()
    hold = [each for each, _ in found if each.value.outcome is Outcome.PASS]
    places: dict[str, list[Cell | str]] = defaultdict(list)
    for control, case in found:
        said = places[control.value.group]
        said += [", "] if said else [_where(case), ": "]
        said += [_KINDS[control.value.kind], " ", _ratio(control)]
        if control.value.outcome is not Outcome.PASS:
            said += [" ", _FAILED]
    return line(
        "Controls: ",
        count(hold),
        " of ",
        count(each for each, _ in found),
        " hold",
        *(
            (" (", joined((line(*said) for said in places.values()), "; "), ")")
            if len(places) <= FEW
            else ()
        ),
        ". ",
    )


def table(evidence: Evidence) -> Table:
    """List every control with its ratio and what it means."""
    rows = tuple(
        Row(
            (
                _where(case),
                _KINDS[control.value.kind],
                _ratio(control),
                number(control["ratio"]["confidence"], "fraction")
                if control.value.ratio
                else Words("none", "muted"),
                _outcome(control),
                text(control["reason"]),
            ),
            tone="" if control.value.outcome is Outcome.PASS else "doubt",
        )
        for control, case in _controls(evidence)
    )
    return Table(
        "controls",
        "Controls: comparisons whose answer is known",
        (
            column("Where"),
            column("Compared"),
            column("Ratio", numeric=True),
            column("Confidence", numeric=True),
            column("Outcome"),
            column("Reason"),
        ),
        (RowGroup(None, rows),),
        note=line(
            "One code is compared with itself, and with itself slowed down. Where the "
            "run does not get these right, it does not judge cached calls and "
            "conversions of that backend and device."
        ),
    )


def _controls(evidence: Evidence) -> Iterator[tuple[Place[Control], Place[Case]]]:
    for control in evidence.root["summary"]["controls"]:
        case = evidence.cases.get(control.value.candidate)
        if case is not None:
            yield control, case


def _where(case: Place[Case]) -> Line:
    variant = case["variant"]
    return line(text(variant["backend"]), "/", text(variant["device"]))


def _ratio(control: Place[Control]) -> Cell:
    if control.value.ratio is None:
        return Words("not measured", "doubt")
    return interval(control["ratio"])


def _outcome(control: Place[Control]) -> Words:
    return _OUTCOMES.get(control.value.outcome, _FAILED)
