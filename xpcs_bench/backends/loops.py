"""The transformations of the protocol as plain Python loops over NumPy arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from xpcs_bench.backends.pytree import (
    broadcast_prefix,
    leaves,
    tree_map,
    unzip,
)

__all__ = ["cond", "fori_loop", "scan", "vmap", "while_loop"]

_WEAK = (bool, int, float, complex)
"""Python scalars: they take the dtype of the arrays they meet."""


def _refill(tree: Any, values: list[Any]) -> Any:
    """Return a tree like ``tree`` with ``values`` as its leaves."""
    rest = iter(values)
    return tree_map(lambda _: next(rest), tree)


def _axis_length(leaf: Any, axis: int, what: str) -> int:
    shape = np.shape(leaf)
    if not -len(shape) <= axis < len(shape):
        msg = (
            f"{what}: axis {axis} does not exist in an array of shape {shape}. "
            f"Allowed: {-len(shape)} to {len(shape) - 1}."
        )
        raise ValueError(msg)
    return int(shape[axis])


def _common_length(lengths: list[int], what: str) -> int:
    if len(set(lengths)) != 1:
        msg = (
            f"{what}: the mapped axes have the lengths {sorted(set(lengths))}. "
            "They must be one and the same."
        )
        raise ValueError(msg)
    return lengths[0]


def vmap(func: Callable[..., Any], in_axes: Any, out_axes: Any) -> Callable[..., Any]:
    """Return ``func`` mapped by calling it once per element of the batch."""
    axes_given = tuple(in_axes) if isinstance(in_axes, list) else in_axes

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        if isinstance(axes_given, tuple) and len(axes_given) != len(args):
            msg = (
                f"vmap: in_axes names {len(axes_given)} arguments, the call has "
                f"{len(args)}. Give one entry per positional argument."
            )
            raise ValueError(msg)
        call = (args, kwargs)
        flat = leaves(call)
        axes = broadcast_prefix(axes_given, args) + [0] * len(leaves(kwargs))
        lengths = [
            _axis_length(leaf, axis, "vmap")
            for leaf, axis in zip(flat, axes, strict=True)
            if axis is not None
        ]
        if not lengths:
            msg = (
                "vmap: no argument is mapped. At least one entry of in_axes must "
                "be an axis of an array."
            )
            raise ValueError(msg)
        length = _common_length(lengths, "vmap")

        def one(index: int | None) -> Any:
            """Call with one element of the batch, or with zeros in its place."""
            picked = [
                leaf
                if axis is None
                else _zeros_without(leaf, axis)
                if index is None
                else np.take(leaf, index, axis=axis)
                for leaf, axis in zip(flat, axes, strict=True)
            ]
            inner_args, inner_kwargs = _refill(call, picked)
            return func(*inner_args, **inner_kwargs)

        results = [one(index) for index in range(length)] or [one(None)]
        first, columns = unzip(results)
        placed = broadcast_prefix(out_axes, first)
        return _refill(
            first,
            [
                np.asarray(column[0])
                if axis is None
                else np.stack(column, axis=axis)
                if length
                else np.stack(column, axis=axis)[_nothing_along(axis, column[0])]
                for column, axis in zip(columns, placed, strict=True)
            ],
        )

    return mapped


def _zeros_without(leaf: Any, axis: int) -> Any:
    array = np.asarray(leaf)
    shape = list(array.shape)
    del shape[axis]
    return np.zeros(shape, array.dtype)[()]


def _nothing_along(axis: int, element: Any) -> tuple[slice, ...]:
    index = [slice(None)] * (np.ndim(element) + 1)
    index[axis] = slice(0, 0)
    return tuple(index)


def _as_carry(value: Any, like: Any, what: str) -> Any:
    """Return ``value`` as an array; TypeError unless it is of the type of ``like``."""

    def check(old: Any, new: Any) -> Any:
        array = np.asarray(new)
        before = np.asarray(old)
        dtype = array.dtype if isinstance(new, _WEAK) else None
        if isinstance(old, _WEAK) and before.shape == array.shape:
            return array[()]
        if dtype is not None and np.can_cast(dtype, before.dtype, "same_kind"):
            array = array.astype(before.dtype)
        if array.shape != before.shape or array.dtype != before.dtype:
            msg = (
                f"{what}: the carry came in as {before.dtype}{list(before.shape)} and "
                f"went out as {array.dtype}{list(array.shape)}. It must keep its type: "
                "convert what comes in, or what goes out."
            )
            raise TypeError(msg)
        return array[()]

    try:
        return tree_map(check, like, value)
    except ValueError as error:
        msg = f"{what}: the carry changed its structure. {error}"
        raise TypeError(msg) from error


def scan(
    func: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    length: int | None,
) -> tuple[Any, Any]:
    """Loop over the leading axis of every leaf of ``xs``."""
    flat = leaves(xs)
    lengths = [_axis_length(leaf, 0, "scan") for leaf in flat]
    if length is not None:
        lengths.append(length)
    if not lengths:
        msg = "scan: xs holds no array and length is None. Give one of the two."
        raise ValueError(msg)
    steps = _common_length(lengths, "scan")

    carry = init
    outputs = []
    for index in range(steps):
        element = _refill(xs, [leaf[index] for leaf in map(np.asarray, flat)])
        after, y = func(carry, element)
        carry = _as_carry(after, carry, "scan")
        outputs.append(y)
    if not steps:
        zeros = _refill(xs, [_zeros_without(leaf, 0) for leaf in flat])
        outputs = [func(carry, zeros)[1]]
    first, columns = unzip(outputs)
    return tree_map(_as_array, carry), _refill(
        first, [np.stack(column, axis=0)[:steps] for column in columns]
    )


def _as_array(leaf: Any) -> Any:
    return np.asarray(leaf)


def fori_loop(
    lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any
) -> Any:
    """Loop over whole numbers."""
    val = init_val
    for index in range(int(lower), int(upper)):
        val = _as_carry(body_fun(index, val), val, "fori_loop")
    return tree_map(_as_array, val)


def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """Loop while a condition holds."""
    val = init_val
    while _scalar_truth(cond_fun(val), "while_loop"):
        val = _as_carry(body_fun(val), val, "while_loop")
    return tree_map(_as_array, val)


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    """Run one of two functions."""
    chosen = true_fun if _scalar_truth(pred, "cond") else false_fun
    return tree_map(_as_array, chosen(*operands))


def _scalar_truth(value: Any, what: str) -> bool:
    if np.shape(value) != ():
        msg = (
            f"{what}: the condition has the shape {np.shape(value)}. It must be a "
            "scalar; use where() to choose per element."
        )
        raise TypeError(msg)
    return bool(value)
