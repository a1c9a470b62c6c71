"""The answer in the terminal that asked: compact, and plain where nobody looks."""

from __future__ import annotations

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text as Styled

from xpcs_bench.records import RunRecord
from xpcs_bench.report.cells import Cell, Line, Table, Tone, Words, plain, printable
from xpcs_bench.report.tables import describe

__all__ = ["print_summary", "render"]

WIDTH = 100
"""Columns that the summary fits into."""
MOST_ROWS = 20
COLUMNS: dict[str, tuple[str, ...]] = {
    "answers": ("Problem", "Speedup", "Judgement", "Break-even calls"),
    "calls": ("Variant", "First call", "Cached call", "First / cached"),
    "failures": ("Case", "Status", "Reason"),
    "skips": ("Reason", "Cases"),
}
"""Tables that the summary shows, and their columns."""
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
                console.print(_grid(table, plain=not console.is_terminal), width=width)
                if table.n_rows > MOST_ROWS:
                    more = f"{table.n_rows - MOST_ROWS} more rows are in the report."
                    console.print(Styled(more, style="dim"), width=width)


def _grid(table: Table, *, plain: bool) -> Grid:
    grid = Grid(
        box=None if plain else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    kept = [
        index
        for index, column in enumerate(table.columns)
        if column.label in COLUMNS[table.name]
    ]
    for index in kept:
        column = table.columns[index]
        grid.add_column(
            Styled(column.label),
            justify="right" if column.numeric else "left",
            # long names break rather than push the numbers out
            overflow="fold",
            no_wrap=column.numeric,
        )
    rows = [(group.heading, row) for group in table.groups for row in group.rows]
    above: Cell | None = None
    for heading, row in rows[:MOST_ROWS]:
        if heading is not None and heading is not above:
            above = heading
            grid.add_row(_styled(heading))
        cells = [_styled(row.cells[index]) for index in kept]
        if heading is not None:
            cells[0].pad_left(2)
        grid.add_row(*cells)
    return grid


def _styled(cell: Cell) -> Styled:
    match cell:
        case Line():
            return Styled("").join(_styled(part) for part in cell.cells)
        case Words():
            return Styled(cell.text, style=_STYLES[cell.tone])
        case _:
            return Styled(plain(cell))
