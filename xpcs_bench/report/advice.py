"""What a run advises, in sentences: the only place that words it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xpcs_bench.backends.choice import Choice, spoken
from xpcs_bench.records import (
    Advice,
    Estimate,
    NotRun,
    ProblemAdvice,
    Ranked,
    Variant,
)
from xpcs_bench.report.cells import printable
from xpcs_bench.units import format_count, format_duration, format_ratio

__all__ = ["answer", "losses", "ordinal", "print_advice", "subject"]

_LONGEST = 1e6
"""Calls from which on nobody counts them."""


def ordinal(number: float) -> str:
    """Write a place in a row: ``9th``, ``21st``."""
    count = round(number)
    if count % 100 in {11, 12, 13}:
        return f"{format_count(count)}th"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{format_count(count)}{ending}"


def subject(problem: ProblemAdvice) -> str:
    """Name a problem: kernel, detector with its pixels, geometry, type."""
    name = problem.problem.partition("/")[0]
    text = name
    if problem.detector:
        rows, columns = problem.detector.shape
        text += f" on {problem.detector.name}"
        if problem.detector.name != f"{rows}x{columns}":
            text += f" ({rows} x {columns})"
    if problem.geometry:
        text += f", {problem.geometry.name}"
        if problem.geometry.kind not in problem.geometry.name:
            text += f" ({problem.geometry.kind})"
    text += f", {problem.dtype}"
    if problem.converts != "nothing":
        what = "input and output" if problem.converts == "both" else problem.converts
        text += f", every call converts its {what}"
    return text


def answer(problem: ProblemAdvice) -> str:
    """Say what to use, with both names and the interval; or what is not known."""
    if not problem.ranked:
        return "Nothing of it has a time."
    first, *others = problem.ranked
    name = _name(first)
    if not others:
        return f"{name} alone has a time: nothing to compare it with."
    near = [row for row in others if row.standing == "cannot tell"]
    if near:
        both = _listed([first, *near], "and")
        doubts = list(dict.fromkeys(row.reason for row in near if row.reason))
        why = " ".join(doubts) or "; ".join(
            f"{_name(row)} takes {_ratio(row.lead)} of the time of {name}"
            for row in near
        )
        return f"Cannot tell between {both}: {why}".rstrip(".") + "."
    alike = [row for row in others if row.standing == "same"]
    if alike:
        return f"Use {_listed([first, *alike], 'or')}: cached calls take the same time."
    # the baseline is what there is without asking: beside it the first is told
    other = next((row for row in others if row.ratio is None), others[0])
    said = f"Use {name}: {_ratio(other.lead)} faster than {_name(other)} once cached"
    if first.ratio is None:
        return f"{said}, {_pays(other, name=_name(other))}."
    return f"{said}, {_pays(first)}."


def _pays(row: Ranked, name: str = "") -> str:
    """Say from which call on a variant is ahead of the baseline."""
    subject_of = f"{name} " if name else ""
    calls = row.break_even
    if calls is None:
        word, _, why = row.break_even_reason.partition(":")
        if word == "never":
            return f"{subject_of}never pays"
        if word == "cannot tell":
            return f"cannot tell from which call on {name or 'it'} pays"
        return why.strip().rstrip(".")
    text = f"{subject_of}pays from {_call(calls)}"
    again = row.break_even_again
    if again is not None and (again.point, calls.point) != (1, 1):
        text += f" (from {_call(again)} in a program that has compiled before)"
    return text


def _call(calls: Estimate) -> str:
    if calls.point == calls.lower == calls.upper == 1:
        return "the first call"
    where = "the first" if calls.point == 1 else f"the {_counted(calls.point)}"
    return f"{where} call [{_counted(calls.lower)}, {_counted(calls.upper)}]"


def _counted(number: float) -> str:
    return ordinal(number) if number < _LONGEST else f"{number:.0e}th"


def _listed(rows: Iterable[Ranked], joint: str) -> str:
    *names, last = (_name(row) for row in rows)
    return f"{', '.join(names)} {joint} {last}"


def _name(row: Ranked) -> str:
    return _variant(row.variant)


def _variant(variant: Variant) -> str:
    return spoken(variant.backend, variant.device)


def _ratio(ratio: Estimate | None) -> str:
    if ratio is None:
        return "1x"
    ends = (format_ratio(end).removesuffix("x") for end in (ratio.lower, ratio.upper))
    return f"{format_ratio(ratio.point)} [{', '.join(ends)}]"


def _time(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    shown, lower, upper = (
        format_duration(end) for end in (estimate.point, estimate.lower, estimate.upper)
    )
    unit = shown.rpartition(" ")[2]
    if {lower.rpartition(" ")[2], upper.rpartition(" ")[2]} == {unit}:
        lower, upper = (end.rpartition(" ")[0] for end in (lower, upper))
    return f"{shown} [{lower}, {upper}]"


def losses(not_run: Iterable[NotRun]) -> Iterator[str]:
    """Say what has no time, and why; one reason once."""
    told: dict[str, dict[str, None]] = {}
    for loss in not_run:
        # the name that follows says which device
        reason = loss.reason.removeprefix(f"device {loss.variant.device}: ")
        told.setdefault(reason, {})[_variant(loss.variant)] = None
    for reason, names in told.items():
        yield f"{', '.join(names)}: {printable(reason).rstrip('.')}."


def print_advice(
    advice: Advice, choices: Sequence[Choice | None], console: Console
) -> None:
    """Print one paragraph a problem.

    Parameters
    ----------
    choices : sequence
        By problem, what to choose for the calls that were asked for; empty where none
        were.
    """
    for problem, choice in zip_longest(advice.problems, choices):
        style = "bold green" if problem.told else "bold yellow"
        console.print(Text(printable(subject(problem)), style="bold"))
        console.print(Padding(Text(answer(problem), style=style), (0, 0, 0, 2)))
        if problem.ranked:
            console.print(Padding(_table(problem), (0, 0, 0, 2)))
        if choice:
            console.print(Padding(Text(choice.reason), (0, 0, 0, 2)))
        for sentence in losses(problem.not_run):
            said = Text(f"Not run: {sentence}", style="dim")
            console.print(Padding(said, (0, 0, 0, 2)))
        console.print()
    by_problem: dict[str, list[NotRun]] = {}
    for loss in advice.not_run:
        by_problem.setdefault(loss.problem, []).append(loss)
    for name, lost in by_problem.items():
        console.print(Text(printable(name), style="bold"))
        for sentence in losses(lost):
            said = Text(f"Not run: {sentence}", style="dim")
            console.print(Padding(said, (0, 0, 0, 2)))


def _table(problem: ProblemAdvice) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    compiled = any(row.recompile for row in problem.ranked)
    heads = ["", "", "over the first", "cached call", "first call"]
    heads += ["recompile"] if compiled else []
    for at, head in enumerate(heads):
        table.add_column(
            Text(head, style="dim"),
            justify="right" if at > 1 else "left",
            overflow="fold",
        )
    for place, row in enumerate(problem.ranked, start=1):
        times = [row.cached, row.first_call, *([row.recompile] if compiled else [])]
        lead = _ratio(row.lead) if row.lead else "-"
        table.add_row(f"{place}.", _name(row), lead, *map(_time, times))
    return table
