"""The coordinates of a partition: their maps, and where their bins begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import scattering
from xpcs_bench.kernels.edges import Spacing, space_edges

__all__ = ["Axis", "axis_edges", "axis_map"]


@dataclass(frozen=True)
class Axis:
    """One of the two coordinates, as the parameters have it."""

    name: str
    bins: int
    """Dynamic ones."""
    split: int = 1
    """Static bins in each."""
    spacing: Spacing = "linear"
    begin: float | None = None
    """Where bins that go round a circle begin, in [-180, 180); None: they do not."""
    fold: int = 1
    """Sectors of the circle that are laid over each other."""
    covers_all: bool = False
    """Whether every pixel is between the outer edges."""

    @property
    def static(self) -> int:
        """Static bins."""
        return self.bins * self.split

    @property
    def cells(self) -> int:
        """Intervals between the edges."""
        return self.static * self.fold


def axis_map(
    name: str, detector: Detector, geometry: Geometry, dtype: Any
) -> NDArray[Any]:
    """Map a coordinate over the detector, computed in double precision.

    q (1/angstrom) and phi (degrees, in (-180, 180]) are the same in transmission and
    under grazing incidence; x and y are the column and the row of a pixel (pixels).
    """
    backend, (rows, cols) = NumPyBackend(), detector.shape
    if name in {"x", "y"}:
        line = np.arange(cols) if name == "x" else np.arange(rows)[:, None]
        return np.broadcast_to(line, (rows, cols)).astype(dtype)
    vector = scattering.beam_vector(detector, geometry, np.float64)
    beam = scattering.Beam.from_vector(vector)
    up, right = scattering.detector_axes(backend, beam, detector.shape, np.float64)
    maps = scattering.transmission(backend, beam, up, right, "exact")
    mapped: NDArray[Any] = maps[name].astype(dtype)
    return mapped


def axis_edges(axis: Axis, detector: Detector, used: NDArray[Any]) -> NDArray[Any]:
    """Space the edges of the static bins for the values of the pixels that are used.

    Around the circle there are those of every sector. Columns and rows are binned from
    the outer side of the first pixel to that of the last one, whatever is masked.

    Raises
    ------
    ConfigError
        When the values have no range, or no room for so many bins.
    """
    if axis.name in {"x", "y"}:
        size = detector.shape[1 if axis.name == "x" else 0]
        lowest, highest = -0.5, size - 0.5
    elif axis.begin is not None:
        lowest, highest = axis.begin, axis.begin + 360.0
    else:
        values = used[used > 0] if axis.spacing == "logarithmic" else used
        if not values.size or values.min() == values.max():
            msg = (
                f"partition: the pixels that are used on detector {detector.name!r} "
                f"have no range in {axis.name}. At least two values are needed. Mask "
                "fewer pixels."
            )
            raise ConfigError(msg)
        lowest, highest = float(values.min()), float(values.max())
    return space_edges(axis.name, lowest, highest, axis.cells, axis.spacing, used.dtype)
