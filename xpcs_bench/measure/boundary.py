"""The boundaries by name: where arrays leave a backend, or enter it.

Every boundary goes through the backends' adapters, as an application does. Libraries
are imported when a boundary is opened, so the planning parent can read the registry.
"""

from __future__ import annotations

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure.boundaries.crossing import Boundary
from xpcs_bench.measure.boundaries.hdf5_file import HDF5Read, HDF5Write
from xpcs_bench.measure.boundaries.host_memory import (
    DeviceToHost,
    HostToDevice,
    ToHostCopy,
    ToHostView,
)
from xpcs_bench.measure.boundaries.screen import MatplotlibDraw, PyQtGraphImage

__all__ = ["BOUNDARIES", "Boundary", "skip_reason"]

BOUNDARIES: dict[str, type[Boundary]] = {
    "to_host_view": ToHostView,
    "to_host_copy": ToHostCopy,
    "host_to_device": HostToDevice,
    "device_to_host": DeviceToHost,
    "hdf5_write": HDF5Write,
    "hdf5_read": HDF5Read,
    "matplotlib_draw": MatplotlibDraw,
    "pyqtgraph_image": PyQtGraphImage,
}
"""Name in a configuration to the boundary."""


def skip_reason(
    boundary: str | None, backend: str, device: str, *, compiled: bool = True
) -> str | None:
    """Say why a boundary cannot be crossed; None if it can.

    Raises
    ------
    CannotMeasure
        There is no such boundary.
    """
    del compiled  # an array crosses it, whatever made the array
    if boundary not in BOUNDARIES:
        msg = (
            f"{boundary!r} is no boundary. Allowed: {', '.join(BOUNDARIES)}. Name one "
            "of them in 'boundaries'."
        )
        raise CannotMeasure(msg)
    return BOUNDARIES[boundary].refusal(backend, device)
