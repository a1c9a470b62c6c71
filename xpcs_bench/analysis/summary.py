"""All estimates, comparisons and break-even calls of a record's measurements.

A case whose values were wrong gets no estimate, in any measure: without parity there
is no speed to speak of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from xpcs_bench.analysis.break_even import break_even
from xpcs_bench.analysis.central import WORDS, Timing, central, one_thread
from xpcs_bench.analysis.controls import judge_control, under_control
from xpcs_bench.analysis.estimate import (
    Prior,
    estimate_location,
    estimate_ratio,
    prior_for,
    smallest_change,
)
from xpcs_bench.analysis.judgement import MARGIN, judge_ratio
from xpcs_bench.config import CompilationCache
from xpcs_bench.records import (
    BreakEven,
    Case,
    CaseEstimate,
    Comparison,
    Control,
    Group,
    Measurement,
    Status,
    Summary,
    Variant,
)

__all__ = [
    "MARGIN",
    "Pairs",
    "Readings",
    "Told",
    "judge_ratio",
    "paired",
    "readings_of",
    "summarise",
]


@dataclass(frozen=True)
class _Reading:
    """One number of one process."""

    process: int
    value: float
    n_samples: int = 1
    n_kept: int = 1
    p90: float | None = None
    timing: Timing | None = None
    """Which clock and samples; None for a single reading."""
    doubt: float = 0.0
    """Standard error as its samples tell, as a part of the value; 0: one reading."""


_UNTOLD = 0.02
"""Doubt where samples are too few to tell it."""


def _steady(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, _Reading]]:
    if len(row.observation.samples):
        found = central(row.observation.samples, by_cpu=by_cpu)
        # the half-width is that of an interval of 95 %
        doubt = found.half_width / 1.96 if found.half_width < math.inf else _UNTOLD
        yield (
            "",
            _Reading(
                row.process,
                found.value_s,
                found.n_samples,
                found.n_kept,
                found.p90_s,
                found.timing,
                doubt,
            ),
        )


def _value(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, _Reading]]:
    del by_cpu  # a first call waits for whatever it needs: its time is wall time
    if row.observation.value is not None:
        yield "", _Reading(row.process, row.observation.value)


def _stages(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, _Reading]]:
    del by_cpu
    for stage, elapsed_ns in (row.observation.stages_ns or {}).items():
        yield f".{stage}", _Reading(row.process, elapsed_ns * 1e-9)


_READERS: Mapping[str, Callable[..., Iterable[tuple[str, _Reading]]]] = {
    "steady_state": _steady,
    "conversion": _steady,
    "first_call": _value,
    "recompile": _value,
    "peak_memory": _value,
    "stages": _stages,
}
"""Measure to what it reads of a measurement: metric suffix and reading."""


def _wrong(
    cases: Mapping[str, Case], measurements: Sequence[Measurement]
) -> set[tuple[str, str, str | None]]:
    """Who returned wrong values: problem, variant, and boundary for a conversion."""
    return {
        (case.problem_id, case.variant.id, case.boundary)
        for row in measurements
        if row.observation.status is Status.PARITY_FAILED
        for case in (cases[row.case],)
    }


def readings_of(
    cases: Mapping[str, Case], measurements: Sequence[Measurement]
) -> dict[str, Told]:
    """Return what every case tells that has no wrong values."""
    wrong = _wrong(cases, measurements)
    sound: dict[str, list[Measurement]] = {}
    for row in measurements:
        case = cases[row.case]
        if case.measure not in _READERS or row.observation.status is not Status.OK:
            continue
        identity = (case.problem_id, case.variant.id)
        if {(*identity, case.boundary), (*identity, None)} & wrong:
            continue
        sound.setdefault(row.case, []).append(row)
    return {name: Told(cases[name], rows) for name, rows in sound.items()}


def summarise(
    cases: Sequence[Case], groups: Sequence[Group], measurements: Sequence[Measurement]
) -> Summary:
    """Conclude all that the measurements allow; verdicts are the gate's to add."""
    by_id = {case.id: case for case in cases}
    readings = readings_of(by_id, measurements)
    estimates = [
        _estimate(by_id[case.id], metric, rows)
        for case in cases
        if not case.variant.control
        if case.id in readings
        for metric, rows in readings[case.id].own.items()
    ]
    controls = [
        control for group in groups for control in _controls(group, by_id, readings)
    ]
    comparisons = under_control(
        (
            comparison
            for group in groups
            for comparison in _comparisons(group, by_id, readings)
        ),
        controls,
        by_id,
    )
    return Summary(
        estimates=tuple(estimates),
        comparisons=comparisons,
        controls=tuple(controls),
        break_evens=tuple(_break_evens(cases, groups, estimates, comparisons)),
    )


class Told:
    """What the processes of a case tell, by the clock that is asked for."""

    def __init__(self, case: Case, rows: Sequence[Measurement]) -> None:
        self._case = case
        self._rows = rows

    @cached_property
    def by_cpu(self) -> bool:
        """Whether one thread works at any moment, as most of the processes say.

        All processes of a case are told by one clock: one that has few samples may see
        in them what is not so.
        """
        said = [
            one_thread(row.observation.samples, row.observation.cores)
            for row in self._rows
            if len(row.observation.samples)
        ]
        return 2 * sum(said) > len(said)

    @cached_property
    def by_cpu_time(self) -> dict[str, list[_Reading]]:
        """By metric."""
        return self._read(by_cpu=True)

    @cached_property
    def by_wall_time(self) -> dict[str, list[_Reading]]:
        """By metric."""
        return self._read(by_cpu=False)

    @property
    def own(self) -> dict[str, list[_Reading]]:
        """By metric, and by the clock that fits the case."""
        return self.by_cpu_time if self.by_cpu else self.by_wall_time

    def _read(self, *, by_cpu: bool) -> dict[str, list[_Reading]]:
        metrics: dict[str, list[_Reading]] = {}
        reader = _READERS[self._case.measure]
        for row in self._rows:
            for suffix, reading in reader(row, by_cpu=by_cpu):
                metrics.setdefault(self._case.measure + suffix, []).append(reading)
        return metrics


def _estimate(case: Case, metric: str, rows: Sequence[_Reading]) -> CaseEstimate:
    unit = "bytes" if case.measure == "peak_memory" else "s"
    n_samples = sum(row.n_samples for row in rows)
    prior = prior_for(case.measure, [row.doubt for row in rows])
    estimate = estimate_location([row.value for row in rows], prior, unit, n_samples)
    timings = sorted({WORDS[row.timing] for row in rows if row.timing})
    slow = [row.p90 for row in rows if row.p90 is not None]
    if timings:
        estimate = estimate.model_copy(
            update={
                "statistic": f"median {' or '.join(timings)}; {estimate.statistic}",
                "kept_share": sum(row.n_kept for row in rows) / n_samples,
                "p90": estimate_location(slow, prior, unit, n_samples).point,
            }
        )
    return CaseEstimate(case=case.id, metric=metric, estimate=estimate)


Readings = Mapping[str, Told]
"""By case."""


@dataclass(frozen=True)
class Pairs:
    """Readings of two cases, paired by process and told by one clock."""

    baseline: Sequence[float]
    candidate: Sequence[float]
    prior: Prior
    """What is known of the spread of their ratio."""
    n_samples: int


def paired(
    readings: Readings, baseline: str, candidate: Case, metric: str
) -> Pairs | None:
    """Pair two cases; None where no process measured both.

    CPU time is compared with CPU time alone: where one side has several threads both
    are told by wall time.
    """
    if baseline not in readings or candidate.id not in readings:
        return None
    sides = (readings[baseline], readings[candidate.id])
    by_cpu = all(side.by_cpu for side in sides)
    first, second = (
        (side.by_cpu_time if by_cpu else side.by_wall_time).get(metric, [])
        for side in sides
    )
    base = {row.process: row for row in first}
    pairs = [
        (base[row.process], row)
        for row in second
        if row.process in base and min(base[row.process].value, row.value) > 0
    ]
    if not pairs:
        return None
    return Pairs(
        [b.value for b, _ in pairs],
        [c.value for _, c in pairs],
        prior_for(candidate.measure, [math.hypot(b.doubt, c.doubt) for b, c in pairs]),
        sum(b.n_samples + c.n_samples for b, c in pairs),
    )


def _controls(
    group: Group, cases: Mapping[str, Case], readings: Readings
) -> Iterable[Control]:
    first = cases[group.reference]
    if not first.variant.control:
        return
    for candidate in group.cases:
        if candidate != first.id:
            case = cases[candidate]
            pairs = paired(readings, first.id, case, first.measure)
            yield judge_control(
                group,
                case,
                pairs.baseline if pairs else (),
                pairs.candidate if pairs else (),
                pairs.prior if pairs else prior_for(first.measure, ()),
                pairs.n_samples if pairs else 0,
            )


def _comparisons(
    group: Group, cases: Mapping[str, Case], readings: Readings
) -> Iterable[Comparison]:
    if cases[group.reference].variant.control:
        return
    for candidate in group.cases:
        if candidate == group.reference or candidate not in readings:
            continue
        for metric in readings[candidate].own:
            pairs = paired(readings, group.reference, cases[candidate], metric)
            if pairs is None:
                continue
            ratio = estimate_ratio(
                pairs.baseline, pairs.candidate, pairs.prior, pairs.n_samples
            )
            least = smallest_change(pairs.baseline, pairs.candidate, pairs.prior)
            yield Comparison(
                group=group.id,
                metric=metric,
                baseline=group.reference,
                candidate=candidate,
                ratio=ratio,
                judgement=judge_ratio(ratio),
                # what lies within the margin is called the same however well known
                smallest_change=max(least, MARGIN),
            )


def _break_evens(
    cases: Sequence[Case],
    groups: Sequence[Group],
    estimates: Sequence[CaseEstimate],
    comparisons: Sequence[Comparison],
) -> Iterable[BreakEven]:
    by_id = {case.id: case for case in cases}
    first = {
        (by_id[row.case].problem_id, by_id[row.case].variant.id): row.estimate
        for row in estimates
        if row.metric == "first_call"
    }
    cached = {
        row.case: row.estimate for row in estimates if row.metric == "steady_state"
    }
    compared = {
        row.candidate: row for row in comparisons if row.metric == "steady_state"
    }
    for group in groups:
        reference = by_id[group.reference]
        base = cached.get(group.reference)
        base_first = first.get((reference.problem_id, reference.variant.id))
        for candidate in group.cases:
            found = compared.get(candidate)
            if base is None or base_first is None or found is None:
                continue
            # cached calls are the same whatever was in the compilation cache
            for cache in get_args(CompilationCache):
                # made anew: a copy would bring its cached id along
                own = by_id[candidate].variant.model_dump()
                variant = Variant(**own | {"compilation_cache": cache})
                own_first = first.get((reference.problem_id, variant.id))
                if own_first is None:
                    continue
                calls, reason = break_even(base_first, own_first, base, found.ratio)
                if found.reason:
                    calls, reason = None, "cannot tell: a control of this run failed."
                yield BreakEven(
                    problem=reference.problem_id,
                    baseline=reference.variant.id,
                    candidate=variant.id,
                    calls=calls,
                    reason=reason,
                )
