"""Distance in units in the last place (ULP): how many floats lie between two floats.

Between two arrays of one type it is a whole number, exact over the whole range; against
a truth that is no float it is a fraction: the error divided by the spacing of the
floats around the truth.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["NOT_COMPARABLE", "ulp_distance", "ulp_error", "ulp_size"]

NOT_COMPARABLE = int(np.iinfo(np.uint64).max)
"""Distance between a number and a NaN or infinity, and between unlike ones of these."""

_INTEGER = {2: np.int16, 4: np.int32, 8: np.int64}


def _positions(x: NDArray[Any]) -> NDArray[np.int64]:
    """Give every float its place in ascending order; both zeros have place 0."""
    width = x.dtype.itemsize
    native = x.astype(x.dtype.newbyteorder("="), copy=False)
    bits = native.view(_INTEGER[width]).astype(np.int64)
    # negative floats grow downwards from the bit pattern of -0.0
    lowest = np.int64(-(2 ** (8 * width - 1)))
    return np.where(bits < 0, lowest - bits, bits)


def ulp_distance(actual: NDArray[Any], desired: NDArray[Any]) -> NDArray[np.uint64]:
    """Count the steps from one float to the other, element by element.

    Signed zeros are equal. Like non-finite elements (NaN and NaN, infinities of one
    sign) are 0 apart; any other pair with a non-finite element is `NOT_COMPARABLE`.

    Raises
    ------
    TypeError
        When the types differ or are not float16, float32 or float64: a distance in
        ULP has no meaning then.
    """
    actual, desired = np.asarray(actual), np.asarray(desired)
    if actual.dtype != desired.dtype or actual.dtype.kind != "f":
        msg = (
            f"no distance in ULP between {actual.dtype} and {desired.dtype}. Both must "
            "be the same of float16, float32, float64. Convert one of them first."
        )
        raise TypeError(msg)
    if actual.dtype.itemsize not in _INTEGER:
        msg = (
            f"no distance in ULP for {actual.dtype}: only float16, float32 and float64 "
            "are numbered. Convert both arrays to one of them."
        )
        raise TypeError(msg)
    a, d = _positions(actual), _positions(desired)
    # unsigned, because the distance of two finite floats can exceed 2**63
    high = np.maximum(a, d).view(np.uint64)
    low = np.minimum(a, d).view(np.uint64)
    # of 0-d arrays the difference is a scalar, which would warn where it wraps
    distance = np.array(np.subtract(high, low, out=np.empty_like(high)))
    finite = np.isfinite(actual) & np.isfinite(desired)
    if not finite.all():
        alike = (actual == desired) | (np.isnan(actual) & np.isnan(desired))
        distance[~finite] = NOT_COMPARABLE
        distance[~finite & alike] = 0
    return distance


def ulp_size(value: float, dtype: DTypeLike) -> float:
    """Return the spacing of the floats of a type in the binade that holds a value."""
    info = np.finfo(dtype)
    exponent = math.frexp(value)[1] - 1 if value else info.minexp
    return math.ldexp(1.0, max(exponent, int(info.minexp)) - info.nmant)


def ulp_error(actual: float, truth: Any, dtype: DTypeLike) -> float:
    """Return the error of one element of a type against the truth, in ULP of the truth.

    Half an ULP is the best that rounding allows. The truth is an ``mpmath.mpf`` or a
    float that is exact; the difference is formed exactly and rounded once. Non-finite
    values: 0 when they are alike, infinity when they are not.
    """
    actual, nearest = float(actual), float(truth)
    if not (math.isfinite(actual) and math.isfinite(nearest)):
        alike = actual == nearest or (math.isnan(actual) and math.isnan(nearest))
        return 0.0 if alike else math.inf
    return abs(float(truth - actual)) / ulp_size(nearest, dtype)
