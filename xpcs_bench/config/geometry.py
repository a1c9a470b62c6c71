"""Where the beam, the sample and the detector stand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from xpcs_bench.confined import RecordedModel

__all__ = [
    "DistanceMm",
    "EnergyKev",
    "Geometry",
    "GeometryKind",
    "IncidenceDeg",
    "Orientation",
]

GeometryKind = Literal["transmission", "reflection"]
Orientation = Literal["north", "south", "east", "west"]
EnergyKev = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
DistanceMm = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
IncidenceDeg = Annotated[float, Field(ge=0, lt=90)]


class Geometry(RecordedModel):
    """A scattering geometry with the detector normal to the direct beam."""

    name: str
    """Name in case ids."""
    kind: GeometryKind
    """Through the sample, or under grazing incidence."""
    energy_kev: EnergyKev
    """Photon energy (keV)."""
    distance_mm: DistanceMm
    """Sample to detector along the direct beam (mm)."""
    beam_centre_px: tuple[float, float] | None = None
    """Row, column of the direct beam; an integer is the middle of a pixel (pixels).
    None: the middle of the detector."""
    incidence_deg: IncidenceDeg | None = None
    """Angle between beam and sample surface; for reflection only (degrees)."""
    orientation: Orientation | None = None
    """Towards which edge of the detector the sample's surface normal points, seen
    with row 0 on top; for reflection only."""
