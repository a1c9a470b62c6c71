"""Between the memory of a device and the memory of the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xpcs_bench.backends import ensure_numpy
from xpcs_bench.backends.conversion import to_host_copy, to_host_view
from xpcs_bench.measure.boundaries.crossing import Boundary, Host

__all__ = ["DeviceToHost", "HostToDevice", "ToHostCopy", "ToHostView"]


class ToHostView(Boundary):
    """No element is copied."""

    summary = "View the array's memory as a NumPy array."

    @classmethod
    def refusal(cls, backend: str, device: str) -> str | None:
        """Memory of another device cannot be viewed."""
        if device == "cpu":
            return None
        return (
            f"device {device}: the host cannot view the memory of {backend} there; "
            "'device_to_host' times the transfer."
        )

    def cross(self, item: Any) -> Host:
        """View it."""
        return to_host_view(item)

    def flaw(self, item: Any, outcome: Host) -> str:
        """A copy is another boundary."""
        if not outcome.size or np.may_share_memory(outcome, ensure_numpy(item)):
            return ""
        return "the view has memory of its own, so a copy was timed as a view."


class ToHostCopy(Boundary):
    """Every element is copied, whatever the backend."""

    summary = "Copy the array to new, writable host memory."

    def cross(self, item: Any) -> Host:
        """Copy it."""
        return to_host_copy(item)

    def flaw(self, item: Any, outcome: Host) -> str:
        """A view is another boundary."""
        if np.may_share_memory(outcome, ensure_numpy(item)):
            return (
                "the copy shares memory with the array, so a view was timed as a copy."
            )
        return ""


def _without_device_memory(backend: str) -> str | None:
    if backend != "numpy":
        return None
    return "numpy has no device memory: its arrays are the host's."


class HostToDevice(Boundary):
    """The way in."""

    summary = "Place a NumPy array on the device and wait until it is there."

    @classmethod
    def refusal(cls, backend: str, device: str) -> str | None:
        """NumPy has no device."""
        del device
        return _without_device_memory(backend)

    def fresh(self, count: int) -> Sequence[Host]:
        """Make new host arrays: some backends keep what they placed before."""
        values = ensure_numpy(self.source)
        return [np.array(values) for _ in range(count)]

    def cross(self, item: Host) -> Any:
        """Place it and wait."""
        placed = self.backend.device_put(item, device=self.device)
        return self.backend.block_until_ready(placed)


class DeviceToHost(Boundary):
    """The way out; a transfer on a GPU, a view on a CPU."""

    summary = "Fetch the array's values as a NumPy array, the backend's own way."

    @classmethod
    def refusal(cls, backend: str, device: str) -> str | None:
        """NumPy has no device."""
        del device
        return _without_device_memory(backend)

    def cross(self, item: Any) -> Host:
        """Fetch it."""
        return self.backend.to_numpy(item)
