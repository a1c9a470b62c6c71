"""Trees of arrays, as the NumPy backend understands them.

A tree is an array or scalar (a leaf), None (no leaf at all), or a tuple, named tuple,
list or dictionary of trees; dictionaries are taken in the order of their sorted keys.
This is what JAX understands by a pytree without registration of further classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["broadcast_prefix", "leaves", "tree_map", "unzip"]


def _children(tree: Any) -> list[Any] | None:
    """Return the subtrees of an inner node; None for a leaf."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [tree[key] for key in sorted(tree)]
    if isinstance(tree, (tuple, list)):
        return list(tree)
    return None


def _rebuild(tree: Any, children: list[Any]) -> Any:
    """Make a node like ``tree`` with other children."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        other = tree.copy()
        other.update(zip(sorted(tree), children, strict=True))
        return other
    if hasattr(tree, "_make"):
        return tree._make(children)
    return type(tree)(children)


def _same_node(tree: Any, other: Any) -> bool:
    if type(tree) is not type(other):
        return False
    if isinstance(tree, dict):
        return bool(tree.keys() == other.keys())
    return len(_children(tree) or []) == len(_children(other) or [])


def _iterate(tree: Any) -> Iterator[Any]:
    children = _children(tree)
    if children is None:
        yield tree
    else:
        for child in children:
            yield from _iterate(child)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves in order."""
    return list(_iterate(tree))


def tree_map(func: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply ``func`` to the leaves of trees of the same structure.

    ``others`` may carry whole subtrees where ``tree`` has a leaf.

    Raises
    ------
    ValueError
        If another tree has a different structure.
    """
    children = _children(tree)
    if children is None:
        return func(tree, *others)
    for other in others:
        if not _same_node(tree, other):
            msg = (
                f"Trees differ in structure: {_describe(tree)} against "
                f"{_describe(other)}. Give both the same nesting and keys."
            )
            raise ValueError(msg)
    rest = zip(*(_children(other) or [] for other in others), strict=True)
    if not others:
        return _rebuild(tree, [tree_map(func, child) for child in children])
    pairs = zip(children, rest, strict=True)
    return _rebuild(tree, [tree_map(func, child, *more) for child, more in pairs])


def broadcast_prefix(prefix: Any, tree: Any) -> list[Any]:
    """Repeat the leaves of ``prefix`` (None is one too) for every leaf under them.

    Raises
    ------
    ValueError
        If ``prefix`` is not a prefix of ``tree``.
    """
    children = None if prefix is None else _children(prefix)
    if children is None:
        return [prefix] * len(leaves(tree))
    below = _children(tree)
    if below is None or len(below) != len(children) or _keys(prefix) != _keys(tree):
        msg = (
            f"Axes {prefix!r} do not fit {_describe(tree)}. Write one axis for all, "
            "or axes nested like the beginning of the tree."
        )
        raise ValueError(msg)
    return [
        axis
        for part, subtree in zip(children, below, strict=True)
        for axis in broadcast_prefix(part, subtree)
    ]


def unzip(trees: list[Any]) -> tuple[Any, list[list[Any]]]:
    """Return the first of equal-structured trees, and its leaves collected from all.

    Raises
    ------
    ValueError
        If the structures differ.
    """
    first = trees[0]
    columns: list[list[Any]] = [[] for _ in leaves(first)]
    for tree in trees:
        # the map compares structures; its result is not needed
        tree_map(lambda *_: None, first, tree)
        for column, leaf in zip(columns, leaves(tree), strict=True):
            column.append(leaf)
    return first, columns


def _keys(tree: Any) -> list[Any] | None:
    return sorted(tree) if isinstance(tree, dict) else None


def _describe(tree: Any) -> str:
    children = _children(tree)
    if children is None:
        return f"a leaf ({type(tree).__name__})"
    if isinstance(tree, dict):
        return f"a dictionary with the keys {sorted(tree)!r}"
    return "None" if tree is None else f"a {type(tree).__name__} of {len(children)}"
