"""Probes of truth values and of what is chosen by them."""

from __future__ import annotations

from collections.abc import Iterator

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
from xpcs_bench.conformance.probes.elementwise import pairs_of, values_of

__all__ = ["MASKING"]


def _where_calls(dtype: str) -> Iterator[Call]:
    mask = np.arange(64) % 3 == 0
    for name, values in classes(dtype).items():
        yield Call(name, (mask, values, values[::-1]))
    values = classes(dtype)["ordinary"]
    if dtype not in PRINCIPAL:
        return
    yield Call("scalar", (mask, values, 1))
    yield Call("numbers as mask", (values, values, values[::-1]))
    yield Call("broadcast", (mask[:8], values[:8, None], values[:8]))
    for name, odd in oddly_shaped(dtype).items():
        yield Call(name, (np.ones(odd.shape, bool), odd, odd))


def _nonzero_calls(dtype: str) -> Iterator[Call]:
    for name, values in classes(dtype).items():
        yield Call(name, (values.reshape(8, 8),), {"size": 5})
        if name in {"ordinary", "denormal"}:  # JAX compiles for each shape of result
            yield Call(name, (values.reshape(8, 8),))
    if dtype not in PRINCIPAL:
        return
    zero = np.zeros((2, 3), dtype)
    yield Call("padded", (zero,), {"size": 4, "fill_value": 9})
    yield Call("empty", (np.empty((2, 0), dtype),))
    yield Call("0-d", (np.array(1, dtype),), {}, ValueError)


def _isclose_calls(dtype: str) -> Iterator[Call]:
    yield from pairs_of(dtype)
    if dtype in FLOATS:
        values = classes(dtype)["not finite"]
        yield Call("not finite", (values, values), {"equal_nan": True})
    values = classes(dtype)["ordinary"]
    yield Call("wide tolerance", (values, values[::-1]), {"rtol": 0.5, "atol": 0.0})


def _decided_calls(dtype: str) -> Iterator[Call]:
    for name, values in classes(dtype).items():
        yield Call(name, (values.reshape(8, 8),))
        yield Call(name, (values.reshape(8, 8),), {"axis": 0})
    if dtype in PRINCIPAL:
        yield Call("empty", (np.empty((2, 0), dtype),), {"axis": 1})
        yield Call("0-d", (np.array(1, dtype),))


MASKING = (
    Probe("logical_and", ALL, pairs_of),
    Probe("logical_or", ALL, pairs_of),
    Probe("logical_not", ALL, values_of),
    Probe("where", ALL, _where_calls),
    Probe("nonzero", ALL, _nonzero_calls),
    Probe("isnan", ALL, values_of),
    Probe("isfinite", ALL, values_of),
    Probe("isclose", REALS, _isclose_calls),
    Probe("any", ALL, _decided_calls),
    Probe("all", ALL, _decided_calls),
)
