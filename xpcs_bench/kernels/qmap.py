"""The q-map: scattering vector and angles of every pixel of a flat detector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import grazing, scattering
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.qmap_truth import true_maps

__all__ = ["QMap", "QMapParams"]

_UNITS = {
    "q": "1/angstrom",
    "phi": "deg",
    "tth": "deg",
    "alpha_f": "deg",
    "qx": "1/angstrom",
    "qy": "1/angstrom",
    "qz": "1/angstrom",
    "qr": "1/angstrom",
}
_MAPS = {
    "transmission": {
        "all": ("q", "phi", "tth", "qx", "qy"),
        "vectors": ("q", "qx", "qy"),
    },
    "reflection": {
        "all": ("q", "phi", "tth", "alpha_f", "qx", "qy", "qz", "qr"),
        "vectors": ("q", "qx", "qy", "qz", "qr"),
    },
}
_OPERATIONS = {
    "q": 11,
    "phi": 2,
    "tth": 3,
    "alpha_f": 4,
    "qx": 6,
    "qy": 1,
    "qz": 6,
    "qr": 4,
}
"""Per pixel, once what several maps share has been counted with q."""
_CONVENTIONS = {
    "transmission": ("exact", "k_sin_2theta"),
    "reflection": ("exact", "flat"),
}


class QMapParams(ConfinedModel):
    """What is meant by q, and how it is computed."""

    convention: Literal["exact", "k_sin_2theta", "flat"] = "exact"
    """``exact``: q is |Q|, the length of the scattering vector. ``k_sin_2theta``
    (transmission): its part across the beam, which is not |Q| but is stored in many
    files. ``flat`` (reflection): exit angles taken along each detector axis alone,
    which is not |Q| either."""
    formulation: Literal["algebraic", "trigonometric"] = "algebraic"
    """``algebraic``: no trigonometric function of a pixel for q and its parts, and no
    cancellation. ``trigonometric``: by way of the angles, as XPCS programs do."""
    maps: Literal["all", "vectors"] = "all"
    """``vectors``: q and its parts alone, which cost far less than the angles."""


class QMap(Kernel[QMapParams]):
    """Scattering vectors and angles of all pixels.

    Transmission gives q, phi, tth, qx, qy; reflection adds the exit angle alpha_f, and
    qz and qr in the frame of the sample. The angles can be left out. phi is the azimuth
    on the detector, counter-clockwise from the last column as seen with row 0 on top,
    in (-180, 180].
    """

    name: ClassVar[str] = "qmap"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Scattering vector and angles of every detector pixel."
    source: ClassVar[str] = (
        "Q = k_f - k_i with |k| = 2 pi / wavelength, elastic; |Q| = 4 pi sin(theta) / "
        "wavelength. hc from the exact constants of the SI (2019)."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector", "geometry"})
    Params: ClassVar[type[ConfinedModel]] = QMapParams

    def check(self, problem: Problem[QMapParams]) -> None:
        """Refuse conventions that have no meaning in the kind of geometry."""
        super().check(problem)
        _, geometry = problem.setup
        allowed = _CONVENTIONS[geometry.kind]
        if problem.params.convention not in allowed:
            msg = (
                f"qmap: convention {problem.params.convention!r} has no meaning in "
                f"{geometry.kind} (geometry {geometry.name!r}). Allowed there: "
                f"{', '.join(map(repr, allowed))}. Choose one of these, or cross the "
                "convention with the geometries it was made for."
            )
            raise ConfigError(msg)
        if geometry.kind == "reflection" and geometry.incidence_deg is None:
            msg = (
                f"qmap: geometry {geometry.name!r} is a reflection without an "
                "incidence angle. Allowed: 0 to 90 degrees. Write for example "
                "incidence_deg: 0.14."
            )
            raise ConfigError(msg)

    def outputs(self, problem: Problem[QMapParams]) -> tuple[Output, ...]:
        """Maps of the geometry's kind, each (row, column)."""
        return tuple(
            Output(name, ("row", "column"), _UNITS[name]) for name in _names(problem)
        )

    def make_inputs(
        self, problem: Problem[QMapParams], rng: np.random.Generator
    ) -> Host:
        """Six numbers that place beam and detector; nothing in them is random."""
        del rng
        detector, geometry = problem.setup
        return {"beam": scattering.beam_vector(detector, geometry, problem.dtype)}

    def compute(
        self, backend: BackendProtocol, problem: Problem[QMapParams], inputs: Arrays
    ) -> Arrays:
        """Compute all maps from the vector ``beam``."""
        (detector, geometry), params = problem.setup, problem.params
        beam = scattering.Beam.from_vector(inputs["beam"])
        orientation = geometry.orientation or "north"
        angles = params.maps == "all"
        place = (backend, beam, detector.shape, problem.dtype)
        reflects = geometry.kind == "reflection"
        algebraic = params.formulation == "algebraic"
        if reflects and algebraic and params.convention != "flat":
            exact = grazing.exact_axes(*place)
            return grazing.reflection(backend, beam, *exact, orientation, angles=angles)
        axes = scattering.detector_axes(*place)
        if params.convention == "flat":
            formula = (
                grazing.flat_reflection
                if algebraic
                else grazing.flat_reflection_trigonometric
            )
            return formula(backend, beam, *axes, orientation, angles=angles)
        if reflects:
            return grazing.reflection_trigonometric(
                backend, beam, *axes, orientation, angles=angles
            )
        across_beam = (
            scattering.transmission
            if algebraic
            else scattering.transmission_trigonometric
        )
        return across_beam(backend, beam, *axes, params.convention, angles=angles)

    def tolerance(self, problem: Problem[QMapParams], output: str) -> Tolerance:
        """Six eps; where terms cancel, also four eps of the largest term."""
        eps = float(np.finfo(problem.dtype).eps)
        reason = (
            "Measured over pixels and geometries with NumPy and JAX: at most 2.8 eps "
            "from 50 digits, 3.5 eps from each other; that is a sum of squares, two "
            "roots and products, or arctan2, which single precision has to 3.3 ULP."
        )
        size, of_what = _cancelling_term(problem, output)
        if size:
            reason += (
                f" Where {output} passes through zero its terms cancel and the error "
                f"stays that of {of_what}: 2.8 eps of it at most."
            )
        return Tolerance(rtol=6 * eps, atol=4 * eps * size, reason=reason)

    def truth(
        self, problem: Problem[QMapParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """The maps in 50 digits around the beam, in corners, on edges and between."""
        detector, geometry = problem.setup
        truths = true_maps(
            inputs["beam"],
            detector.shape,
            geometry.kind,
            problem.params.convention,
            geometry.orientation or "north",
        )
        return {name: truths[name] for name in _names(problem)}

    def work(self, problem: Problem[QMapParams]) -> Work:
        """Operations of the algebraic formulation; every function counts as one."""
        detector, _ = problem.setup
        rows, cols = detector.shape
        names = _names(problem)
        per_pixel = sum(_OPERATIONS[name] for name in names)
        width = np.dtype(problem.dtype).itemsize
        return Work(
            flops=per_pixel * rows * cols,
            bytes=width * (len(names) * rows * cols + len(scattering.Beam._fields)),
        )


def _names(problem: Problem[QMapParams]) -> tuple[str, ...]:
    _, geometry = problem.setup
    return _MAPS[geometry.kind][problem.params.maps]


def _cancelling_term(problem: Problem[QMapParams], output: str) -> tuple[float, str]:
    """Return the size of the terms that cancel in an output, and what they are.

    The size is 0 for outputs that are products or have twice the digits where terms
    cancel, and are right to a few ULP everywhere.
    """
    detector, geometry = problem.setup
    vector = scattering.beam_vector(detector, geometry, np.float64)
    beam = scattering.Beam(*vector.tolist())
    tth = scattering.largest_tth_rad(detector.shape, beam)
    largest_q = 2 * beam.wave_number * math.sin(tth / 2)
    trigonometric = problem.params.formulation == "trigonometric"
    flat = problem.params.convention == "flat"
    if geometry.kind == "reflection" and not (trigonometric or flat):
        return 0.0, ""
    if output == "alpha_f":
        return math.degrees(beam.incidence_rad + tth), "the incidence and exit angles"
    if geometry.kind == "transmission":
        if trigonometric and output in ("qx", "qy"):
            return largest_q, "q in the corner that is furthest from the beam"
        return 0.0, ""
    if trigonometric and (output in ("qx", "qz", "qr") or (flat and output == "q")):
        return (
            beam.wave_number,
            "the wave number, of which two nearly equal parts differ",
        )
    if output in ("qx", "qz", "qr") or (output == "qy" and (flat or trigonometric)):
        return largest_q, "q in the corner that is furthest from the beam"
    return 0.0, ""
