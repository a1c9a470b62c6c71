"""From raw readings to a number with its doubt.

The fresh process is the unit of inference: samples inside one process share its
memory layout and its neighbours' bursts, and tests that treat them as independent
call 6 to 25 % of identical programs changed. With few processes their own scatter is
a poor guide to its spread, so it is moderated with the spread that such measurements
had elsewhere (a scaled inverse chi-squared prior, as in Smyth, Stat. Appl. Genet. Mol.
Biol. 3, 3 (2004), equation for the moderated t): two processes that agree by luck do
not give an interval of no width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xpcs_bench.analysis.student import student_t
from xpcs_bench.records import Estimate

__all__ = [
    "CONFIDENCE",
    "PRIORS",
    "Prior",
    "estimate_location",
    "estimate_ratio",
    "prior_for",
    "smallest_change",
]

CONFIDENCE = 0.95
_POWER = 0.95


@dataclass(frozen=True)
class Prior:
    """What is known of the spread between processes before any is seen."""

    sd: float
    """Standard deviation of the logarithm."""
    df: int = 4
    """How many observations it counts for."""


PRIORS = {
    # sd of the log between fresh processes on shared 2-core machines, beyond what the
    # samples of each show: see benchmarks/engine/identical.py; 0.08 for first calls (33
    # processes); recompilations scatter as the first calls beside them do (60)
    "steady_state": Prior(0.005),
    "conversion": Prior(0.05),
    "first_call": Prior(0.08),
    "recompile": Prior(0.08),
    "stages": Prior(0.08),
    "peak_memory": Prior(0.02),
}


def prior_for(measure: str, doubts: Sequence[float]) -> Prior:
    """Return what is known of the spread of a measure between processes.

    A process whose own samples do not tell its time well scatters by as much, and a
    restless machine shows in them at once.

    Parameters
    ----------
    doubts : sequence of float
        Standard error of what each process tells, as a part of it; 0 for one reading.
    """
    between = PRIORS[measure]
    within = math.fsum(doubt**2 for doubt in doubts) / max(1, len(doubts))
    return Prior(math.sqrt(between.sd**2 + within), between.df)


def _moderated(values: Sequence[float], prior: Prior) -> tuple[float, float, int]:
    """Mean, its standard error, and the degrees of freedom of its t."""
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    df = prior.df + n - 1
    variance = (prior.df * prior.sd**2 + squares) / df
    return mean, math.sqrt(variance / n), df


def _interval(
    values: Sequence[float], prior: Prior, confidence: float
) -> tuple[float, float]:
    """Mean and half-width of the moderated t interval."""
    mean, error, df = _moderated(values, prior)
    return mean, student_t((1 + confidence) / 2, df) * error


def estimate_location(
    values: Sequence[float],
    prior: Prior,
    unit: str,
    n_samples: int,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Estimate the typical value from one value per process.

    Parameters
    ----------
    values : sequence of float
        One value per fresh process, not negative.
    n_samples : int
        How many readings are behind them.
    confidence : float
        Of the interval.
    """
    if not values:
        msg = "no process, no estimate"
        raise ValueError(msg)
    if min(values) > 0:
        logs = [math.log(value) for value in values]
        centre, half = _interval(logs, prior, confidence)
        point, lower, upper = (math.exp(centre + shift) for shift in (0, -half, half))
        statistic = "geometric mean over processes, moderated t"
    else:
        # a peak of no bytes at all has no logarithm: the prior scales with the largest
        scale = max(map(abs, values))
        scaled = Prior(prior.sd * scale, prior.df)
        point, half = _interval(values, scaled, confidence)
        lower, upper = point - half, point + half
        statistic = "mean over processes, moderated t"
    return Estimate(
        point=point,
        lower=lower,
        upper=upper,
        confidence=confidence,
        statistic=statistic,
        n_processes=len(values),
        n_samples=n_samples,
        unit=unit,
    )


def estimate_ratio(
    baseline: Sequence[float],
    candidate: Sequence[float],
    prior: Prior,
    n_samples: int,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Estimate candidate / baseline from values paired by process, all positive."""
    ratios = _ratios(baseline, candidate)
    estimate = estimate_location(ratios, prior, "x", n_samples, confidence)
    statistic = "geometric mean of ratios within pairs, moderated t"
    return estimate.model_copy(update={"statistic": statistic})


def smallest_change(
    baseline: Sequence[float], candidate: Sequence[float], prior: Prior
) -> float:
    """Return by what part slower a candidate must be to be found so 19 times in 20.

    Had it been so much slower, and pairs of processes scattered as these do, then the
    lower end of the interval of the ratio would have been above 1 with 95 %
    probability. Values are paired by process, all positive. It does not depend on what
    the ratio is.
    """
    logs = [math.log(ratio) for ratio in _ratios(baseline, candidate)]
    _, error, df = _moderated(logs, prior)
    ends = student_t((1 + CONFIDENCE) / 2, df) + student_t(_POWER, df)
    return math.expm1(ends * error)


def _ratios(baseline: Sequence[float], candidate: Sequence[float]) -> list[float]:
    if len(baseline) != len(candidate):
        msg = f"{len(baseline)} baseline values and {len(candidate)} candidate values"
        raise ValueError(msg)
    return [c / b for b, c in zip(baseline, candidate, strict=True)]
