"""The verb ``conformance``: ask a worker, print its table, write the report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xpcs_bench import __version__
from xpcs_bench.conformance.findings import Circumstances, Examination, Report
from xpcs_bench.conformance.hard_inputs import ALL
from xpcs_bench.conformance.probes import PROBES
from xpcs_bench.conformance.table import cell, cells_by_method, markdown, summary
from xpcs_bench.errors import CannotMeasure, ConfigError, ExitCode
from xpcs_bench.measure.environment import capture
from xpcs_bench.run.selection import parse_selection
from xpcs_bench.run.worker import worker_variables

__all__ = ["examine_here"]

_WIDTH = 120
_TIMEOUT_S = 600
"""Longest time for one process."""
_WORTH = 24
"""Methods for which a process is started: it costs a second, and 30 MB a method."""
_PACKAGES = ("xpcs_bench", "numpy", "jax", "jaxlib")
_VARIABLES = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "XLA_FLAGS")
"""What chooses between code paths of the libraries."""


def examine_here(
    out: Path, expression: str | None, *, as_json: bool, quiet: bool
) -> int:
    """Examine the backends in a worker and write the report; return an exit code."""
    parts = []
    for categories, methods in _batches(_selected(expression)):
        if not quiet:
            click.echo(f"examining {', '.join(categories)}", err=True)
        parts.append(_examination(methods))
    examination = _joined(parts)
    report = Report(
        schema_version=1,
        xpcs_bench=__version__,
        circumstances=_circumstances(),
        examination=examination,
    )
    _write(out, report)
    if as_json:
        click.echo(report.model_dump_json(indent=1))
    else:
        # a pipe or a log has no width of its own
        console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
        _show(examination, console)
        click.echo(f"report: {out / 'conformance.md'}")
    return ExitCode.FAIL if examination.failures else ExitCode.PASS


def _selected(expression: str | None) -> dict[str, list[str]]:
    """Return the methods whose ``category/method`` is selected, by category."""
    accept = parse_selection(expression) if expression else lambda _: True
    chosen: dict[str, list[str]] = {}
    for category, rows in PROBES.items():
        for probe in rows:
            if accept(f"{category}/{probe.method}"):
                chosen.setdefault(category, []).append(probe.method)
    if not chosen:
        msg = (
            f"-k {expression!r} selects no method. Allowed: words in "
            f"'category/method'; the categories are {', '.join(PROBES)}."
        )
        raise ConfigError(msg)
    return chosen


def _batches(
    selected: Mapping[str, Sequence[str]],
) -> Iterator[tuple[list[str], list[str]]]:
    """Put categories together until they are worth a process."""
    categories: list[str] = []
    methods: list[str] = []
    for category, names in selected.items():
        categories.append(category)
        methods += names
        if len(methods) >= _WORTH:
            yield categories, methods
            categories, methods = [], []
    if methods:
        yield categories, methods


def _joined(parts: list[Examination]) -> Examination:
    return parts[0].model_copy(
        update={
            "findings": tuple(found for part in parts for found in part.findings),
            "stale": tuple(row for part in parts for row in part.stale),
        }
    )


def _examination(methods: list[str]) -> Examination:
    """Examine in a process of its own, which takes what jax compiled away with it."""
    command = [sys.executable, "-m", "xpcs_bench.conformance", *methods]
    try:
        done = subprocess.run(  # noqa: S603 (our own module)
            command,
            env=worker_variables("jax", "cpu"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = (
            f"the examination gave no answer within {_TIMEOUT_S} s and was ended. It "
            "takes some ten seconds of one core. Select methods with -k."
        )
        raise CannotMeasure(msg) from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()[-3:] or ["it said nothing"]
        msg = (
            f"the examination ended with exit status {done.returncode}: "
            f"{' / '.join(words)}"
        )
        raise CannotMeasure(msg)
    try:
        return Examination.model_validate_json(done.stdout)
    except ValidationError as error:
        msg = (
            f"the worker wrote {done.stdout[:80]!r}, which is no examination "
            f"({error.error_count()} fields are wrong). Nothing else may write to its "
            "standard output."
        )
        raise CannotMeasure(msg) from error


def _circumstances() -> Circumstances:
    found = capture(None)
    return Circumstances(
        cpu=found.cpu,
        cpu_features=found.cpu_features,
        system=found.kernel.partition(" ")[0],
        python=found.python,
        packages={n: v for n, v in found.packages.items() if n in _PACKAGES},
        # a flag may name a folder, which is nobody else's business
        variables={
            name: " ".join(word for word in value.split() if "/" not in word)
            for name, value in found.variables.items()
            if name in _VARIABLES
        },
    )


def _write(out: Path, report: Report) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = report.model_dump_json(indent=1)
        (out / "conformance.json").write_text(f"{text}\n", "utf-8")
        (out / "conformance.md").write_text(markdown(report), "utf-8")
    except OSError as error:
        msg = (
            f"--out {str(out)!r}: the report cannot be written ({error.strerror}). "
            "Name a folder that can be written to."
        )
        raise ConfigError(msg) from error


def _show(examination: Examination, console: Console) -> None:
    numbers = {row.name: i for i, row in enumerate(examination.differences, 1)}
    dtypes = [d for d in ALL if any(f.dtype == d for f in examination.findings)]
    table = Table(box=None, pad_edge=False)
    for label in ("method", *dtypes):
        table.add_column(label, no_wrap=label == "method", overflow="fold")
    seen: set[str] = set()
    for method, row in cells_by_method(examination).items():
        texts = [cell(row.get(dtype), numbers) for dtype in dtypes]
        style = "bold red" if "FAIL" in texts else ""
        table.add_row(method, *map(Text, texts), style=style)
        for found in row.values():
            seen |= {d.difference for d in found.discrepancies if d.difference}
    console.print(table)
    console.print()
    for difference in examination.differences:
        if difference.name in seen:
            line = f"[{numbers[difference.name]}] {difference.reason}"
            console.print(Text(line), soft_wrap=True)
    for found in examination.failures:
        line = f"FAIL {found.method} {found.dtype}: {found.reason}"
        console.print(Text(line, style="bold red"), soft_wrap=True)
    if examination.stale:
        rows = ", ".join(
            f"{row.difference} ({row.method})" for row in examination.stale
        )
        console.print(Text(f"not seen here: {rows}", style="dim"), soft_wrap=True)
    console.print(Text(summary(examination), style="bold"), soft_wrap=True)
