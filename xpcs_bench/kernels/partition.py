"""The partition: to which bin in q and phi each pixel of a detector belongs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xpcs_bench.backends import BackendProtocol, NumPyBackend
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import scattering
from xpcs_bench.kernels.edges import Spacing, space_edges
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.mask import mask_array

__all__ = ["Partition", "PartitionParams"]

Bins = Annotated[int, Field(ge=1, le=100_000)]

_SAMPLES = 97
"""Pixels with a truth, besides those nearest to edges."""
_EDGES = 8
"""Edges of each map whose nearest pixel has a truth."""


class PartitionParams(ConfinedModel):
    """Bins in q and in phi."""

    q_bins: Bins = 36
    """Bins from the smallest to the largest q of the pixels that are used."""
    phi_bins: Bins = 10
    """Bins of the azimuth within each bin in q."""
    spacing: Spacing = "linear"
    """Spacing of the edges in q; ``logarithmic`` leaves out pixels with q = 0."""
    phi_range: Literal["full", "data"] = "full"
    """``full``: from -180 to 180 degrees; ``data``: from the smallest to the largest
    phi of the pixels that are used. The choice moves pixels between bins."""
    formulation: Literal["arithmetic", "digitize"] = "arithmetic"
    """``arithmetic``: the index from the spacing, put right by comparing with the two
    nearest edges; ``digitize``: a binary search. The labels are the same."""


class Partition(Kernel[PartitionParams]):
    """Label every pixel with its bin in q and phi, and count the pixels of each bin.

    Label 0 is a pixel that is masked or outside the edges; bin ``iq`` in q and ``ip``
    in phi has the label ``iq * phi_bins + ip + 1``. Bins are closed on the left, the
    last one on both sides.
    """

    name: ClassVar[str] = "partition"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Labels of q-phi bins for every detector pixel."
    source: ClassVar[str] = (
        "Bins [e_i, e_i+1), the last one closed, as numpy.histogram has them; labels "
        "as in the dynamic_roi_map of the NeXus layout of APS 8-ID-I."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector", "geometry"})
    Params: ClassVar[type[ConfinedModel]] = PartitionParams

    def outputs(self, problem: Problem[PartitionParams]) -> tuple[Output, ...]:
        """Labels by pixel, and the number of pixels by label."""
        del problem
        return (
            Output("labels", ("row", "column"), "1", dtype="int32"),
            Output("counts", ("label",), "1", dtype="int64"),
        )

    def make_inputs(
        self, problem: Problem[PartitionParams], rng: np.random.Generator
    ) -> Host:
        """Maps of |Q| and phi, the mask and the edges; nothing in them is random.

        The maps are computed in double precision and then rounded to the problem's
        type; the edges enclose the rounded values.
        """
        del rng
        q, phi = _polar_maps(problem)
        params, used = problem.params, mask_array(problem.setup[0])
        q_used = q[used]
        if params.spacing == "logarithmic":
            q_used = q_used[q_used > 0]
        if not q_used.size or q_used.min() == q_used.max():
            msg = (
                f"partition: the pixels that are used on detector "
                f"{problem.setup[0].name!r} have no range in q. At least two values "
                "are needed. Mask fewer pixels."
            )
            raise ConfigError(msg)
        q_edges = space_edges(
            "q",
            float(q_used.min()),
            float(q_used.max()),
            params.q_bins,
            params.spacing,
            problem.dtype,
        )
        lowest, highest = -180.0, 180.0
        if params.phi_range == "data":
            lowest, highest = float(phi[used].min()), float(phi[used].max())
        phi_edges = space_edges(
            "phi", lowest, highest, params.phi_bins, "linear", problem.dtype
        )
        return {
            "q": q,
            "phi": phi,
            "mask": used,
            "q_edges": q_edges,
            "phi_edges": phi_edges,
        }

    def compute(
        self,
        backend: BackendProtocol,
        problem: Problem[PartitionParams],
        inputs: Arrays,
    ) -> Arrays:
        """Label and count."""
        params = problem.params
        q, q_edges = inputs["q"], inputs["q_edges"]
        phi, phi_edges = inputs["phi"], inputs["phi_edges"]
        iq = _bins(
            backend, q, q_edges, params.q_bins, params.spacing, params.formulation
        )
        ip = _bins(
            backend, phi, phi_edges, params.phi_bins, "linear", params.formulation
        )
        kept = (
            inputs["mask"]
            & ((q >= q_edges[0]) & (q <= q_edges[-1]))
            & ((phi >= phi_edges[0]) & (phi <= phi_edges[-1]))
        )
        labels = backend.where(kept, iq * params.phi_bins + (ip + 1), 0)
        labels = backend.astype(labels, "int32")
        counts = backend.bincount(
            backend.reshape(labels, (-1,)), length=params.q_bins * params.phi_bins + 1
        )
        return {"labels": labels, "counts": counts}

    def tolerance(self, problem: Problem[PartitionParams], output: str) -> Tolerance:
        """None: a pixel is in a bin or it is not."""
        del problem, output
        return Tolerance(
            rtol=0.0,
            atol=0.0,
            reason=(
                "Labels and counts are whole numbers, and all variants compare the "
                "same maps with the same edges: nothing is rounded."
            ),
        )

    def truth(
        self, problem: Problem[PartitionParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """Labels by comparison in Python, counts of some bins by counting afresh.

        The pixels are spread over the detector; added are those nearest to the edges
        from either side, where a wrong index would show.
        """
        params = problem.params
        shape, size = inputs["q"].shape, inputs["q"].size
        places = set(np.linspace(0, size - 1, _SAMPLES, dtype=np.int64).tolist())
        for name in ("q", "phi"):
            places |= _near_edges(inputs[name], inputs[f"{name}_edges"])
        q_edges, phi_edges = inputs["q_edges"].tolist(), inputs["phi_edges"].tolist()
        labels = []
        for place in sorted(places):
            index = tuple(map(int, np.unravel_index(place, shape)))
            iq = _true_bin(inputs["q"][index].item(), q_edges)
            ip = _true_bin(inputs["phi"][index].item(), phi_edges)
            label = 0
            if inputs["mask"][index] and iq is not None and ip is not None:
                label = iq * params.phi_bins + ip + 1
            labels.append(Truth(index, label))
        n = params.q_bins * params.phi_bins
        counts = [
            Truth((label,), _true_count(inputs, params, label))
            for label in sorted({1, n // 2 + 1, n})
        ]
        return {"labels": labels, "counts": counts}

    def work(self, problem: Problem[PartitionParams]) -> Work:
        """Per pixel: index, two comparisons and label, for each of the two maps."""
        rows, cols = problem.setup[0].shape
        width = np.dtype(problem.dtype).itemsize
        params = problem.params
        edges = params.q_bins + params.phi_bins + 2
        per_pixel = 2 * 8 + 4 + (2 if params.spacing == "logarithmic" else 0)
        return Work(
            flops=per_pixel * rows * cols,
            bytes=(2 * width + 1 + 4) * rows * cols
            + width * edges
            + 8 * (params.q_bins * params.phi_bins + 1),
        )


def _polar_maps(problem: Problem[PartitionParams]) -> tuple[NDArray[Any], NDArray[Any]]:
    """|Q| and phi, which are the same in transmission and under grazing incidence."""
    (detector, geometry), backend = problem.setup, NumPyBackend()
    vector = scattering.beam_vector(detector, geometry, np.float64)
    beam = scattering.Beam.from_vector(vector)
    up, right = scattering.detector_axes(backend, beam, detector.shape, np.float64)
    maps = scattering.transmission(backend, beam, up, right, "exact")
    return maps["q"].astype(problem.dtype), maps["phi"].astype(problem.dtype)


def _bins(
    backend: BackendProtocol,
    x: Any,
    edges: Any,
    n_bins: int,
    spacing: Spacing,
    formulation: Literal["arithmetic", "digitize"],
) -> Any:
    """Return the bin of each value, from 0; the outermost for values outside."""
    last = n_bins - 1
    if formulation == "digitize":
        return backend.clip(backend.digitize(x, edges) - 1, 0, last)
    first_edge, last_edge = edges[0], edges[-1]
    x = backend.clip(x, first_edge, last_edge)
    if spacing == "logarithmic":
        scale = n_bins / backend.log(last_edge / first_edge)
        guess = backend.log(x / first_edge) * scale
    else:
        guess = (x - first_edge) * (n_bins / (last_edge - first_edge))
    # rounding may put a value next to an edge into the neighbouring bin: the edges
    # themselves decide
    index = backend.clip(backend.astype(guess, "int32"), 0, last)
    up = backend.astype(x >= backend.take(edges, index + 1), "int32")
    down = backend.astype(x < backend.take(edges, index), "int32")
    return backend.minimum(index + up - down, last)


def _true_bin(value: float, edges: Sequence[float]) -> int | None:
    if not edges[0] <= value <= edges[-1]:
        return None
    return min(bisect_right(edges, value) - 1, len(edges) - 2)


def _near_edges(values: NDArray[Any], edges: NDArray[Any]) -> set[int]:
    """Places of the values nearest to some of the edges."""
    chosen = np.linspace(0, len(edges) - 1, min(len(edges), _EDGES), dtype=np.int64)
    return {int(np.abs(values - edge).argmin()) for edge in edges[chosen]}


def _true_count(inputs: Host, params: PartitionParams, label: int) -> int:
    iq, ip = divmod(label - 1, params.phi_bins)
    inside = inputs["mask"].copy()
    for name, index in (("q", iq), ("phi", ip)):
        values, edges = inputs[name], inputs[f"{name}_edges"]
        low, high = list(pairwise(edges))[index]
        inside &= values >= low
        inside &= values <= high if high == edges[-1] else values < high
    return int(np.count_nonzero(inside))
