"""The verb ``compare``: read records, refuse to mix circumstances, print ratios."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from xpcs_bench.analysis.between_runs import compare_runs
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.records import Case, Judgement, RunComparison, RunRecord
from xpcs_bench.report.run_comparison import (
    comparison_markdown,
    difference_lines,
    print_comparison,
)
from xpcs_bench.run.selection import parse_selection
from xpcs_bench.run.store import load

__all__ = ["Form", "compare_stored", "exit_code"]

_WIDTH = 100
"""A pipe or a log has no width of its own."""

Form = str
"""``table``, ``json`` or ``markdown``."""


def compare_stored(
    places: Sequence[Path], expression: str | None, *, anyway: bool, form: Form
) -> ExitCode:
    """Compare every run after the first with the first; return an exit code.

    Raises
    ------
    ConfigError
        There are fewer than two runs, two have no case in common, or circumstances
        differ for which times do not mix, and it is not to be done anyway.
    """
    if len(places) < 2:
        msg = (
            f"{len(places)} run is no comparison. Name two or more: the first is the "
            "baseline of all others."
        )
        raise ConfigError(msg)
    accept = parse_selection(expression) if expression else lambda _: True
    baseline, *others = (load(place)[1] for place in places)
    comparisons = [compare_runs(baseline, other, accept) for other in others]
    for comparison in comparisons:
        _require_common_cases(comparison, baseline, expression)
    if not anyway:
        _require_one_world(comparisons)
    _show(comparisons, _cases((baseline, *others)), form)
    return exit_code(comparisons)


def exit_code(comparisons: Iterable[RunComparison]) -> ExitCode:
    """Return 1 where right values went wrong, and 3 where nothing could be told.

    Slower is no failure: a stored run is no judge of that, and whoever compares wants
    to know.
    """
    rows = list(comparisons)
    if any(change.went_wrong for row in rows for change in row.standings):
        return ExitCode.FAIL
    told = any(
        ratio.judgement is not Judgement.INCONCLUSIVE
        for row in rows
        for ratio in row.ratios
    )
    told |= any(count.sameness != "untold" for row in rows for count in row.counters)
    told |= any(output.sameness != "untold" for row in rows for output in row.outputs)
    return ExitCode.PASS if told else ExitCode.INCONCLUSIVE


def _require_common_cases(
    comparison: RunComparison, baseline: RunRecord, expression: str | None
) -> None:
    if (
        comparison.standings
        or comparison.ratios
        or comparison.outputs
        or comparison.counters
        or comparison.uncompared
    ):
        return
    asked = f" that -k {expression!r} selects" if expression else ""
    msg = (
        f"{comparison.baseline} and {comparison.candidate} have no case{asked}. "
        f"The first has {len(baseline.header.cases)}, of the problems "
        f"{', '.join(sorted({case.problem_id for case in baseline.header.cases}))}. "
        "Select some of them, or compare other runs."
    )
    raise ConfigError(msg)


def _require_one_world(comparisons: Iterable[RunComparison]) -> None:
    """Refuse to mix circumstances; the message says all that differ."""
    lines: list[str] = []
    for comparison in comparisons:
        if comparison.refusals:
            lines.append(f"  {comparison.baseline} -> {comparison.candidate}")
            lines += [f"    {line}" for line in difference_lines(comparison.refusals)]
    if lines:
        differ = "\n".join(lines)
        msg = (
            "the runs were measured in different circumstances, and their times do "
            f"not mix:\n{differ}\n"
            "Measure both in the same circumstances, or add --anyway to compare them "
            "all the same: the ratios then tell of these differences too."
        )
        raise ConfigError(msg)


def _cases(records: Iterable[RunRecord]) -> dict[str, Case]:
    return {case.id: case for record in records for case in record.header.cases}


def _show(
    comparisons: Sequence[RunComparison], cases: Mapping[str, Case], form: Form
) -> None:
    if form == "json":
        content = {
            "exit_code": int(exit_code(comparisons)),
            "comparisons": [row.model_dump(mode="json") for row in comparisons],
        }
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    if form == "markdown":
        for row in comparisons:
            click.echo(comparison_markdown(row, cases), nl=False)
        return
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    for row in comparisons:
        print_comparison(row, cases, console)
