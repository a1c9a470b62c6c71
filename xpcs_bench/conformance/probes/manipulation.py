"""Probes of what moves elements and computes nothing: every bit must arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

__all__ = ["MANIPULATION"]


def _clip_calls(dtype: str) -> Iterator[Call]:
    for name, values in {**classes(dtype), **oddly_shaped(dtype)}.items():
        yield Call(name, (values, 1, 3))
    values = classes(dtype)["ordinary"]
    if dtype not in PRINCIPAL:
        return
    yield Call("open below", (values, None, 2))
    yield Call("open above", (values, 1, None))
    yield Call("bounds in arrays", (values, np.roll(values, 1), np.roll(values, 2)))
    if dtype in FLOATS:
        yield Call("NaN bound", (values, float("nan"), 2.0))


def _take_calls(dtype: str) -> Iterator[Call]:
    index = np.array([[0, 5], [7, 0]])
    for name, values in classes(dtype).items():
        yield Call(name, (values, index))
        yield Call(name, (values.reshape(8, 8), index), {"axis": 1})
    values = classes(dtype)["ordinary"]
    if dtype not in PRINCIPAL:
        return
    yield Call("counted from the end", (values, np.array([-1, -64])))
    yield Call("0-d index", (values, np.array(3)))
    yield Call("no index", (values, index[:0]))


def _joined_calls(dtype: str) -> Iterator[Call]:
    for name, values in classes(dtype).items():
        matrix = values.reshape(8, 8)
        yield Call(name, ([matrix, matrix.T],))
        yield Call(name, ([matrix, matrix],), {"axis": 1})
    if dtype not in PRINCIPAL:
        return
    nothing = np.empty((2, 0), dtype)
    yield Call("empty", ([nothing, nothing],))
    yield Call("no arrays", ([],), {}, ValueError)


def _moved_calls(
    dtype: str, options: Sequence[Mapping[str, Any]], shape: tuple[int, ...] = (8, 8)
) -> Iterator[Call]:
    """Call on every class in a shape, with each set of options."""
    for chosen in options if dtype in PRINCIPAL else options[:1]:
        for name, values in classes(dtype).items():
            yield Call(name, (values.reshape(shape),), chosen)


def _moved(
    method: str,
    *options: Mapping[str, Any],
    shape: tuple[int, ...] = (8, 8),
    refused: tuple[Mapping[str, Any], ...] = (),
) -> Probe:
    def calls(dtype: str) -> Iterator[Call]:
        yield from _moved_calls(dtype, options, shape)
        for chosen in refused:
            values = classes(dtype)["ordinary"].reshape(shape)
            yield Call("impossible", (values,), chosen, ValueError)

    return Probe(method, ALL, calls)


def _whole_calls(dtype: str) -> Iterator[Call]:
    for name, values in {**classes(dtype), **oddly_shaped(dtype)}.items():
        yield Call(name, (values,))


MANIPULATION = (
    Probe("clip", REALS, _clip_calls),
    Probe("take", ALL, _take_calls),
    Probe("stack", ALL, _joined_calls),
    Probe("concatenate", ALL, _joined_calls),
    Probe("copy", ALL, _whole_calls),
    _moved("reshape", {"shape": (4, -1)}, {"shape": 64}, refused=({"shape": (5, 5)},)),
    _moved("broadcast_to", {"shape": (3, 8, 8)}, refused=({"shape": (3, 9)},)),
    _moved("expand_dims", {"axis": 0}, {"axis": (0, 3)}),
    _moved("squeeze", {}, {"axis": 0}, shape=(1, 64, 1), refused=({"axis": 1},)),
    _moved("transpose", {}, {"axes": (1, 0, 2)}, shape=(2, 4, 8)),
    Probe("flatten", ALL, _whole_calls),
)
