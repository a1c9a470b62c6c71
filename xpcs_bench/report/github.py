"""Verdicts as annotations of GitHub Actions: lines that it reads from the output.

It shows at most ten errors and ten warnings of a step, so the last of more says how
many there are; all are in the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpcs_bench.records import Outcome, RunRecord, Verdict

__all__ = ["render"]

_MOST = 10
"""Annotations of one level that GitHub shows for a step."""
_LEVELS = {
    "error": (Outcome.FAIL, Outcome.ERROR),
    "warning": (Outcome.INCONCLUSIVE,),
}


def render(record: RunRecord) -> str:
    """Return one annotation for each verdict that is neither pass nor skip."""
    lines = [
        line
        for level, outcomes in _LEVELS.items()
        for line in _level(
            level,
            [row for row in record.summary.verdicts if row.outcome in outcomes],
            record,
        )
    ]
    counts = ", ".join(
        f"{sum(row.outcome is outcome for row in record.summary.verdicts)} {word}"
        for outcome, word in (
            (Outcome.PASS, "pass"),
            (Outcome.FAIL, "fail"),
            (Outcome.ERROR, "error"),
            (Outcome.INCONCLUSIVE, "cannot tell"),
            (Outcome.SKIP, "skip"),
        )
    )
    lines.append(_line("notice", record.header.name, f"Verdicts: {counts}."))
    return "\n".join(lines) + "\n"


def _level(level: str, verdicts: Sequence[Verdict], record: RunRecord) -> Iterator[str]:
    shown = verdicts if len(verdicts) <= _MOST else verdicts[: _MOST - 1]
    for verdict in shown:
        doubt = verdict.outcome is Outcome.INCONCLUSIVE
        words = f"cannot tell: {verdict.reason}" if doubt else verdict.reason
        yield _line(level, f"{verdict.rule}: {verdict.subject}", words)
    if len(verdicts) > len(shown):
        words = f"{len(verdicts) - len(shown)} more are in the summary of the run."
        yield _line(level, record.header.name, words)


def _line(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Write what stands behind the colons; a line break would end it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Write a value before the colons, which colons and commas would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
