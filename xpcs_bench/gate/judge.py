"""All verdicts of a record, and the exit code they amount to."""

from __future__ import annotations

from collections.abc import Sequence

from xpcs_bench.errors import ExitCode
from xpcs_bench.gate.rules import RULES
from xpcs_bench.records import Outcome, RunRecord, RunStatus, Verdict

__all__ = ["exit_code", "judge"]


def judge(record: RunRecord) -> tuple[Verdict, ...]:
    """Apply every rule."""
    return tuple(verdict for rule in RULES.values() for verdict in rule(record))


def exit_code(status: RunStatus, verdicts: Sequence[Verdict]) -> ExitCode:
    """Return the worst outcome.

    An interruption is said first: the run can be resumed. A failure is said before an
    error: that a value is wrong stays true whatever else could not be measured.
    """
    if status == "interrupted":
        return ExitCode.INTERRUPTED
    outcomes = {verdict.outcome for verdict in verdicts}
    for outcome, code in (
        (Outcome.FAIL, ExitCode.FAIL),
        (Outcome.ERROR, ExitCode.COULD_NOT_MEASURE),
        (Outcome.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (Outcome.PASS, ExitCode.PASS),
    ):
        if outcome in outcomes:
            return code
    # nothing but skips: a machine without the device that was asked for
    return ExitCode.COULD_NOT_MEASURE
