"""What is right, to 50 digits, from mpmath; knows neither of the libraries."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from xpcs_bench.analysis.ulp import ulp_error

__all__ = [
    "DIGITS",
    "Truth",
    "elementwise",
    "error_ulp",
    "gradient",
    "identity",
    "nearest",
    "reduction",
    "remainder",
    "round_to_even",
    "running",
    "spaced",
    "spaced_logarithmically",
    "within",
]

DIGITS = 50

Truth = NDArray[Any]
"""Exact numbers, or None where the truth is not known."""


def _exact(value: Any) -> Any:
    return mpmath.mpf(value.item() if isinstance(value, np.generic) else value)


def _is_finite(value: Any) -> bool:
    return math.isfinite(float(value))


def _settled(compute: Callable[..., Any], *values: Any) -> Any:
    """Compute with enough digits; NaN where no real number is the answer."""
    with mpmath.workdps(DIGITS):
        try:
            answer = compute(*map(_exact, values))
        except (ZeroDivisionError, ValueError):
            return None  # a pole: what to return there is a convention, not a truth
    if isinstance(answer, mpmath.mpc):
        return mpmath.nan
    return None if mpmath.isinf(answer) else answer


def elementwise(compute: Callable[..., Any]) -> Callable[..., Truth]:
    """Make the truth of a function of real numbers, for arrays that broadcast.

    Unknown where an argument is not finite: there, conventions rule.
    """

    def truth(*args: Any) -> Truth:
        arrays = np.broadcast_arrays(*(np.asarray(arg) for arg in args))
        right = np.full(arrays[0].shape, None, object)
        for index in np.ndindex(right.shape):
            values = [array[index] for array in arrays]
            if all(map(_is_finite, values)):
                right[index] = _settled(compute, *values)
        return right

    return truth


def reduction(compute: Callable[[list[Any]], Any]) -> Callable[..., Truth]:
    """Make the truth of a function of a list, along an axis or of all elements."""

    def of_list(values: Sequence[Any]) -> Any:
        if not all(map(_is_finite, values)):
            return None
        return _settled(lambda *exact: compute(list(exact)), *values)

    def truth(x: Any, *, axis: Any = None) -> Truth:
        x = np.asarray(x)
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % max(x.ndim, 1)
        rest = [i for i in range(x.ndim) if i not in axes]
        shape = tuple(x.shape[i] for i in rest)
        # without a shape given, an empty array would not say how many rows it has
        rows = np.transpose(x, [*rest, *axes]).reshape(
            math.prod(shape), math.prod(x.shape[i] for i in axes)
        )
        right = np.full(math.prod(shape), None, object)
        for i, row in enumerate(rows):
            right[i] = of_list(list(row))
        return right.reshape(shape)

    return truth


def running(x: Any, *, axis: int | None = None) -> Truth:
    """Sums of the first element, the first two, and so on."""
    x = np.asarray(x)
    rows = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1)
    right = np.full(rows.shape, None, object)
    total = reduction(mpmath.fsum)
    for index in np.ndindex(rows.shape):
        right[index] = total(rows[index[:-1]][: index[-1] + 1])[()]
    return right.reshape(-1) if axis is None else np.moveaxis(right, -1, axis)


def remainder(x: Any, y: Any) -> Any:
    """Remainder of a floored division, exact however large the quotient."""

    def exact(value: Any) -> Fraction:
        sign, mantissa, exponent, _ = value._mpf_
        whole = int(-mantissa if sign else mantissa)
        return Fraction(whole) * Fraction(2) ** int(exponent)

    left = exact(x) % exact(y)
    return mpmath.mpf(left.numerator) / left.denominator


def round_to_even(x: Any) -> Any:
    """Nearest whole number; of two, the even one."""
    return mpmath.nint(x)


def identity(x: Any, *_: Any, **__: Any) -> Truth:
    """Return the elements themselves."""
    return elementwise(lambda value: value)(x)


def spaced(
    start: float, stop: float, num: int = 50, *, endpoint: bool = True, **_: Any
) -> Truth:
    """Evenly spaced points."""
    with mpmath.workdps(DIGITS):
        gaps = max(num - 1 if endpoint else num, 1)
        step = (mpmath.mpf(stop) - mpmath.mpf(start)) / gaps
        points = [mpmath.mpf(start) + i * step for i in range(num)]
    return np.array([*points, None], object)[:-1]


def spaced_logarithmically(
    start: float, stop: float, num: int = 50, *, endpoint: bool = True, **_: Any
) -> Truth:
    """Powers of ten of evenly spaced points."""
    exponents = spaced(start, stop, num, endpoint=endpoint)
    with mpmath.workdps(DIGITS):
        points = [mpmath.power(10, exponent) for exponent in exponents]
    return np.array([*points, None], object)[:-1]


def gradient(compute: Callable[[Any], Any]) -> Callable[..., Truth]:
    """Make the truth of the gradient of ``sum(compute(x))``."""
    return elementwise(functools.partial(mpmath.diff, compute))


def within(right: Truth, least: int, most: int) -> Truth:
    """Forget what lies outside: integers that wrap around have no truth."""
    kept = np.full(right.shape, None, object)
    for index in np.ndindex(right.shape):
        value: Any = right[index]
        if value is not None and least <= value <= most:
            kept[index] = value
    return kept


def nearest(truth: Any, dtype: np.dtype[Any]) -> float:
    """Round the truth to a type; infinite where it is beyond the largest number."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.asarray(float(truth)).astype(dtype))


def error_ulp(actual: Any, truth: Any, dtype: np.dtype[Any]) -> float:
    """Return the error in ULP of a float type; infinite where only one is finite."""
    right = nearest(truth, dtype)
    if not math.isfinite(right):
        return ulp_error(float(actual), right, dtype)
    with mpmath.workdps(DIGITS):
        return ulp_error(float(actual), truth, dtype)
