"""Whether a candidate has become slower than its baseline, decided in planned looks.

Baseline and candidate run one work in pairs of fresh processes, and the pair is the
unit of inference: samples inside one process are not independent, and tests that take
them for so call 6 to 25 % of identical programs changed. After each of a few numbers of
pairs that were fixed beforehand the interval of candidate / baseline is looked at, and
whoever is decided gets no more pairs. Each look at each case may be wrong with an equal
part of the error that all of a family are allowed (Bonferroni), so that looking often
costs certainty and not truth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpcs_bench.analysis.controls import CONTROLLED
from xpcs_bench.analysis.estimate import (
    CONFIDENCE,
    change_seen,
    estimate_ratio,
)
from xpcs_bench.analysis.pairs import Pairs, paired
from xpcs_bench.analysis.readings import sound_readings
from xpcs_bench.config import Demand, Family, Gate, MeasureName
from xpcs_bench.records import (
    Case,
    Control,
    Estimate,
    Group,
    Measurement,
    Outcome,
    Regression,
)
from xpcs_bench.units import format_percent

__all__ = ["FAMILIES", "Decision", "decide", "gated", "regressions"]

FAMILIES: Mapping[MeasureName, Family] = {
    "steady_state": "calls",
    "conversion": "calls",
    "first_call": "first_calls",
    "recompile": "first_calls",
    "peak_memory": "memory",
}
"""Measure to what it is judged with; others are no times."""
_SURE_ENOUGH = 0.95
"""One-sided confidence with which a passed candidate is not slower by what was to be
found."""


@dataclass(frozen=True)
class Decision:
    """What the pairs so far allow to say of one case."""

    outcome: Outcome
    """``pass``, ``fail`` or, undecided, ``inconclusive``."""
    ratio: Estimate
    """candidate / baseline, at the usual confidence."""
    at_least: float
    """The ratio is above this, as surely as the error of the gate asks for."""
    at_most: float
    """The ratio is below this, with 95 % confidence."""
    smallest_change: float
    """By what part slower the candidate would have to be for these pairs to fail it 19
    times in 20."""


def decide(pairs: Pairs, demand: Demand, gate: Gate, n_cases: int) -> Decision:
    """Decide a case.

    Parameters
    ----------
    n_cases : int
        How many cases share the error of the gate.
    """
    each = gate.error / n_cases / len(gate.looks)

    def ratio(confidence: float) -> Estimate:
        return estimate_ratio(
            pairs.baseline, pairs.candidate, pairs.prior, pairs.n_samples, confidence
        )

    at_least = ratio(1 - 2 * each).lower
    at_most = ratio(2 * _SURE_ENOUGH - 1).upper
    outcome = Outcome.INCONCLUSIVE
    if at_least > 1 + demand.margin:
        outcome = Outcome.FAIL
    elif at_most < 1 + demand.find:
        outcome = Outcome.PASS
    seen = change_seen(pairs.baseline, pairs.candidate, pairs.prior, 1 - each)
    return Decision(
        outcome=outcome,
        ratio=ratio(CONFIDENCE),
        at_least=at_least,
        at_most=at_most,
        smallest_change=math.expm1(math.log1p(demand.margin) + math.log1p(seen)),
    )


def gated(cases: Mapping[str, Case], group: Group) -> bool:
    """Whether a group is a baseline and a candidate that are judged."""
    members = [cases[member] for member in group.cases]
    return (
        len(members) > 1
        and all(case.variant.revision for case in members)
        and members[0].measure in FAMILIES
    )


def regressions(
    gate: Gate,
    cases: Sequence[Case],
    groups: Sequence[Group],
    measurements: Sequence[Measurement],
    controls: Sequence[Control],
) -> Iterator[Regression]:
    """Decide every case of a gate whose two sides were measured with right values."""
    by_id = {case.id: case for case in cases}
    readings = sound_readings(by_id, measurements)
    judged = [group for group in groups if gated(by_id, group)]
    shares = Counter(FAMILIES[by_id[group.reference].measure] for group in judged)
    for group in judged:
        baseline = by_id[group.reference]
        (candidate,) = (by_id[name] for name in group.cases if name != baseline.id)
        pairs = paired(readings, baseline.id, candidate, baseline.measure)
        if pairs is None:
            continue
        family = FAMILIES[baseline.measure]
        demand = gate.demands[family]
        found = decide(pairs, demand, gate, shares[family])
        doubt = _doubt(candidate, controls, by_id)
        yield Regression(
            group=group.id,
            family=family,
            metric=baseline.measure,
            baseline=baseline.id,
            candidate=candidate.id,
            ratio=found.ratio,
            at_least=found.at_least,
            at_most=found.at_most,
            find=demand.find,
            margin=demand.margin,
            smallest_change=None if doubt else found.smallest_change,
            outcome=Outcome.INCONCLUSIVE if doubt else found.outcome,
            reason=doubt or _reason(found, demand, len(pairs.baseline)),
        )


def _doubt(
    candidate: Case, controls: Sequence[Control], cases: Mapping[str, Case]
) -> str:
    """Say why nothing is told of a case: a control of its place failed."""
    if candidate.measure not in CONTROLLED:
        return ""
    place = (candidate.variant.backend, candidate.variant.device)
    failing = [
        control.reason
        for control in controls
        if control.outcome is not Outcome.PASS
        for variant in (cases[control.candidate].variant,)
        if (variant.backend, variant.device) == place
    ]
    if not failing:
        return ""
    return f"Control of {'/'.join(place)}: {' '.join(failing)}"


def _reason(found: Decision, demand: Demand, n_pairs: int) -> str:
    ratio = found.ratio
    shown = (
        f"ratio {ratio.point:.3f} [{ratio.lower:.3f}, {ratio.upper:.3f}] of "
        f"{n_pairs} pairs"
    )
    if found.outcome is Outcome.FAIL:
        surely = format_percent(found.at_least - 1)
        return f"slower: {shown}, surely by more than {surely}."
    if found.outcome is Outcome.PASS:
        return f"not slower by {format_percent(demand.find)}: {shown}."
    least = format_percent(found.smallest_change)
    return (
        f"cannot tell whether it is slower by {format_percent(demand.find)}: {shown}. "
        f"Nothing below {least} would surely have been found."
    )
