"""All estimates, comparisons and break-even calls of a record's measurements.

A case whose values were wrong gets no estimate, in any measure: without parity there
is no speed to speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from xpcs_bench.analysis.break_even import break_even
from xpcs_bench.analysis.central import WORDS, Timing, central, one_thread
from xpcs_bench.analysis.controls import judge_control, under_control
from xpcs_bench.analysis.estimate import (
    PRIORS,
    estimate_location,
    estimate_ratio,
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

__all__ = ["MARGIN", "judge_ratio", "summarise"]


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


def _steady(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, _Reading]]:
    if len(row.observation.samples):
        found = central(row.observation.samples, by_cpu=by_cpu)
        yield (
            "",
            _Reading(
                row.process,
                found.value_s,
                found.n_samples,
                found.n_kept,
                found.p90_s,
                found.timing,
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


def summarise(
    cases: Sequence[Case], groups: Sequence[Group], measurements: Sequence[Measurement]
) -> Summary:
    """Conclude all that the measurements allow; verdicts are the gate's to add."""
    by_id = {case.id: case for case in cases}
    wrong = _wrong(by_id, measurements)
    by_cpu = _told_by_cpu(measurements)
    readings: dict[str, dict[str, list[_Reading]]] = {}
    for row in measurements:
        case = by_id[row.case]
        reader = _READERS.get(case.measure)
        if reader is None or row.observation.status is not Status.OK:
            continue
        identity = (case.problem_id, case.variant.id)
        if {(*identity, case.boundary), (*identity, None)} & wrong:
            continue
        for suffix, reading in reader(row, by_cpu=row.case in by_cpu):
            metrics = readings.setdefault(case.id, {})
            metrics.setdefault(case.measure + suffix, []).append(reading)
    estimates = [
        _estimate(by_id[case.id], metric, rows)
        for case in cases
        if not case.variant.control
        for metric, rows in readings.get(case.id, {}).items()
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


def _told_by_cpu(measurements: Sequence[Measurement]) -> set[str]:
    """Cases of which every process says that one thread works at any moment.

    All processes of a case are told by one clock.
    """
    said: dict[str, bool] = {}
    for row in measurements:
        if len(row.observation.samples):
            alone = one_thread(row.observation.samples, row.observation.cores)
            said[row.case] = said.get(row.case, True) and alone
    return {case for case, alone in said.items() if alone}


def _estimate(case: Case, metric: str, rows: Sequence[_Reading]) -> CaseEstimate:
    unit = "bytes" if case.measure == "peak_memory" else "s"
    n_samples = sum(row.n_samples for row in rows)
    estimate = estimate_location(
        [row.value for row in rows], PRIORS[case.measure], unit, n_samples
    )
    timings = sorted({WORDS[row.timing] for row in rows if row.timing})
    slow = [row.p90 for row in rows if row.p90 is not None]
    if timings:
        estimate = estimate.model_copy(
            update={
                "statistic": f"median {' or '.join(timings)}; {estimate.statistic}",
                "kept_share": sum(row.n_kept for row in rows) / n_samples,
                "p90": estimate_location(
                    slow, PRIORS[case.measure], unit, n_samples
                ).point,
            }
        )
    return CaseEstimate(case=case.id, metric=metric, estimate=estimate)


_Readings = Mapping[str, Mapping[str, Sequence[_Reading]]]
"""By case and metric."""


@dataclass(frozen=True)
class _Pairs:
    """Readings of two cases, paired by process."""

    baseline: list[float]
    candidate: list[float]
    n_samples: int


def _paired(readings: _Readings, baseline: str, candidate: str, metric: str) -> _Pairs:
    base = {row.process: row for row in readings.get(baseline, {}).get(metric, ())}
    pairs = [
        (base[row.process], row)
        for row in readings.get(candidate, {}).get(metric, ())
        if row.process in base and min(base[row.process].value, row.value) > 0
    ]
    return _Pairs(
        [b.value for b, _ in pairs],
        [c.value for _, c in pairs],
        sum(b.n_samples + c.n_samples for b, c in pairs),
    )


def _controls(
    group: Group, cases: Mapping[str, Case], readings: _Readings
) -> Iterable[Control]:
    first = cases[group.reference]
    if not first.variant.control:
        return
    for candidate in group.cases:
        if candidate != first.id:
            pairs = _paired(readings, first.id, candidate, first.measure)
            yield judge_control(
                group,
                cases[candidate],
                pairs.baseline,
                pairs.candidate,
                pairs.n_samples,
            )


def _comparisons(
    group: Group, cases: Mapping[str, Case], readings: _Readings
) -> Iterable[Comparison]:
    if cases[group.reference].variant.control:
        return
    for candidate in group.cases:
        if candidate == group.reference:
            continue
        for metric in readings.get(candidate, {}):
            pairs = _paired(readings, group.reference, candidate, metric)
            if not pairs.candidate:
                continue
            prior = PRIORS[cases[candidate].measure]
            ratio = estimate_ratio(
                pairs.baseline, pairs.candidate, prior, pairs.n_samples
            )
            least = smallest_change(pairs.baseline, pairs.candidate, prior)
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
