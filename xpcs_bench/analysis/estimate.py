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
    "Sides",
    "change_seen",
    "estimate_location",
    "estimate_ratio",
    "estimate_unpaired_ratio",
    "prior_for",
    "scatter",
    "smallest_change",
    "smallest_unpaired_change",
    "trimmed_ratio",
]

CONFIDENCE = 0.95
_POWER = 0.95
_TRIM = 0.2
"""Part of the pairs that is left out at each end where single ones may be far off."""


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


def _moderated(
    values: Sequence[float], prior: Prior, trim: float = 0.0
) -> tuple[float, float, int]:
    """Mean, its standard error, and the degrees of freedom of its t.

    With ``trim``, that part of the values is left out of the mean at each end, and the
    winsorised ones tell how well it is known (Tukey and McLaughlin, Sankhya A 25, 331
    (1963)).
    """
    n = len(values)
    beyond = int(trim * n)
    kept = n - 2 * beyond
    inner = sorted(values)[beyond : n - beyond]
    mean = math.fsum(inner) / kept
    winsorised = [inner[0]] * beyond + inner + [inner[-1]] * beyond
    centre = math.fsum(winsorised) / n
    squares = math.fsum((value - centre) ** 2 for value in winsorised) * n / kept
    df = prior.df + kept - 1
    variance = (prior.df * prior.sd**2 + squares) / df
    return mean, math.sqrt(variance / n), df


def _interval(
    values: Sequence[float], prior: Prior, confidence: float, trim: float = 0.0
) -> tuple[float, float]:
    """Mean and half-width of the moderated t interval."""
    mean, error, df = _moderated(values, prior, trim)
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


def trimmed_ratio(
    baseline: Sequence[float],
    candidate: Sequence[float],
    prior: Prior,
    n_samples: int,
    confidence: float,
) -> Estimate:
    """Estimate candidate / baseline where single processes may be far from the others.

    Of five pairs and more a fifth is left out at each end, the same number at both, so
    that what is left has its middle where it was. Of fewer it is
    :func:`estimate_ratio`.
    """
    logs = [math.log(ratio) for ratio in _ratios(baseline, candidate)]
    centre, half = _interval(logs, prior, confidence, _TRIM)
    return Estimate(
        point=math.exp(centre),
        lower=math.exp(centre - half),
        upper=math.exp(centre + half),
        confidence=confidence,
        statistic="trimmed geometric mean of ratios within pairs, moderated t",
        n_processes=len(logs),
        n_samples=n_samples,
        unit="x",
    )


def scatter(values: Sequence[float]) -> tuple[float, int]:
    """Return the variance of values, trimmed as above, and its degrees of freedom."""
    _, error, df = _moderated(values, Prior(0.0, 0), _TRIM)
    return error**2 * len(values), df


def smallest_change(
    baseline: Sequence[float], candidate: Sequence[float], prior: Prior
) -> float:
    """Return by what part slower a candidate must be to be found so 19 times in 20.

    Had it been so much slower, and pairs of processes scattered as these do, then the
    lower end of the interval of the ratio would have been above 1 with 95 %
    probability. Values are paired by process, all positive. It does not depend on what
    the ratio is.
    """
    return change_seen(baseline, candidate, prior, (1 + CONFIDENCE) / 2)


def change_seen(
    baseline: Sequence[float], candidate: Sequence[float], prior: Prior, sure: float
) -> float:
    """Return as :func:`smallest_change`, for any one-sided confidence ``sure``."""
    logs = [math.log(ratio) for ratio in _ratios(baseline, candidate)]
    _, error, df = _moderated(logs, prior)
    ends = student_t(sure, df) + student_t(_POWER, df)
    return math.expm1(ends * error)


@dataclass(frozen=True)
class Sides:
    """Values of two sides whose processes were never alive together."""

    baseline: Sequence[float]
    """One value per fresh process, all positive."""
    candidate: Sequence[float]
    priors: tuple[Prior, Prior]
    """Of the processes of baseline and candidate."""
    drift: Prior
    """Of what one side differs by from another of the same code, and none of its
    processes shows."""


def _gap(sides: Sides) -> tuple[float, float, int]:
    """Difference of the mean logarithms, its error, and the degrees of freedom.

    The sides scatter each in their own way, and drift adds to both: degrees of freedom
    follow from the parts of the variance (Welch, Biometrika 34, 28 (1947)), and are
    rounded down.
    """
    means, parts = [], [(2 * sides.drift.sd**2, sides.drift.df)]
    values = (sides.baseline, sides.candidate)
    for side, prior in zip(values, sides.priors, strict=True):
        logs = [math.log(value) for value in side]
        mean, error, df = _moderated(logs, prior)
        means.append(mean)
        parts.append((error**2, df))
    variance = math.fsum(part for part, _ in parts)
    whole = variance**2 / math.fsum(part**2 / df for part, df in parts)
    return means[1] - means[0], math.sqrt(variance), math.floor(whole)


def estimate_unpaired_ratio(
    sides: Sides, n_samples: int, confidence: float = CONFIDENCE
) -> Estimate:
    """Estimate candidate / baseline from processes that did not take turns."""
    mean, error, df = _gap(sides)
    half = student_t((1 + confidence) / 2, df) * error
    point, lower, upper = (math.exp(mean + shift) for shift in (0, -half, half))
    return Estimate(
        point=point,
        lower=lower,
        upper=upper,
        confidence=confidence,
        statistic=(
            "ratio of geometric means over processes, moderated t, with a drift of "
            f"{sides.drift.sd:.1%} between sides"
        ),
        n_processes=len(sides.baseline) + len(sides.candidate),
        n_samples=n_samples,
        unit="x",
    )


def smallest_unpaired_change(sides: Sides, margin: float) -> float:
    """Return by what part slower a candidate must be to be found so 19 times in 20.

    Found: the lower end of its interval is above 1, and its point above 1 + margin.
    """
    _, error, df = _gap(sides)
    end = max(student_t((1 + CONFIDENCE) / 2, df) * error, math.log1p(margin))
    return math.expm1(end + student_t(_POWER, df) * error)


def _ratios(baseline: Sequence[float], candidate: Sequence[float]) -> list[float]:
    if len(baseline) != len(candidate):
        msg = f"{len(baseline)} baseline values and {len(candidate)} candidate values"
        raise ValueError(msg)
    return [c / b for b, c in zip(baseline, candidate, strict=True)]
