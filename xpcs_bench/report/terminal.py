"""The answer in the terminal that asked: compact, and plain where nobody looks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

from xpcs_bench.records import Crossover, RunRecord
from xpcs_bench.report.cells import (
    Cell,
    Interval,
    Line,
    Number,
    Row,
    Table,
    Tone,
    Words,
    plain,
    printable,
)
from xpcs_bench.report.sections.crossover import order, unit
from xpcs_bench.report.standing import Evidence
from xpcs_bench.report.tables import describe

__all__ = ["STYLES", "WIDTH", "print_crossovers", "print_summary", "render"]

WIDTH = 100
"""Columns that the summary fits into."""
GAP = 2
SENTENCE = 25
"""Width of a sentence that stands where there is no number."""
NAME = 17
"""Least width of a column of words; longer ones break."""
MOST_ROWS = 20
COLUMNS: dict[str, tuple[str, ...]] = {
    "rules": ("Rule", "Outcome", "Subjects", "Reason"),
    "gate": ("Outcome", "Ratio", "To find", "Would see", "Pairs"),
    "claims": ("Claim", "Outcome", "Claimed", "Measured"),
    "answers": ("Judgement", "Speedup", "Break-even calls", "Would see"),
    "crossovers": ("Candidate", "Order", "Measured", "Fixed grid"),
    "calls": (
        "Variant",
        "First call",
        "Warm-process recompile",
        "Cached call",
        "First / cached",
    ),
    "efficiency": ("Variant", "Part of bandwidth", "Part of flops", "Limited by"),
    "failures": ("Case", "Status", "Reason"),
    "skips": ("Reason", "Cases"),
}
"""Tables that the summary shows, and their columns, of those that a table has."""
STACKED = {"answers", "gate"}
"""Tables whose rows stand below their name, which leaves the names whole."""
STYLES: dict[Tone, str] = {
    "": "",
    "good": "green",
    "bad": "bold red",
    "doubt": "yellow",
    "muted": "dim",
    "strong": "bold",
}


def render(record: RunRecord) -> str:
    """Return the summary as plain text."""
    file = io.StringIO()
    _print(record, Console(file=file, width=WIDTH, force_terminal=False), WIDTH)
    return file.getvalue()


def print_summary(record: RunRecord, console: Console) -> None:
    """Print what was answered and what was lost, at most 100 columns wide.

    A pipe or a log has no width of its own and gets plain text of that width.
    """
    if console.is_terminal:
        _print(record, console, min(WIDTH, console.width))
    else:
        console.out(render(record), end="", highlight=False)


def print_crossovers(record: RunRecord, console: Console) -> None:
    """Print a line a candidate: where its order turns, and how many sizes that took."""
    evidence = Evidence(record)
    for found in evidence.root["summary"]["crossovers"]:
        value: Crossover = found.value
        sentence = (
            f"{value.problem}: {value.candidate} against {value.baseline}: "
            f"{plain(order(found))}"
        )
        if value.lost:
            sentence += f"; {len(value.lost)} sizes could not be compared"
        sentence += (
            f" ({unit(value.axis)}); {value.n_measured} sizes measured, where a fixed "
            f"grid has {value.n_grid}"
        )
        console.print(
            printable(sentence), markup=False, highlight=False, soft_wrap=True
        )
    if not record.summary.crossovers:
        console.print("No candidate could be compared at any size.", markup=False)


def _print(record: RunRecord, console: Console, width: int) -> None:
    sections = describe(record)
    console.print(Styled(printable(record.header.name), style="bold"), width=width)
    console.print(_styled(sections[0].lead), width=width)
    for section in sections:
        for table in section.tables:
            if table.name in COLUMNS and table.n_rows:
                console.print()
                console.print(Styled(table.title, style="bold"), width=width)
                for part in _parts(table, width):
                    console.print(part, width=width)


def _parts(table: Table, width: int) -> Iterator[Grid | Padding | Styled]:
    """Yield the head, then for every group its heading and its rows."""
    rows = [
        (row.cells[0] if table.name in STACKED else group.heading, row)
        for group in table.groups
        for row in group.rows
    ]
    at = {column.label: index for index, column in enumerate(table.columns)}
    widths = _widths(table, at, [row for _, row in rows], width)
    grid = _grid(table, at, widths)
    grid.add_row(*(Styled(label, style="dim") for label in widths))
    above: Cell | None = None
    for heading, row in rows[:MOST_ROWS]:
        if heading is not None and heading != above:
            yield grid
            above = heading
            yield _styled(heading)
            grid = _grid(table, at, widths)
        first, *others = (_styled(row.cells[at[label]]) for label in widths)
        indent = 0 if heading is None else GAP
        if " " not in first.plain:
            room = next(iter(widths.values())) - GAP - indent
            first = Styled(_behind_slashes(first.plain, room), style=first.style)
        grid.add_row(Padding(first, (0, 0, 0, indent)), *others)
    yield grid
    if len(rows) > MOST_ROWS:
        more = f"{len(rows) - MOST_ROWS} more rows are in the report."
        yield Styled(more, style="dim")


def _widths(
    table: Table, at: Mapping[str, int], rows: Sequence[Row], width: int
) -> dict[str, int]:
    """Share the width among the columns: numbers whole, words in what is left.

    Where even that is too much, the last columns go: the report has them.
    """
    wanted = {}
    for label in COLUMNS[table.name]:
        if label not in at:
            continue
        cells = [row.cells[at[label]] for row in rows]
        longest = max(cell_len(plain(cell)) for cell in cells)
        if table.columns[at[label]].numeric:
            numbers = [
                cell_len(plain(cell))
                for cell in cells
                if isinstance(cell, (Number, Interval))
            ]
            longest = min(longest, max([SENTENCE, *numbers]))
        wanted[label] = max(cell_len(label), longest) + GAP
    if table.name in STACKED or table.group_title:
        wanted[COLUMNS[table.name][0]] += GAP
    words = [label for label in wanted if not table.columns[at[label]].numeric]
    while (beyond := sum(wanted.values()) - width) > 0:
        widest = max(words, key=lambda label: wanted[label])
        spare = wanted[widest] - (NAME + 2 * GAP)
        if spare > 0:
            wanted[widest] -= min(beyond, spare, max(1, beyond // len(words)))
        elif len(wanted) > 1:
            last = list(wanted)[-1]
            del wanted[last]
            words = [label for label in words if label != last]
        else:
            break
    return wanted


def _grid(table: Table, at: Mapping[str, int], widths: Mapping[str, int]) -> Grid:
    grid = Grid.grid(padding=(0, GAP, 0, 0), pad_edge=True)
    for label, width in widths.items():
        grid.add_column(
            justify="right" if table.columns[at[label]].numeric else "left",
            overflow="fold",
            width=width - GAP,
        )
    return grid


def _behind_slashes(name: str, width: int) -> str:
    """Break a name that is too long where one of its parts ends."""
    lines = [""]
    for part in re.findall(r"[^/]*/|[^/]+", name):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _styled(cell: Cell) -> Styled:
    match cell:
        case Line():
            return Styled("").join(_styled(part) for part in cell.cells)
        case Words():
            return Styled(cell.text, style=STYLES[cell.tone])
        case _:
            return Styled(plain(cell))
