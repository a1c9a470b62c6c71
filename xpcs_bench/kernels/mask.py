"""The mask of a detector as an array: True where a pixel is used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.config import Detector, MaskFile
from xpcs_bench.errors import ConfigError

__all__ = ["mask_array"]


def mask_array(detector: Detector) -> NDArray[np.bool_]:
    """Build the mask from rectangles and a stored mask; all of them must use a pixel.

    Raises
    ------
    ConfigError
        When a rectangle reaches beyond the detector, when the stored mask has another
        shape or is not the one the experiment was loaded with, or when no pixel is
        left.
    """
    rows, cols = detector.shape
    used = np.ones(detector.shape, np.bool_)
    for rectangle in detector.mask.rectangles:
        for name, (first, stop), size in (
            ("rows", rectangle.rows, rows),
            ("columns", rectangle.columns, cols),
        ):
            if not 0 <= first < stop <= size:
                msg = (
                    f"detector {detector.name!r}: the masked rectangle has {name} "
                    f"{(first, stop)!r}. Allowed: first and one-past-last within 0 to "
                    f"{size}. Correct the rectangle or the detector's shape."
                )
                raise ConfigError(msg)
        used[slice(*rectangle.rows), slice(*rectangle.columns)] = False
    if detector.mask.file is not None:
        used &= _stored(detector, detector.mask.file)
    if not used.any():
        msg = (
            f"detector {detector.name!r}: its mask leaves no pixel. At least one must "
            "be used. Remove a rectangle, or check that the stored mask is non-zero "
            "where a pixel is used."
        )
        raise ConfigError(msg)
    return used


def _stored(detector: Detector, file: MaskFile) -> NDArray[np.bool_]:
    from xpcs_bench.nexus import mask_digest, read_mask

    stored = read_mask(file.path, file.dataset)
    if stored.shape != detector.shape:
        msg = (
            f"detector {detector.name!r} has the shape {detector.shape}, the mask "
            f"{file.dataset!r} in {file.path!r} has {stored.shape}. They must be the "
            "same. Name the mask of this detector, or correct its shape."
        )
        raise ConfigError(msg)
    if mask_digest(stored) != file.sha256:
        msg = (
            f"the mask {file.dataset!r} in {file.path!r} is not the one the experiment "
            "was loaded with. Evidence from two masks must not mix. Load the "
            "experiment again."
        )
        raise ConfigError(msg)
    return stored
