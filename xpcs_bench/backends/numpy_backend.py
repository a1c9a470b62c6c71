"""NumPy behind the protocol: the reference, which needs nothing but NumPy."""

# ruff: noqa: D102 - what a method does is written once, on BackendProtocol

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import loops, pytree
from xpcs_bench.backends.conversion import ensure_numpy, private_copy
from xpcs_bench.backends.delegation import NamespaceBackend, refuse_minlength
from xpcs_bench.backends.device import describe_host, refuse_platform
from xpcs_bench.records import Device

__all__ = ["NumPyBackend"]


class NumPyBackend(NamespaceBackend):
    """NumPy on the CPU: no compilation, no gradients, loops in Python."""

    xp = np
    name: ClassVar[str] = "numpy"
    pi: ClassVar[float] = math.pi
    supports_gpu: ClassVar[bool] = False
    supports_jit: ClassVar[bool] = False
    supports_grad: ClassVar[bool] = False

    def array(self, data: Any, dtype: Any = None) -> NDArray[Any]:
        return private_copy(data, dtype)

    def copy(self, x: Any, /) -> NDArray[Any]:
        return np.array(x)

    def flatten(self, x: Any, /) -> NDArray[Any]:
        return np.array(x).reshape(-1)

    def astype(self, x: Any, dtype: Any, /) -> NDArray[Any]:
        return np.asarray(x).astype(dtype)

    def to_numpy(self, x: Any, /) -> NDArray[Any]:
        return ensure_numpy(x)

    def from_numpy(self, x: NDArray[Any], /) -> NDArray[Any]:
        return private_copy(x)

    def round(self, x: Any, /, decimals: int = 0) -> Any:
        return np.round(x, decimals)

    def mod(self, x: Any, y: Any, /) -> Any:
        return np.mod(x, y)

    def argsort(self, x: Any, /, axis: int = -1) -> NDArray[np.int64]:
        return np.argsort(x, axis=axis, stable=True)

    def percentile(self, x: Any, q: Any, /, axis: Any = None) -> Any:
        values = np.asarray(x)
        if values.dtype.kind != "f":
            # differences of narrow integers would wrap around
            values = values.astype(np.float64)
        return np.percentile(values, q, axis=axis).astype(values.dtype)

    def digitize(self, x: Any, bins: Any, /, *, right: bool = False) -> Any:
        return np.digitize(x, bins, right=right)

    def searchsorted(
        self, sorted_array: Any, values: Any, /, side: str = "left"
    ) -> Any:
        return np.searchsorted(
            sorted_array, values, side="right" if side == "right" else "left"
        )

    def bincount(
        self,
        x: Any,
        /,
        weights: Any = None,
        minlength: int = 0,
        *,
        length: int | None = None,
    ) -> NDArray[Any]:
        labels = np.asarray(x)
        if length is not None:
            refuse_minlength(minlength, length)
            inside = (labels >= 0) & (labels < length)
            labels, minlength = labels[inside], length
            weights = None if weights is None else np.asarray(weights)[inside]
        counts = np.bincount(labels, weights, minlength)
        # without any label NumPy forgets that there were weights
        return counts if weights is None else counts.astype(np.float64, copy=False)

    def unique(
        self,
        x: Any,
        /,
        *,
        return_inverse: bool = False,
        size: int | None = None,
        fill_value: Any = None,
    ) -> Any:
        values, inverse = np.unique(x, return_inverse=True)
        if size is not None:
            values = _fixed(
                values, size, _smallest(values) if fill_value is None else fill_value
            )
        return (values, inverse.reshape(np.shape(x))) if return_inverse else values

    def nonzero(
        self, x: Any, /, size: int | None = None, fill_value: int = -1
    ) -> tuple[NDArray[np.int64], ...]:
        indices = np.nonzero(x)
        if size is None:
            return indices
        return tuple(_fixed(index, size, fill_value) for index in indices)

    def jit(
        self,
        func: Callable[..., Any],
        /,
        static_argnums: int | Sequence[int] | None = None,
        static_argnames: str | Sequence[str] | None = None,
    ) -> Callable[..., Any]:
        del static_argnums, static_argnames  # nothing is traced: all is static
        return func

    def grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., Any]:
        _no_gradients("grad", func, argnums)

    def value_and_grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., tuple[Any, Any]]:
        _no_gradients("value_and_grad", func, argnums)

    def vmap(
        self, func: Callable[..., Any], /, in_axes: Any = 0, out_axes: Any = 0
    ) -> Callable[..., Any]:
        return loops.vmap(func, in_axes, out_axes)

    def scan(
        self,
        func: Callable[[Any, Any], tuple[Any, Any]],
        init: Any,
        xs: Any = None,
        length: int | None = None,
    ) -> tuple[Any, Any]:
        return loops.scan(func, init, xs, length)

    def fori_loop(
        self,
        lower: int,
        upper: int,
        body_fun: Callable[[Any, Any], Any],
        init_val: Any,
    ) -> Any:
        return loops.fori_loop(lower, upper, body_fun, init_val)

    def while_loop(
        self,
        cond_fun: Callable[[Any], Any],
        body_fun: Callable[[Any], Any],
        init_val: Any,
    ) -> Any:
        return loops.while_loop(cond_fun, body_fun, init_val)

    def cond(
        self,
        pred: Any,
        true_fun: Callable[..., Any],
        false_fun: Callable[..., Any],
        /,
        *operands: Any,
    ) -> Any:
        return loops.cond(pred, true_fun, false_fun, operands)

    def devices(self) -> tuple[Device, ...]:
        return (describe_host(),)

    def device_put(self, tree: Any, /, device: str | None = None) -> Any:
        if device not in {None, "cpu"}:
            raise refuse_platform(self.name, str(device), ["cpu"])
        return pytree.tree_map(private_copy, tree)

    def block_until_ready(self, tree: Any, /) -> Any:
        return tree

    def tree_leaves(self, tree: Any, /) -> list[Any]:
        return pytree.leaves(tree)


def _fixed(values: NDArray[Any], size: int, fill: Any) -> NDArray[Any]:
    """Return the first ``size`` values, padded with ``fill``."""
    fixed = np.full(size, fill, values.dtype)
    fixed[: len(values)] = values[:size]
    return fixed


def _smallest(values: NDArray[Any]) -> Any:
    return values[0] if values.size else 0


def _no_gradients(
    name: str, func: Callable[..., Any], argnums: int | Sequence[int]
) -> NoReturn:
    label = getattr(func, "__name__", repr(func))
    msg = (
        f"{name}({label}, argnums={argnums}) needs automatic "
        "differentiation, which NumPy does not have. Check backend.supports_grad "
        "first, or use create_backend('jax')."
    )
    raise NotImplementedError(msg)
