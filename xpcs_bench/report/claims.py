"""The ledger of claims: all of them, as a file of its own, for a document's authors."""

from __future__ import annotations

from xpcs_bench.records import RunRecord
from xpcs_bench.report.markdown import escaped, table_lines, written
from xpcs_bench.report.sections import claims
from xpcs_bench.report.standing import Evidence

__all__ = ["render"]


def render(record: RunRecord) -> str:
    """Return every claim of a record in GitHub's Markdown, however many there are."""
    section = claims.describe(Evidence(record))
    header = record.header
    lines = [
        f"# Claims: {escaped(header.name)}",
        "",
        f"Decided by `{header.command}`, run {escaped(header.run_id)}.",
        "",
        written(section.lead),
        "",
    ]
    for table in section.tables:
        lines += table_lines(table, most=None)
    return "\n".join(lines).rstrip() + "\n"
