"""All estimates, comparisons and break-even calls of a record's measurements.

A case whose values were wrong gets no estimate, in any measure: without parity there
is no speed to speak of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from xpcs_bench.analysis.break_even import break_even
from xpcs_bench.analysis.controls import judge_control, under_control
from xpcs_bench.analysis.estimate import (
    estimate_ratio,
    prior_for,
    smallest_change,
)
from xpcs_bench.analysis.judgement import MARGIN, judge_ratio
from xpcs_bench.analysis.pairs import paired
from xpcs_bench.analysis.readings import (
    CaseReadings,
    Reading,
    estimate_readings,
    sound_readings,
)
from xpcs_bench.config import CompilationCache
from xpcs_bench.records import (
    BreakEven,
    Case,
    CaseEstimate,
    Comparison,
    Control,
    Group,
    Measurement,
    Summary,
    Variant,
)

__all__ = ["MARGIN", "judge_ratio", "summarise"]


def summarise(
    cases: Sequence[Case], groups: Sequence[Group], measurements: Sequence[Measurement]
) -> Summary:
    """Conclude all that the measurements allow; verdicts are the gate's to add."""
    by_id = {case.id: case for case in cases}
    readings = sound_readings(by_id, measurements)
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


def _estimate(case: Case, metric: str, rows: Sequence[Reading]) -> CaseEstimate:
    estimate = estimate_readings(case.measure, rows)
    return CaseEstimate(case=case.id, metric=metric, estimate=estimate)


def _controls(
    group: Group, cases: Mapping[str, Case], readings: Mapping[str, CaseReadings]
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
    group: Group, cases: Mapping[str, Case], readings: Mapping[str, CaseReadings]
) -> Iterable[Comparison]:
    reference = cases[group.reference].variant
    if reference.control or reference.revision:
        return  # controls and regressions are judged in other ways
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
            if _one_program(reference.variant, by_id[candidate].variant):
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


def _one_program(one: Variant, other: Variant) -> bool:
    """Whether variants differ in what they convert alone: neither compiles for it."""
    return Variant(**one.model_dump() | {"converts": other.converts}) == other
