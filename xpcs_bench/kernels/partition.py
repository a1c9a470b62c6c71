"""The partition: to which bin in two coordinates each pixel of a detector belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.edges import Spacing, index_scale
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
from xpcs_bench.kernels.partition_axes import Axis, axis_edges, axis_map
from xpcs_bench.kernels.partition_truth import true_partition

__all__ = ["Partition", "PartitionParams"]

Axes = Literal["q_phi", "q_x", "q_y", "phi_x", "phi_y", "x_y"]
Bins = Annotated[int, Field(ge=1, le=100_000)]

_LARGEST_TABLE = 2**18
"""Pairs of labels that may be counted as such: what fits into the cache of a core."""


class PartitionParams(ConfinedModel):
    """Which two coordinates are crossed, and the bins of each."""

    axes: Axes = "q_phi"
    """The two coordinates; the first one counts slowest in the labels. q is |Q|, phi
    the azimuth on the detector; x is the column and y the row of a pixel, in pixels,
    whole numbers from 0 in the middle of a pixel."""
    q_bins: Bins = 36
    """Bins from the smallest to the largest q of the pixels that are used."""
    phi_bins: Bins = 10
    """Bins of the azimuth, around the circle or a part of it."""
    x_bins: Bins = 8
    """Bins of the columns, from one side of the detector to the other."""
    y_bins: Bins = 8
    """Bins of the rows, from one side of the detector to the other."""
    spacing: Spacing = "linear"
    """Spacing of the edges in q; ``logarithmic`` leaves out pixels with q = 0."""
    phi_range: Literal["full", "data"] = "full"
    """``full``: around the circle; ``data``: from the smallest to the largest phi of
    the pixels that are used. The choice moves pixels between bins."""
    phi_offset_deg: Annotated[float, Field(ge=-360, le=360)] = -180.0
    """Where the first bin of the full range begins; the bins go round from there."""
    symmetry_fold: Annotated[int, Field(ge=1, le=360)] = 1
    """Sectors of the full range that are laid over each other: with 2, a direction and
    the opposite one share a bin, and phi_bins is the number of bins in half a turn."""
    static_first: Bins = 1
    """Static bins within each bin of the first coordinate: 36 bins in q with 10 static
    ones in each make 360. Above 1, labels and counts of static bins are added."""
    static_second: Bins = 1
    """Static bins within each bin of the second coordinate."""
    formulation: Literal["arithmetic", "digitize"] = "arithmetic"
    """``arithmetic``: the index from the spacing; ``digitize``: a binary search. The
    labels are the same."""


class Partition(Kernel[PartitionParams]):
    """Label every pixel with its bin in two coordinates, and count pixels by bin.

    Label 0 is a pixel that is masked or outside the edges; bin ``i`` of the first
    coordinate and ``j`` of the second have the label ``i * n_j + j + 1``, whether or
    not there is a pixel in it: a label says where its bin is. Bins are closed on the
    left, the last one on both sides; around the circle -180 and 180 degrees are one
    direction, so that no bin is the last.

    Bins may be cut into static ones, over which a program normalises, as it correlates
    over the dynamic ones. The edges of dynamic bins are edges of static ones, and the
    dynamic index is the static one divided: every static bin is in one dynamic bin.
    """

    name: ClassVar[str] = "partition"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Labels of the bins of every detector pixel, in q and phi."
    source: ClassVar[str] = (
        "Bins [e_i, e_i+1), the last one closed, as numpy.histogram has them; labels "
        "as in the dynamic_roi_map and static_roi_map of the NeXus layout of APS "
        "8-ID-I."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector", "geometry"})
    Params: ClassVar[type[ConfinedModel]] = PartitionParams

    def check(self, problem: Problem[PartitionParams]) -> None:
        """Refuse what would have no effect, and more bins than can be numbered."""
        super().check(problem)
        params = problem.params
        _check_effects(params)
        first, second = _axes(params)
        n = first.cells * second.cells
        if n >= 2**31 - 1:
            msg = (
                f"partition: {first.cells} static bins in {first.name} times "
                f"{second.cells} in {second.name}, in all sectors, are {n}. Allowed: "
                f"labels of 32 bits, up to {2**31 - 2}. Take fewer bins."
            )
            raise ConfigError(msg)

    def outputs(self, problem: Problem[PartitionParams]) -> tuple[Output, ...]:
        """Labels by pixel and pixels by label; with static bins also of these.

        ``static_to_dynamic`` has the dynamic label of each static one; 0 belongs to 0.
        """
        dynamic = (
            Output("labels", ("row", "column"), "1", dtype="int32"),
            Output("counts", ("label",), "1", dtype="int64"),
        )
        if not _has_static(problem.params):
            return dynamic
        return (
            *dynamic,
            Output("static_labels", ("row", "column"), "1", dtype="int32"),
            Output("static_counts", ("static_label",), "1", dtype="int64"),
            Output("static_to_dynamic", ("static_label",), "1", dtype="int32"),
        )

    def make_inputs(
        self, problem: Problem[PartitionParams], rng: np.random.Generator
    ) -> Host:
        """Maps, mask, edges of the static bins and their scales; nothing is random.

        The maps are computed in double precision and then rounded to the problem's
        type; the edges enclose the rounded values.
        """
        del rng
        detector, geometry = problem.setup
        used, axes = mask_array(detector), _axes(problem.params)
        maps = {
            axis.name: axis_map(axis.name, detector, geometry, problem.dtype)
            for axis in axes
        }
        edges = {
            axis.name: axis_edges(axis, detector, maps[axis.name][used])
            for axis in axes
        }
        return {
            **maps,
            "mask": used,
            **{f"{name}_edges": array for name, array in edges.items()},
            **{
                f"{axis.name}_scale": index_scale(edges[axis.name], axis.spacing)
                for axis in axes
            },
        }

    def compute(
        self,
        backend: BackendProtocol,
        problem: Problem[PartitionParams],
        inputs: Arrays,
    ) -> Arrays:
        """Label and count."""
        params = problem.params
        first, second = _axes(params)
        kept, indices = inputs["mask"], []
        for axis in (first, second):
            x, edges = inputs[axis.name], inputs[f"{axis.name}_edges"]
            if axis.begin is not None:
                x = _turned(backend, x, edges, axis.begin)
            elif not axis.covers_all:
                kept = kept & ((x >= edges[0]) & (x <= edges[-1]))
            index = _bins(backend, axis, x, edges, inputs[f"{axis.name}_scale"], params)
            indices.append(index % axis.static if axis.fold > 1 else index)
        i, j = indices
        # at every static bin, which is every bin where none is cut
        fine = backend.where(kept, i * second.static + (j + 1), 0)
        fine = backend.astype(fine, "int32")
        n_static = first.static * second.static
        fine_counts = _count(backend, fine, n_static + 1)
        if not _has_static(params):
            return {"labels": fine, "counts": fine_counts}
        labels = (i // first.split) * second.bins + (j // second.split + 1)
        labels = backend.astype(backend.where(kept, labels, 0), "int32")
        to_dynamic = backend.array(_static_to_dynamic(first, second), "int32")
        # the pixels of a dynamic bin are those of its static ones
        counts = backend.bincount(
            to_dynamic, fine_counts, length=first.bins * second.bins + 1
        )
        return {
            "labels": labels,
            "counts": backend.astype(counts, "int64"),
            "static_labels": fine,
            "static_counts": fine_counts,
            "static_to_dynamic": to_dynamic,
        }

    def tolerance(self, problem: Problem[PartitionParams], output: str) -> Tolerance:
        """None: a pixel is in a bin or it is not."""
        del problem, output
        return Tolerance(
            rtol=0.0,
            atol=0.0,
            reason=(
                "Labels and counts are whole numbers, and all variants compare the "
                "same maps with the same edges: nothing is rounded that decides."
            ),
        )

    def truth(
        self, problem: Problem[PartitionParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """Labels by comparison in Python, counts of some bins by counting afresh."""
        truths = true_partition(*_axes(problem.params), inputs)
        declared = {output.name for output in self.outputs(problem)}
        return {name: truths[name] for name in declared}

    def work(self, problem: Problem[PartitionParams]) -> Work:
        """Per pixel: index and label, for each of the two maps, and counting."""
        rows, cols = problem.setup[0].shape
        width = np.dtype(problem.dtype).itemsize
        params = problem.params
        axes = first, second = _axes(params)
        n_edges = sum(axis.cells + 1 for axis in axes)
        n_dynamic = first.bins * second.bins + 1
        n_static = first.static * second.static + 1
        static = _has_static(params)
        # difference, product, whole part and place in the label; a logarithm and two
        # comparisons; one comparison and a sum around the circle
        per_pixel = 2 * 4 + 2 + (4 if static else 0)
        per_pixel += sum(
            (4 if axis.spacing == "logarithmic" else 0)
            + (2 if axis.begin is not None or not axis.covers_all else 0)
            for axis in axes
        )
        return Work(
            flops=per_pixel * rows * cols,
            bytes=(2 * width + 1 + (8 if static else 4)) * rows * cols
            + width * (n_edges + 2)
            + 8 * n_dynamic
            + (12 * n_static if static else 0),
        )


def _axes(params: PartitionParams) -> tuple[Axis, Axis]:
    """Return the two coordinates in their order."""
    full = params.phi_range == "full"
    offset = params.phi_offset_deg
    # degrees that are whole turns away are the same; others keep their last digit
    turned = offset - 360 if offset >= 180 else offset + 360 * (offset < -180)
    known = {
        "q": Axis("q", params.q_bins, spacing=params.spacing),
        "phi": Axis(
            "phi",
            params.phi_bins,
            begin=turned if full else None,
            fold=params.symmetry_fold,
        ),
        "x": Axis("x", params.x_bins, covers_all=True),
        "y": Axis("y", params.y_bins, covers_all=True),
    }
    first, second = (known[name] for name in params.axes.split("_"))
    return (
        replace(first, split=params.static_first),
        replace(second, split=params.static_second),
    )


def _has_static(params: PartitionParams) -> bool:
    return params.static_first * params.static_second > 1


_DECIDES = {
    "q": ("q_bins", "spacing"),
    "phi": ("phi_bins", "phi_range", "phi_offset_deg", "symmetry_fold"),
    "x": ("x_bins",),
    "y": ("y_bins",),
}
"""Parameters that mean something where the coordinate is crossed."""


def _check_effects(params: PartitionParams) -> None:
    """Refuse what was written and would change nothing.

    Raises
    ------
    ConfigError
        When a parameter of a coordinate that is not crossed, or of the full range of
        phi where that is not taken, is not as it is by default.
    """
    crossed = params.axes.split("_")

    def written(name: str) -> bool:
        given = getattr(params, name)
        return bool(given != PartitionParams.model_fields[name].default)

    for coordinate, names in _DECIDES.items():
        for name in filter(written, names):
            if coordinate not in crossed:
                fitting = [a for a in get_args(Axes) if coordinate in a.split("_")]
                msg = (
                    f"partition: {name}={getattr(params, name)!r} has no effect with "
                    f"axes={params.axes!r}, which do not cross {coordinate}. Leave it "
                    f"out, or choose axes with {coordinate}: "
                    f"{', '.join(map(repr, fitting))}."
                )
                raise ConfigError(msg)
    if params.phi_range == "data":
        for name in filter(written, ("phi_offset_deg", "symmetry_fold")):
            msg = (
                f"partition: {name}={getattr(params, name)!r} has no meaning with "
                "phi_range='data', whose bins do not go round the circle. Leave it "
                "out, or write phi_range: full."
            )
            raise ConfigError(msg)


def _turned(backend: BackendProtocol, phi: Any, edges: Any, begin: float) -> Any:
    """Bring azimuths of (-180, 180] into the turn that begins at the first edge."""
    if begin == -180.0:
        return backend.where(phi >= edges[-1], phi - 360.0, phi)
    return backend.where(phi < edges[0], phi + 360.0, phi)


def _bins(
    backend: BackendProtocol,
    axis: Axis,
    x: Any,
    edges: Any,
    scale: Any,
    params: PartitionParams,
) -> Any:
    """Return the interval of each value, from 0; the outermost for values outside."""
    last = axis.cells - 1
    if params.formulation == "digitize":
        return backend.clip(backend.digitize(x, edges) - 1, 0, last)
    if axis.spacing == "linear":
        # no edge is looked up: they are where this steps. Two look-ups took three
        # times as long as all the rest together
        place = (x - edges[0]) * scale
        return backend.astype(backend.clip(place, 0, last), "int32")
    # libraries differ in the logarithm: aim half an interval too low, where rounding
    # cannot matter, and let the edge above decide. Single precision is enough then; all
    # of this took 9 ms with it and 25 ms in double
    ratio = backend.astype(backend.maximum(x / edges[0], 1.0), "float32")
    place = backend.log(ratio) * backend.astype(scale, "float32") - 0.5
    index = backend.astype(backend.clip(place, 0, last), "int32")
    above = backend.astype(x >= backend.take(edges, index + 1), "int32")
    return backend.minimum(index + above, last)


def _count(backend: BackendProtocol, labels: Any, n_labels: int) -> Any:
    """Count labels; two pixels at once where the table of pairs is small.

    Adding one after the other takes longer than finding the labels. A table of pairs
    takes half as many additions, and two tables can be filled at the same time.
    """
    flat = backend.reshape(labels, (-1,))
    size = flat.shape[0]
    if n_labels**2 > min(_LARGEST_TABLE, size // 8):
        return backend.bincount(flat, length=n_labels)
    quarter = size // 4
    parts = [flat[i * quarter : (i + 1) * quarter] for i in range(4)]
    tables = [
        backend.bincount(one * n_labels + other, length=n_labels**2)
        for one, other in (parts[:2], parts[2:])
    ]
    table = backend.reshape(tables[0] + tables[1], (n_labels, n_labels))
    counts = backend.sum(table, axis=0) + backend.sum(table, axis=1)
    if size % 4:
        counts = counts + backend.bincount(flat[4 * quarter :], length=n_labels)
    return counts


def _static_to_dynamic(first: Axis, second: Axis) -> NDArray[np.int32]:
    """Return the dynamic label of every static label, 0 of 0."""
    i = np.arange(first.static) // first.split
    j = np.arange(second.static) // second.split
    labels = np.add.outer(i * second.bins, j + 1).reshape(-1)
    return np.concatenate([[0], labels]).astype(np.int32)
