"""What a caller may still write to is copied before JAX sees it.

JAX reads the memory of a NumPy array after the call has returned, and may keep it as
the memory of a result. So every way into JAX passes through here. Arrays of JAX pass
at the price of a look at their types.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import numpy as np

from xpcs_bench.backends.conversion import private_copy
from xpcs_bench.backends.protocol import protocol_members

__all__ = ["guarded", "guards_arguments", "settled"]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

_UNCHANGING = (jax.Array, jax.core.Tracer, np.generic, bool, int, float, complex, str)
_unchanging: set[type] = {type(None), bool, int, float, complex, str}
"""Types, met so far, whose values nobody writes to."""

_RETURN_CALLABLES = {"grad", "value_and_grad", "vmap"}
_COPY_THEMSELVES = {"array", "copy", "from_numpy", "device_put"}
_COMPUTE_NOTHING = {"to_numpy", "block_until_ready", "tree_leaves", "devices"}
_GUARD_THEMSELVES = {"jit", *_COPY_THEMSELVES, *_COMPUTE_NOTHING}


def settled(tree: Any) -> Any:
    """Return the tree, with private copies of the arrays that others may write to.

    Such is every object that hands out its memory or itself as a NumPy array. That it
    is read-only proves nothing: another array may look at the same memory.
    """
    leaves, structure = jax.tree.flatten(tree)
    if _unchanging.issuperset(map(type, leaves)):
        return tree
    ours = list(map(_settled_leaf, leaves))
    unchanged = all(map(operator.is_, leaves, ours))
    return tree if unchanged else jax.tree.unflatten(structure, ours)


def _settled_leaf(leaf: Any) -> Any:
    kind = type(leaf)
    if kind in _unchanging:
        return leaf
    if issubclass(kind, _UNCHANGING):
        _unchanging.add(kind)
        return leaf
    # an array for JAX to convert as it pleases: only the owner is another one
    return private_copy(leaf) if hasattr(kind, "__array__") else leaf


def _is_settled(argument: Any) -> bool:
    """Recognise what kernels are called with, arrays and dictionaries of them.

    This is a shortcut: what it does not recognise is looked at leaf by leaf.
    """
    kind = type(argument)
    if kind is dict:
        return _unchanging.issuperset(map(type, argument.values()))
    return kind in _unchanging


def guarded(function: F) -> F:
    """Return the function, called with settled arguments."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if not all(map(_is_settled, args)):
            args = settled(args)
        return function(*args, **(settled(options) if options else options))

    return cast("F", call)


def _guarded_result(transform: F) -> F:
    @functools.wraps(transform)
    def call(*args: Any, **options: Any) -> Any:
        return guarded(transform(*args, **options))

    return cast("F", call)


def guards_arguments(backend: C) -> C:
    """Guard the methods of a class, which take arrays or return what takes arrays."""
    for name in protocol_members().keys() - _GUARD_THEMSELVES:
        method = getattr(backend, name)
        if name in _RETURN_CALLABLES:
            setattr(backend, name, _guarded_result(method))
        elif inspect.isfunction(method):  # and no property
            setattr(backend, name, guarded(method))
    return backend
