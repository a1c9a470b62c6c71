"""Where photons land: the detector, its pixels and its mask."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from xpcs_bench.confined import RecordedModel

__all__ = ["Detector", "Mask", "MaskFile", "MaskedRectangle", "PixelSizeUm", "Pixels"]

Pixels = Annotated[int, Field(gt=0, le=100_000)]
PixelSizeUm = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]


class MaskedRectangle(RecordedModel):
    """A rectangle of pixels that are not used, for example a gap between modules."""

    rows: tuple[int, int]
    """First and one-past-last row."""
    columns: tuple[int, int]
    """First and one-past-last column."""


class MaskFile(RecordedModel):
    """A dataset that is non-zero where a pixel is used."""

    path: str
    """HDF5 file, absolute once the experiment is loaded."""
    dataset: str
    """Path of the dataset inside the file."""
    sha256: str
    """Digest of the mask when the experiment was loaded, by
    :func:`xpcs_bench.nexus.mask_digest`."""


class Mask(RecordedModel):
    """Which pixels are used; every source that is given must agree to use a pixel."""

    rectangles: tuple[MaskedRectangle, ...] = ()
    """Rectangles that are not used."""
    file: MaskFile | None = None
    """A stored mask."""


class Detector(RecordedModel):
    """A flat pixel detector."""

    name: str
    """Name in case ids; a preset's name, or the user's, or ``ROWSxCOLUMNS``."""
    shape: tuple[Pixels, Pixels]
    """Rows, columns (pixels)."""
    pixel_size_um: PixelSizeUm
    """Edge of a square pixel (um)."""
    mask: Mask = Mask()
    """Pixels that are not used."""
