"""Partitions from maps that each library computed itself: where their labels part."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from reading import Reading, Section

from xpcs_bench.analysis.ulp import ulp_distance
from xpcs_bench.backends import BackendProtocol, create_backend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.config.presets import PRESETS
from xpcs_bench.kernels import Problem, create_kernel

QMAP, PARTITION = create_kernel("qmap"), create_kernel("partition")
NEAR = 2.0
"""ULP from an edge within which a pixel may be in another bin."""
NONE_MAY = 0.0
"""Pixels that are in another bin although they are farther from every edge."""
SHOWN = 4
"""Pixels that are named, of those that differ."""
COORDINATES = ("q", "phi")

Dtype = Literal["float64", "float32"]
Arrays = dict[str, NDArray[Any]]


def problems(*, few: bool) -> list[Problem[Any]]:
    """Return partitions of detectors: the beam on a pixel in the middle, and beside.

    With the beam on a pixel, whole rows, columns and diagonals lie on edges in phi.
    """
    if few:
        detectors = [Detector(name="96x128", shape=(96, 128), pixel_size_um=1000)]
    else:
        names = ("eiger-500k", "eiger-1m", "eiger-4m", "lambda-2m", "rigaku-3m")
        detectors = [
            Detector(
                name=name,
                shape=(PRESETS[name].rows, PRESETS[name].columns),
                pixel_size_um=PRESETS[name].pixel_size_um,
            )
            for name in names
        ]
    dtypes: tuple[Dtype, ...] = ("float64", "float32")
    found = []
    for detector in detectors:
        rows, cols = detector.shape
        for name, centre in (
            ("on a pixel", (rows // 2, cols // 2)),
            ("beside", (rows * 0.37, cols * 0.81)),
        ):
            geometry = Geometry(
                name=name,
                kind="transmission",
                energy_kev=10,
                distance_mm=5000,
                beam_centre_px=centre,
            )
            found += [
                Problem(
                    PARTITION.Params(spacing=spacing, phi_bins=phi_bins),
                    detector,
                    geometry,
                    dtype,
                )
                for spacing, phi_bins in (("linear", 8), ("logarithmic", 10))
                for dtype in dtypes
            ]
    return found


def shared(problem: Problem[Any]) -> Arrays:
    """Return what the libraries share: mask, edges and scales, but no map."""
    inputs = PARTITION.make_inputs(problem, np.random.default_rng(0))
    return {k: v for k, v in inputs.items() if k not in COORDINATES}


def label(
    library: BackendProtocol, problem: Problem[Any], common: Arrays, *, together: bool
) -> Arrays:
    """Compute maps and labels with one library, in one compiled function or in two."""
    mapping = Problem(QMAP.Params(), problem.detector, problem.geometry, problem.dtype)
    beam = QMAP.make_inputs(mapping, np.random.default_rng(0))

    def maps(placed: Any) -> dict[str, Any]:
        found = QMAP.compute(library, mapping, placed)
        return {name: found[name] for name in COORDINATES}

    def labels(placed: Any, coordinates: Any) -> Any:
        return PARTITION.compute(library, problem, {**placed, **coordinates})["labels"]

    def both(first: Any, second: Any) -> Any:
        return labels(second, maps(first))

    placed = [
        {k: library.from_numpy(v) for k, v in given.items()} for given in (beam, common)
    ]
    coordinates = library.jit(maps)(placed[0])
    if together:
        found = library.jit(both)(*placed)
    else:
        found = library.jit(labels)(placed[1], coordinates)
    arrays = {**coordinates, "labels": found}
    return {k: np.asarray(library.to_numpy(v)) for k, v in arrays.items()}


def from_edge(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.float64]:
    """Return how many floats there are from each value to the nearest edge."""
    after = np.clip(np.searchsorted(edges, values), 1, len(edges) - 1)
    gaps = [ulp_distance(values, edges[after - i]) for i in (0, 1)]
    return np.minimum(*gaps).astype(np.float64)


def measure(few: bool) -> list[Reading]:  # noqa: FBT001
    """Compare NumPy with JAX, whose maps and labels are in one program or in two."""
    numpy, jax = create_backend("numpy"), create_backend("jax")
    readings = []
    for problem in problems(few=few):
        common = shared(problem)
        desired = label(numpy, problem, common, together=False)
        for together in (False, True):
            actual = label(jax, problem, common, together=together)
            readings.append(
                _compared(problem, common, actual, desired, together=together)
            )
    return readings


def _compared(
    problem: Problem[Any],
    common: Arrays,
    actual: Arrays,
    desired: Arrays,
    *,
    together: bool,
) -> Reading:
    detector, geometry = problem.setup
    apart = np.nonzero(actual["labels"] != desired["labels"])
    gaps = {
        # of the two values of a pixel, that which is nearer to an edge
        name: np.minimum(
            *(
                from_edge(found[name][apart], common[f"{name}_edges"])
                for found in (actual, desired)
            )
        )
        for name in COORDINATES
    }
    nearest = np.minimum(gaps["q"], gaps["phi"])
    named = [
        f"({row}, {col}) {'q' if in_q <= in_phi else 'phi'} {min(in_q, in_phi):g} ULP"
        for row, col, in_q, in_phi in zip(*apart, *gaps.values(), strict=True)
    ]
    where = "; ".join(named[:SHOWN])
    if len(named) > SHOWN:
        where += f"; and {len(named) - SHOWN} more"
    program = "one program" if together else "two programs"
    return Reading(
        f"{detector.name}, beam {geometry.name}, {problem.params.spacing}, "
        f"{problem.dtype}, {program}",
        float(np.count_nonzero(nearest > NEAR)),
        NONE_MAY,
        "pixels",
        desired["labels"].size,
        f"{len(named)} within {NEAR:g} ULP" + (f": {where}" if named else ""),
    )


SECTION = Section(
    title="Partitions of maps that each library computed",
    text=(
        "NumPy and JAX compute q and phi themselves, share the edges, and label: 36 "
        "bins in q and 8 or 10 in phi. Counted are the pixels whose labels differ "
        "although both of their values are more than 2 ULP from every edge; beside "
        "them those that differ within. On JAX, maps and labels are compiled as two "
        "programs, or as one, in which a compiler may round less often."
    ),
    measure=measure,
)
