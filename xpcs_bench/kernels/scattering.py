"""From pixels to scattering vectors, written once against the backend protocol.

Lengths are in mm, angles in degrees, wave vectors in 1/angstrom. Two detector axes
with their origin in the direct beam, ``up`` (towards row 0, shape rows x 1) and
``right`` (towards the last column, shape 1 x columns), broadcast to the map; the
azimuth runs counter-clockwise from ``right`` as seen with row 0 on top. Under grazing
incidence the same two axes, turned by the orientation, point along the sample's
``normal`` and ``across`` the plane of incidence.

Each formula comes in two formulations. The *algebraic* one gets scattering vectors
without any trigonometric function of a pixel and without subtracting nearly equal
numbers, so that it is exact to a few ULP in single precision too; its gradients are
finite everywhere, the direct beam included. The *trigonometric* one goes by way of
the angles, as XPCS programs do.

All give the scattering vector, and the angles where these are wanted.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.config import Detector, Geometry, Orientation
from xpcs_bench.kernels import twofold
from xpcs_bench.kernels.arctangent import arctan2_deg, elevation_deg, polar_angle_deg
from xpcs_bench.kernels.twofold import Twofold

__all__ = [
    "CHORD_COEFFICIENTS",
    "HC_KEV_ANGSTROM",
    "NEAR",
    "Beam",
    "beam_vector",
    "detector_axes",
    "exact_axes",
    "flat_reflection",
    "flat_reflection_trigonometric",
    "largest_tth_rad",
    "magnitude",
    "reflection",
    "reflection_trigonometric",
    "sample_axes",
    "slopes_of_magnitude",
    "transmission",
    "transmission_trigonometric",
]

HC_KEV_ANGSTROM = 12.398419843320026
"""Planck constant times speed of light, exact in the SI, to double precision."""

NEAR = 1 / 16
"""Up to which ``(r / D)**2`` the coefficients hold; 2 theta is 14 degrees there."""

CHORD_COEFFICIENTS = {
    np.dtype(np.float64): (
        1.0,
        -0.37499999999998196,
        0.24218749999229253,
        -0.1826171862295486,
        0.14828480698332144,
        -0.1257465934556404,
        0.10959359417855546,
        -0.09550872778816412,
        0.06866645008359072,
    ),
    np.dtype(np.float32): (
        1.0,
        -0.37499982,
        0.24216637,
        -0.18165846,
        0.13025549,
    ),
}
"""By type, of ``sqrt(2 / (w (w + 1)))`` with ``w = sqrt(1 + (r / D)**2)``, from the
lowest power of ``(r / D)**2`` to the highest. They interpolate at the Chebyshev points
up to `NEAR`, solved for in 60 digits and rounded once; the tests make them again."""

Convention = Literal["exact", "k_sin_2theta"]
Maps = dict[str, Any]


class Beam(NamedTuple):
    """The numbers that place detector and beam; scalars of a backend, or floats.

    They are arguments of a compiled function, never part of it: one executable serves
    every geometry of a kind, and can be differentiated with respect to them.
    """

    wave_number: Any
    """2 pi / wavelength (1/angstrom)."""
    distance_mm: Any
    pixel_mm: Any
    centre_row: Any
    """Row of the direct beam; whole numbers are the middle of a pixel."""
    centre_col: Any
    incidence_rad: Any
    """Angle between beam and sample surface; 0 in transmission (radians)."""

    @classmethod
    def from_vector(cls, vector: Any) -> Beam:
        """Take the numbers from the vector that :func:`beam_vector` made."""
        return cls(*(vector[i] for i in range(len(cls._fields))))


def beam_vector(detector: Detector, geometry: Geometry, dtype: Any) -> NDArray[Any]:
    """Put beam and detector into one vector in the order of :class:`Beam`."""
    rows, cols = detector.shape
    row, col = geometry.beam_centre_px or ((rows - 1) / 2, (cols - 1) / 2)
    beam = Beam(
        wave_number=2 * math.pi * geometry.energy_kev / HC_KEV_ANGSTROM,
        distance_mm=geometry.distance_mm,
        pixel_mm=detector.pixel_size_um / 1000,
        centre_row=row,
        centre_col=col,
        incidence_rad=math.radians(geometry.incidence_deg or 0.0),
    )
    return np.array(beam, dtype)


def largest_tth_rad(shape: tuple[int, int], beam: Beam) -> float:
    """Return the scattering angle of the corner that is furthest from the beam."""
    rows, cols = shape
    reach = beam.pixel_mm * math.hypot(
        max(abs(beam.centre_row), abs(rows - 1 - beam.centre_row)),
        max(abs(beam.centre_col), abs(cols - 1 - beam.centre_col)),
    )
    return math.atan2(reach, beam.distance_mm)


def detector_axes(
    backend: BackendProtocol, beam: Beam, shape: tuple[int, int], dtype: Any
) -> tuple[Any, Any]:
    """Return ``up`` (rows, 1) and ``right`` (1, columns) of all pixel centres (mm)."""
    rows, cols = shape
    # centre - row rather than -(row - centre): no -0.0 there, so that the azimuth of
    # the row of the beam is +180 on its left and never -180
    up = (beam.centre_row - backend.arange(rows, dtype=dtype)) * beam.pixel_mm
    right = (backend.arange(cols, dtype=dtype) - beam.centre_col) * beam.pixel_mm
    return backend.reshape(up, (rows, 1)), backend.reshape(right, (1, cols))


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


def _root(backend: BackendProtocol, x: Any) -> Any:
    """Return the square root, with the gradient 0 instead of infinity at 0."""
    if not backend.supports_grad:
        return backend.sqrt(x)
    positive = x > 0
    return backend.where(positive, backend.sqrt(backend.where(positive, x, 1.0)), 0.0)


def transmission(
    backend: BackendProtocol,
    beam: Beam,
    up: Any,
    right: Any,
    convention: Convention,
    *,
    angles: bool = True,
) -> Maps:
    """Map q, phi, tth, qx, qy of a detector normal to the beam.

    With n the distance of a pixel from the sample and r that from the beam,
    ``|Q| = 2 k sin(theta) = k r sqrt(2 / (n (n + D)))``, and ``k sin(2 theta) =
    k r / n``. qx and qy resolve q along the azimuth, so that ``hypot(qx, qy) = q``.
    """
    k, distance = beam.wave_number, beam.distance_mm
    if not angles and convention == "exact" and backend.supports_jit:
        return _near_or_far(backend, beam, up, right)
    r2 = up * up + right * right
    n = backend.sqrt(r2 + distance * distance)
    if convention == "exact":
        vector = _along_chord(backend, up, right, r2, _chord_squared(beam, n))
    else:
        per_mm = k / n
        vector = {
            "q": per_mm * _root(backend, r2),
            "qx": per_mm * right,
            "qy": per_mm * up,
        }
    if not angles:
        return vector
    around = {
        "phi": arctan2_deg(backend, up, right),
        "tth": polar_angle_deg(backend, _root(backend, r2), distance, n),
    }
    return {"q": vector["q"], **around, **vector}


def magnitude(backend: BackendProtocol, beam: Beam, up: Any, right: Any) -> Any:
    """Return |Q| alone, for axes or for single pixels."""
    r2 = up * up + right * right
    n = backend.sqrt(r2 + beam.distance_mm * beam.distance_mm)
    return _root(backend, _chord_squared(beam, n) * r2)


def slopes_of_magnitude(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any
) -> tuple[Any, Any, Any]:
    """Return how |Q| changes with distance (mm), centre row and column (pixels).

    For backends without gradients: from ``q = c r`` and ``c**2 = 2 k**2 / (n (n + D))``
    follow ``dq/dD = -k**2 r / (n**3 c)`` and ``dq/dr = k**2 D / (n**3 c)``. In the
    direct beam, where q has a tip, all are 0.
    """
    k, distance = beam.wave_number, beam.distance_mm
    r2 = up * up + right * right
    r, n = _root(backend, r2), backend.sqrt(r2 + distance * distance)
    common = k * k / (n * n * n * backend.sqrt(_chord_squared(beam, n)))
    per_pixel = common * distance * beam.pixel_mm / backend.where(r > 0, r, 1.0)
    return -common * r, per_pixel * up, -per_pixel * right


def _chord_squared(beam: Beam, n: Any) -> Any:
    """Return the square of q per mm on the detector (1/angstrom**2/mm**2)."""
    k = beam.wave_number
    return (2.0 * k * k) / (n * (n + beam.distance_mm))


def _along_chord(
    backend: BackendProtocol, up: Any, right: Any, r2: Any, chord_squared: Any
) -> Maps:
    per_mm = backend.sqrt(chord_squared)
    # half the relative error of what is under a root is that of the root
    q = _root(backend, chord_squared * r2)
    return {"q": q, "qx": per_mm * right, "qy": per_mm * up}


def _near_or_far(backend: BackendProtocol, beam: Beam, up: Any, right: Any) -> Maps:
    """Map the vector alone, which is then nearly all roots and quotients.

    Where all pixels are near the beam q per mm is a polynomial of ``(r / D)**2``. Of
    1024 x 1024 pixels compiled for a CPU that takes as long as writing the maps does,
    and two thirds of what the roots and quotients take. NumPy would be slower, by one
    pass through the memory for each term. What goes into the choice are the axes: a map
    would have to be written first.
    """
    k, distance = beam.wave_number, beam.distance_mm
    furthest = backend.max(up * up) + backend.max(right * right)

    def near(up: Any, right: Any) -> Maps:
        r2 = up * up + right * right
        coefficients = CHORD_COEFFICIENTS[np.dtype(r2.dtype)]
        squared = r2 * (1.0 / (distance * distance))
        ratio, *others = reversed(coefficients)
        for coefficient in others:
            ratio = ratio * squared + coefficient
        per_mm = (k / distance) * ratio
        q = per_mm * _root(backend, r2)
        return {"q": q, "qx": per_mm * right, "qy": per_mm * up}

    def far(up: Any, right: Any) -> Maps:
        r2 = up * up + right * right
        n = backend.sqrt(r2 + distance * distance)
        return _along_chord(backend, up, right, r2, _chord_squared(beam, n))

    is_near = furthest < NEAR * distance * distance
    found = backend.cond(is_near, near, far, up, right)
    return {name: found[name] for name in ("q", "qx", "qy")}


def transmission_trigonometric(
    backend: BackendProtocol,
    beam: Beam,
    up: Any,
    right: Any,
    convention: Convention,
    *,
    angles: bool = True,
) -> Maps:
    """Map the same by way of the angles; gradients in the direct beam are undefined."""
    tth = backend.arctan(backend.hypot(up, right) / beam.distance_mm)
    if convention == "exact":
        q = 2.0 * beam.wave_number * backend.sin(tth / 2.0)
    else:
        q = beam.wave_number * backend.sin(tth)
    phi = backend.arctan2(up, right)
    vector = {"q": q, "qx": q * backend.cos(phi), "qy": q * backend.sin(phi)}
    if not angles:
        return vector
    around = {"phi": backend.rad2deg(phi), "tth": backend.rad2deg(tth)}
    return {"q": q, **around, **vector}


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
        "q": _root(backend, 2.0 * k * (k_per_mm * shortfall)),
        "qx": qx,
        "qy": qy,
        "qz": k_per_mm * backend.where(above, added, folded),
        "qr": _root(backend, qx * qx + qy * qy),
    }
    if not angles:
        return vector
    level, along = view.level, view.along
    in_surface = _root(backend, across.high * across.high + along * along)
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
    around = {
        "phi": backend.rad2deg(backend.arctan2(up, right)),
        "tth": backend.rad2deg(tth),
        "alpha_f": backend.rad2deg(alpha_f),
    }
    return {"q": q, **around, **vector}


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
        "q": _root(backend, qr2 + qz * qz),
        "qx": qx,
        "qy": qy,
        "qz": qz,
        "qr": _root(backend, qr2),
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
    around = {
        "phi": backend.rad2deg(backend.arctan2(up, right)),
        "tth": backend.rad2deg(tth),
        "alpha_f": backend.rad2deg(alpha_f),
    }
    return {"q": q, **around, **vector}


def _from_angles(
    backend: BackendProtocol, k: Any, alpha_i: Any, alpha_f: Any, tth: Any
) -> Maps:
    cos_f = backend.cos(alpha_f)
    qx = k * (cos_f * backend.cos(tth) - backend.cos(alpha_i))
    qy = k * cos_f * backend.sin(tth)
    qz = k * (backend.sin(alpha_i) + backend.sin(alpha_f))
    return {"qx": qx, "qy": qy, "qz": qz, "qr": backend.hypot(qx, qy)}
