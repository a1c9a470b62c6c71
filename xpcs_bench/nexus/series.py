"""Frames and what was made of them: ``/entry/data/data`` and ``/xpcs/multitau``.

Frames are (frame, row, column). Delays, g2 and its errors are in ``/xpcs/multitau``,
and maps of labels in ``/xpcs/qmap``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.nexus.file import find_dataset, readable, values_of, writable
from xpcs_bench.nexus.setup import QMAP

__all__ = [
    "FRAMES",
    "RESULTS",
    "Compression",
    "Layout",
    "check_storage",
    "chunk_shape",
    "read_frames",
    "read_results",
    "write_frames",
    "write_results",
]

Layout = Literal["contiguous", "frame", "tile"]
"""How a stack of frames lies in a file: in one piece; in a chunk per frame, as
detectors write; or in chunks of some pixels and many frames, as correlations read."""
Compression = Literal["none", "gzip", "lzf"]
"""Filters that every h5py brings along."""

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
    with writable(where) as (file, name):
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
    with readable(where) as (file, name):
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
            msg = (
                f"unknown result {key!r}. Allowed: {', '.join(RESULTS)}. Give the "
                "array one of these names."
            )
            raise RecordError(msg)
        _refuse_other_axes(*RESULTS[key], array.shape)
    with writable(where) as (file, name):
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
    with readable(where) as (file, name):
        return {
            key: values_of(_required(file, name, dataset, n_axes), name, dataset)
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
    found = find_dataset(file, name, dataset)
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
