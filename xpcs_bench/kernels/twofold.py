"""Numbers as sums of two floats, which have twice the digits of one.

For the few places where two numbers that are nearly equal are subtracted: there the
digits that one float has are not enough. Sums after O. Moeller (BIT 5, 37, 1965) and
D. E. Knuth, products after T. J. Dekker (Numer. Math. 18, 224, 1971). Written against
the backend protocol, differentiable, for arrays and scalars of any floating-point type.

A compiler may form ``a * b + c`` with the product unrounded, which these algorithms do
not survive: XLA lets LLVM do so. Every product that is not exact is therefore put
behind a choice that a compiler cannot see through.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from xpcs_bench.backends import BackendProtocol

__all__ = [
    "Twofold",
    "add",
    "difference",
    "multiply",
    "product",
    "scaled",
    "sine_and_cosine",
]

_TERMS = 19
"""Of the series of sine and cosine up to pi / 2: the next one is below 1e-36."""


class Twofold(NamedTuple):
    """The sum of both; ``low`` is at most half a unit in the last place of ``high``."""

    high: Any
    low: Any


def difference(a: Any, b: Any) -> Twofold:
    """Return ``a - b`` without any error; neither may be a product (see above)."""
    high = a - b
    shadow = high - a
    return Twofold(high, (a - (high - shadow)) - (b + shadow))


def product(backend: BackendProtocol, a: Any, b: Any) -> Twofold:
    """Return ``a * b`` without any error.

    The products of halves are exact, so that it does not matter what a compiler does
    with them.
    """
    high = _rounded(backend, a * b)
    (a_high, a_low), (b_high, b_low) = _halves(backend, a), _halves(backend, b)
    low = (a_high * b_high - high) + a_high * b_low + a_low * b_high
    return Twofold(high, low + a_low * b_low)


def add(x: Twofold, y: Twofold) -> Twofold:
    """Return the sum, right to a few units in the last place of the terms' ``low``."""
    high = x.high + y.high
    shadow = high - x.high
    low = (x.high - (high - shadow)) + (y.high - shadow)
    return _renewed(high, low + (x.low + y.low))


def multiply(backend: BackendProtocol, x: Twofold, y: Twofold) -> Twofold:
    """Return the product, right to a few units in the last place of its ``low``."""
    exact = product(backend, x.high, y.high)
    return _renewed(exact.high, exact.low + (x.high * y.low + x.low * y.high))


def scaled(x: Twofold, factor: float) -> Twofold:
    """Return the product with a power of two, its sign included: nothing is rounded."""
    return Twofold(x.high * factor, x.low * factor)


def sine_and_cosine(backend: BackendProtocol, x: Any) -> tuple[Twofold, Twofold]:
    """Return both of a scalar in [0, pi / 2] (radians), right to 1e-31.

    By their series, the sine's also relative to itself. Unrolled, it would take a
    compiler longer than the rest of a q-map; it is a loop over the terms.
    """
    dtype, zero = x.dtype, 0.0 * x
    whole = Twofold(x, zero)
    negative_square = multiply(backend, whole, scaled(whole, -1.0))
    # sin(x) / x and cos(x) side by side, from the last term to the first
    terms = [
        [_inverse_factorial(2 * i + odd, dtype) for odd in (1, 0)]
        for i in reversed(range(_TERMS))
    ]
    high, low = np.moveaxis(np.array(terms, dtype), -1, 0)

    def add_term(total: Any, term: Any) -> tuple[Any, None]:
        grown = multiply(backend, Twofold(*total), negative_square)
        return tuple(add(Twofold(*term), grown)), None

    total, _ = backend.scan(
        add_term,
        (high[0] + zero, low[0] + zero),
        (backend.array(high[1:]), backend.array(low[1:])),
    )
    ratio, cosine = (Twofold(total[0][i], total[1][i]) for i in (0, 1))
    return multiply(backend, whole, ratio), cosine


def _renewed(high: Any, low: Any) -> Twofold:
    """Move what has grown too large for ``low`` to ``high``."""
    total = high + low
    return Twofold(total, low - (total - high))


def _halves(backend: BackendProtocol, x: Any) -> Twofold:
    """Cut the digits of x in two, so that products of halves are exact."""
    digits = np.finfo(x.dtype).nmant + 1
    shifted = _rounded(backend, x * (2.0 ** ((digits + 1) // 2) + 1.0))
    high = shifted - (shifted - x)
    return Twofold(high, x - high)


def _rounded(backend: BackendProtocol, product: Any) -> Any:
    """Keep a compiler from adding to the product before it is rounded."""
    if not backend.supports_jit:
        return product
    return backend.where(backend.isnan(product), math.nan, product)


def _inverse_factorial(n: int, dtype: Any) -> tuple[float, float]:
    """Return 1 / n! as two numbers of the type."""
    exact = Fraction(1, math.factorial(n))
    high = float(np.dtype(dtype).type(float(exact)))
    return high, float(exact - Fraction(high))
