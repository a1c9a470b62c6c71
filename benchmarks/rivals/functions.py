"""The functions that all harnesses time: NumPy alone, so that every import is cheap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPUTE", "arguments"]

Arrays = Mapping[str, NDArray[np.float64]]

_WAVENUMBER = 5.067730716
"""Of 10 keV (1/angstrom)."""
_DISTANCE_MM = 5000.0
_PIXEL_MM = 0.075


def arguments(name: str) -> dict[str, NDArray[np.float64]]:
    """Make the arguments of a function, always the same."""
    rng = np.random.default_rng(7)
    if name == "qmap":
        positions = (np.arange(1024) - 511.5) * _PIXEL_MM
        return {"row": positions, "column": positions.copy()}
    size = {"20us": 3000, "1us": 100}[name]
    return {"x": rng.random(size), "y": rng.random(size)}


def qmap(inputs: Arrays) -> NDArray[Any]:
    """Map q over 1024 x 1024 pixels (1/angstrom)."""
    r2 = inputs["row"][:, None] ** 2 + inputs["column"] ** 2
    far = np.sqrt(r2 + _DISTANCE_MM**2)
    q: NDArray[Any] = _WAVENUMBER * np.sqrt(2 * r2 / (far * (far + _DISTANCE_MM)))
    return q


def hypotenuse(inputs: Arrays) -> NDArray[Any]:
    """Add in quadrature."""
    sides: NDArray[Any] = np.hypot(inputs["x"], inputs["y"])
    return sides


COMPUTE = {"qmap": qmap, "20us": hypotenuse, "1us": hypotenuse}
"""By name: a q-map of a million pixels, and calls of some 20 us and 1 us."""
