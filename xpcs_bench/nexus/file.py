"""Files in HDF5: opened to read or to add to, with errors in words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.errors import RecordError

__all__ = ["find_dataset", "opened", "readable", "values_of", "writable"]


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


@contextmanager
def writable(where: Any) -> Iterator[tuple[Any, str]]:
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
def readable(where: Any) -> Iterator[tuple[Any, str]]:
    """Open a file to read, with its name; one that is open stays open."""
    import h5py

    if isinstance(where, h5py.File):
        yield where, where.filename
        return
    with opened(where) as file:
        yield file, str(where)


def find_dataset(file: Any, path: str | Path, name: str) -> Any | None:
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


def values_of(dataset: Any, path: str | Path, name: str) -> NDArray[Any]:
    """Read all numbers of an open dataset.

    Raises
    ------
    RecordError
        They are no numbers, or cannot be read.
    """
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
