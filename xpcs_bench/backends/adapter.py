"""Where arrays leave for, and come back from, the libraries for plots and files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from xpcs_bench.backends.array_functions import Array
from xpcs_bench.backends.conversion import ensure_numpy, widened
from xpcs_bench.backends.protocol import BackendProtocol
from xpcs_bench.backends.selection import get_backend

__all__ = [
    "Adapters",
    "Conversion",
    "ConversionStatistics",
    "HDF5Adapter",
    "MatplotlibAdapter",
    "PyQtGraphAdapter",
    "create_adapters",
]

Clock = Callable[[], int]
"""Returns nanoseconds that only grow."""


@dataclass(frozen=True)
class Conversion:
    """One conversion that was watched."""

    elapsed_ns: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class ConversionStatistics:
    """What an adapter has watched so far, in both directions."""

    count: int = 0
    total_ns: int = 0
    slowest: Conversion | None = None

    @property
    def average_ns(self) -> float:
        """Mean time of a conversion (ns); 0 before the first."""
        return self.total_ns / self.count if self.count else 0.0

    def with_one_more(self, one: Conversion) -> ConversionStatistics:
        """Return the statistics after one more conversion."""
        slower = self.slowest is None or one.elapsed_ns > self.slowest.elapsed_ns
        return ConversionStatistics(
            count=self.count + 1,
            total_ns=self.total_ns + one.elapsed_ns,
            slowest=one if slower else self.slowest,
        )


class _Adapter:
    """Conversions in both directions, watched if asked for.

    Parameters
    ----------
    backend
        Where arrays come back to; None: the active backend, at each conversion.
    enable_monitoring
        Whether to keep statistics. The input is waited for before the clock starts,
        so that a conversion never pays for the computation before it.
    clock
        For the statistics.
    """

    def __init__(
        self,
        backend: BackendProtocol | None = None,
        *,
        enable_monitoring: bool = False,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        self._backend = backend
        self._monitoring = enable_monitoring
        self._clock = clock
        self._lock = threading.Lock()
        self._statistics = ConversionStatistics()

    def get_stats(self) -> ConversionStatistics:
        """Return the statistics; they stay empty without monitoring."""
        return self._statistics

    def reset_stats(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._statistics = ConversionStatistics()

    def _leave(self, array: Any) -> NDArray[Any]:
        return self._watch(_plain, array) if self._monitoring else _plain(array)

    def _come_back(self, array: Any) -> Array:
        backend = self._backend or get_backend()
        if not self._monitoring:
            return backend.from_numpy(array)
        return self._watch(lambda host: _ready(backend.from_numpy(host)), array)

    def _watch(self, convert: Callable[[Any], Any], array: Any) -> Any:
        _ready(array)
        started = self._clock()
        converted = convert(array)
        elapsed = self._clock() - started
        one = Conversion(elapsed, tuple(converted.shape), str(converted.dtype))
        with self._lock:
            self._statistics = self._statistics.with_one_more(one)
        return converted


class PyQtGraphAdapter(_Adapter):
    """Arrays for PyQtGraph."""

    def to_pyqtgraph(self, array: Any) -> NDArray[Any]:
        """Return numbers that PyQtGraph can draw; a view where possible.

        Raises
        ------
        TypeError
            For text, dates and objects: drawing them ends the process.
        """
        return self._leave(array)

    def from_pyqtgraph(self, array: NDArray[Any]) -> Array:
        """Copy an array of PyQtGraph to the backend."""
        return self._come_back(array)


class HDF5Adapter(_Adapter):
    """Arrays for h5py."""

    def to_hdf5(self, array: Any) -> NDArray[Any]:
        """Return numbers that h5py stores as numbers; a view where possible.

        Small floats that HDF5 has no name for (bfloat16, float8) become float32:
        h5py would store them as opaque bytes.
        """
        return self._leave(array)

    def from_hdf5(self, array: Any) -> Array:
        """Copy an array, or a whole data set, to the backend."""
        return self._come_back(array)


class MatplotlibAdapter(_Adapter):
    """Arrays for Matplotlib."""

    def to_matplotlib(self, *arrays: Any) -> Any:
        """Return one array for one argument, a tuple for several."""
        if not arrays:
            msg = "to_matplotlib() needs at least one array. Pass what is to be drawn."
            raise TypeError(msg)
        converted = tuple(map(self._leave, arrays))
        return converted[0] if len(converted) == 1 else converted


class Adapters(NamedTuple):
    """One adapter for every library."""

    pyqtgraph: PyQtGraphAdapter
    hdf5: HDF5Adapter
    matplotlib: MatplotlibAdapter


def create_adapters(
    backend: BackendProtocol | None = None,
    *,
    enable_monitoring: bool = False,
    clock: Clock = time.monotonic_ns,
) -> Adapters:
    """Make all adapters alike."""
    options: dict[str, Any] = {"enable_monitoring": enable_monitoring, "clock": clock}
    return Adapters(
        PyQtGraphAdapter(backend, **options),
        HDF5Adapter(backend, **options),
        MatplotlibAdapter(backend, **options),
    )


def _plain(array: Any) -> NDArray[Any]:
    return widened(ensure_numpy(array))


def _ready(array: Any) -> Any:
    """Wait for an array that is still being computed."""
    wait = getattr(array, "block_until_ready", None)
    if wait is not None:
        wait()
    return array
