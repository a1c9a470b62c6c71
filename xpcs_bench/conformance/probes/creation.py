"""Probes of what makes arrays out of numbers, lists and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xpcs_bench.conformance.hard_inputs import (
    ALL,
    FLOATS,
    PRINCIPAL,
    REALS,
    classes,
    oddly_shaped,
)
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.truth import (
    Truth,
    identity,
    spaced,
    spaced_logarithmically,
)

__all__ = ["CREATION"]


def _shapes(dtype: str) -> tuple[Any, ...]:
    return ((), 3, (2, 3), (0,), (2, 0)) if dtype in PRINCIPAL else ((2, 3),)


def _array_calls(dtype: str) -> Iterator[Call]:
    for name, values in {**classes(dtype), **oddly_shaped(dtype)}.items():
        yield Call(name, (values,))
    few = classes(dtype)["ordinary"][:4].tolist()
    yield Call("list", (few,))
    yield Call("list", ([few, few], dtype))
    yield Call("scalar", (few[0],))
    yield Call("big-endian", (np.array(few, np.dtype(dtype).newbyteorder(">")),))


def _uniform_calls(dtype: str) -> Iterator[Call]:
    for shape in _shapes(dtype):
        yield Call("shape", (shape, dtype))
    yield Call("default", ((2,),))


def _full_calls(dtype: str) -> Iterator[Call]:
    for shape in _shapes(dtype):
        yield Call("shape", (shape, 1, dtype))
    yield Call("default", ((2,), classes(dtype)["ordinary"][0].item()))


def _like_calls(dtype: str) -> Iterator[Call]:
    for name, values in oddly_shaped(dtype).items():
        yield Call(name, (values,))
    yield Call("converted", (classes(dtype)["ordinary"],), {"dtype": "int32"})


def _arange_calls(dtype: str) -> Iterator[Call]:
    yield Call("one bound", (5,), {"dtype": dtype})
    if dtype not in PRINCIPAL:
        return
    yield Call("two bounds", (2, 9), {"dtype": dtype})
    yield Call("downwards", (9, 2, -3), {"dtype": dtype})
    yield Call("empty", (3, 3), {"dtype": dtype})
    yield Call("default", (7,))
    if dtype in FLOATS:
        yield Call("fractions", (0.0, 1.0, 0.125), {"dtype": dtype})
        yield Call("inexact step", (0.0, 1.0, 0.1), {"dtype": dtype})


def _counted(
    start: float, stop: float | None = None, step: float = 1, **_: Any
) -> Truth | None:
    if float(step) != 0.1:
        return identity(
            np.arange(start, stop, step) if stop is not None else np.arange(start)
        )
    return None  # whether the last point is reached depends on rounding


def _spaced_calls(dtype: str) -> Iterator[Call]:
    for start, stop in ((0.0, 1.0), (-3.0, 3.0), (0.1, 0.7), (1.0, 1.0)):
        yield Call("ordinary", (start, stop, 64), {"dtype": dtype})
    yield Call("open", (0.0, 1.0, 7), {"endpoint": False, "dtype": dtype})
    yield Call("one point", (2.0, 3.0, 1), {"dtype": dtype})
    yield Call("empty", (2.0, 3.0, 0), {"dtype": dtype})
    yield Call("default", (0.0, 2.0))


def _span(start: float, stop: float, num: int = 50, **_: Any) -> Truth:
    """Points near zero are the sum of a start and steps that cancel."""
    return np.full(num, max(abs(start), abs(stop)), object)


def _grids(dtype: str) -> Iterator[Call]:
    row = classes(dtype)["ordinary"][:3]
    for indexing in ("xy", "ij"):
        yield Call("ordinary", (row, row[:2]), {"indexing": indexing})
        if dtype not in PRINCIPAL:
            continue
        yield Call("ordinary", (row, row[:2], row[:1]), {"indexing": indexing})
        yield Call("empty", (row, row[:0]), {"indexing": indexing})
    yield Call("one axis", (row,))


CREATION = (
    Probe("array", ALL, _array_calls, raw=True),
    Probe("zeros", ALL, _uniform_calls),
    Probe("ones", ALL, _uniform_calls),
    Probe("full", ALL, _full_calls),
    Probe("zeros_like", ALL, _like_calls),
    Probe("ones_like", ALL, _like_calls),
    Probe("arange", REALS, _arange_calls, _counted),
    Probe("linspace", FLOATS, _spaced_calls, spaced, _span),
    Probe("logspace", FLOATS, _spaced_calls, spaced_logarithmically),
    Probe("meshgrid", ALL, _grids),
)
