"""``run``, ``parity`` and ``report``: from a configuration to a report."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from xpcs_bench.cli.progress import listener
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.measure.environment import capture
from xpcs_bench.records import RunRecord
from xpcs_bench.report import ReportFiles, write_report
from xpcs_bench.run.ceilings import measure_ceilings
from xpcs_bench.run.execute import execute
from xpcs_bench.run.journal import Evidence, Journal, read_journal
from xpcs_bench.run.prepare import prepare
from xpcs_bench.run.store import (
    RECORD,
    begin,
    compose,
    load,
    resumable,
    save,
    with_verdicts,
)
from xpcs_bench.run.worker import Limits

__all__ = ["Order", "carry_out", "rebuild"]


@dataclass(frozen=True)
class Order:
    """What the command line asks for."""

    config: Path
    expression: str | None
    overrides: tuple[str, ...]
    out: Path
    resume: str | None
    """None: a new run; empty: the latest; else a run id."""
    quiet: bool
    as_json: bool
    report: bool = True
    """Whether pages are made of the record."""


def carry_out(order: Order) -> ExitCode:
    """Plan, measure, conclude, report; whatever was measured is kept."""
    loaded, plan, limit = prepare(order.config, order.expression, order.overrides)
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    if order.resume is None:
        command = [Path(sys.argv[0]).name, *map(shlex.quote, sys.argv[1:])]
        folder, header = begin(
            plan,
            order.out,
            command,
            (str(order.config), loaded.sha256),
            capture(None),
        )
        with Journal(folder) as journal:
            journal.header(header)
        evidence = Evidence(header)
    else:
        folder, evidence = resumable(plan, order.out, order.resume or None)
    limits = Limits(loaded.experiment.sampling.timeout_s, limit)
    interrupted = False
    with Journal(folder) as journal, listener(quiet=order.quiet) as progress:
        try:
            with _termination_interrupts():
                measure_ceilings(plan, evidence, journal, limits, progress)
                execute(plan, evidence, journal, limits, progress)
        except KeyboardInterrupt:
            interrupted = True
    # the journal is the evidence: what it holds is what is concluded from
    record = _judged(compose(read_journal(folder), interrupted=interrupted))
    return _conclude(record, folder, order)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: in order, with a record."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def rebuild(place: Path, *, quiet: bool) -> ExitCode:
    """Write the report again, from the record alone."""
    folder, record = load(place)
    record = _judged(record)
    if not (folder / RECORD).exists():
        # the run was killed before it could write one, and the page points into it
        save(record, folder)
    files = write_report(record, folder)
    if not quiet:
        _say_where(files)
    return ExitCode.PASS


def _judged(record: RunRecord) -> RunRecord:
    return with_verdicts(record, judge(record))


def _conclude(record: RunRecord, folder: Path, order: Order) -> ExitCode:
    path = save(record, folder)
    files = write_report(record, folder) if order.report else None
    code = exit_code(record.status, record.summary.verdicts)
    if order.as_json:
        content = {
            "run_id": record.header.run_id,
            "status": record.status,
            "exit_code": int(code),
            "record": str(path),
            "html": str(files.html) if files else None,
            "markdown": str(files.markdown) if files else None,
            "summary": record.summary.model_dump(mode="json"),
        }
        click.echo(json.dumps(content, indent=2))
        return code
    from rich.console import Console

    from xpcs_bench.report import print_summary

    print_summary(record, Console())
    if files:
        _say_where(files)
    else:
        click.echo(f"record: {path}")
    if record.status != "complete":
        click.echo(
            f"{record.status}: 'xpcs-bench run {order.config} --resume "
            f"{record.header.run_id}' goes on."
        )
    return code


def _say_where(files: ReportFiles) -> None:
    click.echo(f"report: {files.html}")
