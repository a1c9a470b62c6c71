"""Measured setups, frames and results in HDF5: the NeXus layout of APS 8-ID-I.

What a measurement knows about where its photons landed is in the group
``/xpcs/qmap``: ``mask``, ``beam_center_x`` (column), ``beam_center_y`` (row),
``detector_distance`` (m), ``pixel_size`` (m), ``energy`` (keV). The group
``/entry/instrument`` tells parts of it a second time, in real files with placeholders
(a distance of 9.03 m where the sample stood at 11.6 m), so it is asked only for what
the first group lacks, and the answer says so. Nothing that is missing is replaced by
a default.

Frames are at ``/entry/data/data`` (frame, row, column). What was made of them is in
``/xpcs/multitau`` (delays, g2, its errors) and, as maps of labels, in ``/xpcs/qmap``.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import ConfigError, RecordError

__all__ = [
    "FRAMES",
    "MAX_PIXELS",
    "QMAP",
    "QMAP_MASK",
    "RESULTS",
    "Compression",
    "Layout",
    "Setup",
    "check_storage",
    "chunk_shape",
    "mask_digest",
    "opened",
    "read_frames",
    "read_mask",
    "read_results",
    "read_setup",
    "write_frames",
    "write_results",
    "write_setup",
]

Layout = Literal["contiguous", "frame", "tile"]
"""How a stack of frames lies in a file: in one piece; in a chunk per frame, as
detectors write; or in chunks of some pixels and many frames, as correlations read."""
Compression = Literal["none", "gzip", "lzf"]
"""Filters that every h5py brings along."""

QMAP = "/xpcs/qmap"
QMAP_MASK = f"{QMAP}/mask"
MAX_PIXELS = 2**28
"""More than any detector has; a larger claim is not read into memory."""
FRAMES = "/entry/data/data"
RESULTS: Mapping[str, tuple[str, int]] = {
    "delays": ("/xpcs/multitau/delay_list", 1),
    "g2": ("/xpcs/multitau/normalized_g2", 2),
    "g2_error": ("/xpcs/multitau/normalized_g2_err", 2),
    "dynamic_map": (f"{QMAP}/dynamic_roi_map", 2),
    "static_map": (f"{QMAP}/static_roi_map", 2),
}
"""Where results are, and how many axes they have: g2 is (delay, bin)."""

_TILE = 64
"""Rows and columns of a tile."""
_TILE_BYTES = 2**20
"""Of a tile at most: what the library keeps of a dataset in its cache by default."""


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


def chunk_shape(
    layout: Layout, shape: tuple[int, int, int], itemsize: int
) -> tuple[int, int, int] | None:
    """Return the chunks of a stack (frame, row, column); None: it has none.

    A tile is ``64 x 64`` pixels of as many frames as fit into 1 MiB.
    """
    frames, rows, columns = shape
    if layout == "contiguous":
        return None
    if layout == "frame":
        return (1, rows, columns)
    tile = min(rows, _TILE), min(columns, _TILE)
    fitting = max(1, _TILE_BYTES // (tile[0] * tile[1] * itemsize))
    return (min(frames, fitting), *tile)


def write_frames(
    where: Any,
    frames: NDArray[Any],
    *,
    layout: Layout = "frame",
    compression: Compression = "none",
) -> None:
    """Write frames (frame, row, column) to a new or existing file.

    Parameters
    ----------
    where : str, Path or h5py.File
        A path, or a file that is open for writing and stays open.
    frames
        Numbers of any type, at least one.
    layout, compression
        A contiguous dataset cannot be compressed.

    Raises
    ------
    ConfigError
        The layout is contiguous and the compression is not ``none``.
    RecordError
        The frames are no stack of numbers, the file holds frames already, or it
        cannot be written: the message says why. What was written is left there.
    """
    check_storage(layout, compression)
    if frames.ndim != 3 or not frames.size or frames.dtype.kind not in "biuf":
        msg = (
            f"{FRAMES}: frames of the shape {frames.shape} and type {frames.dtype} "
            "cannot be written. Allowed: numbers (frame, row, column), at least one. "
            "Give a stack of images."
        )
        raise RecordError(msg)
    shape = (frames.shape[0], frames.shape[1], frames.shape[2])
    with _writable(where) as (file, name):
        _refuse_existing(file, name, FRAMES)
        file.create_dataset(
            FRAMES,
            data=frames,
            chunks=chunk_shape(layout, shape, frames.dtype.itemsize),
            compression=None if compression == "none" else compression,
        )


def check_storage(layout: Layout, compression: Compression) -> None:
    """Refuse what HDF5 cannot do.

    Raises
    ------
    ConfigError
        The layout is contiguous and the compression is not ``none``.
    """
    if layout == "contiguous" and compression != "none":
        others = " or ".join(repr(name) for name in get_args(Layout)[1:])
        msg = (
            f"layout {layout!r} cannot be compressed with {compression!r}: HDF5 "
            f"compresses chunks. Take the layout {others}, or the compression 'none'."
        )
        raise ConfigError(msg)


def read_frames(where: Any, first: int = 0, stop: int | None = None) -> NDArray[Any]:
    """Read frames (frame, row, column), all of them or from ``first`` to ``stop``.

    Raises
    ------
    RecordError
        The file cannot be read, or holds no stack of frames.
    """
    with _readable(where) as (file, name):
        dataset = _required(file, name, FRAMES, 3)
        try:
            return np.asarray(dataset[first:stop])
        except (OSError, RuntimeError) as error:
            msg = f"{name}: {FRAMES}: cannot be read ({error}). Copy the file again."
            raise RecordError(msg) from error


def write_results(where: Any, results: Mapping[str, NDArray[Any]]) -> None:
    """Write results, by the names in :data:`RESULTS`, to a new or existing file.

    Raises
    ------
    RecordError
        A result is unknown, has other axes than the layout says, is in the file
        already, or the file cannot be written.
    """
    for key, array in results.items():
        if key not in RESULTS:
            msg = f"unknown result {key!r}. Allowed: {', '.join(RESULTS)}."
            raise RecordError(msg)
        _refuse_other_axes(*RESULTS[key], array.shape)
    with _writable(where) as (file, name):
        for key in results:
            _refuse_existing(file, name, RESULTS[key][0])
        for key, array in results.items():
            file[RESULTS[key][0]] = array


def read_results(where: Any) -> dict[str, NDArray[Any]]:
    """Read all results of the layout, by the names in :data:`RESULTS`.

    Raises
    ------
    RecordError
        The file cannot be read, or lacks one of them.
    """
    with _readable(where) as (file, name):
        return {
            key: _values(_required(file, name, dataset, n_axes), name, dataset)
            for key, (dataset, n_axes) in RESULTS.items()
        }


def _refuse_other_axes(dataset: str, n_axes: int, shape: tuple[int, ...]) -> None:
    if len(shape) != n_axes:
        msg = (
            f"{dataset}: has the shape {shape}. Allowed: {n_axes} axes. Give an array "
            "with as many."
        )
        raise RecordError(msg)


def _refuse_existing(file: Any, name: str, dataset: str) -> None:
    if dataset in file:
        msg = (
            f"{name}: {dataset}: is there already and is not overwritten. Choose "
            "another file."
        )
        raise RecordError(msg)


def _required(file: Any, name: str, dataset: str, n_axes: int) -> Any:
    found = _dataset(file, name, dataset)
    if found is None:
        msg = f"{name}: {dataset}: is missing. Name a file that has it."
        raise RecordError(msg)
    if found.dtype.kind not in "biuf" or found.ndim != n_axes:
        msg = (
            f"{name}: {dataset}: holds {found.dtype} values of the shape "
            f"{found.shape}. Allowed: numbers with {n_axes} axes. Name another file."
        )
        raise RecordError(msg)
    return found


@contextmanager
def _writable(where: Any) -> Iterator[tuple[Any, str]]:
    """Open a file to add to it, with its name; one that is open stays open."""
    import h5py

    if isinstance(where, h5py.File):
        yield where, where.filename
        return
    try:
        with suppress(OSError):
            Path(where).stat()  # the library would cut off what cannot be a path
        # without a cache of chunks: on a full disk one that was still in it crashed
        # the process when the library let go of it
        with h5py.File(where, "a", rdcc_nbytes=0) as file:
            yield file, str(where)
    except (OSError, RuntimeError, ValueError) as error:
        # the library says where in its own code, and the number of the system's error
        msg = (
            f"{where}: cannot be written ({_in_words(error)}). Choose a folder that "
            "can be written and has space, and a file that is HDF5 or new."
        )
        raise RecordError(msg) from error


_ERROR_NUMBER = re.compile(r"errno = ([0-9]+)")


def _in_words(error: Exception) -> str:
    number = getattr(error, "errno", None)
    written = _ERROR_NUMBER.search(str(error))
    if number is None and written:
        number = int(written[1])
    return str(error) if number is None else os.strerror(number)


@contextmanager
def _readable(where: Any) -> Iterator[tuple[Any, str]]:
    """Open a file to read, with its name; one that is open stays open."""
    import h5py

    if isinstance(where, h5py.File):
        yield where, where.filename
        return
    with opened(where) as file:
        yield file, str(where)


def _decimal(value: float, exponent: int) -> float:
    """Shift the decimal point exactly: 7.5e-05 m is 75 um and not 75.00000000000001."""
    return float(Decimal(repr(value)).scaleb(exponent))


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Open an HDF5 file for reading.

    Raises
    ------
    RecordError
        It cannot be read; the message says why.
    """
    import h5py

    try:
        # a file that cannot be opened says why here; h5py would word it for C
        with Path(path).open("rb"):
            pass
    except FileNotFoundError as error:
        msg = f"{path}: no such file. Name an HDF5 file that exists."
        raise RecordError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path}: is a directory. Name one HDF5 file inside it."
        raise RecordError(msg) from error
    except PermissionError as error:
        msg = f"{path}: may not be read by this user. Change its permissions."
        raise RecordError(msg) from error
    except (OSError, ValueError) as error:
        # str() of an OSError would say the path again, however long it is
        why = error.strerror if isinstance(error, OSError) else error
        msg = f"{path}: cannot be a path ({why}). Name an HDF5 file that exists."
        raise RecordError(msg) from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        msg = (
            f"{path}: is not a whole HDF5 file ({error}). Copy it again, or name "
            "another one."
        )
        raise RecordError(msg) from error
    with file:
        yield file


def _dataset(file: Any, path: str | Path, name: str) -> Any | None:
    """Return an open dataset, or None when there is none under this name."""
    import h5py

    try:
        found = file.get(name)
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        msg = f"{path}: {name}: cannot be followed ({error}). Copy the file again."
        raise RecordError(msg) from error
    if found is None:
        return None
    if not isinstance(found, h5py.Dataset):
        msg = f"{path}: {name}: is a group. Name a dataset."
        raise RecordError(msg)
    return found


def _values(dataset: Any, path: str | Path, name: str) -> NDArray[Any]:
    if dataset.dtype.kind not in "biuf":
        msg = (
            f"{path}: {name}: holds {dataset.dtype} values. Allowed: numbers. Store it "
            "as numbers."
        )
        raise RecordError(msg)
    try:
        return np.asarray(dataset[()])
    except (OSError, RuntimeError, ValueError) as error:
        msg = f"{path}: {name}: cannot be read ({error}). Copy the file again."
        raise RecordError(msg) from error


def _number(
    file: Any, path: str | Path, quantity: _Quantity, notes: list[str]
) -> float:
    first, *others = quantity.datasets
    for name in quantity.datasets:
        dataset = _dataset(file, path, name)
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
    number = float(_values(dataset, path, name).reshape(()))
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
    height = _dataset(file, path, _PIXEL_HEIGHT.datasets[0])
    if _dataset(file, path, _PIXEL.datasets[0]) is not None or height is None:
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
    dataset = _dataset(file, path, name)
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
    values = _values(dataset, path, name)
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
