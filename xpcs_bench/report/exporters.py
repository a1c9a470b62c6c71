"""The formats of a report: one file each, and one line here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from xpcs_bench.errors import ConfigError
from xpcs_bench.records import RunRecord

__all__ = ["EXPORTERS", "Exporter", "ReportFiles", "export", "write_report"]


@dataclass(frozen=True)
class Exporter:
    """A format of the report."""

    filename: str | None
    """Where it is kept; None for a format that is only shown."""
    render: str
    """``module:function`` from a :class:`RunRecord` to text; imported when used."""
    applies: Callable[[RunRecord], bool] = lambda _: True
    """Whether a record has anything to be written in this format."""


EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "html": Exporter("report.html", "xpcs_bench.report.html:render"),
        "markdown": Exporter("summary.md", "xpcs_bench.report.markdown:render"),
        "claims": Exporter(
            "claims.md",
            "xpcs_bench.report.claims:render",
            lambda record: bool(record.summary.claims),
        ),
        "terminal": Exporter(None, "xpcs_bench.report.terminal:render"),
        "junit": Exporter(None, "xpcs_bench.report.junit:render"),
        "github": Exporter(None, "xpcs_bench.report.github:render"),
    }
)
"""Formats by name."""


@dataclass(frozen=True)
class ReportFiles:
    """What was written, by format."""

    paths: Mapping[str, Path]

    @property
    def html(self) -> Path:
        """The page."""
        return self.paths["html"]

    @property
    def markdown(self) -> Path:
        """The summary for pull requests."""
        return self.paths["markdown"]


def export(record: RunRecord, name: str) -> str:
    """Return the report on a record in one format.

    Raises
    ------
    ConfigError
        If no exporter has that name.
    """
    if name not in EXPORTERS:
        msg = (
            f"No exporter is called {name!r}. Formats: {', '.join(EXPORTERS)}. "
            "Ask for one of them."
        )
        raise ConfigError(msg)
    module, _, function = EXPORTERS[name].render.partition(":")
    render: Callable[[RunRecord], str] = getattr(import_module(module), function)
    return render(record)


def write_report(record: RunRecord, folder: Path) -> ReportFiles:
    """Write every format that applies and is kept into a folder, made if missing.

    The same record gives the same bytes. A reader never sees half a file: each one is
    complete before it takes its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, exporter in EXPORTERS.items():
        if exporter.filename is None or not exporter.applies(record):
            continue
        path = folder / exporter.filename
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.write_text(export(record, name), encoding="utf-8", newline="\n")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        paths[name] = path
    return ReportFiles(MappingProxyType(paths))
