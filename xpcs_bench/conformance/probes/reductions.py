"""Probes of sums, statistics and products of arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
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
)
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.truth import Truth, reduction, running, within

__all__ = ["PRODUCTS", "STATISTICS"]

_SIDE = 8
"""Rows and columns of what is reduced."""


def _matrices(dtype: str) -> Iterator[tuple[str, Any]]:
    for name, values in classes(dtype).items():
        yield name, values.reshape(_SIDE, _SIDE)
    if dtype in FLOATS:
        parts = [1e6, 1.0, -1e6, 1e-3, 3e5, -3e5, 0.25, -1.0]
        yield "cancelling", filled(parts, dtype).reshape(_SIDE, _SIDE)
        near_one = np.linspace(0.5, 1.6, _SIDE**2).astype(dtype)
        yield "near one", near_one.reshape(_SIDE, _SIDE)


def _reduced(
    dtype: str, *, empty: type[Exception] | None = None, both_axes: bool = True
) -> Iterator[Call]:
    """Reduce every class over all axes and over one; `empty` is what nothing raises."""
    axes: tuple[Any, ...] = (None, 0)
    if both_axes and dtype in FLOATS:
        axes = (None, 0, (0, 1))
    if dtype not in PRINCIPAL:
        axes = (0,)
    for axis in axes:
        for name, matrix in _matrices(dtype):
            yield Call(name, (matrix,), {"axis": axis})
    for name, values in oddly_shaped(dtype).items():
        if values.size:
            yield Call(name, (values,))
    if dtype in PRINCIPAL:
        yield Call("empty", (np.empty((2, 0), dtype),), {"axis": 1}, empty)


_refusing = functools.partial(_reduced, empty=ValueError)
_one_axis = functools.partial(_reduced, empty=ValueError, both_axes=False)


def _fitting(exact: Callable[..., Truth]) -> Callable[..., Truth]:
    """Leave out sums of integers that wrap around, which have no truth."""

    def truth(x: Any, *, axis: Any = None) -> Truth:
        right = exact(x, axis=axis)
        kind = np.asarray(x).dtype.kind
        # narrower integers are added up in 64 bits
        return right if kind == "f" else within(right, -(2**62), 2**62)

    return truth


def _mean(values: list[Any]) -> Any:
    if not values:
        raise ValueError  # 0 / 0 by convention
    return mpmath.fsum(values) / len(values)


def _var(values: list[Any]) -> Any:
    centre = _mean(values)
    return _mean([(value - centre) ** 2 for value in values])


def _median(values: list[Any]) -> Any:
    if not values:
        raise ValueError
    ordered = sorted(values)
    half = len(ordered) // 2
    return (
        ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    )


def _of_magnitudes(exact: Callable[..., Truth]) -> Callable[..., Truth]:
    """Make the scale of a linear function: what it is of magnitudes."""

    def scale(*arrays: Any, **options: Any) -> Truth:
        wide = (np.abs(np.asarray(a, float)) for a in arrays)
        return exact(*wide, **options)

    return scale


_SUM = reduction(mpmath.fsum)


def _percentile_calls(dtype: str) -> Iterator[Call]:
    for name, matrix in _matrices(dtype):
        yield Call(name, (matrix, [0, 12.5, 50, 90, 100]))
        if dtype in PRINCIPAL:
            yield Call(name, (matrix, 25.0), {"axis": 0})
    for name, values in oddly_shaped(dtype).items():
        if values.size:
            yield Call(name, (values, 50))
    yield Call("beyond a hundred", (classes(dtype)["ties"], 150), {}, ValueError)


def _percentile(x: Any, q: Any, *, axis: Any = None) -> Truth:
    def linear(percent: float) -> Callable[[list[Any]], Any]:
        def of(values: list[Any]) -> Any:
            ordered = sorted(values)
            place = mpmath.mpf(percent) / 100 * (len(ordered) - 1)
            below = int(mpmath.floor(place))
            above = min(below + 1, len(ordered) - 1)
            return ordered[below] + (place - below) * (ordered[above] - ordered[below])

        return of

    rows = [reduction(linear(percent))(x, axis=axis) for percent in np.ravel(q)]
    return np.stack(rows) if np.ndim(q) else rows[0]


def _percentile_scale(x: Any, q: Any, *, axis: Any = None) -> Truth:
    """Between neighbours of unlike sign terms cancel; the largest value bounds them."""
    largest = reduction(lambda values: max(map(abs, values)))(x, axis=axis)
    return np.broadcast_to(largest, np.shape(q) + largest.shape)


_MEAN = reduction(_mean)

STATISTICS = (
    Probe("sum", ALL, _reduced, _fitting(_SUM), _of_magnitudes(_SUM)),
    Probe("prod", ALL, _reduced, _fitting(reduction(mpmath.fprod))),
    Probe("mean", ALL, _reduced, _MEAN, _of_magnitudes(_MEAN)),
    Probe("var", REALS, _reduced, reduction(_var)),
    Probe("std", REALS, _reduced, reduction(lambda x: mpmath.sqrt(_var(x)))),
    Probe("min", ALL, _refusing, reduction(min)),
    Probe("max", ALL, _refusing, reduction(max)),
    Probe("argmin", ALL, _one_axis),
    Probe("argmax", ALL, _one_axis),
    Probe("nanmean", REALS, _reduced, _MEAN, _of_magnitudes(_MEAN)),
    Probe("nanmin", REALS, _refusing, reduction(min)),
    Probe("nanmax", REALS, _refusing, reduction(max)),
    Probe("median", REALS, _reduced, reduction(_median)),
    Probe("percentile", REALS, _percentile_calls, _percentile, _percentile_scale),
)


def _cumsum_calls(dtype: str) -> Iterator[Call]:
    for name, matrix in _matrices(dtype):
        yield Call(name, (matrix,), {"axis": 1})
        if dtype in PRINCIPAL:
            yield Call(name, (matrix,))
    if dtype in PRINCIPAL:
        yield Call("empty", (np.empty((2, 0), dtype),), {"axis": 1})
        yield Call("0-d", (np.array(3, dtype),))


def _product_calls(dtype: str) -> Iterator[Call]:
    for name, matrix in _matrices(dtype):
        yield Call(name, (matrix, matrix.T))
        if dtype in PRINCIPAL:
            yield Call(name, (matrix, matrix[0]))
    if dtype not in PRINCIPAL:
        return
    row = classes(dtype)["ordinary"][:_SIDE]
    yield Call("ordinary", (row, row))
    yield Call("empty", (np.empty((2, 0), dtype), np.empty((0, 3), dtype)))


def _product(x: Any, y: Any) -> Truth:
    def inner(left: Any, right: Any) -> Any:
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            return None
        with mpmath.workdps(100):
            return mpmath.fdot(
                [mpmath.mpf(value.item()) for value in left],
                [mpmath.mpf(value.item()) for value in right],
            )

    rows, columns = np.atleast_2d(x), np.atleast_2d(y.T)
    right = np.full((len(rows), len(columns)), None, object)
    for i, j in np.ndindex(right.shape):
        right[i, j] = inner(rows[i], columns[j])
    return right.reshape(x.shape[:-1] + y.shape[1:])


def _fitting_product(x: Any, y: Any) -> Truth:
    """Products of integers, where they fit the type that they keep."""
    right = _product(x, y)
    if x.dtype.kind == "f":
        return right
    info = np.iinfo(x.dtype)
    return within(right, int(info.min), int(info.max))


PRODUCTS = (
    Probe("matmul", REALS, _product_calls, _fitting_product, _of_magnitudes(_product)),
    Probe("dot", REALS, _product_calls, _fitting_product, _of_magnitudes(_product)),
    Probe("cumsum", ALL, _cumsum_calls, _fitting(running), _of_magnitudes(running)),
)
