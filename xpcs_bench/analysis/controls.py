"""Comparisons whose answer is known, and what follows where the run misses it.

A run that calls one code different from itself, or does not see that 15 % were added,
cannot be believed about codes that differ by as much. Its ratios stay in the record;
that they decide anything is taken from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from xpcs_bench.analysis.estimate import (
    CONFIDENCE,
    Prior,
    estimate_ratio,
    smallest_change,
)
from xpcs_bench.analysis.judgement import judge_ratio
from xpcs_bench.records import (
    SLOWED_BY,
    Case,
    Comparison,
    Control,
    Estimate,
    Group,
    Judgement,
    Outcome,
    Variant,
)
from xpcs_bench.units import format_percent

__all__ = [
    "CONTROLLED",
    "LEAST_PAIRS",
    "failing_controls",
    "judge_control",
    "under_control",
    "why_not",
]

Failing = Mapping[tuple[str, str], Sequence[str]]
"""By backend and device: what its controls say that came out wrong."""

CONTROLLED = frozenset({"steady_state", "conversion"})
"""Metrics whose comparisons rest on controls: those that are sampled, as controls are.
A first call happens once in a process, and a peak is no time."""
LEAST_PAIRS = 2
"""One pair of processes has an interval too, but all of it is assumption."""
_SURE = 0.999
"""Confidence at which one code must be told apart from itself to count as a failure.
At 95 % every twentieth control of a sound machine would fail."""


def _shown(ratio: Estimate) -> str:
    ends = f"[{ratio.lower:.3f}, {ratio.upper:.3f}]"
    return f"ratio {ratio.point:.3f} {ends} at {format_percent(ratio.confidence)}"


def judge_control(
    group: Group,
    candidate: Case,
    baseline: Sequence[float],
    values: Sequence[float],
    prior: Prior,
    n_samples: int,
) -> Control:
    """Compare a part of a control with its first, and say whether that came out right.

    One code twice fails where :func:`judge_ratio` would call it faster or slower with
    99.9 % confidence. So a ratio that is known to lie within 2 % of 1 does not fail,
    however surely it is not 1: no comparison is called different for so little.
    Slowed code fails where it is not called slower with the confidence of any other
    comparison.

    Parameters
    ----------
    candidate : Case
        The one ``again``, or the ``slowed`` one.
    baseline, values : sequence of float
        Times of calls of the first and of the candidate, paired by process (s).
    prior : Prior
        Of their ratios.
    n_samples : int
        How many readings are behind them.
    """
    kind = "slowed" if candidate.variant.control == "slowed" else "same"
    ratio = None
    outcome = Outcome.INCONCLUSIVE
    if values:
        confidence = CONFIDENCE if kind == "slowed" else _SURE
        ratio = estimate_ratio(baseline, values, prior, n_samples, confidence)
    if ratio is None or len(values) < LEAST_PAIRS:
        reason = (
            f"fewer than {LEAST_PAIRS} processes measured both sides of it: "
            f"{len(values)}. So nobody knows how much processes differ here. Ask for "
            "more with sampling.processes, or leave the run more time."
        )
    elif kind == "slowed":
        judgement = judge_ratio(ratio)
        more = format_percent(SLOWED_BY)
        if judgement is Judgement.SLOWER:
            outcome = Outcome.PASS
            reason = f"{more} more calls were found: {_shown(ratio)}."
        else:
            least = format_percent(smallest_change(baseline, values, prior))
            reason = (
                f"{more} more calls were not found: {_shown(ratio)}. Nothing below "
                f"{least} would have been."
            )
    else:
        judgement = judge_ratio(ratio)
        if judgement in {Judgement.FASTER, Judgement.SLOWER}:
            reason = f"one code was found {judgement.value} than itself: "
        else:
            outcome = Outcome.PASS
            reason = "one code was not told apart from itself: "
        reason += f"{_shown(ratio)}."
    return Control(
        group=group.id,
        kind=kind,
        baseline=group.reference,
        candidate=candidate.id,
        ratio=ratio,
        outcome=outcome,
        reason=reason,
    )


def failing_controls(controls: Iterable[Control], cases: Mapping[str, Case]) -> Failing:
    """Return what the controls that came out wrong say, by backend and device."""
    failing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for control in controls:
        if control.outcome is not Outcome.PASS:
            variant = cases[control.candidate].variant
            failing[variant.backend, variant.device].append(control.reason)
    return failing


def why_not(failing: Failing, sides: Iterable[Variant]) -> str:
    """Return why a comparison of these sides is not to be judged; empty where it is."""
    places = dict.fromkeys((side.backend, side.device) for side in sides)
    return " ".join(
        f"Control of {backend}/{device}: {sentence}"
        for backend, device in places
        for sentence in failing.get((backend, device), ())
    )


def under_control(
    comparisons: Iterable[Comparison],
    controls: Iterable[Control],
    cases: Mapping[str, Case],
) -> tuple[Comparison, ...]:
    """Take the judgement from comparisons one of whose sides has a failing control."""
    failing = failing_controls(controls, cases)

    def reason(comparison: Comparison) -> str:
        sides = (cases[comparison.baseline], cases[comparison.candidate])
        return why_not(failing, (side.variant for side in sides))

    found = []
    for comparison in comparisons:
        why = reason(comparison) if comparison.metric in CONTROLLED else ""
        update = {
            "judgement": Judgement.INCONCLUSIVE,
            "reason": why,
            "smallest_change": None,
        }
        found.append(comparison.model_copy(update=update) if why else comparison)
    return tuple(found)
