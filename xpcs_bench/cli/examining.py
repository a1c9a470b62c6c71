"""The verb ``doctor``: ask for every check, and print what is to be done."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click
import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xpcs_bench import __version__
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.measure.environment import capture
from xpcs_bench.measure.examination.registry import CHECKS
from xpcs_bench.records import Diagnosis, MachineReport, Outcome
from xpcs_bench.run.examine import TIMEOUT_S, examine_with
from xpcs_bench.run.selection import parse_selection
from xpcs_bench.run.worker import Limits

__all__ = ["examine_machine", "exit_code"]

_WIDTH = 120
_SHARE = 0.8
"""Of the memory that is free, what a worker may hold."""
_STYLES = {
    Outcome.PASS: "green",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.SKIP: "dim",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold red",
}


def examine_machine(expression: str | None, *, quiet: bool, as_json: bool) -> int:
    """Examine this machine in workers, and return an exit code."""
    names = _selected(expression)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    limits = Limits(TIMEOUT_S, round(_SHARE * psutil.virtual_memory().available))
    diagnoses = tuple(_told(examine_with(limits, names), len(names), quiet=quiet))
    code = exit_code(diagnoses)
    if as_json:
        report = MachineReport(
            xpcs_bench=__version__,
            started=started,
            exit_code=code,
            environment=capture(None),
            diagnoses=diagnoses,
        )
        click.echo(report.model_dump_json(indent=1))
    else:
        # a pipe or a log has no width of its own
        _show(diagnoses, Console() if sys.stdout.isatty() else Console(width=_WIDTH))
    return code


def exit_code(diagnoses: Iterable[Diagnosis]) -> ExitCode:
    """Return the worst outcome that makes a machine unfit; doubt does not."""
    outcomes = {diagnosis.outcome for diagnosis in diagnoses}
    if Outcome.FAIL in outcomes:
        return ExitCode.FAIL
    if Outcome.ERROR in outcomes:
        return ExitCode.COULD_NOT_MEASURE
    return ExitCode.PASS


def _selected(expression: str | None) -> list[str]:
    accept = parse_selection(expression) if expression else lambda _: True
    names = [name for name in CHECKS if accept(name)]
    if not names:
        msg = (
            f"-k {expression!r} selects no check. Allowed: words in their names, which "
            f"are {', '.join(CHECKS)}."
        )
        raise ConfigError(msg)
    return names


def _told(
    diagnoses: Iterable[Diagnosis], total: int, *, quiet: bool
) -> Iterable[Diagnosis]:
    for count, diagnosis in enumerate(diagnoses, start=1):
        if not quiet:
            line = f"[{count}/{total}] {diagnosis.check}: {diagnosis.outcome}"
            click.echo(line, err=True)
        yield diagnosis


def _show(diagnoses: Sequence[Diagnosis], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for label in ("check", "outcome"):
        table.add_column(label, no_wrap=True)
    for label, ratio in (("found", 3), ("what to do", 2)):
        table.add_column(label, overflow="fold", ratio=ratio)
    for row in diagnoses:
        style = _STYLES[row.outcome]
        table.add_row(
            row.check, Text(row.outcome, style=style), Text(row.found), Text(row.advice)
        )
    console.print(table)
    counts = Counter(row.outcome for row in diagnoses)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    console.print(Text(said, style="bold"))
