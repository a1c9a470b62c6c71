"""The objective of a calibration: q at points on rings, its misfit and the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels import scattering
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
from xpcs_bench.kernels.scattering import Beam

__all__ = ["Calibration", "CalibrationParams"]

_MOST_TRUE_POINTS = 500
"""More would take 50 digits longer than a second."""
_OPERATIONS = 36
"""Per point: 13 for q, 3 for the misfit, 20 for the gradient."""


class CalibrationParams(ConfinedModel):
    """Which points were picked, and how far the first guess is off."""

    rings: Annotated[int, Field(ge=1, le=1000)] = 6
    """Rings of known q, evenly spaced up to the corner that is furthest."""
    points: Annotated[int, Field(ge=1, le=10_000_000)] = 60
    """Points picked on them, all over the detector."""
    noise_px: Annotated[float, Field(ge=0, le=100)] = 0.2
    """Standard deviation of a picked point along each axis (pixels)."""
    distance_error: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.01
    """By which part the guessed distance is too long."""
    centre_error_px: Annotated[float, Field(ge=-100, le=100)] = 2.0
    """By how much the guessed beam centre is too far along both axes (pixels)."""


class Calibration(Kernel[CalibrationParams]):
    """Compare q of points on rings with what it should be.

    The misfit is the mean of the squared differences. A least-squares program needs
    its gradient with respect to the distance and the beam centre: by automatic
    differentiation where the backend has it, by the closed form where not.
    """

    name: ClassVar[str] = "calibration"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "q on calibration rings, its misfit and the gradient."
    source: ClassVar[str] = (
        "Least squares over points on rings, as J. Kieffer, D. Karkoulis, J. Phys. "
        "Conf. Ser. 425, 202012 (2013) refine a geometry; from q**2 = 2 k**2 (1 - D / "
        "n) follow dq/dr = k**2 D r / (n**3 q) and dq/dD = -k**2 r**2 / (n**3 q)."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector", "geometry"})
    Params: ClassVar[type[ConfinedModel]] = CalibrationParams

    def outputs(self, problem: Problem[CalibrationParams]) -> tuple[Output, ...]:
        """The q of every point; the misfit; its slopes by distance, row and column."""
        del problem
        return (
            Output("q", ("point",), "1/angstrom"),
            Output("misfit", ("objective",), "1/angstrom**2"),
            Output("gradient", ("parameter",), "1/angstrom**2 per mm or pixel"),
        )

    def make_inputs(
        self, problem: Problem[CalibrationParams], rng: np.random.Generator
    ) -> Host:
        """The guessed beam, and points (row, column) on rings of the true one."""
        (detector, geometry), params = problem.setup, problem.params
        true = scattering.beam_vector(detector, geometry, np.float64)
        beam = Beam(*true.tolist())
        rows, cols = detector.shape
        # any pixel, moved along its radius to the nearest ring
        up = (beam.centre_row - rng.uniform(0, rows - 1, params.points)) * beam.pixel_mm
        right = (
            rng.uniform(0, cols - 1, params.points) - beam.centre_col
        ) * beam.pixel_mm
        azimuth = np.arctan2(up, right)
        tth = np.arctan(np.hypot(up, right) / beam.distance_mm)
        spacing = _largest_q(problem, beam) / params.rings
        ring = np.floor(2 * beam.wave_number * np.sin(tth / 2) / spacing)
        ring_q = (np.minimum(ring, params.rings - 1) + 0.5) * spacing
        radius = np.tan(2 * np.arcsin(ring_q / (2 * beam.wave_number)))
        radius *= beam.distance_mm / beam.pixel_mm
        jitter = rng.normal(0.0, params.noise_px, (2, params.points))
        guess = beam._replace(
            distance_mm=beam.distance_mm * (1 + params.distance_error),
            centre_row=beam.centre_row + params.centre_error_px,
            centre_col=beam.centre_col + params.centre_error_px,
        )
        inputs = {
            "beam": np.array(guess),
            "rows": beam.centre_row - radius * np.sin(azimuth) + jitter[0],
            "columns": beam.centre_col + radius * np.cos(azimuth) + jitter[1],
            "ring_q": ring_q,
        }
        return {name: array.astype(problem.dtype) for name, array in inputs.items()}

    def compute(
        self,
        backend: BackendProtocol,
        problem: Problem[CalibrationParams],
        inputs: Arrays,
    ) -> Arrays:
        """Compute q at the guess, and how the misfit changes around it."""
        del problem
        beam, ring_q = Beam.from_vector(inputs["beam"]), inputs["ring_q"]

        def place(beam: Beam) -> tuple[Any, Any]:
            up = (beam.centre_row - inputs["rows"]) * beam.pixel_mm
            return up, (inputs["columns"] - beam.centre_col) * beam.pixel_mm

        def magnitude(free: Any) -> Any:
            moved = beam._replace(
                distance_mm=free[0], centre_row=free[1], centre_col=free[2]
            )
            return scattering.magnitude(backend, moved, *place(moved))

        def misfit(free: Any) -> Any:
            return backend.mean(backend.square(magnitude(free) - ring_q))

        free = backend.stack([beam.distance_mm, beam.centre_row, beam.centre_col])
        q = magnitude(free)
        if backend.supports_grad:
            value, gradient = backend.value_and_grad(misfit)(free)
        else:
            value = misfit(free)
            slopes = scattering.slopes_of_magnitude(backend, beam, *place(beam))
            gradient = backend.stack(
                [backend.mean(2.0 * (q - ring_q) * slope) for slope in slopes]
            )
        return {"q": q, "misfit": backend.reshape(value, (1,)), "gradient": gradient}

    def tolerance(self, problem: Problem[CalibrationParams], output: str) -> Tolerance:
        """Six eps of q; what is made of its differences keeps that error of q."""
        eps = float(np.finfo(problem.dtype).eps)
        if output == "q":
            return Tolerance(
                rtol=6 * eps,
                atol=0.0,
                reason="As of the q-map: a sum of squares, two roots and a quotient.",
            )
        (detector, geometry), params = problem.setup, problem.params
        beam = Beam(*scattering.beam_vector(detector, geometry, np.float64).tolist())
        largest_q = _largest_q(problem, beam)
        per_pixel = beam.wave_number * beam.pixel_mm / beam.distance_mm
        apart = abs(params.distance_error) * largest_q + per_pixel * math.hypot(
            params.centre_error_px, params.centre_error_px, params.noise_px
        )
        if output == "misfit":
            return Tolerance(
                rtol=8 * eps,
                atol=4 * eps * largest_q * (apart + eps * largest_q),
                reason="A difference of two q has the error of q, and its square twice "
                "that times the difference: 2.2 eps of the largest of both at most, "
                "measured for one point; more points average out.",
            )
        steepest = max(largest_q / beam.distance_mm, per_pixel)
        return Tolerance(
            rtol=8 * eps,
            atol=4 * eps * largest_q * steepest,
            reason="A mean of differences, each with the error of q, times slopes of "
            "either sign: 2.2 eps of the largest of both at most, measured for one "
            "point; more points average out.",
        )

    def truth(
        self, problem: Problem[CalibrationParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """The scattering vectors in 50 digits, and the misfit differentiated there.

        Of more than 500 points q alone, at some of them.
        """
        import mpmath

        n_points = problem.params.points
        with mpmath.workdps(50):
            if n_points > _MOST_TRUE_POINTS:
                places = np.unique(np.linspace(0, n_points - 1, 50, dtype=np.int64))
                return {"q": _true_q(inputs, places.tolist())}
            free = [mpmath.mpf(float(inputs["beam"][i])) for i in (1, 3, 4)]
            slopes = [
                mpmath.diff(
                    lambda x, i=i: _true_misfit(inputs, [*free[:i], x, *free[i + 1 :]]),
                    free[i],
                )
                for i in range(3)
            ]
            return {
                "q": _true_q(inputs, range(n_points)),
                "misfit": [Truth((0,), _true_misfit(inputs, free))],
                "gradient": [Truth((i,), slope) for i, slope in enumerate(slopes)],
            }

    def work(self, problem: Problem[CalibrationParams]) -> Work:
        """Operations of q and of the closed form; every function counts as one."""
        n_points = problem.params.points
        return Work(
            flops=_OPERATIONS * n_points,
            bytes=np.dtype(problem.dtype).itemsize * (4 * n_points + 6 + 1 + 3),
        )


def _largest_q(problem: Problem[CalibrationParams], beam: Beam) -> float:
    detector, _ = problem.setup
    tth = scattering.largest_tth_rad(detector.shape, beam)
    return float(2 * beam.wave_number * math.sin(tth / 2))


def _true_magnitudes(inputs: Host, free: Sequence[Any], places: Sequence[int]) -> Any:
    import mpmath

    beam = Beam(*(mpmath.mpf(float(number)) for number in inputs["beam"]))
    distance, centre_row, centre_col = free
    for place in places:
        row, col = (mpmath.mpf(float(inputs[k][place])) for k in ("rows", "columns"))
        vector = (
            distance,
            (col - centre_col) * beam.pixel_mm,
            (centre_row - row) * beam.pixel_mm,
        )
        n = mpmath.sqrt(mpmath.fsum(part * part for part in vector))
        along, *others = (part / n for part in vector)
        parts = (along - 1, *others)
        yield beam.wave_number * mpmath.sqrt(mpmath.fsum(p * p for p in parts))


def _true_q(inputs: Host, places: Sequence[int]) -> list[Truth]:
    import mpmath

    free = [mpmath.mpf(float(inputs["beam"][i])) for i in (1, 3, 4)]
    values = _true_magnitudes(inputs, free, places)
    return [Truth((place,), q) for place, q in zip(places, values, strict=True)]


def _true_misfit(inputs: Host, free: Sequence[Any]) -> Any:
    import mpmath

    desired = [mpmath.mpf(float(q)) for q in inputs["ring_q"]]
    found = _true_magnitudes(inputs, free, range(len(desired)))
    total = mpmath.fsum((a - d) ** 2 for a, d in zip(found, desired, strict=True))
    return total / len(desired)
