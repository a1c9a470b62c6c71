"""``report``, ``export``, and the end of a run: from evidence to files and words."""

from __future__ import annotations

import json
from pathlib import Path

import click

from xpcs_bench.cli.measuring import Order
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import RunRecord
from xpcs_bench.report import ReportFiles, export, write_report
from xpcs_bench.run.store import RECORD, load, save, with_verdicts

__all__ = ["conclude", "rebuild", "write_as"]


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


def write_as(place: Path, form: str, to: Path | None) -> ExitCode:
    """Write a record in one format to a file, or to the terminal."""
    _, record = load(place)
    text = export(_judged(record), form)
    if to is None:
        click.echo(text, nl=False)
        return ExitCode.PASS
    try:
        to.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        msg = (
            f"--to {str(to)!r}: cannot be written ({error.strerror}). Name a file in a "
            "folder that exists and can be written to."
        )
        raise ConfigError(msg) from error
    return ExitCode.PASS


def _judged(record: RunRecord) -> RunRecord:
    return with_verdicts(record, judge(record))


def conclude(record: RunRecord, folder: Path, order: Order) -> ExitCode:
    """Judge what was measured, write it, and say what came out."""
    record = _judged(record)
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

    from xpcs_bench.report import print_crossovers, print_summary

    show = print_crossovers if order.searching else print_summary
    show(record, Console())
    if files:
        _say_where(files)
    else:
        click.echo(f"record: {path}")
    if record.status != "complete":
        click.echo(f"{record.status}: '{order.again} {record.header.run_id}' goes on.")
    return code


def _say_where(files: ReportFiles) -> None:
    click.echo(f"report: {files.html}")
