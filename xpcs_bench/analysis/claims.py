"""Sentences of documents against what was seen.

A number is claimed as a range. The interval of what was measured lies wholly inside of
it, wholly outside, or across an end: pass, fail, cannot tell. What cannot be tested
here is skipped with the plan's reason, and never passes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xpcs_bench.analysis.controls import under_control
from xpcs_bench.analysis.estimate import estimate_ratio
from xpcs_bench.analysis.judgement import judge_ratio
from xpcs_bench.analysis.pairs import paired
from xpcs_bench.analysis.readings import sound_readings
from xpcs_bench.config import Bounds, Claim, ClaimSide, Expectation
from xpcs_bench.records import (
    BehaviourSeen,
    Case,
    CaseEstimate,
    ClaimCases,
    ClaimFinding,
    Comparison,
    Estimate,
    Measurement,
    Outcome,
    RunHeader,
    Seen,
    Status,
    Summary,
    seen_text,
)
from xpcs_bench.units import format_quantity

__all__ = ["judge_behaviour", "judge_bounds", "judge_claims", "quotient"]

_Judged = tuple[Outcome, str]


def judge_bounds(estimate: Estimate, bounds: Bounds) -> _Judged:
    """Say whether an interval lies inside of what is claimed; with a sentence."""
    lower = -math.inf if bounds.lower is None else bounds.lower
    upper = math.inf if bounds.upper is None else bounds.upper
    if lower <= estimate.lower and estimate.upper <= upper:
        return Outcome.PASS, "all of the interval lies within what is claimed."
    if estimate.lower > upper:
        return Outcome.FAIL, _beyond("lower", estimate.lower, upper, "most")
    if estimate.upper < lower:
        return Outcome.FAIL, _beyond("upper", estimate.upper, lower, "least")
    limits = " and ".join(
        format_quantity(end, estimate.unit)
        for end in (lower, upper)
        if estimate.lower <= end <= estimate.upper
    )
    reason = (
        f"the interval goes across {limits}, where the claim ends: measure longer, or "
        "on a quieter machine."
    )
    return Outcome.INCONCLUSIVE, reason


def _beyond(end: str, found: float, limit: float, which: str) -> str:
    """Say how far the nearest end of an interval is from what is claimed."""
    what = f"even its {end} end is"
    if limit == 0:
        return f"{what} not 0, as is claimed."
    return f"{what} {found / limit:.3g} times the {which} that is claimed."


def quotient(of: Estimate, over: Estimate) -> Estimate:
    """One estimate over another that no process measured together with it.

    The ends are the farthest that both intervals allow, which is wider than their
    joint confidence would need: it does not promise too much.

    Raises
    ------
    ValueError
        What stands below the line may be 0.
    """
    if over.lower <= 0:
        msg = f"{over.lower!r} below the line: a ratio wants positive estimates"
        raise ValueError(msg)
    return Estimate(
        point=of.point / over.point,
        lower=of.lower / over.upper,
        upper=of.upper / over.lower,
        confidence=min(of.confidence, over.confidence),
        statistic="quotient of two estimates, ends combined",
        n_processes=min(of.n_processes, over.n_processes),
        n_samples=of.n_samples + over.n_samples,
        unit="x",
    )


def judge_behaviour(seen: BehaviourSeen, expect: Expectation) -> _Judged:
    """Say whether what was met with is what was expected; with a sentence."""
    if seen.kind == "absent":
        return Outcome.SKIP, f"cannot be tried here: {seen.message}."
    if seen.kind == "lost":
        return Outcome.ERROR, f"could not be tried: {seen.message}"
    if expect.raises is not None:
        if seen.kind == "raised" and expect.raises in seen.exceptions:
            return Outcome.PASS, f"it raises {seen.exceptions[0]}."
        return Outcome.FAIL, f"it raises no {expect.raises}."
    if expect.fails:
        if seen.kind != "returned":
            return Outcome.PASS, "it ends its process or raises."
        wrong = [name for name, value in seen.observed.items() if value is False]
        if wrong:
            return Outcome.PASS, f"false: {', '.join(wrong)}."
        return Outcome.FAIL, "it works."
    if seen.kind != "returned":
        return Outcome.FAIL, "it does not work at all."
    other = [
        f"{name} is {seen_text(seen.observed.get(name, 'not seen'))}"
        for name, value in expect.shows.items()
        if not _is_shown(seen.observed.get(name), value)
    ]
    if other:
        return Outcome.FAIL, f"not as claimed: {'; '.join(other)}."
    return Outcome.PASS, "it was seen as claimed."


def _is_shown(found: Seen | None, value: Seen | Bounds) -> bool:
    if not isinstance(value, Bounds):
        # True is not 1 here
        return found == value and isinstance(found, bool) is isinstance(value, bool)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    above = value.lower is None or found >= value.lower
    return above and (value.upper is None or found <= value.upper)


def judge_claims(
    header: RunHeader,
    measurements: Sequence[Measurement],
    behaviours: Sequence[BehaviourSeen],
    summary: Summary,
) -> tuple[ClaimFinding, ...]:
    """Decide every claim that the run was to decide."""
    record = _Record(header, measurements, behaviours, summary)
    claims = {claim.id: claim for claim in header.experiment.claims}
    return tuple(_decide(claims[row.claim], row, record) for row in header.claims)


@dataclass(frozen=True)
class _Record:
    header: RunHeader
    measurements: Sequence[Measurement]
    behaviours: Sequence[BehaviourSeen]
    summary: Summary

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        return {case.id: case for case in self.header.cases}

    @cached_property
    def skips(self) -> Mapping[str, int]:
        return {skip.case: place for place, skip in enumerate(self.header.skipped)}

    @cached_property
    def rows(self) -> Mapping[str, list[int]]:
        rows = defaultdict(list)
        for place, row in enumerate(self.measurements):
            rows[row.case].append(place)
        return rows

    @cached_property
    def seen(self) -> Mapping[str, int]:
        return {row.behaviour: place for place, row in enumerate(self.behaviours)}

    @cached_property
    def estimates(self) -> Mapping[tuple[str, str], tuple[int, CaseEstimate]]:
        return {
            (row.case, row.metric): (place, row)
            for place, row in enumerate(self.summary.estimates)
        }

    def ratio(self, of: str, over: str, metric: str) -> tuple[Estimate, str] | None:
        """One case of a group over another, within pairs of processes.

        Also says why it cannot be relied on: a control of the run failed; else "".
        """
        candidate = self.cases[of]
        readings = sound_readings(self.cases, self.measurements)
        pairs = paired(readings, over, candidate, metric)
        if pairs is None:
            return None
        ratio = estimate_ratio(
            pairs.baseline, pairs.candidate, pairs.prior, pairs.n_samples
        )
        comparison = Comparison(
            group=candidate.group_id,
            metric=metric,
            baseline=over,
            candidate=of,
            ratio=ratio,
            judgement=judge_ratio(ratio),
        )
        controls = self.summary.controls
        (judged,) = under_control([comparison], controls, self.cases)
        return ratio, judged.reason


def _decide(claim: Claim, row: ClaimCases, record: _Record) -> ClaimFinding:
    if claim.behaviour is not None:
        return _of_behaviour(claim, claim.behaviour, record)
    sides = [
        (case, side)
        for case, side in ((row.of, claim.of), (row.over, claim.over))
        if case is not None and side is not None
    ]
    for case, side in sides:
        withheld = _withheld(case, side, record)
        if withheld is not None:
            return _finding(claim, *withheld)
    if claim.expect.bounds is None:
        return _of_values(claim, sides[0][0], record)
    return _of_numbers(claim, claim.expect.bounds, sides, record)


def _of_behaviour(claim: Claim, name: str, record: _Record) -> ClaimFinding:
    place = record.seen.get(name)
    if place is None:
        return _finding(claim, Outcome.INCONCLUSIVE, _NOT_YET, ())
    seen = record.behaviours[place]
    outcome, reason = judge_behaviour(seen, claim.expect)
    found = "" if outcome in {Outcome.SKIP, Outcome.ERROR} else seen.text
    return _finding(claim, outcome, reason, (f"/behaviours/{place}",), found=found)


_NOT_YET = "not tried yet: the run was interrupted; --resume goes on."


def _withheld(
    case: str, side: ClaimSide, record: _Record
) -> tuple[Outcome, str, tuple[str, ...]] | None:
    """Say why nothing is known of a side; None where something is."""
    if case in record.skips:
        place = record.skips[case]
        reason = record.header.skipped[place].reason
        return (
            Outcome.SKIP,
            f"cannot be tested here: {reason}.",
            (f"/header/skipped/{place}",),
        )
    rows = record.rows.get(case, [])
    if not rows:
        return Outcome.INCONCLUSIVE, _NOT_YET, ()
    if side.metric == "parity" and any(
        record.measurements[place].observation.checks for place in rows
    ):
        return None
    if (case, side.metric) in record.estimates:
        return None
    evidence = tuple(f"/measurements/{place}" for place in rows)
    lost = [
        observation
        for place in rows
        for observation in (record.measurements[place].observation,)
        if observation.status not in {Status.OK, Status.PARITY_FAILED}
    ]
    if lost:
        reason = f"{case} was not measured: {lost[0].status.value}: {lost[0].reason}"
        return Outcome.ERROR, reason, evidence
    reason = f"{case} has no number that counts: its values are wrong."
    return Outcome.INCONCLUSIVE, reason, evidence


def _of_values(claim: Claim, case: str, record: _Record) -> ClaimFinding:
    checks = [
        (f"/measurements/{place}/observation/checks/{index}", check)
        for place in record.rows[case]
        for index, check in enumerate(record.measurements[place].observation.checks)
    ]
    wrong = [(pointer, check) for pointer, check in checks if not check.passed]
    ulp = max((c.max_ulp for _, c in checks if c.max_ulp is not None), default=None)
    found = f"{len(checks) - len(wrong)} of {len(checks)} comparisons agree"
    if ulp is not None:
        found += f"; at most {ulp:.3g} ULP apart"
    agrees = not wrong
    if wrong:
        check = wrong[0][1]
        reason = f"{check.output} against {check.against}: {check.reason}"
    else:
        reason = "all outputs lie within their tolerances."
    return _finding(
        claim,
        Outcome.PASS if agrees is claim.expect.agrees else Outcome.FAIL,
        reason,
        tuple(pointer for pointer, _ in wrong or checks),
        found=found,
    )


def _of_numbers(
    claim: Claim,
    bounds: Bounds,
    sides: Sequence[tuple[str, ClaimSide]],
    record: _Record,
) -> ClaimFinding:
    found = [record.estimates[case, side.metric] for case, side in sides]
    evidence = tuple(f"/summary/estimates/{place}" for place, _ in found)
    doubt = ""
    if len(found) == 1:
        measured = found[0][1].estimate
    else:
        (of, above), (over, below) = sides
        together = (
            above.metric == below.metric
            and record.cases[of].group_id == record.cases[over].group_id
        )
        ratio = record.ratio(of, over, above.metric) if together else None
        if ratio is not None:
            measured, doubt = ratio
        else:
            first, second = (row.estimate for _, row in found)
            if second.lower <= 0:
                reason = f"{over} may be nothing at all, and nothing is a part of that."
                return _finding(claim, Outcome.INCONCLUSIVE, reason, evidence)
            measured = quotient(first, second)
    outcome, reason = judge_bounds(measured, bounds)
    if doubt:
        outcome, reason = Outcome.INCONCLUSIVE, doubt
    return _finding(claim, outcome, reason, evidence, measured=measured)


def _finding(
    claim: Claim,
    outcome: Outcome,
    reason: str,
    evidence: tuple[str, ...],
    *,
    measured: Estimate | None = None,
    found: str = "",
) -> ClaimFinding:
    return ClaimFinding(
        id=claim.id,
        says=claim.says,
        source=claim.source,
        claimed=claim.expect.text,
        measured=measured,
        found=found,
        outcome=outcome,
        reason=reason,
        evidence=evidence,
    )
