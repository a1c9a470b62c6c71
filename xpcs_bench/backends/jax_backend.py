"""JAX behind the protocol: compiled, differentiable, on CPU or GPU.

This module imports jax; nothing imports this module before a JAX backend is asked
for.
"""

# ruff: noqa: D102 - what a method does is written once, on BackendProtocol

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends.arguments import guarded, guards_arguments, settled
from xpcs_bench.backends.array_functions import Shape
from xpcs_bench.backends.conversion import ensure_numpy, private_copy
from xpcs_bench.backends.delegation import NamespaceBackend, refuse_minlength
from xpcs_bench.backends.device import (
    choose_device,
    describe_device,
    place,
    platform_devices,
)
from xpcs_bench.backends.jax_setup import configure_jax
from xpcs_bench.backends.settings import read_settings
from xpcs_bench.records import Device

__all__ = ["JAXBackend"]

PLATFORMS = ("gpu", "tpu", "cpu")


@guards_arguments
class JAXBackend(NamespaceBackend):
    """JAX with 64-bit numbers.

    Making one switches jax to 64 bits for the whole process. Arrays that others may
    write to are copied on the way in, whichever method they are given to.
    """

    xp = jnp
    name: ClassVar[str] = "jax"
    pi: ClassVar[float] = math.pi
    supports_jit: ClassVar[bool] = True
    supports_grad: ClassVar[bool] = True

    def __init__(self) -> None:
        configure_jax(read_settings())

    @property
    def supports_gpu(self) -> bool:
        return bool(platform_devices("gpu"))

    def array(self, data: Any, dtype: Any = None) -> jax.Array:
        if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(data)):
            return _firm(jnp.array(settled(data), dtype=dtype))
        return _owned(data, dtype)

    def full(self, shape: Shape, fill_value: Any, dtype: Any = None) -> jax.Array:
        return _firm(jnp.full(shape, fill_value, dtype=dtype))

    def copy(self, x: Any, /) -> jax.Array:
        return self.array(x)

    def flatten(self, x: Any, /) -> jax.Array:
        return jnp.ravel(x)

    def astype(self, x: Any, dtype: Any, /) -> jax.Array:
        return jnp.asarray(x).astype(dtype)

    def to_numpy(self, x: Any, /) -> NDArray[Any]:
        return ensure_numpy(x)

    def from_numpy(self, x: NDArray[Any], /) -> jax.Array:
        return _owned(x)

    def round(self, x: Any, /, decimals: int = 0) -> jax.Array:
        x = jnp.asarray(x)
        if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
            return jnp.round(x.astype(jnp.float64), decimals).astype(x.dtype)
        return jnp.round(x, decimals)

    def mod(self, x: Any, y: Any, /) -> jax.Array:
        remainder = jnp.mod(x, y)
        if not jnp.issubdtype(remainder.dtype, jnp.floating):
            return remainder
        return jnp.where(remainder == 0, jnp.copysign(remainder, y), remainder)

    def power(self, x: Any, y: Any, /) -> jax.Array:
        whole = jnp.issubdtype(jnp.result_type(x, y), jnp.integer)
        # asked of numpy: inside jit, jax would only trace the question
        if whole and _known(y) and np.any(np.asarray(y) < 0):
            msg = "Integers to negative integer powers. Convert one of them to floats."
            raise ValueError(msg)
        return jnp.power(x, y)

    def cumsum(self, x: Any, /, axis: int | None = None) -> jax.Array:
        # jax would add up narrow integers in their own type, where they wrap around
        kind = jnp.result_type(x).kind
        return jnp.cumsum(x, axis, dtype={"i": jnp.int64, "u": jnp.uint64}.get(kind))

    # A GPU multiplies float32 in TF32 unless told otherwise

    def matmul(self, x: Any, y: Any, /) -> jax.Array:
        return jnp.matmul(x, y, precision=jax.lax.Precision.HIGHEST)

    def dot(self, x: Any, y: Any, /) -> jax.Array:
        return jnp.dot(x, y, precision=jax.lax.Precision.HIGHEST)

    def argsort(self, x: Any, /, axis: int = -1) -> jax.Array:
        return jnp.argsort(x, axis=axis, stable=True)

    def percentile(self, x: Any, q: Any, /, axis: Any = None) -> jax.Array:
        q = jnp.asarray(q, jnp.float64)
        if _known(q) and not bool(jnp.all((q >= 0) & (q <= 100))):
            msg = f"Percentiles must be in the range [0, 100], not {q}."
            raise ValueError(msg)
        values = jnp.percentile(x, q.ravel(), axis=axis)
        return values.reshape(q.shape + values.shape[1:])

    def digitize(self, x: Any, bins: Any, /, *, right: bool = False) -> jax.Array:
        if _known(bins):
            edges = np.asarray(bins)  # differences of unsigned ones would wrap around
            before, after = edges[:-1], edges[1:]
            if not (np.all(before <= after) or np.all(before >= after)):
                msg = "Bins must rise or fall throughout. Sort the edges first."
                raise ValueError(msg)
        return jnp.digitize(x, bins, right=right).astype(jnp.int64)

    def searchsorted(
        self, sorted_array: Any, values: Any, /, side: str = "left"
    ) -> jax.Array:
        return jnp.searchsorted(sorted_array, values, side=side).astype(jnp.int64)

    def bincount(
        self,
        x: Any,
        /,
        weights: Any = None,
        minlength: int = 0,
        *,
        length: int | None = None,
    ) -> jax.Array:
        if weights is not None:
            weights = jnp.asarray(weights, jnp.float64)
        if length is None:
            if _known(x) and jnp.size(x) and int(jnp.min(x)) < 0:
                msg = "Labels must not be negative. Mask them out, or give length."
                raise ValueError(msg)
            return jnp.bincount(x, weights, minlength=minlength)
        refuse_minlength(minlength, length)
        # XLA puts negative labels into bin 0, and drops those beyond the end
        labels = jnp.where(x < 0, length, x)
        if weights is not None or jnp.size(x) >= 2**31:
            return jnp.bincount(labels, weights, length=length)
        # the counts fit into 32 bits, and XLA writes out a one for every label
        ones = jnp.ones(jnp.shape(labels), jnp.int32)
        return jnp.bincount(labels, ones, length=length).astype(jnp.int64)

    def unique(
        self,
        x: Any,
        /,
        *,
        return_inverse: bool = False,
        size: int | None = None,
        fill_value: Any = None,
    ) -> Any:
        if size is None or jnp.size(x):
            return jnp.unique(
                x, return_inverse=return_inverse, size=size, fill_value=fill_value
            )
        values = jnp.full(
            size, 0 if fill_value is None else fill_value, jnp.asarray(x).dtype
        )
        return (
            (values, jnp.zeros(jnp.shape(x), jnp.int64)) if return_inverse else values
        )

    def nonzero(
        self, x: Any, /, size: int | None = None, fill_value: int = -1
    ) -> tuple[jax.Array, ...]:
        if size is None:
            return jnp.nonzero(x)
        return jnp.nonzero(x, size=size, fill_value=fill_value)

    def jit(
        self,
        func: Callable[..., Any],
        /,
        static_argnums: int | Sequence[int] | None = None,
        static_argnames: str | Sequence[str] | None = None,
    ) -> Callable[..., Any]:
        compiled = jax.jit(
            func, static_argnums=static_argnums, static_argnames=static_argnames
        )
        call: Any = guarded(compiled)
        # neither reads values, and what takes a compiled function apart needs both
        call.trace, call.lower = compiled.trace, compiled.lower
        return cast("Callable[..., Any]", call)

    def grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., Any]:
        return jax.grad(func, argnums)

    def value_and_grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., tuple[Any, Any]]:
        return jax.value_and_grad(func, argnums)

    def vmap(
        self, func: Callable[..., Any], /, in_axes: Any = 0, out_axes: Any = 0
    ) -> Callable[..., Any]:
        return jax.vmap(func, in_axes, out_axes)

    def scan(
        self,
        func: Callable[[Any, Any], tuple[Any, Any]],
        init: Any,
        xs: Any = None,
        length: int | None = None,
    ) -> tuple[Any, Any]:
        return jax.lax.scan(func, init, xs, length)

    def fori_loop(
        self,
        lower: int,
        upper: int,
        body_fun: Callable[[Any, Any], Any],
        init_val: Any,
    ) -> Any:
        return jax.lax.fori_loop(lower, upper, body_fun, init_val)

    def while_loop(
        self,
        cond_fun: Callable[[Any], Any],
        body_fun: Callable[[Any], Any],
        init_val: Any,
    ) -> Any:
        return jax.lax.while_loop(cond_fun, body_fun, init_val)

    def cond(
        self,
        pred: Any,
        true_fun: Callable[..., Any],
        false_fun: Callable[..., Any],
        /,
        *operands: Any,
    ) -> Any:
        return jax.lax.cond(pred, true_fun, false_fun, *operands)

    def devices(self) -> tuple[Device, ...]:
        default = jax.devices()
        others = [
            device
            for platform in PLATFORMS
            for device in platform_devices(platform)
            if device not in default
        ]
        return tuple(map(describe_device, [*default, *others]))

    def device_put(self, tree: Any, /, device: str | None = None) -> Any:
        if device is None:
            return place(tree, None)
        present = [found.platform for found in self.devices()]
        return place(tree, choose_device(self.name, device, present))

    def block_until_ready(self, tree: Any, /) -> Any:
        arrays = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array)]
        if not arrays:
            msg = (
                f"{type(tree).__name__} holds no jax array to wait for. Return arrays, "
                "or tuples, lists and dictionaries of them."
            )
            raise TypeError(msg)
        for array in arrays:
            array.block_until_ready()
        return tree

    def tree_leaves(self, tree: Any, /) -> list[Any]:
        return jax.tree.leaves(tree)


def _known(value: Any) -> bool:
    """Whether the values exist already, so that looking at them is possible."""
    return not isinstance(value, jax.core.Tracer)


def _firm(array: jax.Array) -> jax.Array:
    """Return the array with a dtype that does not give way to others.

    What jax makes of a Python scalar is weak: times float32 it becomes float32.
    """
    return array.astype(array.dtype)


def _owned(host: Any, dtype: Any = None) -> jax.Array:
    """Take over a copy that JAX may share and read for as long as it likes."""
    array: jax.Array = jax.device_put(private_copy(host, dtype))
    return array
