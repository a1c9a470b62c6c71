"""Quantiles of Student's t.

SciPy has them, and takes 0.1 s to import: twice the time that a process is sampled.
"""

from __future__ import annotations

import math
from functools import cache

__all__ = ["student_t"]

_SMALLEST_STEP = 1e-14
"""As a part of the angle."""


@cache
def student_t(probability: float, df: int) -> float:
    """Return what a t stays below with this probability, to 12 digits.

    Parameters
    ----------
    probability : float
        From 0.5 up to, and without, 1.
    df : int
        Degrees of freedom, one or more.

    Raises
    ------
    ValueError
        Outside of that.
    """
    if not 0.5 <= probability < 1 or df < 1:
        msg = (
            f"student_t({probability!r}, {df!r}): allowed are probabilities from 0.5 "
            "up to, and without, 1, and one degree of freedom or more."
        )
        raise ValueError(msg)
    wanted = 2 * probability - 1
    steepest = 2 / math.sqrt(math.pi)
    steepest *= math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2))
    angle, step = 0.0, math.inf
    # the share is concave in the angle: Newton's steps come up to it and never pass it,
    # until what is left of them is rounding
    while step > _SMALLEST_STEP * angle:
        slope = steepest * math.cos(angle) ** (df - 1)
        step = (wanted - _share_within(angle, df)) / slope
        angle += step
    return math.sqrt(df) * math.tan(angle)


def _share_within(angle: float, df: int) -> float:
    """Return how probable it is that a t is within sqrt(df) tan(angle) of 0.

    A finite sum, for whole degrees of freedom: Abramowitz and Stegun, Handbook of
    Mathematical Functions, equations 26.7.3 and 26.7.4.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    total, term = 0.0, cosine**odd
    for power in range(odd, df - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
