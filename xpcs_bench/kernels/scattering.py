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
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.config import Detector, Geometry, Orientation

__all__ = [
    "HC_KEV_ANGSTROM",
    "Beam",
    "beam_vector",
    "detector_axes",
    "flat_reflection",
    "flat_reflection_trigonometric",
    "reflection",
    "reflection_trigonometric",
    "sample_axes",
    "transmission",
    "transmission_trigonometric",
]

HC_KEV_ANGSTROM = 12.398419843320026
"""Planck constant times speed of light, exact in the SI, to double precision."""

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


def _azimuth(backend: BackendProtocol, up: Any, right: Any, r2: Any) -> Any:
    """Return the azimuth in (-180, 180]; in the direct beam it is 0, gradient too."""
    if backend.supports_grad:
        right = backend.where(r2 > 0, right, 1.0)
    return backend.rad2deg(backend.arctan2(up, right))


def transmission(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, convention: Convention
) -> Maps:
    """Map q, phi, tth, qx, qy of a detector normal to the beam.

    With n the distance of a pixel from the sample and r that from the beam,
    ``|Q| = 2 k sin(theta) = k r sqrt(2 / (n (n + D)))``, and ``k sin(2 theta) =
    k r / n``. qx and qy resolve q along the azimuth, so that ``hypot(qx, qy) = q``.
    """
    k, distance = beam.wave_number, beam.distance_mm
    r2 = up * up + right * right
    n = backend.sqrt(r2 + distance * distance)
    if convention == "exact":
        q_per_mm = k * backend.sqrt(2.0 / (n * (n + distance)))
    else:
        q_per_mm = k / n
    del n
    r = _root(backend, r2)
    return {
        "q": q_per_mm * r,
        "phi": _azimuth(backend, up, right, r2),
        "tth": backend.rad2deg(backend.arctan2(r, distance)),
        "qx": q_per_mm * right,
        "qy": q_per_mm * up,
    }


def transmission_trigonometric(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, convention: Convention
) -> Maps:
    """Map the same by way of the angles; gradients in the direct beam are undefined."""
    tth = backend.arctan(backend.hypot(up, right) / beam.distance_mm)
    if convention == "exact":
        q = 2.0 * beam.wave_number * backend.sin(tth / 2.0)
    else:
        q = beam.wave_number * backend.sin(tth)
    phi = backend.arctan2(up, right)
    return {
        "q": q,
        "phi": backend.rad2deg(phi),
        "tth": backend.rad2deg(tth),
        "qx": q * backend.cos(phi),
        "qy": q * backend.sin(phi),
    }


def reflection(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, orientation: Orientation
) -> Maps:
    """Map the scattering vector in the frame of a sample under grazing incidence.

    The outgoing wave vector ``k (D, across, normal) / n`` is turned by the incidence
    angle into the sample's frame (x along the surface, z along its normal) and the
    incoming one subtracted. ``D / n - 1`` is written ``-r2 / (n (n + D))``, so that
    nothing cancels but what is zero. alpha_f is the exit angle above the surface, tth
    the one within it, counted from the plane of incidence; refraction is not included.
    """
    k, distance = beam.wave_number, beam.distance_mm
    sine, cosine = backend.sin(beam.incidence_rad), backend.cos(beam.incidence_rad)
    normal, across = sample_axes(up, right, orientation)
    r2 = normal * normal + across * across
    n = backend.sqrt(r2 + distance * distance)
    k_per_mm = k / n
    shortfall = r2 / (n + distance)
    """How much further than the detector's plane the pixel is: n - D."""
    qx = k_per_mm * (sine * normal - cosine * shortfall)
    qy = k_per_mm * across
    return {
        "q": _root(backend, 2.0 * k * (k_per_mm * shortfall)),
        "phi": _azimuth(backend, up, right, r2),
        "tth": backend.rad2deg(
            backend.arctan2(across, cosine * distance + sine * normal)
        ),
        "alpha_f": backend.rad2deg(
            backend.arcsin((cosine * normal - sine * distance) / n)
        ),
        "qx": qx,
        "qy": qy,
        "qz": k_per_mm * (cosine * normal + sine * shortfall),
        "qr": _root(backend, qx * qx + qy * qy),
    }


def reflection_trigonometric(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, orientation: Orientation
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
    return {
        "q": 2.0 * k * backend.sin(backend.arctan(r / distance) / 2.0),
        "phi": backend.rad2deg(backend.arctan2(up, right)),
        "tth": backend.rad2deg(tth),
        "alpha_f": backend.rad2deg(alpha_f),
        **_from_angles(backend, k, alpha_i, alpha_f, tth),
    }


def flat_reflection(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, orientation: Orientation
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
    return {
        "q": _root(backend, qr2 + qz * qz),
        "phi": _azimuth(backend, up, right, up * up + right * right),
        "tth": backend.rad2deg(tth) + everywhere,
        "alpha_f": backend.rad2deg(alpha_f) + everywhere,
        "qx": qx,
        "qy": qy,
        "qz": qz,
        "qr": _root(backend, qr2),
    }


def flat_reflection_trigonometric(
    backend: BackendProtocol, beam: Beam, up: Any, right: Any, orientation: Orientation
) -> Maps:
    """Map the same with every function taken of every pixel."""
    k, alpha_i = beam.wave_number, beam.incidence_rad
    normal, across = sample_axes(up, right, orientation)
    everywhere = backend.zeros_like(normal + across)
    alpha_f = backend.arctan((normal + everywhere) / beam.distance_mm) - alpha_i
    tth = backend.arctan((across + everywhere) / beam.distance_mm)
    vector = _from_angles(backend, k, alpha_i, alpha_f, tth)
    return {
        "q": backend.hypot(vector["qr"], vector["qz"]),
        "phi": backend.rad2deg(backend.arctan2(up, right)),
        "tth": backend.rad2deg(tth),
        "alpha_f": backend.rad2deg(alpha_f),
        **vector,
    }


def _from_angles(
    backend: BackendProtocol, k: Any, alpha_i: Any, alpha_f: Any, tth: Any
) -> Maps:
    cos_f = backend.cos(alpha_f)
    qx = k * (cos_f * backend.cos(tth) - backend.cos(alpha_i))
    qy = k * cos_f * backend.sin(tth)
    qz = k * (backend.sin(alpha_i) + backend.sin(alpha_f))
    return {"qx": qx, "qy": qy, "qz": qz, "qr": backend.hypot(qx, qy)}
