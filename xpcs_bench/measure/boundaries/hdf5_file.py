"""Into an HDF5 file and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xpcs_bench.backends import BackendProtocol, HDF5Adapter, ensure_numpy
from xpcs_bench.measure.boundaries.crossing import Boundary, Host

__all__ = ["HDF5Read", "HDF5Write"]


class _HDF5(Boundary):
    """A new file for every reading: what was there before neither slows nor fills."""

    def __init__(
        self, backend: BackendProtocol, device: str, source: Any, folder: Path
    ) -> None:
        super().__init__(backend, device, source, folder)
        import h5py

        self._open = h5py.File
        self._path = folder / "boundary.h5"
        self._file: Any = None
        self._adapter = HDF5Adapter(backend)

    def close(self) -> None:
        """Close the file, if one is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self, mode: str) -> None:
        """Close the file and open it; ``w`` empties it."""
        self.close()
        self._file = self._open(self._path, mode)

    def store(self, name: str, values: Host) -> None:
        """Write one dataset, chunked as detectors write theirs."""
        chunked = True if values.size and values.ndim else None
        self._file.create_dataset(name, data=values, chunks=chunked)


class HDF5Write(_HDF5):
    """The file is open before the clock starts."""

    summary = "Write the array as a new chunked HDF5 dataset and flush the file."

    def fresh(self, count: int) -> Sequence[tuple[str, Any]]:
        """Make an empty file, and copies with the names of their datasets."""
        self.reopen("w")
        names = map(str, range(count))
        return list(zip(names, super().fresh(count), strict=True))

    def cross(self, item: tuple[str, Any]) -> str:
        """Convert, create the dataset, flush."""
        name, array = item
        self.store(name, self._adapter.to_hdf5(array))
        self._file.flush()
        return name

    def arrived(self, outcome: str) -> Host:
        """Read it back from the file, not from the library's cache."""
        self.reopen("r")
        values: Host = self._file[outcome][()]
        return values


class HDF5Read(_HDF5):
    """The file was just written: its bytes come from the system's page cache."""

    summary = "Read a chunked HDF5 dataset into an array of the backend, ready."

    def fresh(self, count: int) -> Sequence[str]:
        """Write ``count`` datasets, and open the file anew to empty the chunk cache."""
        values = ensure_numpy(self.source)
        names = [str(index) for index in range(count)]
        self.reopen("w")
        for name in names:
            self.store(name, values)
        self.reopen("r")
        return names

    def cross(self, item: str) -> Any:
        """Read, convert, wait."""
        array = self._adapter.from_hdf5(self._file[item][()])
        return self.backend.block_until_ready(array)
