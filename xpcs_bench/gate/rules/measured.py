"""Every case that was planned has been measured in every process it was due."""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import Outcome, RunRecord, Status, Verdict

__all__ = ["verdicts"]

_MEASURED = frozenset({Status.OK, Status.PARITY_FAILED})


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield pass or error where a case was tried, inconclusive where it was not."""
    rows: dict[str, list[int]] = {}
    for index, measurement in enumerate(record.measurements):
        rows.setdefault(measurement.case, []).append(index)
    for skip in record.header.skipped:
        yield Verdict(
            rule="measured", subject=skip.case, outcome=Outcome.SKIP, reason=skip.reason
        )
    unneeded = set(record.summary.unneeded)
    for case in record.header.cases:
        tried = rows.get(case.id, [])
        lost = [
            index
            for index in tried
            if record.measurements[index].observation.status not in _MEASURED
        ]
        if lost:
            observation = record.measurements[lost[0]].observation
            yield Verdict(
                rule="measured",
                subject=case.id,
                outcome=Outcome.ERROR,
                reason=f"{observation.status.value}: {observation.reason}",
                evidence=tuple(f"/measurements/{index}" for index in lost),
            )
        elif tried:
            yield Verdict(
                rule="measured",
                subject=case.id,
                outcome=Outcome.PASS,
                reason="measured",
                evidence=tuple(f"/measurements/{index}" for index in tried),
            )
        elif case.id in unneeded:
            yield Verdict(
                rule="measured",
                subject=case.id,
                outcome=Outcome.SKIP,
                reason="not needed: the search for the crossover can do without it.",
            )
        else:
            yield Verdict(
                rule="measured",
                subject=case.id,
                outcome=Outcome.INCONCLUSIVE,
                reason="not measured yet: the run was interrupted; --resume goes on.",
            )
