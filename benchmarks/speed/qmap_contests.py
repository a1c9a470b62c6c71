"""The q-map by algebra, beside the angles that XPCS programs go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.config import Detector, Geometry
from xpcs_bench.kernels import create_kernel

MEGAPIXEL = Detector(name="1024x1024", shape=(1024, 1024), pixel_size_um=75)
EIGER_4M = Detector(name="eiger-4m", shape=(2167, 2070), pixel_size_um=75)
SAXS = Geometry(name="saxs", kind="transmission", energy_kev=10.0, distance_mm=5000)
GISAXS = Geometry(
    name="gisaxs",
    kind="reflection",
    energy_kev=10.0,
    distance_mm=5000,
    beam_centre_px=(900.5, 511.5),
    incidence_deg=0.14,
    orientation="north",
)


@dataclass(frozen=True)
class _Side:
    """Who computes: a backend and a formulation."""

    backend: str
    formulation: str


ALGEBRAIC = _Side("jax", "algebraic")
TRIGONOMETRIC = _Side("jax", "trigonometric")
NUMPY_ALGEBRAIC = _Side("numpy", "algebraic")
NUMPY_TRIGONOMETRIC = _Side("numpy", "trigonometric")


def _match(detector: Detector, geometry: Geometry, maps: str, rival: _Side) -> Match:
    kernel = create_kernel("qmap")

    def side(who: _Side) -> Any:
        params = {"formulation": who.formulation, "maps": maps}
        return cached_call(
            "qmap", params, backend=who.backend, detector=detector, geometry=geometry
        )

    candidate, problem, _ = side(ALGEBRAIC)
    other, rivals_problem, _ = side(rival)
    work = kernel.work(problem)

    def same(actual: Any, desired: Any) -> str:
        if set(actual) != set(desired):
            msg = f"the outputs are {sorted(actual)} and {sorted(desired)}"
            raise ValueError(msg)
        apart = {}
        for name in sorted(actual):
            found, expected = np.asarray(actual[name]), np.asarray(desired[name])
            difference = np.abs(found - expected)
            scale = np.abs(expected).max()
            allowed = kernel.tolerance(rivals_problem, name)
            if (difference > allowed.atol + allowed.rtol * np.abs(expected)).any():
                msg = f"{name} is {difference.max() / scale:.1e} of its largest apart"
                raise ValueError(msg)
            apart[name] = f"{name} {difference.max() / scale:.1e}"
        return "largest difference, of the largest value: " + ", ".join(apart.values())

    return Match(candidate, other, flops=work.flops, bytes=work.bytes, same=same)


def _contest(
    name: str,
    what: str,
    detector: Detector,
    geometry: Geometry,
    maps: str,
    rival: _Side,
    least_ratio: float | None = None,
    rounds: int = 15,
) -> Contest:
    library = {"jax": "JAX", "numpy": "NumPy"}[rival.backend]
    return Contest(
        name=name,
        candidate=f"JAX, algebraic: {what}, {detector.name}, float64",
        rival=f"{library}, {rival.formulation}, the same",
        prepare=lambda: _match(detector, geometry, maps, rival),
        least_ratio=least_ratio,
        rounds=rounds,
    )


_ALL = "q, phi, tth, qx, qy"
_VECTORS = "q, qx, qy"
_GRAZING = "q, phi, tth, alpha_f, qx, qy, qz, qr"

CONTESTS: tuple[Contest, ...] = (
    _contest("qmap-all", _ALL, MEGAPIXEL, SAXS, "all", TRIGONOMETRIC, 3.0),
    _contest("qmap-vectors", _VECTORS, MEGAPIXEL, SAXS, "vectors", TRIGONOMETRIC, 20.0),
    _contest("qmap-all-numpy", _ALL, MEGAPIXEL, SAXS, "all", NUMPY_ALGEBRAIC),
    _contest(
        "qmap-all-numpy-angles", _ALL, MEGAPIXEL, SAXS, "all", NUMPY_TRIGONOMETRIC
    ),
    _contest(
        "qmap-vectors-numpy", _VECTORS, MEGAPIXEL, SAXS, "vectors", NUMPY_ALGEBRAIC
    ),
    _contest("qmap-all-4m", _ALL, EIGER_4M, SAXS, "all", TRIGONOMETRIC, rounds=9),
    _contest(
        "qmap-vectors-4m",
        _VECTORS,
        EIGER_4M,
        SAXS,
        "vectors",
        TRIGONOMETRIC,
        rounds=9,
    ),
    _contest("qmap-grazing", _GRAZING, MEGAPIXEL, GISAXS, "all", TRIGONOMETRIC),
    _contest("qmap-grazing-numpy", _GRAZING, MEGAPIXEL, GISAXS, "all", NUMPY_ALGEBRAIC),
)
