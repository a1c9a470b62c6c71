"""The scattering vector under grazing incidence, in the frame of the sample.

The axes of the detector (:mod:`~xpcs_bench.kernels.scattering`), turned by the
orientation, point along the sample's ``normal`` and ``across`` the plane of incidence.
Formulations and units are as there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.config import Orientation
from xpcs_bench.kernels import twofold
from xpcs_bench.kernels.arctangent import arctan2_deg, elevation_deg
from xpcs_bench.kernels.scattering import Beam, Maps, root
from xpcs_bench.kernels.twofold import Twofold

__all__ = [
    "exact_axes",
    "flat_reflection",
    "flat_reflection_trigonometric",
    "reflection",
    "reflection_trigonometric",
    "sample_axes",
]


def exact_axes(
    backend: BackendProtocol, beam: Beam, shape: tuple[int, int], dtype: Any
) -> tuple[Twofold, Twofold]:
    """Return the same axes with twice the digits; the high parts are the same."""
    rows, cols = shape
    axes = []
    for first, second in (
        (beam.centre_row, backend.arange(rows, dtype=dtype)),
        (backend.arange(cols, dtype=dtype), beam.centre_col),
    ):
        pixels = twofold.difference(first, second)
        length = twofold.product(backend, pixels.high, beam.pixel_mm)
        low = length.low + pixels.low * beam.pixel_mm
        axes.append(Twofold(length.high, low))
    up, right = axes
    return (
        Twofold(*(backend.reshape(part, (rows, 1)) for part in up)),
        Twofold(*(backend.reshape(part, (1, cols)) for part in right)),
    )


def sample_axes(up: Any, right: Any, orientation: Orientation) -> tuple[Any, Any]:
    """Turn the detector axes: ``normal`` points to the edge of the orientation."""
    match orientation:
        case "north":
            return up, right
        case "east":
            return right, -up
        case "south":
            return -up, -right
        case "west":
            return -right, up


def reflection(
    backend: BackendProtocol,
    beam: Beam,
    up: Twofold,
    right: Twofold,
    orientation: Orientation,
    *,
    angles: bool = True,
) -> Maps:
    """Map the scattering vector in the frame of a sample under grazing incidence.

    The outgoing wave vector ``k (D, across, normal) / n`` is turned by the incidence
    angle into the sample's frame (x along the surface, z along its normal) and the
    incoming one subtracted. alpha_f is the exit angle above the surface, tth the one
    within it, counted from the plane of incidence; refraction is not included.

    With ``D / n - 1 = -r2 / (n (n + D))``, written S / n, both parts in the plane of
    incidence are sums of two terms, ``qx = k (s N - c S) / n`` and ``qz = k (c N + s
    S) / n``, N being ``normal``. On each side of the direct beam one of them cancels,
    along a curve where it is zero. That one is multiplied by its conjugate::

        (s N - c S) (s N + c (n + D)) = X - c**2 across**2
        (c N + s S) (s (n + D) - c N) = X + s**2 across**2
        X = N (s (c D + s N) - c (c N - s D))

    What cancels then belongs to a row and to a column: it is taken with twice the
    digits, and all parts are right to a few ULP where they are nearly zero too.
    """
    k, distance = beam.wave_number, beam.distance_mm
    normal, across = map(
        Twofold,
        *(
            sample_axes(a, b, orientation)
            for a, b in ((up.high, right.high), (up.low, right.low))
        ),
    )
    r2 = up.high * up.high + right.high * right.high
    n = backend.sqrt(r2 + distance * distance)
    k_per_mm = k / n
    past = n + distance
    shortfall = r2 / past
    """How much further than the detector's plane the pixel is: n - D."""
    view = _look_along(backend, beam, normal, across)
    sine, cosine, above = view.sine, view.cosine, normal.high >= 0
    squares = (
        backend.where(above, -minus, plus)
        for minus, plus in zip(view.cosine_across_2, view.sine_across_2, strict=True)
    )
    high, low = squares
    kept = (view.product.high + high) + (view.product.low + low)
    conjugate = (
        backend.where(above, cosine, sine) * past
        + backend.where(above, sine, -cosine) * normal.high
    )
    folded = kept / conjugate
    added = (
        backend.where(above, cosine, sine) * normal.high
        + backend.where(above, sine, -cosine) * shortfall
    )
    qx = k_per_mm * backend.where(above, folded, added)
    qy = k_per_mm * across.high
    vector = {
        "q": root(backend, 2.0 * k * (k_per_mm * shortfall)),
        "qx": qx,
        "qy": qy,
        "qz": k_per_mm * backend.where(above, added, folded),
        "qr": root(backend, qx * qx + qy * qy),
    }
    if not angles:
        return vector
    level, along = view.level, view.along
    in_surface = root(backend, across.high * across.high + along * along)
    around = {
        "phi": arctan2_deg(backend, up.high, right.high),
        "tth": arctan2_deg(backend, across.high, along),
        "alpha_f": elevation_deg(backend, level, in_surface, n),
    }
    return {"q": vector["q"], **around, **vector}


class _View(NamedTuple):
    """What of a detector seen from a sample's surface belongs to rows and columns."""

    sine: Any
    cosine: Any
    """Of the incidence angle."""
    level: Any
    """Height above the plane of the surface (mm)."""
    along: Any
    """Distance along the surface, in the plane of incidence (mm)."""
    product: Twofold
    """X of :func:`reflection` (mm**2)."""
    sine_across_2: Twofold
    cosine_across_2: Twofold
    """Squares of ``across`` times those of sine and cosine (mm**2)."""


def _look_along(
    backend: BackendProtocol, beam: Beam, normal: Twofold, across: Twofold
) -> _View:
    def times(x: Twofold, y: Twofold) -> Twofold:
        return twofold.multiply(backend, x, y)

    def minus(x: Twofold, y: Twofold) -> Twofold:
        return twofold.add(x, twofold.scaled(y, -1.0))

    distance = Twofold(beam.distance_mm, 0.0 * beam.distance_mm)
    sine, cosine = twofold.sine_and_cosine(backend, beam.incidence_rad)
    level = minus(times(cosine, normal), times(sine, distance))
    along = twofold.add(times(cosine, distance), times(sine, normal))
    across_2 = times(across, across)
    sine_across_2 = times(times(sine, sine), across_2)
    return _View(
        sine.high,
        cosine.high,
        level.high,
        along.high,
        times(normal, minus(times(sine, along), times(cosine, level))),
        sine_across_2,
        minus(across_2, sine_across_2),
    )


def reflection_trigonometric(
    backend: BackendProtocol,
    beam: Beam,
    up: Any,
    right: Any,
    orientation: Orientation,
    *,
    angles: bool = True,
) -> Maps:
    """Map the same by way of the exit angles; differences of cosines lose digits."""
    k, distance = beam.wave_number, beam.distance_mm
    alpha_i = beam.incidence_rad
    sine, cosine = backend.sin(alpha_i), backend.cos(alpha_i)
    normal, across = sample_axes(up, right, orientation)
    r = backend.hypot(normal, across)
    n = backend.hypot(r, distance)
    alpha_f = backend.arcsin((cosine * normal - sine * distance) / n)
    tth = backend.arctan2(across, cosine * distance + sine * normal)
    q = 2.0 * k * backend.sin(backend.arctan(r / distance) / 2.0)
    vector = _from_angles(backend, k, alpha_i, alpha_f, tth)
    if not angles:
        return {"q": q, **vector}
    return {"q": q, **_around(backend, up, right, tth, alpha_f), **vector}


def flat_reflection(
    backend: BackendProtocol,
    beam: Beam,
    up: Any,
    right: Any,
    orientation: Orientation,
    *,
    angles: bool = True,
) -> Maps:
    """Map the scattering vector with exit angles taken along each axis alone.

    The flat convention, ``alpha_f = atan(normal / D) - alpha_i`` and ``tth =
    atan(across / D)``, is off by up to some per cent at wide angles and is not |Q|.
    Its angles belong to rows and columns, so that trigonometric functions are taken
    of these alone, and differences of them become products.
    """
    k, alpha_i = beam.wave_number, beam.incidence_rad
    normal, across = sample_axes(up, right, orientation)
    delta = backend.arctan(normal / beam.distance_mm)
    tth = backend.arctan(across / beam.distance_mm)
    alpha_f = delta - alpha_i
    half_sine = backend.sin(delta / 2.0)
    qx = (-2.0 * k) * (
        backend.cos(alpha_f) * backend.square(backend.sin(tth / 2.0))
        + half_sine * backend.sin(delta / 2.0 - alpha_i)
    )
    qy = (k * backend.cos(alpha_f)) * backend.sin(tth)
    everywhere = backend.zeros_like(qx)
    qz = 2.0 * k * half_sine * backend.cos(delta / 2.0 - alpha_i) + everywhere
    qr2 = qx * qx + qy * qy
    vector = {
        "q": root(backend, qr2 + qz * qz),
        "qx": qx,
        "qy": qy,
        "qz": qz,
        "qr": root(backend, qr2),
    }
    if not angles:
        return vector
    around = {
        "phi": arctan2_deg(backend, up, right),
        "tth": backend.rad2deg(tth) + everywhere,
        "alpha_f": backend.rad2deg(alpha_f) + everywhere,
    }
    return {"q": vector["q"], **around, **vector}


def flat_reflection_trigonometric(
    backend: BackendProtocol,
    beam: Beam,
    up: Any,
    right: Any,
    orientation: Orientation,
    *,
    angles: bool = True,
) -> Maps:
    """Map the same with every function taken of every pixel."""
    k, alpha_i = beam.wave_number, beam.incidence_rad
    normal, across = sample_axes(up, right, orientation)
    everywhere = backend.zeros_like(normal + across)
    alpha_f = backend.arctan((normal + everywhere) / beam.distance_mm) - alpha_i
    tth = backend.arctan((across + everywhere) / beam.distance_mm)
    vector = _from_angles(backend, k, alpha_i, alpha_f, tth)
    q = backend.hypot(vector["qr"], vector["qz"])
    if not angles:
        return {"q": q, **vector}
    return {"q": q, **_around(backend, up, right, tth, alpha_f), **vector}


def _around(
    backend: BackendProtocol, up: Any, right: Any, tth: Any, alpha_f: Any
) -> Maps:
    return {
        "phi": backend.rad2deg(backend.arctan2(up, right)),
        "tth": backend.rad2deg(tth),
        "alpha_f": backend.rad2deg(alpha_f),
    }


def _from_angles(
    backend: BackendProtocol, k: Any, alpha_i: Any, alpha_f: Any, tth: Any
) -> Maps:
    cos_f = backend.cos(alpha_f)
    qx = k * (cos_f * backend.cos(tth) - backend.cos(alpha_i))
    qy = k * cos_f * backend.sin(tth)
    qz = k * (backend.sin(alpha_i) + backend.sin(alpha_f))
    return {"qx": qx, "qy": qy, "qz": qz, "qr": backend.hypot(qx, qy)}
