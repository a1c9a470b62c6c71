"""Values on which array libraries part ways, in named classes.

Every class of one dtype has the same number of elements, so that JAX compiles a method
once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALL",
    "FLOATS",
    "INTEGERS",
    "N_VALUES",
    "PRINCIPAL",
    "REALS",
    "classes",
    "filled",
    "oddly_shaped",
    "special_pairs",
]

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
REALS = (*INTEGERS, *FLOATS)
ALL = ("bool", *REALS)
PRINCIPAL = ("int64", *FLOATS)
"""Types that are also probed in odd shapes: no library looks at shape and width at
once, and JAX compiles for every pair of them."""

N_VALUES = 64
"""Elements of a class; a square, because reductions look at it as a matrix."""

_SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5)


def filled(values: Sequence[Any] | NDArray[Any], dtype: str) -> NDArray[Any]:
    """Repeat values until there are enough of them."""
    # a huge value may be infinite in a narrower type, which is a hard input as well
    with np.errstate(over="ignore"):
        return np.resize(np.asarray(values).astype(dtype), N_VALUES)


def classes(dtype: str) -> dict[str, NDArray[Any]]:
    """Return the hard values of a dtype by class, `N_VALUES` of each."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return {"ordinary": filled([True, False, False], dtype)}
    if kind in "iu":
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        first = 0 if kind == "u" else -N_VALUES // 2
        return {
            "ordinary": np.arange(first, first + N_VALUES).astype(dtype),
            "extreme": filled([least, least + 1, 0, 1, most - 1, most], dtype),
            "ties": filled([3, 1, 2, 1, 3], dtype),
        }
    return _float_classes(dtype)


def _float_classes(dtype: str) -> dict[str, NDArray[Any]]:
    info = np.finfo(dtype)
    tiny, most = float(info.tiny), float(info.max)
    least = float(info.smallest_subnormal)
    lowest, highest = np.log10(tiny) + 1, np.log10(most) - 1
    rng = np.random.default_rng(2014)
    signs = rng.choice([-1.0, 1.0], N_VALUES)
    wide = 10 ** rng.uniform(lowest, highest, N_VALUES)
    normal = tiny * np.array([1.0, 1.5, 2.0, 3.0, 8.0, 1000.0])
    subnormal = [least, 3 * least, tiny / 1024, tiny / 2, tiny - least]
    return {
        "ordinary": (signs * 10 ** rng.uniform(-3, 3, N_VALUES)).astype(dtype),
        "unit": rng.uniform(-1, 1, N_VALUES).astype(dtype),
        "positive": (10 ** rng.uniform(-3, 3, N_VALUES)).astype(dtype),
        "wide": (signs * wide).astype(dtype),
        "ties": ((np.arange(N_VALUES) - N_VALUES // 2) / 2).astype(dtype),
        "signed zero": filled([0.0, -0.0, -0.0], dtype),
        "huge": filled([most, -most / 2, most / 3, -most], dtype),
        "tiny": filled([*normal, *-normal], dtype),
        "denormal": filled([*subnormal, *(-x for x in subnormal)], dtype),
        "not finite": filled([1.0, np.nan, np.inf, -np.inf, -2.0], dtype),
    }


def oddly_shaped(dtype: str) -> dict[str, NDArray[Any]]:
    """Return harmless values in shapes that are not: none, one, not contiguous.

    Of `PRINCIPAL` types alone.
    """
    if dtype not in PRINCIPAL:
        return {}
    one = np.array(0.75 if dtype in FLOATS else 1, dtype)
    sparse = np.resize(classes(dtype)["ordinary"], 2 * N_VALUES).reshape(8, 16)
    return {
        "0-d": one,
        "empty": np.empty((2, 0), dtype),
        "not contiguous": sparse[:, ::2].T,
    }


def special_pairs(dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Every special value of a float type beside every other."""
    x, y = np.meshgrid(np.array(_SPECIAL, dtype), np.array(_SPECIAL, dtype))
    return x.ravel(), y.ravel()
