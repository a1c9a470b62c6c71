"""What a report is made of, before it is HTML, Markdown or a terminal's lines.

A cell says what is shown and where it comes from. A number carries its raw value, its
unit and the JSON pointers of the fields of ``run.json`` that it was read from; text of
the record carries its pointer too. :class:`Words` are our own and hold no number.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from xpcs_bench.records import Case, Estimate, Variant
from xpcs_bench.report.place import Place
from xpcs_bench.units import format_duration, format_percent, format_quantity

__all__ = [
    "STAGE",
    "Bar",
    "Cell",
    "Column",
    "Interval",
    "Items",
    "Line",
    "Number",
    "NumberFrom",
    "Row",
    "RowGroup",
    "Section",
    "Table",
    "Text",
    "TextFrom",
    "Tone",
    "Words",
    "case_id",
    "column",
    "count",
    "interval",
    "inverse_interval",
    "items",
    "joined",
    "key",
    "line",
    "number",
    "plain",
    "printable",
    "problem_id",
    "quotient",
    "quotient_interval",
    "stage",
    "text",
    "variant_id",
]

Tone = Literal["", "good", "bad", "doubt", "muted", "strong"]
"""How a cell is meant: colour where there is colour, and never colour alone."""
NumberFrom = Literal["count", "inverse", "quotient"]
"""How a number follows from its sources when it is not the field itself:
the number of sources, one over the only one, or the first over the second."""
TextFrom = Literal["key", "stage", "case_id", "problem_id", "variant_id"]
"""How a text follows from its source when it is not the field itself:
the last step of the pointer, what follows ``stages.`` in a metric, or a name of the
noun there."""

STAGE = "stages."
"""What the metric of a stage begins with."""
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(string: str) -> str:
    """Make control characters visible: a log must not steer a terminal or a page."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) != "Cc"
        # the Unicode block of control pictures mirrors the first 32 codes
        else chr(0x2400 + ord(character))
        if ord(character) < 0x20
        else "\N{REPLACEMENT CHARACTER}"
        for character in string.replace("\r\n", "\n")
    ).translate(dict.fromkeys(map(ord, _BIDI_CONTROLS), "\N{REPLACEMENT CHARACTER}"))


_SYMBOLS = {"s": " s", "ns": " ns", "bytes": " B", "x": "x", "1": ""}


def _readable(raw: float) -> bool:
    """Whether a number can be written without an exponent: no run of zeros."""
    return raw == 0 or 1e-12 <= abs(raw) < 1e15


@dataclass(frozen=True)
class Number:
    """A number of the record."""

    kind: ClassVar[str] = "number"
    raw: float
    unit: str
    """Of :func:`~xpcs_bench.units.format_quantity`; or ``ns``, ``fraction``, ``value``
    (any magnitude, no unit), ``index``."""
    sources: tuple[str, ...]
    """JSON pointers."""
    derived: NumberFrom | None = None
    """None: ``raw`` is the field at the only source."""

    @property
    def text(self) -> str:
        """The number as people read it."""
        if not math.isfinite(self.raw):
            return str(self.raw)
        if self.unit in _SYMBOLS and not _readable(self.raw):
            return f"{self.raw:.3g}{_SYMBOLS[self.unit]}"
        match self.unit:
            case "ns":
                return format_duration(self.raw * 1e-9)
            case "fraction":
                return format_percent(self.raw)
            case "value":
                return f"{self.raw:.3g}"
            case "index":
                return f"{self.raw:d}"
            case _:
                return format_quantity(self.raw, self.unit)


@dataclass(frozen=True)
class Bar:
    """An interval drawn in the width of a cell; places are per cent of that width."""

    lower: float
    point: float
    upper: float
    one: float
    """Where the ratio 1 lies."""


@dataclass(frozen=True)
class Interval:
    """A number with its doubt."""

    kind: ClassVar[str] = "interval"
    point: Number
    lower: Number
    upper: Number
    bar: Bar | None = None

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends as text, without their unit where the point shows the same one."""
        _, unit = _split(self.point.text)
        ends = _split(self.lower.text), _split(self.upper.text)
        if all(end[1] == unit for end in ends):
            return ends[0][0], ends[1][0]
        return self.lower.text, self.upper.text


_QUANTITY = re.compile(r"([-+]?(?:nan|inf|[0-9. ]*[0-9](?:e[-+][0-9]+)?))(.*)")


def _split(shown: str) -> tuple[str, str]:
    """Split a shown quantity into digits and unit; thousands are a space apart."""
    found = _QUANTITY.fullmatch(shown)
    return (found[1], found[2]) if found else (shown, "")


@dataclass(frozen=True)
class Text:
    """Text of the record, shown letter by letter."""

    kind: ClassVar[str] = "text"
    raw: str
    source: str
    """JSON pointer."""
    derived: TextFrom | None = None
    """None: ``raw`` is the field at the source."""
    block: bool = False
    """Whether its lines are kept: a log."""

    @property
    def text(self) -> str:
        """The text with control characters made visible."""
        return printable(self.raw)

    @property
    def is_name(self) -> bool:
        """Whether it is a name rather than a sentence: it has no spaces."""
        return not any(map(str.isspace, self.raw))


@dataclass(frozen=True)
class Words:
    """Words of the report itself; without a number."""

    kind: ClassVar[str] = "words"
    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Line:
    """Cells one after the other, as in a sentence."""

    kind: ClassVar[str] = "line"
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Items:
    """Cells one below the other; a long list may be folded."""

    kind: ClassVar[str] = "items"
    cells: tuple[Cell, ...]


Cell: TypeAlias = Number | Interval | Text | Words | Line | Items


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    title: Cell
    numeric: bool = False

    @property
    def label(self) -> str:
        """The head as plain text."""
        return plain(self.title)


@dataclass(frozen=True)
class Row:
    """One row; its first cell names it."""

    cells: tuple[Cell, ...]
    tone: Tone = ""


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading."""

    heading: Cell | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table; formats that cannot span columns repeat a group's heading per row."""

    name: str
    title: str
    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    group_title: str = ""
    """What the headings of groups are: ``Problem``."""
    headless: bool = False
    """Whether its columns explain themselves: fields and values."""
    note: Line = Line(())
    """How to read it."""

    @property
    def n_rows(self) -> int:
        """Rows in all groups."""
        return sum(len(group.rows) for group in self.groups)


@dataclass(frozen=True)
class Section:
    """A question of the reader, and what the record answers."""

    name: str
    title: str
    lead: Line
    """The answer in a sentence, or why there is none."""
    tables: tuple[Table, ...] = ()
    plots: tuple[str, ...] = ()
    """Names in the registry of plots."""


def column(title: str, *, numeric: bool = False) -> Column:
    """Head a column with words of the report."""
    return Column(Words(title), numeric)


def number(place: Place[float] | Place[int] | Place[float | None], unit: str) -> Cell:
    """Show the number at a place; None is shown in words."""
    if place.value is None:
        return Words("not known", "muted")
    return Number(place.value, unit, (place.pointer,))


def count(places: Iterable[Place[Any]]) -> Cell:
    """Show how many places there are; none is shown in words."""
    sources = tuple(place.pointer for place in places)
    if not sources:
        return Words("none")
    return Number(len(sources), "1", sources, "count")


def _divide(above: float, below: float) -> float:
    if below == 0:
        return math.nan if above == 0 else math.copysign(math.inf, above)
    return above / below


def interval(estimate: Place[Estimate], bar: Bar | None = None) -> Interval:
    """Show an estimate."""
    value = estimate.value
    return Interval(
        Number(value.point, value.unit, (estimate["point"].pointer,)),
        Number(value.lower, value.unit, (estimate["lower"].pointer,)),
        Number(value.upper, value.unit, (estimate["upper"].pointer,)),
        bar,
    )


def inverse_interval(ratio: Place[Estimate], bar: Bar | None = None) -> Interval:
    """Show candidate / baseline as the speedup of the candidate."""

    def inverse(field: str) -> Number:
        place = ratio[field]
        return Number(_divide(1.0, place.value), "x", (place.pointer,), "inverse")

    # one over the lower end is the upper end
    return Interval(inverse("point"), inverse("upper"), inverse("lower"), bar)


def quotient(above: Place[float], below: Place[float]) -> Number:
    """Show one number over another."""
    sources = (above.pointer, below.pointer)
    return Number(_divide(above.value, below.value), "x", sources, "quotient")


def quotient_interval(above: Place[Estimate], below: Place[Estimate]) -> Interval:
    """Show one estimate over another; the ends are the farthest that both allow."""
    return Interval(
        quotient(above["point"], below["point"]),
        quotient(above["lower"], below["upper"]),
        quotient(above["upper"], below["lower"]),
    )


def text(place: Place[str] | Place[str | None], *, block: bool = False) -> Cell:
    """Show the text at a place; None and empty text are shown in words."""
    if not place.value:
        return Words("not known" if place.value is None else "none", "muted")
    return Text(place.value, place.pointer, block=block)


def key(place: Place[Any]) -> Text:
    """Show the name under which a mapping holds a place."""
    return Text(place.key, place.pointer, "key")


def stage(metric: Place[str]) -> Text:
    """Show the stage that a metric is of."""
    return Text(metric.value.removeprefix(STAGE), metric.pointer, "stage")


def problem_id(case: Place[Case]) -> Text:
    """Show the work of a case, without who does it."""
    return Text(case.value.problem_id, case.pointer, "problem_id")


def case_id(case: Place[Case]) -> Text:
    """Show the whole name of a case."""
    return Text(case.value.id, case.pointer, "case_id")


def variant_id(case: Place[Case]) -> Text:
    """Show who computes a case."""
    variant: Place[Variant] = case["variant"]
    return Text(variant.value.id, variant.pointer, "variant_id")


def line(*parts: Cell | str) -> Line:
    """Join cells and words of the report to a sentence."""
    return Line(tuple(Words(part) if isinstance(part, str) else part for part in parts))


def joined(cells: Iterable[Cell], separator: str = ", ") -> Line:
    """Join cells with a separator between them; none are shown in words."""
    parts: list[Cell | str] = []
    for cell in cells:
        parts += [separator, cell] if parts else [cell]
    return line(*parts or [Words("none", "muted")])


def items(cells: Iterable[Cell]) -> Cell:
    """Put cells one below the other; none are shown in words."""
    listed = tuple(cells)
    return Items(listed) if listed else Words("none", "muted")


def plain(cell: Cell) -> str:
    """Write a cell as text without any markup."""
    match cell:
        case Interval():
            lower, upper = cell.ends
            return f"{cell.point.text} [{lower}, {upper}]"
        case Line():
            return "".join(plain(part) for part in cell.cells)
        case Items():
            return "; ".join(plain(part) for part in cell.cells)
        case _:
            return cell.text
