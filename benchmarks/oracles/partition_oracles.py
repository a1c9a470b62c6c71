"""Partitions beside NumPy's histogram and scikit-beam's rings and sectors."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from finding import Finding, Oracle
from numpy.typing import NDArray

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry, Mask, MaskedRectangle
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.scattering import HC_KEV_ANGSTROM

PARTITION = create_kernel("partition")
EIGER_1M = Detector(
    name="eiger-1m",
    shape=(1065, 1030),
    pixel_size_um=75,
    mask=Mask(
        rectangles=(
            MaskedRectangle(rows=(514, 551), columns=(0, 1030)),
            MaskedRectangle(rows=(0, 540), columns=(500, 520)),
        )
    ),
)
SAXS = Geometry(
    name="saxs",
    kind="transmission",
    energy_kev=10,
    distance_mm=5000,
    beam_centre_px=(530.3, 512.0),
)
NONE_MAY_DIFFER = 0.0
"""Pixels: both compare the same values with the same edges, and nothing is rounded."""


def labelled(
    backend: str, dtype: Any, **params: Any
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the inputs and outputs of a partition of an Eiger 1M."""
    library = create_backend(backend)
    problem = Problem(PARTITION.Params(**params), EIGER_1M, SAXS, dtype)
    PARTITION.check(problem)
    inputs = PARTITION.make_inputs(problem, np.random.default_rng(0))
    compute = library.jit(lambda placed: PARTITION.compute(library, problem, placed))
    outputs = compute({k: library.from_numpy(v) for k, v in inputs.items()})
    return inputs, {k: np.asarray(library.to_numpy(v)) for k, v in outputs.items()}


def against_histogram() -> list[Finding]:
    """Compare the pixels of every bin with ``numpy.histogram2d`` of the maps.

    The histogram knows no circle: azimuths are put into one turn from the first edge
    before, and the histograms of the sectors of a symmetry are added.
    """
    findings = []
    for what, params in (
        ("36 x 10, linear", {}),
        ("36 x 10, logarithmic", {"spacing": "logarithmic"}),
        ("36 x 10, phi of the data", {"phi_range": "data"}),
        ("360 x 1, static", {"phi_bins": 1, "static_first": 10}),
        ("12 x 5, half turns", {"q_bins": 12, "phi_bins": 5, "symmetry_fold": 2}),
        ("12 x 7, from 33.3 degrees", {"phi_bins": 7, "phi_offset_deg": 33.3}),
        ("columns x rows", {"axes": "x_y", "x_bins": 7, "y_bins": 11}),
        ("q x rows", {"axes": "q_y", "q_bins": 7, "y_bins": 11}),
    ):
        for backend, dtype in (
            ("numpy", "float64"),
            ("jax", "float64"),
            ("jax", "float32"),
        ):
            inputs, outputs = labelled(backend, dtype, **params)
            first, second = params.get("axes", "q_phi").split("_")
            desired = histogram(
                inputs, first, second, sectors=params.get("symmetry_fold", 1)
            )
            actual = outputs.get("static_counts", outputs["counts"])[1:]
            apart = np.abs(actual - desired.reshape(-1)).sum()
            findings.append(
                Finding(
                    f"counts, Eiger 1M, {what}, {backend} {dtype}",
                    float(apart),
                    NONE_MAY_DIFFER,
                    "pixels",
                )
            )
    return findings


def histogram(
    inputs: dict[str, NDArray[Any]], first: str, second: str, sectors: int
) -> NDArray[np.int64]:
    """Count with NumPy what the maps and edges say."""
    used = inputs["mask"]
    values, edges = [], []
    for name in (first, second):
        value, edge = inputs[name][used], inputs[f"{name}_edges"]
        if name == "phi" and edge[-1] - edge[0] > 359:
            turn = value.dtype.type(360)
            value = np.where(value < edge[0], value + turn, value)
            value = np.where(value >= edge[0] + turn, value - turn, value)
        values.append(value)
        edges.append(edge)
    counts, _, _ = np.histogram2d(*values, bins=edges)
    n_second = (len(edges[1]) - 1) // sectors
    folded = counts.reshape(len(edges[0]) - 1, sectors, n_second).sum(axis=1)
    return folded.astype(np.int64)


def against_rings() -> list[Finding]:
    """Compare labels with ``skbeam.core.roi.rings``, which bins radii in pixels.

    The radius of an edge in q is ``D tan(2 theta)`` with ``sin(theta) = q wavelength /
    (4 pi)``. The outermost edges are widened by a millionth of a pixel, since the pixel
    that such an edge was taken from lies on it, and the last ring of scikit-beam is
    open; on an inner edge there is none here.
    """
    from skbeam.core import roi

    inputs, outputs = labelled("jax", "float64", q_bins=24, phi_bins=1)
    wavelength = HC_KEV_ANGSTROM / SAXS.energy_kev
    theta = np.arcsin(inputs["q_edges"] * wavelength / (4 * np.pi))
    pixel_mm = EIGER_1M.pixel_size_um / 1000
    radii = SAXS.distance_mm * np.tan(2 * theta) / pixel_mm
    radii[[0, -1]] += -1e-6, 1e-6
    rings = roi.rings(
        list(pairwise(radii.tolist())), SAXS.beam_centre_px, EIGER_1M.shape
    )
    rings[~inputs["mask"]] = 0
    apart = float(np.count_nonzero(rings != outputs["labels"]))
    return [
        Finding("labels, Eiger 1M, 24 rings, jax", apart, NONE_MAY_DIFFER, "pixels")
    ]


ORACLES = (
    Oracle(
        "partition-histogram2d",
        "NumPy: numpy.histogram2d of the maps",
        None,
        against_histogram,
    ),
    Oracle(
        "partition-rings",
        "scikit-beam: skbeam.core.roi.rings",
        "skbeam",
        against_rings,
    ),
)
