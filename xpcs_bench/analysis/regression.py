"""Whether a candidate has become slower than its baseline, decided in planned looks.

Baseline and candidate run one work in pairs of fresh processes, and the pair is the
unit of inference: samples inside one process are not independent, and tests that take
them for so call 6 to 25 % of identical programs changed. After each of a few numbers of
pairs that were fixed beforehand the interval of candidate / baseline is looked at, and
whoever is decided gets no more pairs. Each look at each case may be wrong with an equal
part of the error that all of them together are allowed (Bonferroni), so that looking
often costs certainty and not truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from xpcs_bench.analysis.estimate import (
    CONFIDENCE,
    Prior,
    change_seen,
    estimate_ratio,
)
from xpcs_bench.records import Estimate

__all__ = ["DEMANDS", "Decision", "Demand", "decide"]

_SURE_ENOUGH = 0.95
"""One-sided confidence with which a passed candidate is not slower by what was to be
found."""


@dataclass(frozen=True)
class Demand:
    """What a gate is to find, and how often it may be wrong."""

    find: float
    """The slowdown that passes only by mistake, as a part of the baseline."""
    margin: float
    """A slowdown up to this is never called one: where code lies in memory alone moves
    it by as much."""
    looks: tuple[int, ...]
    """Numbers of pairs after which a case may be decided, growing."""
    error: float = 0.01
    """Probability that any of the cases is called slower, at any look, and is not."""


DEMANDS: Mapping[str, Demand] = MappingProxyType(
    {
        "default": Demand(find=0.05, margin=0.01, looks=(3, 6, 9, 12)),
        "precise": Demand(find=0.04, margin=0.01, looks=(3, 6, 9, 12, 15)),
        "coarse": Demand(find=0.10, margin=0.02, looks=(3, 6, 9, 12)),
    }
)
"""By name. A slowdown of twice what is to be found is found nearly always."""


@dataclass(frozen=True)
class Decision:
    """What the pairs so far allow to say of one case."""

    outcome: Literal["regressed", "passed", "undecided"]
    ratio: Estimate
    """candidate / baseline, at the usual confidence."""
    at_least: float
    """The ratio is above this, as surely as the error of the gate asks for."""
    at_most: float
    """The ratio is below this, with 95 % confidence."""
    smallest_change: float
    """By what part slower the candidate would have to be for these pairs to be called
    regressed 19 times in 20."""


def decide(
    baseline: Sequence[float],
    candidate: Sequence[float],
    prior: Prior,
    demand: Demand,
    n_cases: int,
    n_samples: int = 0,
) -> Decision:
    """Decide a case from times that are paired by process, all positive.

    Parameters
    ----------
    baseline, candidate : sequence of float
        One time for each process (s).
    prior : Prior
        Of their ratio.
    demand : Demand
    n_cases : int
        How many cases share the error of the gate.
    n_samples : int
        How many readings are behind the times.
    """
    each = demand.error / n_cases / len(demand.looks)

    def ratio(confidence: float) -> Estimate:
        return estimate_ratio(baseline, candidate, prior, n_samples, confidence)

    at_least = ratio(1 - 2 * each).lower
    at_most = ratio(2 * _SURE_ENOUGH - 1).upper
    outcome: Literal["regressed", "passed", "undecided"] = "undecided"
    if at_least > 1 + demand.margin:
        outcome = "regressed"
    elif at_most < 1 + demand.find:
        outcome = "passed"
    seen = change_seen(baseline, candidate, prior, 1 - each)
    return Decision(
        outcome=outcome,
        ratio=ratio(CONFIDENCE),
        at_least=at_least,
        at_most=at_most,
        smallest_change=math.expm1(math.log1p(demand.margin) + math.log1p(seen)),
    )
