"""The right scattering vector of single pixels, in 50 digits.

Formed from the definition, the outgoing minus the incoming wave vector, and from the
numbers of the beam exactly as a kernel was given them: single precision inputs are
taken as the numbers they are. No backend and none of the kernels' formulas are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from xpcs_bench.config import Orientation
from xpcs_bench.kernels.kernel import Truth
from xpcs_bench.kernels.scattering import Beam

__all__ = ["sampled_pixels", "true_maps", "true_pixels"]

DIGITS = 50

_TURNS: Mapping[Orientation, int] = {"north": 0, "east": 1, "south": 2, "west": 3}
"""Quarter turns, clockwise as seen, from the detector's up to the sample's normal."""


def sampled_pixels(beam: Beam, shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Choose pixels where errors would show: around the beam, corners, edges, between.

    A beam that misses the detector is replaced by the pixel nearest to it.
    """
    rows, cols = shape
    row = min(max(round(float(beam.centre_row)), 0), rows - 1)
    col = min(max(round(float(beam.centre_col)), 0), cols - 1)
    around = [(row + i, col + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    lines = [(row, 0), (row, cols - 1), (0, col), (rows - 1, col)]
    corners = [(i, j) for i in (0, rows - 1) for j in (0, cols - 1)]
    between = [((5 * i + 2) * rows // 37, (7 * i + 3) * cols // 52) for i in range(7)]
    inside = {
        (i, j)
        for i, j in around + lines + corners + between
        if 0 <= i < rows and 0 <= j < cols
    }
    return tuple(sorted(inside))


def true_maps(
    vector: NDArray[Any],
    shape: tuple[int, int],
    kind: str,
    convention: str,
    orientation: Orientation,
) -> dict[str, list[Truth]]:
    """Return the right values of every map at :func:`sampled_pixels`."""
    pixels = sampled_pixels(Beam.from_vector(vector), shape)
    return true_pixels(vector, pixels, kind, convention, orientation)


def true_pixels(
    vector: NDArray[Any],
    pixels: Sequence[tuple[int, int]],
    kind: str,
    convention: str,
    orientation: Orientation,
) -> dict[str, list[Truth]]:
    """Return the right values of every map at pixels (row, column)."""
    import mpmath

    truths: dict[str, list[Truth]] = {}
    with mpmath.workdps(DIGITS):
        numbers = Beam(*(mpmath.mpf(float(number)) for number in vector))
        for pixel in pixels:
            up = (numbers.centre_row - pixel[0]) * numbers.pixel_mm
            right = (pixel[1] - numbers.centre_col) * numbers.pixel_mm
            if kind == "transmission":
                values = _transmission(numbers, up, right, convention)
            else:
                normal, across = up, right
                for _ in range(_TURNS[orientation]):
                    normal, across = across, -normal
                values = _reflection(numbers, normal, across, convention)
                values["phi"] = mpmath.degrees(mpmath.atan2(up, right))
            for name, value in values.items():
                truths.setdefault(name, []).append(Truth(pixel, value))
    return truths


def _norm(vector: Sequence[Any]) -> Any:
    import mpmath

    return mpmath.sqrt(mpmath.fsum(part * part for part in vector))


def _transmission(beam: Beam, up: Any, right: Any, convention: str) -> dict[str, Any]:
    import mpmath

    k, distance = beam.wave_number, beam.distance_mm
    n = _norm((distance, right, up))
    along, horizontal, vertical = k * distance / n - k, k * right / n, k * up / n
    q = _norm((along, horizontal, vertical))
    if convention == "k_sin_2theta":
        q = _norm((horizontal, vertical))
    r = _norm((right, up))
    return {
        "q": q,
        "phi": mpmath.degrees(mpmath.atan2(up, right)),
        "tth": mpmath.degrees(mpmath.atan2(r, distance)),
        "qx": q * right / r if r else r,
        "qy": q * up / r if r else r,
    }


def _reflection(
    beam: Beam, normal: Any, across: Any, convention: str
) -> dict[str, Any]:
    import mpmath

    k, distance, alpha_i = beam.wave_number, beam.distance_mm, beam.incidence_rad
    sine, cosine = mpmath.sin(alpha_i), mpmath.cos(alpha_i)
    if convention == "flat":
        alpha_f = mpmath.atan(normal / distance) - alpha_i
        tth = mpmath.atan(across / distance)
        outgoing = (
            mpmath.cos(alpha_f) * mpmath.cos(tth),
            mpmath.cos(alpha_f) * mpmath.sin(tth),
            mpmath.sin(alpha_f),
        )
    else:
        n = _norm((distance, across, normal))
        # each part divided on its own: the direct beam then gives exactly zero
        outgoing = (
            cosine * (distance / n) + sine * (normal / n),
            across / n,
            cosine * (normal / n) - sine * (distance / n),
        )
        alpha_f = mpmath.asin(outgoing[2])
        tth = mpmath.atan2(outgoing[1], outgoing[0])
    qx, qy, qz = k * (outgoing[0] - cosine), k * outgoing[1], k * (outgoing[2] + sine)
    return {
        "q": _norm((qx, qy, qz)),
        "tth": mpmath.degrees(tth),
        "alpha_f": mpmath.degrees(alpha_f),
        "qx": qx,
        "qy": qy,
        "qz": qz,
        "qr": _norm((qx, qy)),
    }
