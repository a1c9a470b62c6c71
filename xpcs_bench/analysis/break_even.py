"""After how many calls a dear first call has paid."""

from __future__ import annotations

import math

from xpcs_bench.records import Estimate

__all__ = ["break_even"]


def break_even(
    baseline_first: Estimate,
    candidate_first: Estimate,
    baseline_cached: Estimate,
    ratio: Estimate,
) -> tuple[Estimate | None, str]:
    """Return the calls from which on the candidate is ahead in total, with a sentence.

    n calls cost ``first + (n - 1) cached``, so the candidate is ahead from
    ``1 + (candidate_first - baseline_first) / (baseline_cached - candidate_cached)``
    on. The interval combines the ends of the four intervals, which is wider than
    their joint confidence would need: it does not promise too much.

    Parameters
    ----------
    ratio : Estimate
        Of the cached calls, candidate / baseline.
    """
    if ratio.lower >= 1:
        return None, "never: a cached call saves nothing."
    if ratio.upper >= 1:
        return None, "cannot tell: the interval of the cached ratio includes 1."

    def calls(extra_s: float, saving_s: float) -> float:
        return 1.0 + max(0.0, math.ceil(extra_s / saving_s))

    point = calls(
        candidate_first.point - baseline_first.point,
        baseline_cached.point * (1 - ratio.point),
    )
    lower = calls(
        candidate_first.lower - baseline_first.upper,
        baseline_cached.upper * (1 - ratio.lower),
    )
    upper = calls(
        candidate_first.upper - baseline_first.lower,
        baseline_cached.lower * (1 - ratio.upper),
    )
    estimate = Estimate(
        point=point,
        lower=lower,
        upper=upper,
        confidence=ratio.confidence,
        statistic="extra first-call cost over saving per call, ends combined",
        n_processes=ratio.n_processes,
        n_samples=ratio.n_samples,
        unit="1",
    )
    if point == 1:
        return estimate, "pays from the first call."
    return estimate, f"pays from call {point:.0f} on."
