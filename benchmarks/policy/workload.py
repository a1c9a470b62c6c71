"""What a program computes that has few and many calls, on small and large detectors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from xpcs_bench.config import Detector, Geometry
from xpcs_bench.kernels.kernel import Kernel, Problem
from xpcs_bench.kernels.registry import create_kernel

__all__ = ["WORKLOAD", "Item"]


@dataclass(frozen=True)
class Item:
    """So many calls of one shape, one after the other."""

    kernel: str
    calls: int
    params: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, int] | None = None
    """Of the detector: rows, columns."""

    @property
    def name(self) -> str:
        """For a reader."""
        params = ", ".join(f"{key} {value}" for key, value in self.params.items())
        shape = f"{self.shape[0]} x {self.shape[1]} pixels" if self.shape else ""
        return ", ".join(filter(None, (self.kernel, params, shape)))

    def as_json(self) -> dict[str, Any]:
        """Return what :meth:`of_json` takes."""
        return asdict(self)

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Item:
        """Make an item of what JSON has left of it."""
        shape = content["shape"]
        return cls(**content | {"shape": tuple(shape) if shape else None})

    def problem(self) -> tuple[Kernel[Any], Problem[Any]]:
        """State the problem in float64, in transmission where it has a detector."""
        kernel = create_kernel(self.kernel)
        detector = geometry = None
        if self.shape:
            rows, columns = self.shape
            detector = Detector(name="mine", shape=self.shape, pixel_size_um=75.0)
            geometry = Geometry(
                name="transmission",
                kind="transmission",
                energy_kev=10.0,
                distance_mm=5000.0,
                beam_centre_px=((rows - 1) / 2, (columns - 1) / 2),
            )
        params = kernel.Params.model_validate(self.params)
        return kernel, Problem(params, detector, geometry, "float64")


_BINS = {"q_bins": 36, "phi_bins": 10}
_SERIES = {"pixels": 4000, "bins": 1}
WORKLOAD = (
    # no size here was measured for the policy: between sizes it has to interpolate
    Item("qmap", 1, shape=(200, 300)),
    Item("g2_model", 3, {"q_bins": 50, "delays": 64}),
    Item("partition", 2, _BINS, shape=(512, 1030)),
    Item("qmap", 60, shape=(1065, 1030)),
    Item("g2_model", 2000, {"q_bins": 40, "delays": 64}),
    Item("two_time", 4, _SERIES | {"frames": 100}),
    Item("partition", 80, _BINS, shape=(1300, 1200)),
    Item("qmap", 1, shape=(1700, 1500)),
    Item("two_time", 20, _SERIES | {"frames": 200}),
    Item("g2_model", 400, {"q_bins": 5000, "delays": 64}),
    Item("qmap", 30, shape=(256, 256)),
    Item("partition", 1, _BINS, shape=(1600, 1500)),
    Item("qmap", 30, shape=(1800, 1600)),
    Item("partition", 100, _BINS, shape=(300, 300)),
    Item("g2_model", 1, {"q_bins": 3000, "delays": 64}),
)
"""No shape comes twice: what an item costs does not depend on what came before it."""
