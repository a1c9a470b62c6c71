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

from xpcs_bench.records import Estimate

__all__ = [
    "CONFIDENCE",
    "PRIORS",
    "Prior",
    "estimate_location",
    "estimate_ratio",
]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Prior:
    """What is known of the spread between processes before any is seen."""

    sd: float
    """Standard deviation of the logarithm."""
    df: int = 4
    """How many observations it counts for."""


PRIORS = {
    # sd of the log between fresh processes on shared 2-core machines: 0.02 for a
    # cached call whose processes take turns, 0.08 for first calls (33 processes);
    # recompilations scatter as the first calls beside them do (60)
    "steady_state": Prior(0.02),
    "conversion": Prior(0.05),
    "first_call": Prior(0.08),
    "recompile": Prior(0.08),
    "stages": Prior(0.08),
    "peak_memory": Prior(0.02),
}


def _student_t(probability: float, df: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, probability))


def _interval(values: Sequence[float], prior: Prior) -> tuple[float, float]:
    """Mean and half-width of the moderated t interval."""
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    df = prior.df + n - 1
    variance = (prior.df * prior.sd**2 + squares) / df
    return mean, _student_t((1 + CONFIDENCE) / 2, df) * math.sqrt(variance / n)


def estimate_location(
    values: Sequence[float], prior: Prior, unit: str, n_samples: int
) -> Estimate:
    """Estimate the typical value from one value per process.

    Parameters
    ----------
    values : sequence of float
        One value per fresh process, not negative.
    n_samples : int
        How many readings are behind them.
    """
    if not values:
        msg = "no process, no estimate"
        raise ValueError(msg)
    if min(values) > 0:
        centre, half = _interval([math.log(value) for value in values], prior)
        point, lower, upper = (math.exp(centre + shift) for shift in (0, -half, half))
        statistic = "geometric mean over processes, moderated t"
    else:
        # a peak of no bytes at all has no logarithm: the prior scales with the largest
        scale = max(map(abs, values))
        point, half = _interval(values, Prior(prior.sd * scale, prior.df))
        lower, upper = point - half, point + half
        statistic = "mean over processes, moderated t"
    return Estimate(
        point=point,
        lower=lower,
        upper=upper,
        confidence=CONFIDENCE,
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
) -> Estimate:
    """Estimate candidate / baseline from values paired by process, all positive."""
    if len(baseline) != len(candidate):
        msg = f"{len(baseline)} baseline values and {len(candidate)} candidate values"
        raise ValueError(msg)
    ratios = [c / b for b, c in zip(baseline, candidate, strict=True)]
    estimate = estimate_location(ratios, prior, "x", n_samples)
    statistic = "geometric mean of ratios within pairs, moderated t"
    return estimate.model_copy(update={"statistic": statistic})
