"""The arctangent of two lengths in degrees, from arithmetic that a compiler vectorises.

XLA on a CPU calls a scalar function for every arctangent: of a million pixels these
take nine tenths of a q-map's time. NumPy has vectorised ones of its own, and keeps
them. Here the angle is folded into [0, 45] degrees, and from there into [-22.5, 22.5]
about 0 or 45, both in the one quotient that is needed anyway; what remains is a
polynomial.

The polynomials approximate ``arctan(u) / u`` in degrees over ``u**2`` from 0 to
``tan(22.5 deg)**2``. They interpolate at the Chebyshev points of that interval, solved
for in 60 digits and rounded once: within 4.3e-17 of the truth for double precision and
1.5e-8 for single, which is less than the rounding of the result. The tests make the
coefficients again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xpcs_bench.backends import BackendProtocol

__all__ = ["COEFFICIENTS", "arctan2_deg", "elevation_deg", "polar_angle_deg"]

COEFFICIENTS = {
    np.dtype(np.float64): (
        57.29577951308232,
        -19.098593171027318,
        11.459155902582598,
        -8.185111355308138,
        6.366197513863566,
        -5.208700191483161,
        4.407217332840082,
        -3.8175901801999004,
        3.3500144976369586,
        -2.8849012017922164,
        2.1752490202341077,
        -1.0201741124245647,
    ),
    np.dtype(np.float32): (
        57.29578,
        -19.098577,
        11.458115,
        -8.158651,
        6.056066,
        -3.4528186,
    ),
}
"""By type, from the lowest power of ``u**2`` to the highest."""

_TAN_22_5 = math.sqrt(2.0) - 1.0


def arctan2_deg(backend: BackendProtocol, y: Any, x: Any) -> Any:
    """Return the angle of the point (x, y) in degrees, in (-180, 180]; 0 at (0, 0).

    0, 45, 90, 135 and 180 degrees are exact. A compiled gradient is 0 at (0, 0) and
    right everywhere else, on the axes and diagonals too. A negative zero for ``y``
    counts as zero where this is compiled, and below zero for NumPy. Both must be far
    enough from the ends of the floating-point range to be added.
    """
    if not backend.supports_jit:
        return backend.rad2deg(backend.arctan2(y, x))
    where = backend.where
    # not abs, minimum and maximum, whose gradients are wrong where both sides are equal
    height, width = where(y < 0, -y, y), where(x < 0, -x, x)
    steep = height > width
    shorter, longer = where(steep, width, height), where(steep, height, width)
    somewhere = longer > 0
    shorter, longer = where(somewhere, shorter, 0.0), where(somewhere, longer, 1.0)
    angle = _octant_deg(backend, shorter, longer)
    angle = where(steep, 90.0 - angle, angle)
    angle = where(x < 0, 180.0 - angle, angle)
    return where(y < 0, -angle, angle)


def polar_angle_deg(backend: BackendProtocol, across: Any, along: Any, n: Any) -> Any:
    """Return the angle of the point (along, across) in degrees, given how far it is.

    ``across`` is not below 0; ``n`` is the distance of the point from the origin, and
    above ``-along``. It is twice the angle of (n + along, across), which needs less
    folding.
    """
    if not backend.supports_jit:
        return backend.rad2deg(backend.arctan2(across, along))
    return 2.0 * _octant_deg(backend, across, n + along)


def elevation_deg(backend: BackendProtocol, up: Any, along: Any, n: Any) -> Any:
    """Return the angle of the point (along, up) in [-90, 90] degrees, given n.

    ``along`` is not below 0, n is the distance from the origin and above 0.
    """
    if not backend.supports_jit:
        return backend.rad2deg(backend.arctan2(up, along))
    angle = polar_angle_deg(backend, backend.where(up < 0, -up, up), along, n)
    return backend.where(up < 0, -angle, angle)


def _octant_deg(backend: BackendProtocol, y: Any, x: Any) -> Any:
    """Return the angle of (x, y) for 0 <= y <= x and 0 < x."""
    far = y > _TAN_22_5 * x
    u = backend.where(far, y - x, y) / backend.where(far, y + x, x)
    z = u * u
    first, *others = reversed(COEFFICIENTS[np.dtype(u.dtype)])
    ratio = first
    for coefficient in others:
        ratio = ratio * z + coefficient
    return u * ratio + backend.where(far, 45.0, 0.0)
