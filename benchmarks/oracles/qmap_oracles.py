"""The q-map beside pyFAI, and beside vectors turned in fifty digits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry, Orientation
from xpcs_bench.kernels import scattering
from xpcs_bench.kernels.compiled_qmap import compute_qmap

EPS = float(np.finfo(np.float64).eps)
LIBRARIES = {"numpy": "NumPy", "jax": "JAX"}
ORIENTATIONS: tuple[Orientation, ...] = ("north", "east", "south", "west")


@dataclass(frozen=True)
class Setup:
    """A detector and the geometry it is used in."""

    detector: Detector
    geometry: Geometry

    @property
    def name(self) -> str:
        """For a finding."""
        return f"{self.detector.name} at {self.geometry.distance_mm:g} mm"


def transmission(
    name: str,
    shape: tuple[int, int],
    pixel_size_um: float,
    distance_mm: float,
    centre: tuple[float, float],
) -> Setup:
    """Make a setup without a sample's surface."""
    return Setup(
        Detector(name=name, shape=shape, pixel_size_um=pixel_size_um),
        Geometry(
            name="saxs",
            kind="transmission",
            energy_kev=10.0,
            distance_mm=distance_mm,
            beam_centre_px=centre,
        ),
    )


SETUPS = (
    transmission("Eiger 500k", (514, 1030), 75, 5000, (257.3, 516.8)),
    transmission("Eiger 4M", (2167, 2070), 75, 5000, (1083.0, 1034.0)),
    transmission("Lambda 750k", (516, 1556), 55, 300, (500.25, 1400.75)),
    transmission("Pilatus 300k", (619, 487), 172, 200, (-300.5, 900.25)),
)


def grazing(setup: Setup, incidence_deg: float, orientation: Orientation) -> Setup:
    """Put a sample's surface into the beam."""
    changes = {
        "kind": "reflection",
        "incidence_deg": incidence_deg,
        "orientation": orientation,
    }
    return Setup(setup.detector, setup.geometry.model_copy(update=changes))


library_named = cache(create_backend)
"""Of each library one, so that what is compiled is compiled once."""


def maps(setup: Setup, library: str, **options: Any) -> dict[str, NDArray[Any]]:
    """Compute maps of a setup."""
    found = compute_qmap(
        setup.detector, setup.geometry, backend=library_named(library), **options
    )
    return {name: np.asarray(array) for name, array in found.items()}


def wavelength_m(geometry: Geometry) -> float:
    """Return the wavelength as pyFAI wants it."""
    return scattering.HC_KEV_ANGSTROM / geometry.energy_kev * 1e-10


def center_array() -> list[Finding]:
    """Compare angles and |Q| of pixel centres."""
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    findings = []
    for setup in SETUPS:
        pixel = setup.detector.pixel_size_um * 1e-6
        row, col = setup.geometry.beam_centre_px or (0.0, 0.0)
        # its origin is the corner of the first pixel, and its azimuth runs clockwise
        oracle = AzimuthalIntegrator(
            dist=setup.geometry.distance_mm / 1000,
            poni1=(row + 0.5) * pixel,
            poni2=(col + 0.5) * pixel,
            pixel1=pixel,
            pixel2=pixel,
            wavelength=wavelength_m(setup.geometry),
        )
        q, chi, tth = (
            oracle.center_array(setup.detector.shape, unit=unit)
            for unit in ("q_A^-1", "chi_deg", "2th_deg")
        )
        for library, spelling in LIBRARIES.items():
            found = maps(setup, library)
            where = f"{setup.name}, {spelling}"
            lit = q > 0
            for name, desired in (("q", q), ("2 theta", tth)):
                actual = found["q" if name == "q" else "tth"]
                apart = np.abs(actual - desired)[lit] / desired[lit]
                # it forms positions in metres from the corner, and loses digits where
                # the beam is near: a pixel at r is off by eps times the centre over r
                findings.append(
                    Finding(f"{name}, {where}", float(apart.max()), 5e-13, "relative")
                )
            turned = np.abs(found["phi"] + chi)
            turned = np.minimum(turned, 360 - turned)[lit]
            findings.append(
                Finding(f"phi, {where}", float(turned.max()), 5e-11, "degrees")
            )
    return findings


def _axes(setup: Setup) -> tuple[NDArray[Any], NDArray[Any]]:
    vector = scattering.beam_vector(setup.detector, setup.geometry, np.float64)
    up, right = scattering.detector_axes(
        create_backend("numpy"),
        scattering.Beam.from_vector(vector),
        setup.detector.shape,
        np.float64,
    )
    return tuple(np.broadcast_arrays(up, right))  # type: ignore[return-value]


def sample_vectors() -> list[Finding]:
    """Compare the parts of the scattering vector, for a surface facing each edge."""
    from pyFAI.units import q_sample

    findings = []
    setup = SETUPS[0]
    up, right = _axes(setup)
    # quarter turns of the detector, so that the normal is always up for pyFAI
    turned = {
        "north": (up, right),
        "east": (right, -up),
        "south": (-up, -right),
        "west": (-right, up),
    }
    for orientation in ORIENTATIONS:
        normal, across = turned[orientation]
        worst = dict.fromkeys(("qx", "qy", "qz"), 0.0)
        for incidence in (0.14, 2.5):
            here = grazing(setup, incidence, orientation)
            desired = q_sample(
                x=across / 1000,
                y=normal / 1000,
                z=np.full(up.shape, setup.geometry.distance_mm / 1000),
                wavelength=wavelength_m(setup.geometry),
                incident_angle=math.radians(incidence),
                tilt_angle=0,
            )
            for library in LIBRARIES:
                found = maps(here, library)
                size = found["q"].max()
                for name, part in zip(worst, desired, strict=True):
                    apart = float(np.abs(found[name] - part / 10).max() / size)
                    worst[name] = max(worst[name], apart)
        findings += [
            Finding(
                f"{name}, {setup.name}, {orientation}, 0.14 and 2.5 deg, NumPy and JAX",
                apart,
                # its qx is the difference of two numbers near k, 100 times larger
                4e-14 if name == "qx" else 4e-15,
                "of the largest q",
            )
            for name, apart in worst.items()
        ]
    return findings


def _some_pixels(setup: Setup) -> Iterator[tuple[int, int]]:
    rng = np.random.default_rng(1)
    rows, cols = setup.detector.shape
    for _ in range(60):
        yield int(rng.integers(rows)), int(rng.integers(cols))


def turned_by_hand() -> list[Finding]:
    """Compare with k_f - k_i, turned into the sample's frame by a rotation matrix."""
    findings = []
    for setup in (SETUPS[0], SETUPS[3]):
        for orientation in ORIENTATIONS:
            here = grazing(setup, 0.4, orientation)
            worst = dict.fromkeys(("qx", "qy", "qz"), 0.0)
            computed = {
                library: maps(here, library, maps="vectors") for library in LIBRARIES
            }
            beam = scattering.Beam(
                *(
                    mpmath.mpf(float(number))
                    for number in scattering.beam_vector(
                        here.detector, here.geometry, np.float64
                    )
                )
            )
            with mpmath.workdps(50):
                for pixel in _some_pixels(here):
                    truth = _rotated(beam, pixel, orientation)
                    for name, part in zip(worst, truth, strict=True):
                        for found in computed.values():
                            actual = mpmath.mpf(float(found[name][pixel]))
                            apart = float(abs(actual - part) / abs(part))
                            worst[name] = max(worst[name], apart)
            findings += [
                Finding(
                    f"{name}, {setup.name}, {orientation}, NumPy and JAX",
                    apart,
                    # the tolerance of the kernel
                    6 * EPS,
                    "relative",
                )
                for name, apart in worst.items()
            ]
    return findings


def _rotated(beam: Any, pixel: tuple[int, int], orientation: Orientation) -> list[Any]:
    """Return the scattering vector in the sample's frame (along, across, normal).

    In the laboratory the beam is along x, up is z. The detector is first turned about
    the beam until the surface normal is up, then all about y by the incidence.
    """
    right = (pixel[1] - beam.centre_col) * beam.pixel_mm
    up = (beam.centre_row - pixel[0]) * beam.pixel_mm
    position = mpmath.matrix([beam.distance_mm, right, up])
    k_out = position * (beam.wave_number / mpmath.norm(position))
    k_in = mpmath.matrix([beam.wave_number, 0, 0])
    quarter = mpmath.pi / 2 * ORIENTATIONS.index(orientation)
    c, s = mpmath.cos(quarter), mpmath.sin(quarter)
    about_beam = mpmath.matrix([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = mpmath.cos(beam.incidence_rad), mpmath.sin(beam.incidence_rad)
    about_y = mpmath.matrix([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return list(about_y * (about_beam * (k_out - k_in)))


def length_is_kept() -> list[Finding]:
    """Compare |Q|, and that of its parts, under grazing incidence and across it."""
    findings = []
    for setup in (SETUPS[0], SETUPS[3]):
        for library, spelling in LIBRARIES.items():
            straight = maps(setup, library, maps="vectors")["q"]
            lit = straight > 0
            apart = {"q": 0.0, "length of qx, qy, qz": 0.0}
            for orientation in ORIENTATIONS:
                found = maps(grazing(setup, 0.4, orientation), library, maps="vectors")
                squares = sum(found[name] ** 2 for name in ("qx", "qy", "qz"))
                for name, q in zip(apart, (found["q"], np.sqrt(squares)), strict=True):
                    error = (np.abs(q - straight)[lit] / straight[lit]).max()
                    apart[name] = max(apart[name], float(error))
            findings += [
                Finding(f"{name}, {setup.name}, {spelling}", error, 8 * EPS, "relative")
                for name, error in apart.items()
            ]
    return findings


ORACLES: tuple[Oracle, ...] = (
    Oracle("qmap-pyfai", "pyFAI, center_array", "pyFAI", center_array),
    Oracle("qmap-pyfai-grazing", "pyFAI, units.q_sample", "pyFAI", sample_vectors),
    Oracle(
        "qmap-rotation", "k_f - k_i turned by matrices, mpmath", None, turned_by_hand
    ),
    Oracle("qmap-length", "q in transmission", None, length_is_kept),
)
