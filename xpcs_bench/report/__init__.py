"""Reports: from a :class:`RunRecord` alone to a page, a summary and a few lines."""

from xpcs_bench.report.exporters import (
    EXPORTERS,
    Exporter,
    ReportFiles,
    export,
    write_report,
)
from xpcs_bench.report.terminal import print_crossovers, print_summary

__all__ = [
    "EXPORTERS",
    "Exporter",
    "ReportFiles",
    "export",
    "print_crossovers",
    "print_summary",
    "write_report",
]
