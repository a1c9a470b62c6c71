"""Where along an axis the order of two variants turns."""

from __future__ import annotations

from collections.abc import Iterator

from xpcs_bench.records import Crossover, CrossoverPoint, LostSize, Span, Turn
from xpcs_bench.report.cells import (
    Cell,
    Interval,
    Line,
    Number,
    Row,
    RowGroup,
    Section,
    Table,
    Tone,
    Words,
    column,
    count,
    interval,
    items,
    joined,
    line,
    number,
    text,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe", "order", "unit"]

_ANSWERS: dict[str, tuple[str, Tone]] = {
    "crosses": ("crosses", "strong"),
    "always": ("always faster", "good"),
    "never": ("never faster", "muted"),
    "cannot_tell": ("cannot tell", "doubt"),
}
_SIGNS: dict[str, tuple[str, Tone]] = {
    "faster": ("faster", "good"),
    "slower": ("slower", "bad"),
    "unknown": ("cannot tell", "doubt"),
}


def unit(axis: str) -> str:
    """Return what a size on an axis counts."""
    return "pixels a side" if axis == "detector" else axis


def describe(evidence: Evidence) -> Section:
    """Say where the order turns, at which sizes that was seen, and what is missing."""
    found = list(evidence.root["summary"]["crossovers"])
    return Section(
        "crossover",
        "Crossover",
        _lead(evidence, found),
        tables=(_crossovers(found), _points(found), _lost(found)),
        plots=("ratio_by_size",),
    )


def _lead(evidence: Evidence, found: list[Place[Crossover]]) -> Line:
    if evidence.root["header"]["experiment"]["crossover"].value is None:
        return line("No crossover was searched.")
    if not found:
        return line("No candidate could be compared at any size.")
    answers = [
        line(count(rows), " ", Words(*words))
        for answer, words in _ANSWERS.items()
        if (rows := [row for row in found if row.value.answer == answer])
    ]
    return line(
        "Candidates along ",
        text(found[0]["axis"]),
        ": ",
        joined(answers),
        ".",
    )


def order(found: Place[Crossover]) -> Line:
    """Say what the candidate is along the axis, from the smallest size on."""
    value: Crossover = found.value
    parts: list[Cell] = []
    if value.answer in {"always", "never"}:
        word = "faster" if value.answer == "always" else "slower"
        points: list[Place[CrossoverPoint]] = list(found["points"])
        parts.append(
            line(
                Words(*_SIGNS[word]),
                " from ",
                _size(points[0]["size"]),
                " to ",
                _size(points[-1]["size"]),
            )
        )
    parts += map(_turn, found["turns"])
    spans: list[Place[Span]] = list(found["unclear"])
    parts += [
        line(
            "cannot tell between ", _size(span["lower"]), " and ", _size(span["upper"])
        )
        for span in spans
    ]
    return joined(parts, "; ") if parts else line(text(found["reason"]))


def _turn(turn: Place[Turn]) -> Line:
    value: Turn = turn.value
    after = Words(*_SIGNS[value.becomes])
    asked: list[Cell | str] = [" ", Words("(wider than asked)", "doubt")]
    wide = [] if value.resolved else asked
    if value.size is not None:
        return line(after, " above ", _bracket(turn), *wide)
    if value.lower is None:
        return line(after, " from ", _size(turn["upper"]), ", cannot tell below", *wide)
    before = "slower" if value.becomes == "faster" else "faster"
    return line(
        Words(*_SIGNS[before]),
        " up to ",
        _size(turn["lower"]),
        ", cannot tell above",
        *wide,
    )


def _size(place: Place[int]) -> Cell:
    return number(place, "1")


def _bracket(turn: Place[Turn]) -> Interval:
    def end(field: str) -> Number:
        return Number(turn[field].value, "1", (turn[field].pointer,))

    return Interval(end("size"), end("lower"), end("upper"))


def _crossovers(found: list[Place[Crossover]]) -> Table:
    groups: dict[tuple[str, str], list[Place[Crossover]]] = {}
    for row in found:
        groups.setdefault((row.value.problem, row.value.baseline), []).append(row)
    return Table(
        "crossovers",
        "Order along the size",
        (
            column("Candidate"),
            column("Answer"),
            column("Order"),
            column("Wins from", numeric=True),
            column("Measured", numeric=True),
            column("Fixed grid", numeric=True),
            column("Widest gap", numeric=True),
        ),
        tuple(
            RowGroup(
                line(text(rows[0]["problem"]), " against ", text(rows[0]["baseline"])),
                tuple(map(_row, rows)),
            )
            for rows in groups.values()
        ),
        group_title="Problem",
        note=line(
            "At the size before a bracket both take as long, if the ratio is a "
            "straight line between its ends; that the order is certain at both ends "
            "is all that is claimed. Measured: sizes; a fixed grid with such brackets "
            "has as many as stand beside it. Widest gap: by how much neighbours that "
            "agree are apart at most; what turns and turns back within it has not been "
            "seen. Wins from: faster from there on, as far as the sizes go."
        ),
    )


def _row(found: Place[Crossover]) -> Row:
    value: Crossover = found.value
    wins: Cell = Words("nowhere known", "muted")
    if value.wins_above is not None:
        wins = _size(found["wins_above"])
    return Row(
        (
            text(found["candidate"]),
            Words(*_ANSWERS[value.answer]),
            order(found),
            wins,
            number(found["n_measured"], "1"),
            number(found["n_grid"], "1"),
            number(found["widest_gap"], "fraction"),
        )
    )


def _heading(found: Place[Crossover]) -> Line:
    return line(text(found["problem"]), ", ", text(found["candidate"]))


def _points(found: list[Place[Crossover]]) -> Table:
    def rows(crossover: Place[Crossover]) -> Iterator[Row]:
        for point in crossover["points"]:
            yield Row(
                (
                    _size(point["size"]),
                    interval(point["ratio"]),
                    Words(*_SIGNS[point.value.sign]),
                    number(point["ratio"]["n_processes"], "1"),
                )
            )

    return Table(
        "crossover_points",
        "Sizes that were compared",
        (
            column("Size"),
            column("Candidate / baseline", numeric=True),
            column("Order"),
            column("Processes", numeric=True),
        ),
        tuple(RowGroup(_heading(row), tuple(rows(row))) for row in found),
        group_title="Candidate",
        note=line(
            "Intervals are wider than those of single comparisons, so that all orders "
            "are right together."
        ),
    )


def _lost(found: list[Place[Crossover]]) -> Table:
    def rows(crossover: Place[Crossover]) -> Iterator[Row]:
        by_reason: dict[str, list[Place[LostSize]]] = {}
        for lost in crossover["lost"]:
            by_reason.setdefault(lost.value.reason, []).append(lost)
        for sizes in by_reason.values():
            yield Row(
                (
                    text(sizes[0]["reason"]),
                    items(_size(lost["size"]) for lost in sizes),
                )
            )

    groups = [RowGroup(_heading(row), tuple(rows(row))) for row in found]
    return Table(
        "crossover_lost",
        "Sizes that could not be compared",
        (column("Reason"), column("Sizes", numeric=True)),
        tuple(group for group in groups if group.rows),
        group_title="Candidate",
    )
