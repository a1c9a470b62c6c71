"""Where the photons of a measurement landed: the group ``/xpcs/qmap``.

It has ``mask``, ``beam_center_x`` (column), ``beam_center_y`` (row),
``detector_distance`` (m), ``pixel_size`` (m), ``energy`` (keV). The group
``/entry/instrument`` tells parts of it a second time, in real files with placeholders
(a distance of 9.03 m where the sample stood at 11.6 m), so it is asked only for what
the first group lacks, and the answer says so. Nothing that is missing is replaced by
a default.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import RecordError
from xpcs_bench.nexus.file import find_dataset, opened, values_of

__all__ = [
    "MAX_PIXELS",
    "QMAP",
    "QMAP_MASK",
    "Setup",
    "mask_digest",
    "read_mask",
    "read_setup",
    "write_setup",
]

QMAP = "/xpcs/qmap"
QMAP_MASK = f"{QMAP}/mask"
MAX_PIXELS = 2**28
"""More than any detector has; a larger claim is not read into memory."""


@dataclass(frozen=True)
class _Quantity:
    """One number of the layout: where it is, in which unit, and what is possible."""

    what: str
    datasets: tuple[str, ...]
    """The first is where it belongs, the others are asked only when it is missing."""
    unit: str
    factors: Mapping[str, float]
    """From the unit in the dataset's ``units`` attribute to ``unit``."""
    above: float
    most: float


_LENGTHS_M = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "micron": 1e-6, "nm": 1e-9}
_PIXELS = {"pixel": 1.0, "pixels": 1.0, "px": 1.0}
_DETECTOR = "/entry/instrument/detector_1"

_ENERGY = _Quantity(
    "photon energy",
    (f"{QMAP}/energy", "/entry/instrument/incident_beam/incident_energy"),
    "keV",
    {"keV": 1.0, "kev": 1.0, "eV": 1e-3, "ev": 1e-3},
    above=0.0,
    most=1000.0,
)
# 100 m is longer than any hutch: a larger number was written in mm
_DISTANCE = _Quantity(
    "distance from sample to detector",
    (f"{QMAP}/detector_distance", f"{_DETECTOR}/distance"),
    "m",
    _LENGTHS_M,
    above=0.0,
    most=100.0,
)
_PIXEL = _Quantity(
    "pixel size",
    (f"{QMAP}/pixel_size", f"{_DETECTOR}/x_pixel_size"),
    "m",
    _LENGTHS_M,
    above=0.0,
    most=0.01,
)
_PIXEL_HEIGHT = replace(_PIXEL, datasets=(f"{_DETECTOR}/y_pixel_size",))
_CENTRE_X = _Quantity(
    "column of the direct beam",
    (f"{QMAP}/beam_center_x", f"{_DETECTOR}/beam_center_x"),
    "pixel",
    _PIXELS,
    above=-1e6,
    most=1e6,
)
_CENTRE_Y = _Quantity(
    "row of the direct beam",
    (f"{QMAP}/beam_center_y", f"{_DETECTOR}/beam_center_y"),
    "pixel",
    _PIXELS,
    above=-1e6,
    most=1e6,
)


@dataclass(frozen=True, eq=False)
class Setup:
    """Where the photons of one measurement landed."""

    shape: tuple[int, int]
    """Rows, columns (pixels)."""
    pixel_size_um: float
    """Edge of a square pixel (um)."""
    energy_kev: float
    """Photon energy (keV)."""
    distance_mm: float
    """Sample to detector along the direct beam (mm)."""
    beam_centre_px: tuple[float, float]
    """Row, column of the direct beam; an integer is the middle of a pixel (pixels)."""
    mask: NDArray[np.bool_]
    """True where a pixel is used."""
    notes: tuple[str, ...] = field(default=())
    """What was read from the second source, one sentence each."""


def mask_digest(mask: NDArray[np.bool_]) -> str:
    """SHA-256 of a mask: its shape and one byte (0 or 1) per pixel, row by row."""
    digest = hashlib.sha256("x".join(map(str, mask.shape)).encode())
    digest.update(np.ascontiguousarray(mask, dtype=np.uint8).tobytes())
    return digest.hexdigest()


def read_setup(path: str | Path) -> Setup:
    """Read where the photons of a measurement landed.

    Raises
    ------
    RecordError
        The file cannot be read, lacks a dataset, or holds an impossible value.
    """
    notes: list[str] = []
    with opened(path) as file:
        mask = _mask(file, path, QMAP_MASK)
        energy = _number(file, path, _ENERGY, notes)
        distance = _number(file, path, _DISTANCE, notes)
        pixel = _number(file, path, _PIXEL, notes)
        _refuse_oblong(file, path, pixel)
        centre = tuple(_number(file, path, q, notes) for q in (_CENTRE_Y, _CENTRE_X))
    return Setup(
        shape=(mask.shape[0], mask.shape[1]),
        pixel_size_um=_decimal(pixel, 6),
        energy_kev=energy,
        distance_mm=_decimal(distance, 3),
        beam_centre_px=(centre[0], centre[1]),
        mask=mask,
        notes=tuple(notes),
    )


def read_mask(path: str | Path, dataset: str = QMAP_MASK) -> NDArray[np.bool_]:
    """Read a mask: True where the dataset is non-zero, which means used.

    Raises
    ------
    RecordError
        The file cannot be read, or the dataset is no mask.
    """
    with opened(path) as file:
        return _mask(file, path, dataset)


def write_setup(path: str | Path, setup: Setup) -> None:
    """Write a new file from which :func:`read_setup` reads the same setup.

    Raises
    ------
    RecordError
        The file exists already or cannot be written, or the mask has another shape.
    """
    import h5py

    if setup.mask.shape != setup.shape:
        msg = (
            f"the mask has the shape {setup.mask.shape} and the setup {setup.shape}. "
            "Give a mask with one element per pixel."
        )
        raise RecordError(msg)
    row, column = setup.beam_centre_px
    numbers = (
        (_ENERGY, setup.energy_kev),
        (_DISTANCE, _decimal(setup.distance_mm, -3)),
        (_PIXEL, _decimal(setup.pixel_size_um, -6)),
        (_CENTRE_X, column),
        (_CENTRE_Y, row),
    )
    try:
        with h5py.File(path, "x") as file:
            file[QMAP_MASK] = setup.mask.astype(np.uint8)
            for quantity, value in numbers:
                file[quantity.datasets[0]] = value
                file[quantity.datasets[0]].attrs["units"] = quantity.unit
    except FileExistsError as error:
        msg = f"{path}: exists already and is not overwritten. Choose another name."
        raise RecordError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be written ({error}). Choose a writable folder."
        raise RecordError(msg) from error


def _decimal(value: float, exponent: int) -> float:
    """Shift the decimal point exactly: 7.5e-05 m is 75 um and not 75.00000000000001."""
    return float(Decimal(repr(value)).scaleb(exponent))


def _number(
    file: Any, path: str | Path, quantity: _Quantity, notes: list[str]
) -> float:
    first, *others = quantity.datasets
    for name in quantity.datasets:
        dataset = find_dataset(file, path, name)
        if dataset is None:
            continue
        value = _scalar(dataset, path, name, quantity)
        if name != first:
            notes.append(
                f"{path}: the {quantity.what} was read from {name} because {first} is "
                "missing; values there are placeholders in many files."
            )
        return value
    msg = (
        f"{path}: {first}: is missing, so the {quantity.what} is unknown; neither is "
        f"there {' or '.join(others)}. Add it to the file, or state the setup in the "
        "configuration."
    )
    raise RecordError(msg)


def _scalar(dataset: Any, path: str | Path, name: str, quantity: _Quantity) -> float:
    if dataset.size != 1:
        msg = (
            f"{path}: {name}: has the shape {dataset.shape}. Allowed: one number, the "
            f"{quantity.what}. Store one."
        )
        raise RecordError(msg)
    number = float(values_of(dataset, path, name).reshape(()))
    unit = dataset.attrs.get("units", quantity.unit)
    unit = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
    if unit not in quantity.factors:
        msg = (
            f"{path}: {name}: has the unit {unit!r}. Allowed: "
            f"{', '.join(quantity.factors)}. Correct the attribute 'units'."
        )
        raise RecordError(msg)
    value = number * quantity.factors[unit]
    if not math.isfinite(value) or not quantity.above < value <= quantity.most:
        msg = (
            f"{path}: {name}: {number!r} {unit} cannot be a {quantity.what}. Allowed: "
            f"above {quantity.above:g} and at most {quantity.most:g} {quantity.unit}. "
            "Check the number and its unit."
        )
        raise RecordError(msg)
    return value


def _refuse_oblong(file: Any, path: str | Path, pixel: float) -> None:
    """Refuse a pixel that the second source says is higher than wide, or wider."""
    height = find_dataset(file, path, _PIXEL_HEIGHT.datasets[0])
    if find_dataset(file, path, _PIXEL.datasets[0]) is not None or height is None:
        return
    name = _PIXEL_HEIGHT.datasets[0]
    value = _scalar(height, path, name, _PIXEL_HEIGHT)
    if value != pixel:
        msg = (
            f"{path}: {name}: pixels are {value!r} m high and {pixel!r} m wide. "
            "Allowed: square pixels. State the setup in the configuration."
        )
        raise RecordError(msg)


def _mask(file: Any, path: str | Path, name: str) -> NDArray[np.bool_]:
    dataset = find_dataset(file, path, name)
    if dataset is None:
        msg = (
            f"{path}: {name}: is missing, so the pixels that are used are unknown. "
            "Name a dataset that is non-zero where a pixel is used."
        )
        raise RecordError(msg)
    if dataset.ndim != 2 or not 0 < dataset.size <= MAX_PIXELS:
        msg = (
            f"{path}: {name}: has the shape {dataset.shape}. Allowed: (rows, columns), "
            f"at most {MAX_PIXELS:,} pixels. Name the mask of one image."
        )
        raise RecordError(msg)
    values = values_of(dataset, path, name)
    if not np.isfinite(values).all():
        msg = (
            f"{path}: {name}: holds NaN or infinity. Allowed: zero where a pixel is "
            "not used, another number where it is. Name a mask."
        )
        raise RecordError(msg)
    used: NDArray[np.bool_] = values != 0
    if not used.any():
        msg = f"{path}: {name}: uses no pixel. Name a mask that is non-zero somewhere."
        raise RecordError(msg)
    return used
