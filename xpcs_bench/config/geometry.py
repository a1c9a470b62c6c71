"""Where the beam, the sample and the detector stand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from xpcs_bench.confined import ConfinedModel

__all__ = ["Geometry", "Orientation"]

Orientation = Literal["north", "south", "east", "west"]


class Geometry(ConfinedModel):
    """A scattering geometry with the detector normal to the direct beam."""

    name: str
    """Name in case ids."""
    kind: Literal["transmission", "reflection"]
    """Through the sample, or under grazing incidence."""
    energy_kev: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    """Photon energy (keV)."""
    distance_mm: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    """Sample to detector along the direct beam (mm)."""
    beam_centre_px: tuple[float, float] | None = None
    """Row, column of the direct beam; an integer is the middle of a pixel (pixels).
    None: the middle of the detector."""
    incidence_deg: Annotated[float, Field(ge=0, lt=90)] | None = None
    """Angle between beam and sample surface; for reflection only (degrees)."""
    orientation: Orientation | None = None
    """Towards which edge of the detector the sample's surface normal points, seen
    with row 0 on top; for reflection only."""
