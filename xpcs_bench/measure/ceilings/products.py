"""Floating-point operations a second, of matrix products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xpcs_bench.measure.ceilings.device import first_device
from xpcs_bench.measure.ceilings.reading import LONG_NS, WrongValues, least_ns, timed
from xpcs_bench.measure.clock import Clock, now_ns
from xpcs_bench.records import Ceiling
from xpcs_bench.records.ceiling import Threads

__all__ = ["device_flops", "flops"]

_SMALLEST = 512
_LARGEST = 4096
"""Sizes of the matrices; 128 MiB each at most."""


def _matrices(size: int, dtype: str) -> tuple[Any, Any]:
    """Two matrices of -1, 0 and 1: every sum of products is exact in every type."""
    rng = np.random.default_rng(size)
    left, right = rng.integers(-1, 2, (2, size, size))
    return left.astype(dtype), right.astype(dtype)


def _check_product(left: Any, right: Any, product: Any, library: str) -> None:
    """Multiply by a vector in both ways (Freivalds): equal, as all sums are exact."""
    vector = np.random.default_rng(0).integers(-1, 2, len(left)).astype(float)
    desired = left.astype(float) @ (right.astype(float) @ vector)
    if not np.array_equal(np.asarray(product).astype(float) @ vector, desired):
        msg = f"{library} returned a wrong product of two {left.dtype} matrices."
        raise WrongValues(msg)


def _product_ceiling(
    multiply: Callable[[Any, Any], Callable[[], Any]],
    library: str,
    platform: str,
    dtype: str,
    threads: Threads,
    clock: Clock,
) -> Ceiling:
    """Multiply ever larger matrices until one product is a long reading."""
    size = _SMALLEST
    while True:
        left, right = _matrices(size, dtype)
        call = multiply(left, right)
        # more than one reading: an interruption would pass for a long product
        if size >= _LARGEST or least_ns(call, clock) >= LONG_NS:
            break
        size *= 2
    taken = timed(call, clock)
    _check_product(left, right, call(), library)
    return Ceiling(
        resource="flops",
        per_second=2 * size**3 * 1e9 / taken.ns,
        operation="matrix_product",
        library=library,
        platform=platform,
        dtype=dtype,
        threads=threads,
        level=None,
        working_set_bytes=3 * left.nbytes,
        cores_used=taken.cores,
        method=(
            f"Highest of some readings of the product of two {size} x {size} "
            f"matrices, 2 n^3 operations each."
        ),
    )


def flops(
    threads: Threads, dtype: str = "float64", clock: Clock = now_ns
) -> tuple[Ceiling, ...]:
    """Measure NumPy's matrix product, which is that of its BLAS.

    Raises
    ------
    WrongValues
        The product is wrong.
    """

    def multiply(left: Any, right: Any) -> Callable[[], Any]:
        out = np.empty_like(left)
        return lambda: np.matmul(left, right, out=out)

    return (_product_ceiling(multiply, "numpy", "cpu", dtype, threads, clock),)


def device_flops(
    platform: str,
    threads: Threads = "all",
    dtype: str = "float64",
    clock: Clock = now_ns,
) -> tuple[Ceiling, ...]:
    """Measure JAX's matrix product on the first device of a platform.

    In full precision: a GPU would multiply float32 in a shorter type by itself.

    Raises
    ------
    ImportError
        jax is not installed.
    ConfigError
        There is no such device.
    WrongValues
        The product is wrong.
    """
    jax, device = first_device(platform)
    product = jax.jit(lambda a, b: jax.numpy.matmul(a, b, precision="highest"))

    def multiply(left: Any, right: Any) -> Callable[[], Any]:
        placed = jax.block_until_ready(jax.device_put((left, right), device))
        return lambda: product(*placed).block_until_ready()

    return (_product_ceiling(multiply, "jax", platform, dtype, threads, clock),)
