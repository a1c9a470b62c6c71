"""Probes of bins, counts and orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xpcs_bench.conformance.hard_inputs import (
    ALL,
    FLOATS,
    INTEGERS,
    PRINCIPAL,
    REALS,
    classes,
    filled,
)
from xpcs_bench.conformance.probe import Call, Probe

__all__ = ["BINNING"]


def _edges(dtype: str) -> Any:
    """Five edges on which values of the class `ties` lie, one of them twice."""
    return np.array([0, 1, 1, 2, 3], dtype)


def _digitize_calls(dtype: str) -> Iterator[Call]:
    edges = _edges(dtype)
    for right in (False, True) if dtype in PRINCIPAL else (False,):
        for name, values in classes(dtype).items():
            yield Call(name, (values, edges), {"right": right})
            if dtype in PRINCIPAL:
                yield Call(name, (values, edges[::-1]), {"right": right})
    if dtype in PRINCIPAL:
        yield Call("0-d", (np.array(1, dtype), edges))
        yield Call("empty", (np.empty(0, dtype), edges))
        yield Call("no edges", (edges, edges[:0]))
    disorder = np.array([0, 2, 1], dtype)
    yield Call("disorder", (edges, disorder), {}, ValueError)


def _searchsorted_calls(dtype: str) -> Iterator[Call]:
    edges = _edges(dtype)
    for side in ("left", "right") if dtype in PRINCIPAL else ("left",):
        for name, values in classes(dtype).items():
            yield Call(name, (edges, values), {"side": side})
    if dtype in PRINCIPAL:
        yield Call("0-d", (edges, np.array(1, dtype)))
        yield Call("empty", (edges[:0], edges))


def _bincount_calls(dtype: str) -> Iterator[Call]:
    labels = filled([0, 3, 3, 1, 7], dtype)
    weights = np.linspace(0, 1, labels.size)
    yield Call("ordinary", (labels,))
    yield Call("ordinary", (labels,), {"minlength": 12})
    yield Call("ordinary", (labels,), {"length": 5})
    for width in FLOATS if dtype in PRINCIPAL else ():
        weighed = weights.astype(width)
        yield Call(f"{width} weights", (labels, weighed))
        yield Call(f"{width} weights", (labels, weighed), {"length": 5})
    counts = np.arange(labels.size)
    yield Call("whole weights", (labels, counts), {"length": 5})
    yield Call("empty", (labels[:0],), {"minlength": 3})
    yield Call("empty", (labels[:0], weights[:0]), {"length": 3})
    yield Call("contradiction", (labels,), {"length": 2, "minlength": 3}, ValueError)
    if np.dtype(dtype).kind == "i":
        negative = filled([-1, 0, 2, -5], dtype)
        yield Call("negative", (negative,), {}, ValueError)
        yield Call("negative", (negative,), {"length": 3})


def _unique_calls(dtype: str) -> Iterator[Call]:
    for name, values in classes(dtype).items():
        yield Call(name, (values,), {"return_inverse": True, "size": 6})
        if name in {"ties", "denormal", "not finite"}:  # JAX compiles for each result
            yield Call(name, (values,))
    if dtype not in PRINCIPAL:
        return
    matrix = classes(dtype)["ordinary"].reshape(8, 8)
    yield Call("not contiguous", (matrix.T,), {"return_inverse": True})
    fill = {"size": 70, "fill_value": 1}
    yield Call("padded", (matrix,), fill)
    yield Call("0-d", (np.array(1, dtype),), {"return_inverse": True})
    yield Call("empty", (matrix[:0],), {"return_inverse": True})


def _ordered_calls(dtype: str) -> Iterator[Call]:
    for name, values in classes(dtype).items():
        yield Call(name, (values,))
        yield Call(name, (values.reshape(8, 8),), {"axis": 0})
    if dtype in PRINCIPAL:
        yield Call("empty", (np.empty((2, 0), dtype),))


BINNING = (
    Probe("digitize", REALS, _digitize_calls),
    Probe("searchsorted", REALS, _searchsorted_calls),
    Probe("bincount", INTEGERS, _bincount_calls),
    Probe("unique", ALL, _unique_calls),
    Probe("sort", ALL, _ordered_calls),
    Probe("argsort", ALL, _ordered_calls),
)
