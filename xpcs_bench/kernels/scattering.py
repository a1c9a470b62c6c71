"""From pixels to scattering vectors, written once against the backend protocol.

Lengths are in mm, angles in degrees, wave vectors in 1/angstrom. Two detector axes
with their origin in the direct beam, ``up`` (towards row 0, shape rows x 1) and
``right`` (towards the last column, shape 1 x columns), broadcast to the map; the
azimuth runs counter-clockwise from ``right`` as seen with row 0 on top. Here are the
axes, and the vector in transmission; that under grazing incidence is in
:mod:`~xpcs_bench.kernels.grazing`.

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
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.kernels.arctangent import arctan2_deg, polar_angle_deg

__all__ = [
    "CHORD_COEFFICIENTS",
    "HC_KEV_ANGSTROM",
    "NEAR",
    "Beam",
    "Maps",
    "beam_vector",
    "detector_axes",
    "largest_tth_rad",
    "magnitude",
    "root",
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


def root(backend: BackendProtocol, x: Any) -> Any:
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
            "q": per_mm * root(backend, r2),
            "qx": per_mm * right,
            "qy": per_mm * up,
        }
    if not angles:
        return vector
    around = {
        "phi": arctan2_deg(backend, up, right),
        "tth": polar_angle_deg(backend, root(backend, r2), distance, n),
    }
    return {"q": vector["q"], **around, **vector}


def magnitude(backend: BackendProtocol, beam: Beam, up: Any, right: Any) -> Any:
    """Return |Q| alone, for axes or for single pixels."""
    r2 = up * up + right * right
    n = backend.sqrt(r2 + beam.distance_mm * beam.distance_mm)
    return root(backend, _chord_squared(beam, n) * r2)


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
    r, n = root(backend, r2), backend.sqrt(r2 + distance * distance)
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
    q = root(backend, chord_squared * r2)
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
        q = per_mm * root(backend, r2)
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
