"""The answer in the terminal that asked: compact, and plain where nobody looks."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

from xpcs_bench.records import RunRecord
from xpcs_bench.report.cells import (
    Cell,
    Interval,
    Line,
    Number,
    Table,
    Tone,
    Words,
    plain,
    printable,
)
from xpcs_bench.report.tables import describe

__all__ = ["print_summary", "render"]

WIDTH = 100
"""Columns that the summary fits into."""
NUMERIC_WIDTH = 25
"""Columns for the sentence that stands where there is no number."""
MOST_ROWS = 20
COLUMNS: dict[str, tuple[str, ...]] = {
    "rules": ("Rule", "Outcome", "Reason"),
    "answers": ("Judgement", "Speedup", "Break-even calls"),
    "calls": ("Variant", "First call", "Cached call", "First / cached"),
    "failures": ("Case", "Status", "Reason"),
    "skips": ("Reason", "Cases"),
}
"""Tables that the summary shows, and their columns."""
STACKED = {"answers"}
"""Tables whose rows stand below their name, which leaves the names whole."""
_STYLES: dict[Tone, str] = {
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
    print_summary(record, Console(file=file, width=WIDTH, force_terminal=False))
    return file.getvalue()


def print_summary(record: RunRecord, console: Console) -> None:
    """Print what was answered and what was lost, at most 100 columns wide.

    Colour and rules are left to terminals; a pipe or a log gets plain text.
    """
    width = min(WIDTH, console.width)
    sections = describe(record)
    console.print(Styled(printable(record.header.name), style="bold"), width=width)
    console.print(_styled(sections[0].lead), width=width)
    for section in sections:
        for table in section.tables:
            if table.name in COLUMNS and table.n_rows:
                console.print()
                console.print(Styled(table.title, style="bold"), width=width)
                console.print(_grid(table, ruled=console.is_terminal), width=width)
                if table.n_rows > MOST_ROWS:
                    more = f"{table.n_rows - MOST_ROWS} more rows are in the report."
                    console.print(Styled(more, style="dim"), width=width)


def _grid(table: Table, *, ruled: bool) -> Grid:
    grid = Grid(
        box=SIMPLE_HEAD if ruled else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    at = {column.label: index for index, column in enumerate(table.columns)}
    kept = [at[label] for label in COLUMNS[table.name]]
    rows = [
        (row.cells[0] if table.name in STACKED else group.heading, row)
        for group in table.groups
        for row in group.rows
    ][:MOST_ROWS]
    for index in kept:
        column = table.columns[index]
        width = _numbers_width(row.cells[index] for _, row in rows)
        grid.add_column(
            Styled(column.label),
            justify="right" if column.numeric else "left",
            # words break rather than push the numbers out
            overflow="fold",
            min_width=width,
            max_width=max(width, NUMERIC_WIDTH) if column.numeric else None,
        )
    above: Cell | None = None
    for heading, row in rows:
        if heading is not None and heading != above:
            above = heading
            grid.add_row(_styled(heading))
        first, *others = (_styled(row.cells[index]) for index in kept)
        indent = 0 if heading is None else 2
        grid.add_row(Padding(first, (0, 0, 0, indent)), *others)
    return grid


def _numbers_width(cells: Iterable[Cell]) -> int:
    """Return the width that keeps the numbers of a column on one line."""
    return max(
        (len(plain(cell)) for cell in cells if isinstance(cell, (Number, Interval))),
        default=0,
    )


def _styled(cell: Cell) -> Styled:
    match cell:
        case Line():
            return Styled("").join(_styled(part) for part in cell.cells)
        case Words():
            return Styled(cell.text, style=_STYLES[cell.tone])
        case _:
            return Styled(plain(cell))
