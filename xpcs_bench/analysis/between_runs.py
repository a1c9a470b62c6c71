"""A later run held against an earlier one, case by case.

The processes of two runs never took turns. What a machine does by itself from one hour
to the next is in their ratio, and no process of either run shows it: 95 % intervals
without it hold 1 in 60 % of pairs of runs of one code. So it is in the interval as a
doubt of its own, and what it may do is never called a change. What is counted or exact
is compared exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpcs_bench.analysis.circumstances import differences
from xpcs_bench.analysis.controls import CONTROLLED, LEAST_PAIRS
from xpcs_bench.analysis.estimate import (
    Prior,
    Sides,
    estimate_unpaired_ratio,
    prior_for,
    smallest_unpaired_change,
)
from xpcs_bench.analysis.judgement import STORED_MARGIN, judge_stored_ratio
from xpcs_bench.analysis.readings import (
    CaseReadings,
    Reading,
    estimate_readings,
    sound_readings,
)
from xpcs_bench.analysis.standing import standing
from xpcs_bench.records import (
    Case,
    CounterChange,
    Judgement,
    Measurement,
    Observation,
    Outcome,
    OutputChange,
    RunComparison,
    RunRatio,
    RunRecord,
    Sameness,
    StandingChange,
    Status,
    Uncompared,
)

__all__ = ["DRIFTS", "Drift", "compare_runs"]


@dataclass(frozen=True)
class Drift:
    """What two runs of one code differ by."""

    prior: Prior
    """Of each run, beyond what its processes show."""
    margin: float
    """What is called the same."""


DRIFTS = {
    # sd of the log between runs of one code on one machine, one after the other, by
    # case: 0.00 to 0.04 of CPU time, 0.00 to 0.03 of undisturbed wall time
    # (benchmarks/engine/apart.py). Measured before, between times of a day: 0.02 to
    # 0.055 of CPU time, and 0.07 to 0.15 of wall time, disturbed or not
    "cpu": Drift(Prior(0.04, df=8), STORED_MARGIN),
    "wall": Drift(Prior(0.10, df=4), STORED_MARGIN),
    # of disturbed samples 0.00 to 0.18, and nobody knows whether a reading is one
    "unlabelled": Drift(Prior(0.20, df=4), STORED_MARGIN),
    # memory does not know what day it is; its margin is what one process of each run,
    # which is all that a peak has, can tell
    "bytes": Drift(Prior(0.0), 0.10),
}
"""By what is read: CPU time, wall time of undisturbed samples, wall time of which the
record does not tell or that was disturbed (a first call is one reading), or a peak of
memory."""

_ROUGH = {"allocated_peak_bytes": (0.01, 4096)}
"""Counters that small objects of Python move: by what part, and what number, two
counts may differ and still be equal."""
_TIMED = frozenset(
    {
        "steady_state",
        "conversion",
        "first_call",
        "recompile",
        "stages",
        "peak_memory",
    }
)
_SIDES = ("baseline", "candidate")


def _everything(_case: str) -> bool:
    return True


def compare_runs(
    baseline: RunRecord,
    candidate: RunRecord,
    accept: Callable[[str], bool] = _everything,
) -> RunComparison:
    """Compare what both runs measured of the same work.

    Parameters
    ----------
    accept : callable
        From a case id to whether it is compared.
    """
    sides = (_Side(baseline, accept), _Side(candidate, accept))
    cases, uncompared = _matched(*sides)
    standings: list[StandingChange] = []
    outputs: list[OutputChange] = []
    counters: list[CounterChange] = []
    ratios: list[RunRatio] = []
    for case in cases:
        changed = _standing_change(case, *sides)
        if changed:
            standings.append(changed)
        outputs += _outputs(case, *sides)
        if case.measure == "counters":
            counters += _counters(case, *sides)
        if case.measure in _TIMED:
            found = list(_ratios(case, *sides))
            ratios += found
            if not found and not changed:
                uncompared.append(_silent(case, *sides))
    wrong_first = sorted(
        standings, key=lambda row: Status.PARITY_FAILED not in _both(row)
    )
    return RunComparison(
        baseline=baseline.header.run_id,
        candidate=candidate.header.run_id,
        differences=differences(baseline, candidate, cases),
        standings=tuple(sorted(wrong_first, key=lambda row: not row.went_wrong)),
        outputs=tuple(outputs),
        counters=tuple(counters),
        ratios=tuple(ratios),
        uncompared=tuple(uncompared),
    )


def _both(row: StandingChange) -> tuple[str, str]:
    return row.baseline, row.candidate


class _Side:
    """A run, by case."""

    def __init__(self, record: RunRecord, accept: Callable[[str], bool]) -> None:
        self.record = record
        everything = {case.id: case for case in record.header.cases}
        self.skipped = {
            skip.case: skip.reason
            for skip in record.header.skipped
            if accept(skip.case)
        }
        self.cases = {
            name: case
            for name, case in everything.items()
            if not case.variant.control and name not in self.skipped and accept(name)
        }
        self.rows: dict[str, list[Measurement]] = defaultdict(list)
        for row in record.measurements:
            self.rows[row.case].append(row)
        self.readings: Mapping[str, CaseReadings] = sound_readings(
            everything, record.measurements
        )
        self.failing: dict[tuple[str, str], list[str]] = defaultdict(list)
        for control in record.summary.controls:
            if control.outcome is not Outcome.PASS:
                variant = everything[control.candidate].variant
                place = (variant.backend, variant.device)
                self.failing[place].append(control.reason)

    def observations(self, case: Case, *statuses: Status) -> list[Observation]:
        return [
            row.observation
            for row in self.rows.get(case.id, ())
            if not statuses or row.observation.status in statuses
        ]


def _matched(one: _Side, other: _Side) -> tuple[list[Case], list[Uncompared]]:
    """Return the cases that both runs measured, and why the others are not in it."""
    matched, uncompared = [], []
    for name in dict.fromkeys((*one.cases, *other.cases)):
        reason = _lacks(name, one, other) or _unlike(name, one, other)
        if reason:
            uncompared.append(Uncompared(case=name, reason=reason))
        else:
            matched.append(one.cases[name])
    return matched, uncompared


def _lacks(name: str, one: _Side, other: _Side) -> str:
    """Say which side has nothing of a case, and why; empty where both have."""
    said = []
    for word, side in zip(_SIDES, (one, other), strict=True):
        if name in side.skipped:
            said.append(f"the {word} skipped it: {side.skipped[name]}")
        elif name not in side.cases:
            said.append(f"the {word} was not asked for it.")
        elif name not in side.rows:
            said.append(f"the {word} did not come to it: it is {side.record.status}.")
    return " ".join(said)


def _unlike(name: str, one: _Side, other: _Side) -> str:
    """Say in what the work of one id differs; empty where it does not."""
    pair = (one.cases[name], other.cases[name])
    for field in ("kernel_version", "params", "detector", "geometry"):
        values = [getattr(case, field) for case in pair]
        if values[0] == values[1]:
            continue
        if field == "kernel_version":
            return (
                f"its kernel is version {values[0]!r} in the baseline, {values[1]!r} "
                "in the candidate: another computation."
            )
        return f"its {field} is another in the candidate, under the same name."
    return ""


def _standing_change(case: Case, one: _Side, other: _Side) -> StandingChange | None:
    sides = [side.observations(case) for side in (one, other)]
    before, after = map(standing, sides)
    if before == after == Status.OK:
        return None
    reasons = [_reason(observations) for observations in sides]
    return StandingChange(
        case=case.id,
        baseline=before,
        candidate=after,
        reason=reasons[1] or reasons[0],
    )


def _reason(observations: Iterable[Observation]) -> str:
    for observation in observations:
        if observation.reason:
            return observation.reason
        for check in observation.checks:
            if not check.passed:
                return f"{check.output} against the {check.against}: {check.reason}"
    return ""


def _outputs(case: Case, one: _Side, other: _Side) -> Iterator[OutputChange]:
    """Compare digests: those of all processes of a side have to agree with each other.

    Wrong outputs are outputs, too.
    """
    sides = []
    for side in (one, other):
        found: dict[str, set[str]] = defaultdict(set)
        for each in side.observations(case, Status.OK, Status.PARITY_FAILED):
            for output in each.outputs:
                shape = "x".join(map(str, output.shape))
                found[output.name].add(f"{output.dtype} {shape} {output.sha256}")
        sides.append(found)
    seeds = [side.record.header.experiment.seed for side in (one, other)]
    for name in dict.fromkeys((*sides[0], *sides[1])):
        before, after = (side.get(name, set()) for side in sides)
        sameness: Sameness = "changed"
        reason = "not the same bits."
        restless = [
            word
            for word, told in zip(_SIDES, (before, after), strict=True)
            if len(told) > 1
        ]
        if not before or not after:
            reason = f"only the {_SIDES[bool(after)]} has this output."
        elif restless:
            sameness = "untold"
            reason = f"processes of the {' and the '.join(restless)} differ in it."
        elif before == after:
            sameness, reason = "equal", ""
        elif seeds[0] != seeds[1]:
            sameness = "untold"
            reason = f"inputs were drawn from seed {seeds[0]} and from seed {seeds[1]}."
        yield OutputChange(case=case.id, output=name, sameness=sameness, reason=reason)


def _counters(case: Case, one: _Side, other: _Side) -> Iterator[CounterChange]:
    sides = []
    for side in (one, other):
        found: dict[str, set[float]] = defaultdict(set)
        for each in side.observations(case, Status.OK):
            for name, count in each.counters.items():
                found[name].add(count)
        sides.append(found)
    for name in dict.fromkeys((*sides[0], *sides[1])):
        before, after = (tuple(sorted(side.get(name, ()))) for side in sides)
        yield CounterChange(
            case=case.id,
            counter=name,
            baseline=before,
            candidate=after,
            sameness=_same_count(name, before, after),
        )


def _same_count(name: str, before: Sequence[float], after: Sequence[float]) -> Sameness:
    if not before or not after:
        return "untold"
    part, number = _ROUGH.get(name, (0.0, 0.0))
    allowed = max(part * before[-1], part * after[-1], number)
    apart = max(abs(after[0] - before[0]), abs(after[-1] - before[-1]))
    return "equal" if apart <= allowed else "changed"


def _silent(case: Case, one: _Side, other: _Side) -> Uncompared:
    """Say why a case that ended well has no ratio."""
    silent = [
        word
        for word, side in zip(_SIDES, (one, other), strict=True)
        if case.id not in side.readings
    ]
    reason = "the two have no number in common."
    if silent:
        reason = (
            f"its variant returned wrong values in another measure of the "
            f"{' and the '.join(silent)}: without parity there is no speed."
        )
    return Uncompared(case=case.id, reason=reason)


def _ratios(case: Case, one: _Side, other: _Side) -> Iterator[RunRatio]:
    untrue = {Status.PARITY_FAILED, Status.INVALID}
    if any(standing(side.observations(case)) in untrue for side in (one, other)):
        return
    if case.id not in one.readings or case.id not in other.readings:
        return
    told = (one.readings[case.id], other.readings[case.id])
    by_cpu = all(side.by_cpu for side in told)
    metrics = [side.by_cpu_time if by_cpu else side.by_wall_time for side in told]
    for metric, before in metrics[0].items():
        if after := metrics[1].get(metric):
            drift = _drift(case.measure, (*before, *after), by_cpu=by_cpu)
            reason = _unsure(case, metric, (one, other), (before, after))
            yield _ratio(case, metric, (before, after), drift, reason)


def _drift(measure: str, rows: Sequence[Reading], *, by_cpu: bool) -> Drift:
    if measure == "peak_memory":
        return DRIFTS["bytes"]
    timings = {row.timing for row in rows}
    if by_cpu and timings <= {"cpu"}:
        return DRIFTS["cpu"]
    return DRIFTS["wall" if timings == {"wall"} else "unlabelled"]


def _unsure(
    case: Case,
    metric: str,
    sides: tuple[_Side, _Side],
    readings: tuple[Sequence[Reading], Sequence[Reading]],
) -> str:
    """Say why an interval of a case decides nothing; empty where it does."""
    place = (case.variant.backend, case.variant.device)
    said, busy, few = [], [], []
    for word, side, rows in zip(_SIDES, sides, readings, strict=True):
        if metric in CONTROLLED:
            said += [
                f"Control of {'/'.join(place)} in the {word}: {sentence}"
                for sentence in side.failing.get(place, ())
            ]
        disturbed = sum(row.timing == "least_disturbed" for row in rows)
        if disturbed:
            busy.append(f"{disturbed} of {len(rows)} processes of the {word}")
        if case.measure != "peak_memory" and len(rows) < LEAST_PAIRS:
            few.append(word)
    if busy:
        said.append(
            f"Nearly all samples were disturbed in {' and '.join(busy)}: threads "
            "waited for cores that others had, and in another run others have them. "
            "Measure on a quieter machine, or both codes in one run."
        )
    if few:
        said.append(
            f"One process of the {' and one of the '.join(few)} measured it, so nobody "
            "knows how much processes differ. Ask for more with sampling.processes."
        )
    return " ".join(said)


def _ratio(
    case: Case,
    metric: str,
    readings: tuple[Sequence[Reading], Sequence[Reading]],
    drift: Drift,
    reason: str,
) -> RunRatio:
    before, after = (estimate_readings(case.measure, rows) for rows in readings)
    values = [[row.value for row in rows] for rows in readings]
    judgement, ratio, least = Judgement.INCONCLUSIVE, None, None
    if min(map(min, values)) > 0:
        first, second = (
            prior_for(case.measure, [row.doubt for row in rows]) for rows in readings
        )
        sides = Sides(values[0], values[1], (first, second), drift.prior)
        ratio = estimate_unpaired_ratio(sides, before.n_samples + after.n_samples)
        if not reason:
            judgement = judge_stored_ratio(ratio, drift.margin)
            least = smallest_unpaired_change(sides, drift.margin)
    elif not reason:
        reason = "What is nothing on one side has no ratio."
    return RunRatio(
        case=case.id,
        metric=metric,
        baseline=before,
        candidate=after,
        ratio=ratio,
        judgement=judgement,
        reason=reason,
        smallest_change=least,
    )
