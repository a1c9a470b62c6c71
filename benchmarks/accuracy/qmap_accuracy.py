"""The maps in ULP from fifty digits, also where terms cancel."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from reading import Reading, Section

from xpcs_bench.analysis.ulp import ulp_error
from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry, Orientation
from xpcs_bench.kernels.compiled_qmap import compute_qmap
from xpcs_bench.kernels.qmap_truth import sampled_pixels, true_pixels
from xpcs_bench.kernels.scattering import Beam, beam_vector

BOUND = 6.0
"""ULP of each number itself, not of the largest term or of the largest number."""
JUDGED = ("q", "qx", "qy", "qz")
Wanted = Literal["all", "vectors"]
WHO: dict[str, tuple[str, Wanted]] = {
    "NumPy": ("numpy", "all"),
    "JAX": ("jax", "all"),
    # compiled without the angles it goes another way near the beam
    "JAX without angles": ("jax", "vectors"),
}
"""Libraries, and which maps they are asked for."""
N_NEAREST_ZERO = 12
"""Of each map, those where its terms cancel most."""
N_RANDOM = 60

Maps = dict[str, NDArray[Any]]
Setup = tuple[Detector, Geometry]


def setups(*, few: bool) -> list[Setup]:
    """Return detectors in geometries: near and far, the beam on and far off them."""
    small = Detector(name="24x20", shape=(24, 20), pixel_size_um=172)
    eiger_500k = Detector(name="eiger-500k", shape=(514, 1030), pixel_size_um=75)
    eiger_4m = Detector(name="eiger-4m", shape=(2167, 2070), pixel_size_um=75)
    lambda_750k = Detector(name="lambda-750k", shape=(516, 1556), pixel_size_um=55)
    pilatus = Detector(name="pilatus-300k", shape=(619, 487), pixel_size_um=172)
    places: list[tuple[Detector, float, tuple[float, float]]] = [
        (small, 300.0, (11.0, 8.0)),
        (small, 20.0, (15.3, 8.7)),
    ]
    angles: list[tuple[float, Orientation]] = [(0.14, "north"), (1.3, "east")]
    if not few:
        places = [
            (eiger_500k, 5000.0, (257.3, 516.8)),
            (eiger_4m, 5000.0, (1083.0, 1034.0)),
            (eiger_4m, 5000.0, (1024.0, 18887.0)),  # wide angles, as at ID10
            (lambda_750k, 300.0, (500.25, 1400.75)),
            (pilatus, 60.0, (309.4, 243.1)),
            (pilatus, 200.0, (-300.5, 900.25)),
        ]
        angles = [
            (0.14, "north"),
            (0.14, "east"),
            (1.3, "south"),
            (20.0, "west"),
            (0.0, "north"),
        ]
    found = []
    for detector, distance_mm, centre in places:
        straight = Geometry(
            name="transmission",
            kind="transmission",
            energy_kev=10.0,
            distance_mm=distance_mm,
            beam_centre_px=centre,
        )
        found.append((detector, straight))
        found += [
            (
                detector,
                straight.model_copy(
                    update={
                        "name": f"{orientation} {incidence:g} deg",
                        "kind": "reflection",
                        "incidence_deg": incidence,
                        "orientation": orientation,
                    }
                ),
            )
            for incidence, orientation in angles
        ]
    return found


library_named = cache(create_backend)


def maps(setup: Setup, library: str, wanted: Wanted) -> Maps:
    """Compute maps of a setup in double precision."""
    found = compute_qmap(*setup, backend=library_named(library), maps=wanted)
    return {name: np.asarray(array) for name, array in found.items()}


def pixels_of(setup: Setup, beam: Beam, found: Maps) -> list[tuple[int, int]]:
    """Choose pixels: around the beam, corners, edges, any, and those near a zero."""
    shape = setup[0].shape
    chosen = set(sampled_pixels(beam, shape))
    rng = np.random.default_rng(0)
    places: Iterable[int] = rng.integers(0, shape[0] * shape[1], N_RANDOM).tolist()
    for name in ("qx", "qy", "qz", "qr", "alpha_f"):
        if name in found:
            size = np.abs(found[name]).reshape(-1)
            places = [*places, *np.argpartition(size, N_NEAREST_ZERO)[:N_NEAREST_ZERO]]
    chosen.update((int(p) // shape[1], int(p) % shape[1]) for p in places)
    return sorted(chosen)


def measure(few: bool) -> list[Reading]:  # noqa: FBT001
    """Compare every setup with the truth; return the worst of each map."""
    worst: dict[tuple[str, str, str], Reading] = {}
    for setup in setups(few=few):
        detector, geometry = setup
        vector = beam_vector(detector, geometry, np.float64)
        computed = {who: maps(setup, *asked) for who, asked in WHO.items()}
        pixels = pixels_of(setup, Beam.from_vector(vector), computed["NumPy"])
        truths = true_pixels(
            vector, pixels, geometry.kind, "exact", geometry.orientation or "north"
        )
        for who, found in computed.items():
            for name, array in found.items():
                errors = [
                    ulp_error(float(array[truth.index]), truth.value, np.float64)
                    for truth in truths[name]
                ]
                at = int(np.argmax(errors))
                here = Reading(
                    f"{name}, {geometry.kind}, {who}",
                    errors[at],
                    BOUND if name in JUDGED else None,
                    "ULP",
                    len(errors),
                    f"{detector.name} at {geometry.distance_mm:g} mm, {geometry.name}, "
                    f"pixel {pixels[at]}",
                )
                key = (geometry.kind, name, who)
                worst[key] = _worse(worst.get(key), here)
    return [worst[key] for key in sorted(worst, key=_order)]


def _worse(before: Reading | None, here: Reading) -> Reading:
    if before is None:
        return here
    n_points = before.n_points + here.n_points
    worse = before if before.measured >= here.measured else here
    return Reading(
        worse.what, worse.measured, worse.bound, worse.unit, n_points, worse.where
    )


def _order(key: tuple[str, str, str]) -> tuple[Any, ...]:
    kind, name, who = key
    return (kind != "transmission", name not in JUDGED, name, list(WHO).index(who))


SECTION = Section(
    title="q-map",
    text=(
        "Double precision against 50 digits formed from the same inputs, in units in "
        "the last place of each number itself: around the beam, in corners, on edges, "
        "at random, and at the twelve pixels of each map that are nearest to a zero of "
        "it, where terms cancel. Half a ULP is the best that rounding allows."
    ),
    measure=measure,
)
