"""An examination as text: a cell for every method and dtype, and a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xpcs_bench.conformance.findings import Examination, Finding, Report
from xpcs_bench.conformance.hard_inputs import ALL

__all__ = ["cell", "cells_by_method", "format_ulp", "markdown", "summary"]


def cells_by_method(examination: Examination) -> dict[str, dict[str, Finding]]:
    """Return the findings by method, then dtype, in the order of the probes."""
    table: dict[str, dict[str, Finding]] = {}
    for found in examination.findings:
        table.setdefault(found.method, {})[found.dtype] = found
    return table


def cell(found: Finding | None, numbers: Mapping[str, int]) -> str:
    """Return ``0``, ``2 jax [1]``, ``FAIL``: distance, who is nearer, known rows.

    Parameters
    ----------
    numbers : mapping
        Name of a known difference to the number that stands for it.
    """
    if found is None:
        return ""
    if found.verdict in {"fail", "skip"}:
        return found.verdict.upper()
    words = ["=" if found.max_ulp is None else format_ulp(found.max_ulp)]
    if found.nearer not in {None, "equal"}:
        words.append(str(found.nearer))
    known = sorted({numbers[d.difference] for d in found.discrepancies if d.difference})
    if known:
        words.append(f"[{','.join(map(str, known))}]")
    return " ".join(words)


def format_ulp(ulp: float) -> str:
    """Write a distance shortly: ``0``, ``0.51``, ``3``, ``122``."""
    return f"{ulp:.2g}" if ulp < 10 else f"{ulp:.0f}"


def summary(examination: Examination) -> str:
    """Say in one line what came out."""
    verdicts = [found.verdict for found in examination.findings]
    methods = len({found.method for found in examination.findings})
    inputs = sum(found.n_inputs for found in examination.findings)
    line = (
        f"{methods} methods, {len(verdicts)} pairs of method and dtype, {inputs:,} "
        f"elements compared: {verdicts.count('pass')} agree, "
        f"{verdicts.count('known')} differ as known, "
        f"{verdicts.count('fail')} differ without an explanation"
    )
    skipped = verdicts.count("skip")
    return f"{line}, {skipped} could not be compared." if skipped else f"{line}."


def markdown(report: Report) -> str:
    """Return the page that stands beside the record."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    examination = report.examination
    reference, candidate = examination.backends
    numbers = {row.name: i for i, row in enumerate(examination.differences, 1)}
    yield f"# Conformance of {reference} and {candidate}"
    yield ""
    yield summary(examination)
    yield ""
    yield "Written by `xpcs-bench conformance`; the record is `conformance.json`."
    yield ""
    yield from _circumstances(report)
    failures = [found for found in examination.findings if found.verdict == "fail"]
    if failures:
        yield "## Unexplained differences"
        yield ""
        for found in failures:
            yield f"- `{found.method}` {found.dtype}: {_cell_text(found.reason)}"
        yield ""
    yield "## Method by dtype"
    yield ""
    yield (
        f"Each cell: the largest distance between {reference} and {candidate} in ULP "
        "(`=`: no floats, all equal), who is nearer the truth where one is known and "
        "one is nearer, and the numbers of the known differences that were seen."
    )
    yield ""
    dtypes = [d for d in ALL if any(f.dtype == d for f in examination.findings)]
    yield from _table(
        ["method", *dtypes],
        [
            [f"`{method}`", *(cell(row.get(dtype), numbers) for dtype in dtypes)]
            for method, row in cells_by_method(examination).items()
        ],
    )
    yield from _truths(examination)
    yield "## Known differences"
    yield ""
    yield from _table(
        ["", "name", "methods", "aspects", "limit (ULP)", "reason", "source"],
        [
            [
                str(numbers[row.name]),
                row.name,
                ", ".join(row.methods),
                ", ".join(row.aspects),
                "" if row.limit_ulp is None else format_ulp(row.limit_ulp),
                row.reason,
                row.source,
            ]
            for row in examination.differences
        ],
    )
    if examination.stale:
        yield "## Known differences that were not seen here"
        yield ""
        for stale in examination.stale:
            yield f"- {stale.difference}: `{stale.method}`"
        yield ""


def _circumstances(report: Report) -> Iterator[str]:
    where = report.circumstances
    packages = ", ".join(f"{name} {v}" for name, v in where.packages.items())
    yield "## Circumstances"
    yield ""
    yield f"- {where.cpu}; {where.system}; Python {where.python}"
    yield f"- {packages}"
    yield f"- processor features: {', '.join(where.cpu_features) or 'not known'}"
    for name, value in where.variables.items():
        yield f"- `{name}={value}`"
    yield ""


def _truths(examination: Examination) -> Iterator[str]:
    """Errors against the truth, of the types in which ULP mean something."""
    names = examination.backends
    rows = [
        [
            f"`{found.method}`",
            found.dtype,
            *(
                format_ulp(found.errors_ulp[name]) if name in found.errors_ulp else ""
                for name in names
            ),
            found.nearer or "",
            f"{found.worst.arguments} ({found.worst.inputs})" if found.worst else "",
        ]
        for found in examination.findings
        if found.dtype.startswith("float") and found.errors_ulp
    ]
    if not rows:
        return
    yield "## Error against the truth"
    yield ""
    yield (
        "Largest error in ULP against 50 digits of mpmath (half an ULP is the best "
        "that rounding allows), and the argument at which one of them is furthest off."
    )
    yield ""
    yield from _table(["method", "dtype", *names, "nearer", "worst at"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell_text, row))} |"
    yield ""


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
