"""The two-time correlation beside scikit-beam and beside one matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.backends import create_backend

__all__ = ["CONTESTS"]


def _params(frames: int, pixels: int) -> dict[str, Any]:
    return {
        "frames": frames,
        "pixels": pixels,
        "bins": 1,
        "counts": 0.5,
        "relaxation_frames": 100.0,
    }


def _flops(frames: int, pixels: int) -> float:
    """Half of a matrix product: C2 is symmetric."""
    return float(frames * (frames + 1) * pixels)


def _apart(actual: Any, desired: Any, rtol: float) -> str:
    """Say how far two C2 are apart, relative to the second; NaN is not near."""
    far = float(np.max(np.abs(np.asarray(actual) / np.asarray(desired) - 1.0)))
    if not far <= rtol:
        msg = f"C2 is {far:.2g} apart, more than {rtol:.2g}"
        raise ArithmeticError(msg)
    return f"C2 {far:.1e} relative"


def _beside_scikit_beam() -> Match:
    from skbeam.core.correlation import two_time_corr

    params = _params(256, 8000)
    call, _, host = cached_call("two_time", params)
    images = host["frames"].astype(np.float64)[:, None]
    labels = np.ones((1, params["pixels"]), np.int64)
    return Match(
        candidate=call,
        rival=lambda: two_time_corr(labels, images, 256, num_bufs=256, num_levels=1),
        flops=_flops(256, 8000),
        same=lambda ours, theirs: _apart(ours["c2"], theirs.g2, 2e-15),
    )


def _beside_one_product(
    frames: int, pixels: int, dtype: str, backend: str = "jax"
) -> Match:
    call, _, host = cached_call(
        "two_time", _params(frames, pixels), dtype=dtype, backend=backend
    )
    library = create_backend(backend)
    floats = library.device_put(host["frames"].astype(dtype))
    product = library.jit(lambda a: library.matmul(a, library.transpose(a)))
    total = host["frames"].sum(axis=1, dtype=np.float64)

    def same(ours: Any, products: Any) -> str:
        # normalised here in double precision, so that only the product is compared
        desired = np.asarray(products, np.float64) * pixels / (total[:, None] * total)
        return _apart(ours["c2"][0], desired, 8 * float(np.finfo(dtype).eps))

    return Match(
        candidate=call,
        rival=lambda: library.block_until_ready(product(floats)),
        flops=_flops(frames, pixels),
        single=dtype == "float32",
        same=same,
    )


def _beside_numpy(frames: int, pixels: int, dtype: str) -> Match:
    params = _params(frames, pixels)
    call, _, _ = cached_call("two_time", params, dtype=dtype)
    rival, _, _ = cached_call("two_time", params, dtype=dtype, backend="numpy")
    return Match(
        candidate=call,
        rival=rival,
        flops=_flops(frames, pixels),
        single=dtype == "float32",
        same=lambda ours, theirs: _apart(
            ours["c2"], theirs["c2"], 8 * float(np.finfo(dtype).eps)
        ),
    )


CONTESTS = (
    Contest(
        name="two-time-scikit-beam",
        candidate="JAX, float64, 256 frames x 8,000 pixels",
        rival="scikit-beam two_time_corr",
        prepare=_beside_scikit_beam,
        least_ratio=50.0,
        rounds=3,
    ),
    Contest(
        name="two-time-one-product-double",
        candidate="JAX, float64, 1000 frames x 8,000 pixels, from counts to g2",
        rival="one matrix product of that shape in JAX",
        prepare=lambda: _beside_one_product(1000, 8000, "float64"),
        least_ratio=0.5,
    ),
    Contest(
        name="two-time-one-product-single",
        candidate="JAX, float32, 1000 frames x 8,000 pixels, from counts to g2",
        rival="one matrix product of that shape in JAX",
        prepare=lambda: _beside_one_product(1000, 8000, "float32"),
        least_ratio=0.5,
    ),
    Contest(
        name="two-time-one-product-numpy",
        candidate="NumPy, float64, 1000 frames x 8,000 pixels, from counts to g2",
        rival="one product with its own transpose in NumPy (one triangle)",
        prepare=lambda: _beside_one_product(1000, 8000, "float64", "numpy"),
    ),
    Contest(
        name="two-time-numpy",
        candidate="JAX, float64, 1000 frames x 8,000 pixels",
        rival="the same kernel on NumPy",
        prepare=lambda: _beside_numpy(1000, 8000, "float64"),
    ),
    Contest(
        name="two-time-numpy-large",
        candidate="JAX, float32, 2000 frames x 15,000 pixels",
        rival="the same kernel on NumPy",
        prepare=lambda: _beside_numpy(2000, 15000, "float32"),
        rounds=5,
    ),
)
