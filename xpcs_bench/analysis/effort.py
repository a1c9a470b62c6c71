"""How well each case is known, where more processes would tell most, and why no more.

An interval is as wide as the processes are few and apart. What decides is its relative
half-width beside the precision that the experiment asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xpcs_bench.analysis.central import drift
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.config import Sampling
from xpcs_bench.records import (
    Case,
    CaseEstimate,
    Effort,
    Estimate,
    Group,
    Measurement,
    Status,
)

__all__ = ["MOST_PROCESSES", "efforts", "half_width", "widest"]

MOST_PROCESSES = 100
"""Of one case, however large the budget."""

_REPEATED = frozenset({"steady_state", "first_call", "recompile", "conversion"})
"""Measures whose interval the experiment's precision is about. Stages are parts of a
first call, and share its processes' fate; peaks and values take one process."""


def half_width(estimate: Estimate) -> float:
    """Return half the width of the interval as a part of its point."""
    return (estimate.upper - estimate.lower) / 2 / estimate.point


def widest(
    groups: Sequence[Group],
    cases: Mapping[str, Case],
    measurements: Sequence[Measurement],
) -> dict[str, float]:
    """Return the widest relative half-width of each group, of times and of ratios.

    Groups that have no estimate, or whose measure needs none, are not in it: more
    processes would not change that. Nor are controls: a budget is not for them.
    """
    found: dict[str, float] = {}
    wrong = [m for m in measurements if m.observation.status is Status.PARITY_FAILED]
    for group in groups:
        members = [cases[case] for case in group.cases]
        if members[0].measure not in _REPEATED or members[0].variant.control:
            continue
        own = [m for m in measurements if m.case in group.cases]
        others = [m for m in wrong if m.case not in group.cases]
        summary = summarise(list(cases.values()), [group], [*own, *others])
        widths = [half_width(row.estimate) for row in summary.estimates]
        widths += [half_width(row.ratio) for row in summary.comparisons]
        if widths:
            found[group.id] = max(widths)
    return found


def efforts(
    estimates: Sequence[CaseEstimate],
    measurements: Sequence[Measurement],
    sampling: Sampling,
) -> tuple[Effort, ...]:
    """Say of every estimate how well it is known, and why it is known no better."""
    series: dict[str, list[Measurement]] = {}
    for row in measurements:
        if len(row.observation.samples) and row.observation.status is Status.OK:
            series.setdefault(row.case, []).append(row)
    found = []
    for estimate in estimates:
        if estimate.metric not in _REPEATED:
            continue
        known = half_width(estimate.estimate)
        if known <= sampling.precision:
            stopped = "precision"
        elif (
            sampling.budget_s is not None
            and estimate.estimate.n_processes < MOST_PROCESSES
        ):
            stopped = "budget"
        else:
            stopped = "processes"
        moved = [
            change
            for row in series.get(estimate.case, ())
            if (change := drift(row.observation.samples, row.observation.cores))
        ]
        found.append(
            Effort(
                case=estimate.case,
                metric=estimate.metric,
                half_width=known,
                target=sampling.precision,
                stopped=stopped,
                n_unsettled=len(moved),
                drift=max(moved, key=abs, default=0.0),
            )
        )
    return tuple(found)
