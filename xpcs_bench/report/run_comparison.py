"""Two runs beside each other, for a terminal and for a pull request.

Wrong values are said first, then what differs around the runs, then times.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xpcs_bench.records import (
    Case,
    CounterChange,
    Difference,
    Estimate,
    Judgement,
    OutputChange,
    RunComparison,
    RunRatio,
    StandingChange,
)
from xpcs_bench.report.cells import Tone, printable
from xpcs_bench.report.markdown import escaped
from xpcs_bench.report.standing import standing_words
from xpcs_bench.report.terminal import STYLES, WIDTH
from xpcs_bench.units import (
    format_count,
    format_percent,
    format_quantity,
    format_ratio,
)

__all__ = ["comparison_markdown", "difference_lines", "print_comparison"]

_TITLES = {
    "steady_state": "Cached calls",
    "first_call": "First calls",
    "recompile": "Warm-process recompiles",
    "stages": "Stages of a first call",
    "conversion": "Conversions",
    "peak_memory": "Peak memory",
}
_WORDS: dict[Judgement, tuple[str, Tone]] = {
    Judgement.FASTER: ("faster", "good"),
    Judgement.SAME: ("same", ""),
    Judgement.SLOWER: ("slower", "bad"),
    Judgement.INCONCLUSIVE: ("cannot tell", "doubt"),
}
_OF_MEMORY = {"faster": "less", "slower": "more"}
_BEARINGS = {
    "incomparable": "times of such runs do not mix",
    "compared": "what is compared",
    "harmless": "leaves times as they are",
}
_MOST_NAMES = 3
"""Cases that stand behind a reason; --json has all of them."""
_READING = (
    "Ratios are candidate / baseline, with 95 % intervals that hold what one machine "
    "does by itself from one day to the next. Same: known to be within 20 % of 1 (peak "
    "memory: 10 %). Faster and slower: surely not 1, and beyond that. A stored run is "
    "a coarse tripwire: measure both codes in one run to see less."
)


class _Said(NamedTuple):
    """A word or a number, and how it is meant."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class _Part:
    """A title, a table whose rows may stand below headings, and sentences."""

    title: str
    labels: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[_Said, ...]], ...] = ()
    """Heading and cells."""
    sentences: tuple[_Said, ...] = ()
    """Above the table."""
    notes: tuple[_Said, ...] = ()
    """Below it."""
    first_number: int = 9
    """Index of the first column that is flush right."""


def print_comparison(
    comparison: RunComparison, cases: Mapping[str, Case], console: Console
) -> None:
    """Print what was found, at most 100 columns wide, plain where nobody looks."""
    width = min(WIDTH, console.width)
    for part in _parts(comparison, cases):
        title = Text(printable(part.title), style="bold")
        console.print(title, width=width)
        for sentence in part.sentences:
            console.print(_styled(sentence), width=width)
        for piece in _tables(part, width):
            console.print(piece, width=width)
        for note in part.notes:
            console.print(_styled(note), width=width)
        console.print()


def comparison_markdown(comparison: RunComparison, cases: Mapping[str, Case]) -> str:
    """Return the same in GitHub's Markdown."""
    lines: list[str] = []
    for index, part in enumerate(_parts(comparison, cases)):
        lines += [f"{'##' if index else '#'} {escaped(part.title)}", ""]
        for sentence in part.sentences:
            lines += [escaped(sentence.text), ""]
        if part.rows:
            lines += [*_markdown_table(part), ""]
        for note in part.notes:
            lines += [escaped(note.text), ""]
    return "\n".join(lines)


def difference_lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each difference: what, both values, and whose workers."""
    for row in differences:
        whose = f" ({', '.join(row.backends)})" if row.backends else ""
        yield printable(f"{row.name}: {row.baseline} -> {row.candidate}{whose}")


def _parts(comparison: RunComparison, cases: Mapping[str, Case]) -> Iterator[_Part]:
    yield _Part(
        f"{comparison.baseline} -> {comparison.candidate}",
        sentences=tuple(_leads(comparison)),
    )
    if comparison.standings:
        yield _Part(
            "Cases that were not right in both",
            ("case", "baseline", "candidate", "reason"),
            tuple(("", tuple(_standing(row))) for row in comparison.standings),
        )
    if comparison.differences:
        yield _circumstances(comparison.differences)
    metrics: dict[str, list[RunRatio]] = defaultdict(list)
    for ratio in comparison.ratios:
        metrics[ratio.metric.partition(".")[0]].append(ratio)
    for metric, ratios in metrics.items():
        yield _ratios(metric, ratios, cases)
    if metrics:
        yield _Part("How to read it", sentences=(_Said(_READING, "muted"),))
    yield from _exact(comparison, cases)
    if comparison.uncompared:
        by_reason: dict[str, list[str]] = defaultdict(list)
        for row in comparison.uncompared:
            by_reason[row.reason].append(row.case)
        yield _Part("Not compared", sentences=tuple(_by_reason(by_reason)))


def _leads(comparison: RunComparison) -> Iterator[_Said]:
    wrong = sum(row.went_wrong for row in comparison.standings)
    if wrong:
        yield _Said(f"Values of {_cases(wrong)} were right and are wrong.", "bad")
    if comparison.refusals:
        names = ", ".join(dict.fromkeys(row.name for row in comparison.refusals))
        yield _Said(
            f"Circumstances differ ({names}): times tell of these as well as of code.",
            "doubt",
        )
    counts = Counter(ratio.judgement for ratio in comparison.ratios)
    if counts:
        told = ", ".join(f"{counts[each]} {_WORDS[each][0]}" for each in _WORDS)
        yield _Said(f"{sum(counts.values())} ratios: {told}.")
    else:
        yield _Said("No time was compared.", "doubt")


def _cases(number: int) -> str:
    return f"{number} case{'s' * (number != 1)}"


def _standing(row: StandingChange) -> Iterator[_Said]:
    yield _Said(row.case)
    for standing in (row.baseline, row.candidate):
        words = standing_words(standing)
        yield _Said(words.text, words.tone)
    yield _Said(row.reason)


def _circumstances(differences: Sequence[Difference]) -> _Part:
    rows = []
    for row in differences:
        tone: Tone = "bad" if row.bearing == "incomparable" else "muted"
        values = (row.name, row.baseline, row.candidate, ", ".join(row.backends))
        cells = (_Said(values[0], tone), *map(_Said, values[1:]))
        rows.append((_BEARINGS[row.bearing], cells))
    labels = ("circumstance", "baseline", "candidate", "workers")
    return _Part("Circumstances that differ", labels, tuple(rows))


def _ratios(
    metric: str, ratios: Sequence[RunRatio], cases: Mapping[str, Case]
) -> _Part:
    rows = []
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in ratios:
        case = cases[row.case]
        part = case.boundary or row.metric.partition(".")[2]
        name = f"{case.variant.id} {part}".rstrip()
        word, tone = _WORDS[row.judgement]
        if metric == "peak_memory":
            word = _OF_MEMORY.get(word, word)
        least = row.smallest_change
        cells = (
            _Said(name),
            _Said(_point(row.baseline)),
            _Said(_point(row.candidate)),
            _Said(_interval(row.ratio)),
            _Said(word, tone),
            _Said("" if least is None else f"+{format_percent(least)}", "muted"),
        )
        rows.append((case.problem_id, cells))
        if row.reason:
            reasons[f"Cannot tell: {row.reason}"].append(row.case)
    labels = ("variant", "baseline", "candidate", "ratio", "judgement", "would see")
    notes = tuple(_by_reason(reasons))
    return _Part(_TITLES[metric], labels, tuple(rows), notes=notes, first_number=1)


def _point(estimate: Estimate) -> str:
    return format_quantity(estimate.point, estimate.unit)


def _interval(ratio: Estimate | None) -> str:
    if ratio is None:
        return "none"
    return f"{format_ratio(ratio.point)} [{ratio.lower:.2f}, {ratio.upper:.2f}]"


def _by_reason(reasons: Mapping[str, Sequence[str]]) -> Iterator[_Said]:
    for reason, names in reasons.items():
        shown = ", ".join(names[:_MOST_NAMES])
        more = len(names) - _MOST_NAMES
        beyond = f" and {more} more" if more > 0 else ""
        yield _Said(f"{reason} ({shown}{beyond})", "doubt")


def _exact(comparison: RunComparison, cases: Mapping[str, Case]) -> Iterator[_Part]:
    if comparison.counters:
        yield _Part(
            "Work, counted",
            ("counter", "baseline", "candidate", "variant"),
            tuple(
                (
                    cases[row.case].problem_id,
                    (
                        _Said(row.counter),
                        _Said(_counts(row.baseline)),
                        _Said(_counts(row.candidate)),
                        _Said(cases[row.case].variant.id),
                    ),
                )
                for row in comparison.counters
                if row.sameness != "equal"
            ),
            (_Said(_tally(comparison.counters, "counters", "equal")),),
        )
    if comparison.outputs:
        found: dict[str, list[str]] = defaultdict(list)
        for row in comparison.outputs:
            if row.sameness != "equal":
                case = cases[row.case]
                # every measure of a variant has the same outputs
                name = f"{row.output} of {case.problem_id}/{case.variant.id}"
                reason = f"{row.sameness}: {row.reason}"
                if name not in found[reason]:
                    found[reason].append(name)
        sentences = (
            _Said(_tally(comparison.outputs, "outputs", "equal bit by bit")),
            *_by_reason(found),
        )
        yield _Part("Outputs, bit by bit", sentences=sentences)


def _counts(values: Sequence[float]) -> str:
    return " or ".join(map(format_count, values)) or "not counted"


def _tally(rows: Iterable[OutputChange | CounterChange], what: str, equal: str) -> str:
    counts = Counter(row.sameness for row in rows)
    return (
        f"{sum(counts.values())} {what}: {counts['equal']} {equal}, "
        f"{counts['changed']} changed, {counts['untold']} cannot be told."
    )


def _styled(said: _Said) -> Text:
    return Text(printable(said.text), style=STYLES[said.tone])


def _tables(part: _Part, width: int) -> Iterator[Table | Text]:
    """Yield the head, then for every heading itself and the rows below it."""
    if not part.rows:
        return
    widths = _widths(part, width)
    grid = _grid(part, widths)
    grid.add_row(*(Text(label, style="dim") for label in part.labels))
    above = ""
    for heading, cells in part.rows:
        if heading != above:
            yield grid
            yield Text(printable(heading), style="dim")
            grid, above = _grid(part, widths), heading
        grid.add_row(*map(_styled, cells))
    yield grid


def _widths(part: _Part, width: int) -> list[int]:
    """Give every column what it needs; the widest give way where that is too much."""
    columns = zip(part.labels, *(cells for _, cells in part.rows), strict=True)
    wanted = [
        max(
            len(printable(cell if isinstance(cell, str) else cell.text)) for cell in row
        )
        for row in columns
    ]
    least = [max(12, len(label)) for label in part.labels]
    room = width - 2 * len(wanted)
    while sum(wanted) > room and any(w > m for w, m in zip(wanted, least, strict=True)):
        at = max(
            (index for index, each in enumerate(wanted) if each > least[index]),
            key=lambda index: wanted[index],
        )
        wanted[at] -= 1
    return wanted


def _grid(part: _Part, widths: Sequence[int]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=True)
    for index, width in enumerate(widths):
        right = part.first_number <= index != len(widths) - 2
        grid.add_column(
            justify="right" if right else "left", overflow="fold", width=width
        )
    return grid


def _markdown_table(part: _Part) -> Iterator[str]:
    headed = any(heading for heading, _ in part.rows)
    labels = ("of", *part.labels) if headed else part.labels
    yield f"| {' | '.join(labels)} |"
    yield f"| {' | '.join('---' for _ in labels)} |"
    for heading, cells in part.rows:
        words = [escaped(cell.text) for cell in cells]
        shown = [escaped(heading), *words] if headed else words
        yield f"| {' | '.join(shown)} |"
