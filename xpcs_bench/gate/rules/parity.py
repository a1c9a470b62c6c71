"""Every output agrees with its reference and with the truth within the tolerance."""

from __future__ import annotations

from collections.abc import Iterable

from xpcs_bench.records import Outcome, RunRecord, Verdict

__all__ = ["verdicts"]


def verdicts(record: RunRecord) -> Iterable[Verdict]:
    """Yield one verdict per case whose outputs were compared, or should have been."""
    rows: dict[str, list[int]] = {}
    for index, measurement in enumerate(record.measurements):
        rows.setdefault(measurement.case, []).append(index)
    for case in record.header.cases:
        checks = [
            (f"/measurements/{index}/observation/checks/{position}", check)
            for index in rows.get(case.id, [])
            for position, check in enumerate(
                record.measurements[index].observation.checks
            )
        ]
        failed = [(pointer, check) for pointer, check in checks if not check.passed]
        if failed:
            _, check = failed[0]
            yield Verdict(
                rule="parity",
                subject=case.id,
                outcome=Outcome.FAIL,
                reason=f"{check.output} against {check.against}: {check.reason}",
                evidence=tuple(pointer for pointer, _ in failed),
            )
        elif checks:
            yield Verdict(
                rule="parity",
                subject=case.id,
                outcome=Outcome.PASS,
                reason=f"comparisons within tolerance: {len(checks)} of {len(checks)}",
                evidence=tuple(pointer for pointer, _ in checks),
            )
        else:
            yield Verdict(
                rule="parity",
                subject=case.id,
                outcome=Outcome.SKIP,
                reason="no output was compared: the case was not measured, or it "
                "measures no values.",
            )
