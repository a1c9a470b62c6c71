"""``report``, and the end of a run: from what was measured to files and words."""

from __future__ import annotations

import json
from pathlib import Path

import click

from xpcs_bench.cli.measuring import Order
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import RunRecord
from xpcs_bench.report import ReportFiles, write_report
from xpcs_bench.run.store import RECORD, load, save, with_verdicts

__all__ = ["conclude", "rebuild"]


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
