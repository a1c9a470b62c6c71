"""A summary for pull requests: the verdict first, then what was answered and lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpcs_bench.records import RunRecord
from xpcs_bench.report.cells import (
    Cell,
    Items,
    Line,
    Section,
    Table,
    Text,
    Words,
    plain,
    printable,
)
from xpcs_bench.report.tables import describe

__all__ = ["escaped", "render", "table_lines", "written"]

TABLES = (
    "rules",
    "gate",
    "claims",
    "crossovers",
    "crossover_lost",
    "answers",
    "calls",
    "conversions",
    "parity",
    "work",
    "programs",
    "efficiency",
    "rates",
    "ceilings",
    "ceiling_checks",
    "failures",
    "skips",
    "unreached",
    "controls",
    "accounting",
    "origin",
)
"""What the summary shows of the report, in the report's order."""
LEADS = {"answers", "claims", "crossover", "gate", "parity"}
"""Sections whose sentence is an answer."""
OMITTED = {"Log", "Tolerance", "Evidence", "Worst at", "How"}
"""Columns that a pull request has no room for."""
MOST_ROWS = 40
MOST_ITEMS = 3

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")


def render(record: RunRecord) -> str:
    """Return the summary of a record in GitHub's Markdown."""
    sections = describe(record)
    lines = [f"# {escaped(record.header.name)}", "", written(sections[0].lead), ""]
    for section in sections:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    tables = [
        table for table in section.tables if table.name in TABLES and table.n_rows
    ]
    if not tables:
        return
    yield f"## {section.title}"
    yield ""
    if section.name in LEADS:
        yield written(section.lead)
        yield ""
    for table in tables:
        if len(tables) > 1:
            yield f"**{table.title}**"
            yield ""
        yield from table_lines(table)


def table_lines(table: Table, most: int | None = MOST_ROWS) -> Iterator[str]:
    """Write the rows of a table; ``most`` is how many at most, None: all."""
    kept = [
        index
        for index, column in enumerate(table.columns)
        if column.label not in OMITTED
    ]
    heads = [
        "" if table.headless else escaped(table.columns[index].label) for index in kept
    ]
    rules = ["---:" if table.columns[index].numeric else "---" for index in kept]
    if table.group_title:
        heads, rules = [table.group_title, *heads], ["---", *rules]
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join(rules)} |"
    rows = [(group.heading, row) for group in table.groups for row in group.rows]
    for heading, row in rows[:most]:
        cells = [written(row.cells[index]) for index in kept]
        if table.group_title:
            cells.insert(0, written(heading) if heading else "")
        yield f"| {' | '.join(cells)} |"
    yield ""
    if most is not None and len(rows) > most:
        yield f"{len(rows) - most} more rows are in report.html."
        yield ""


def written(cell: Cell) -> str:
    """Write a cell."""
    match cell:
        case Items():
            shown = "; ".join(written(part) for part in cell.cells[:MOST_ITEMS])
            more = len(cell.cells) - MOST_ITEMS
            return f"{shown}; and {more} more" if more > 0 else shown
        case Line():
            return "".join(written(part) for part in cell.cells)
        case Text() if cell.is_name:
            return _code(cell.text)
        case Words(tone="good" | "bad" | "doubt"):
            return f"**{escaped(cell.text)}**"
        case Words():
            # its outer spaces separate the parts of a line
            return cell.text
        case Text():
            return escaped(cell.text)
        case _:
            return plain(cell)


def _code(name: str) -> str:
    """Quote a name; a fence is longer than any run of backticks inside."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", name)), default=0))
    padding = " " if "`" in name else ""
    quoted = name.replace("|", r"\|")
    return f"{fence}{padding}{quoted}{padding}{fence}"


def escaped(string: str) -> str:
    """Keep text from becoming markup, a mention, or the end of a table's row."""
    words = " ".join(printable(string).split())
    return _SPECIAL.sub(r"\\\1", words).replace("@", "@<!-- -->")
