"""Probes of the functions that look at one element at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
import numpy as np

from xpcs_bench.conformance.hard_inputs import (
    ALL,
    FLOATS,
    PRINCIPAL,
    REALS,
    classes,
    filled,
    oddly_shaped,
    special_pairs,
)
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.truth import (
    elementwise,
    remainder,
    round_to_even,
    within,
)

__all__ = ["MATHEMATICS", "ROUNDING", "TRIGONOMETRY", "pairs_of", "values_of"]


def values_of(dtype: str, points: Sequence[float] = ()) -> Iterator[Call]:
    """Call a function of one array on every class, and on points of its own."""
    for name, values in classes(dtype).items():
        yield Call(name, (values,))
    if points and dtype in FLOATS:
        yield Call("points", (filled(points, dtype),))
    for name, values in oddly_shaped(dtype).items():
        yield Call(name, (values,))


def pairs_of(dtype: str, points: Sequence[tuple[float, float]] = ()) -> Iterator[Call]:
    """Call a function of two arrays on every class, on mixed ones, and on points."""
    found = classes(dtype)
    for name, values in found.items():
        yield Call(name, (values, np.roll(values[::-1], 7)))
    if dtype in FLOATS:
        yield Call("mixed", (found["wide"], found["unit"]))
        yield Call("special pairs", special_pairs(dtype))
    if points and dtype in FLOATS:
        x, y = zip(*points, strict=True)
        yield Call("points", (filled(x, dtype), filled(y, dtype)))
    for name, values in oddly_shaped(dtype).items():
        yield Call(name, (values, values))
    if dtype != "bool":
        yield Call("scalar", (found["ordinary"], 3))
        if dtype in PRINCIPAL:
            row = np.asarray(found["ordinary"][:8])
            yield Call("broadcast", (row[:, None], row))


def _one(
    method: str,
    truth: Callable[..., Any] | None,
    dtypes: tuple[str, ...] = REALS,
    points: Sequence[float] = (),
) -> Probe:
    calls = functools.partial(values_of, points=points)
    return Probe(method, dtypes, calls, elementwise(truth) if truth else None)


def _two(
    method: str,
    truth: Callable[..., Any] | None,
    dtypes: tuple[str, ...] = REALS,
    points: Sequence[tuple[float, float]] = (),
) -> Probe:
    calls = functools.partial(pairs_of, points=points)
    return Probe(method, dtypes, calls, elementwise(truth) if truth else None)


_QUARTERS = [k * math.pi / 4 for k in range(-8, 9)]
_TURNS = [*_QUARTERS, 1e3, 1e5, -1e6, 1e9]
"""Multiples of a quarter turn, and arguments that need a reduction."""
_ENDS = [1.0, -1.0, 1 - 2**-24, 2**-24 - 1, 1 + 2**-20, 0.5, -0.5, 1e-8, 2**-27]
_DECAY = [
    1.0,
    -1.0,
    -87.0,
    88.7,
    -103.0,
    709.7,
    -700.0,
    -745.0,
    1e-10,
    -1e-17,
    0.693,
    0.007717018481343985,
]
"""Where an exponential is at the end of its range, or near 1."""
_NEAR_ZERO = [math.sqrt(0.5) - 1, 1 - math.sqrt(2), 1e-8, -1e-8, 1e-17, 0.5, -0.999999]


def _degrees(x: Any) -> Any:
    return x * 180 / mpmath.pi


def _radians(x: Any) -> Any:
    return x * mpmath.pi / 180


def _arctan2(y: Any, x: Any) -> Any:
    if y == 0 and x <= 0:
        raise ValueError  # depends on the signs of zeros, which mpmath drops
    return mpmath.atan2(y, x)


def _log(compute: Callable[[Any], Any], pole: float) -> Callable[[Any], Any]:
    def truth(x: Any) -> Any:
        if x < pole:
            return mpmath.nan
        if x == pole:
            raise ValueError  # the convention is minus infinity
        return compute(x)

    return truth


def _arc(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: compute(x) if abs(x) <= 1 else mpmath.nan


TRIGONOMETRY = (
    _one("sin", mpmath.sin, ALL, _TURNS),
    _one("cos", mpmath.cos, ALL, _TURNS),
    _one("tan", mpmath.tan, ALL, _TURNS),
    _one("arcsin", _arc(mpmath.asin), ALL, _ENDS),
    _one("arccos", _arc(mpmath.acos), ALL, _ENDS),
    _one("arctan", mpmath.atan, ALL, _ENDS),
    _two("arctan2", _arctan2, ALL, [(1, 1), (-1, -1), (1e-3, -1), (-0.0, -1)]),
    _one("tanh", mpmath.tanh, ALL, [0.01, 0.25, 0.6, -0.6, 9.0, 19.0, 22.0, 1e-8]),
    _two("hypot", mpmath.hypot, ALL, [(3, 4), (1e20, 1), (1, 1e-20), (0, -0.0)]),
    _one("deg2rad", _radians, REALS, [180, 360, -90, 57.29577951308232]),
    _one("rad2deg", _degrees, REALS, _QUARTERS),
)


def _round_calls(dtype: str) -> Iterator[Call]:
    yield from values_of(
        dtype, [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 4503599627370497.5]
    )
    values = classes(dtype)["ordinary"]
    yield Call("decimals", (values,), {"decimals": 2})
    yield Call("tens", (values,), {"decimals": -1})


def _rounded(x: Any, decimals: int = 0) -> Any:
    # decimal places are a product and a quotient, each rounded: not the nearest number
    return elementwise(round_to_even)(x) if decimals == 0 else None


def _mod_calls(dtype: str) -> Iterator[Call]:
    for call in pairs_of(dtype, [(-360, 360), (360, -360), (5.5, 2), (-5.5, 2)]):
        divisor = np.asarray(call.args[1])
        if dtype in FLOATS or divisor.all():
            yield call
        else:  # division of whole numbers by zero has no answer
            safe = np.where(divisor == 0, 7, divisor).astype(divisor.dtype)
            yield Call(call.inputs, (call.args[0], safe))
            if divisor.size > 1 and call.inputs == "ordinary":
                yield Call("zero divisor", (call.args[0], np.zeros_like(divisor)))


ROUNDING = (
    _one("floor", mpmath.floor, REALS, [-0.5, 0.9999999]),
    _one("ceil", mpmath.ceil, REALS, [-0.5, 0.0000001]),
    Probe("round", REALS, _round_calls, _rounded),
    Probe("mod", REALS, _mod_calls, elementwise(remainder)),
)


def _power_calls(dtype: str) -> Iterator[Call]:
    points = [(2, 0.5), (-8, 3), (-8, 1 / 3), (10, 5), (0.5, 100), (1, 1e30), (0, 0)]
    if dtype in FLOATS:
        yield from pairs_of(dtype, points)
        exponents = np.linspace(0.1, 2, 64).astype(dtype)
        yield Call("stretching", (classes(dtype)["positive"], exponents))
        huge = np.finfo(dtype).max / np.arange(1, 4, dtype=dtype)
        yield Call("reciprocals of huge numbers", (huge, np.full_like(huge, -1)))
        return
    base = classes(dtype)["ordinary"]
    exponent = filled([0, 1, 2, 3], dtype)
    yield Call("ordinary", (base, exponent))
    yield Call("scalar", (base, 2))
    for name, values in oddly_shaped(dtype).items():
        yield Call(name, (values, values * 0 + exponent.dtype.type(2)))
    if np.dtype(dtype).kind == "i":
        yield Call("negative exponent", (base, -exponent - 1), {}, ValueError)


def _power(x: Any, y: Any) -> Any:
    if x == 0 and y <= 0:
        raise ValueError  # a pole, and 0 ** 0 by convention
    if x < 0 and y != mpmath.floor(y):
        return mpmath.nan
    return mpmath.power(x, y)


def _modular_power(x: Any, y: Any) -> Any:
    """Integers wrap, so only a power that fits its type has a truth."""
    right = elementwise(_power)(x, y)
    dtype = np.asarray(x).dtype
    if dtype.kind == "f":
        return right
    return within(right, int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


def _square(x: Any) -> Any:
    x = np.asarray(x)
    return _modular_power(x, np.full(x.shape, 2, x.dtype))


def _maximum(x: Any, y: Any) -> Any:
    return max(x, y)


def _minimum(x: Any, y: Any) -> Any:
    return min(x, y)


def _absolute(x: Any) -> Any:
    right = elementwise(abs)(x)
    x = np.asarray(x)
    if x.dtype.kind == "i":  # the least integer has no opposite in its type
        right[x == np.iinfo(x.dtype).min] = None
    return right


MATHEMATICS = (
    _one("exp", mpmath.exp, ALL, _DECAY),
    _one("expm1", mpmath.expm1, ALL, _DECAY),
    _one("log", _log(mpmath.log, 0), ALL, [1.0, 1 + 2**-20, 1 - 2**-20, 0.5, 2.0]),
    _one("log1p", _log(mpmath.log1p, -1), ALL, _NEAR_ZERO),
    _one("log10", _log(mpmath.log10, 0), ALL, [1.0, 10.0, 100.0, 1e-3, 0.999999]),
    _one("sqrt", lambda x: mpmath.sqrt(x) if x >= 0 else mpmath.nan, ALL, [2.0, 4.0]),
    Probe("square", REALS, values_of, _square),
    Probe("abs", REALS, values_of, _absolute),
    _one("sign", mpmath.sign),
    Probe("power", REALS, _power_calls, _modular_power),
    _two("maximum", _maximum, ALL),
    _two("minimum", _minimum, ALL),
)
