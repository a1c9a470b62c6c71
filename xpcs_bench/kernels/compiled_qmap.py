"""A q-map in one call, compiled once for each kind of geometry.

Energy, distance, beam centre, pixel size and incidence are arguments of the compiled
function. To change them costs nothing; another shape, kind or type is another function.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from xpcs_bench.backends import BackendProtocol, get_backend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.config.geometry import GeometryKind, Orientation
from xpcs_bench.kernels import scattering
from xpcs_bench.kernels.kernel import Problem
from xpcs_bench.kernels.qmap import QMap, QMapParams

__all__ = ["JIT_CACHE_SIZE", "clear_jit_cache", "compute_qmap"]

JIT_CACHE_SIZE = 32
"""Functions that are kept at most; the one that was used longest ago goes first."""


class _Key(NamedTuple):
    """What a function was compiled for: all that its program depends on."""

    backend: int
    """The identity of the backend: its entry keeps it alive, so that no other gets
    the same one."""
    params: QMapParams
    kind: GeometryKind
    orientation: Orientation | None
    shape: tuple[int, int]
    dtype: Literal["float64", "float32"]


class _Entry(NamedTuple):
    backend: BackendProtocol
    function: Callable[[Any], dict[str, Any]]


_JIT_CACHE: dict[_Key, _Entry] = {}
"""In the order of use. A dictionary, because arrays cannot be keys of an ``lru_cache``
and because what is kept must be known."""
_lock = threading.Lock()


def compute_qmap(
    detector: Detector,
    geometry: Geometry,
    *,
    backend: BackendProtocol | None = None,
    convention: Literal["exact", "k_sin_2theta", "flat"] = "exact",
    formulation: Literal["algebraic", "trigonometric"] = "algebraic",
    maps: Literal["all", "vectors"] = "all",
    dtype: Literal["float64", "float32"] = "float64",
) -> dict[str, Any]:
    """Return the maps of a detector by name, each (row, column), of the backend.

    Without a backend the active one is taken. A backend that compiles does so on the
    first call for its kind of geometry, shape, type and options; later calls, from any
    thread, run the same program. Names, units and options are those of
    :class:`~xpcs_bench.kernels.qmap.QMap`.

    Raises
    ------
    ConfigError
        When the convention has no meaning in the geometry.
    """
    backend = get_backend() if backend is None else backend
    kernel = QMap()
    params = QMapParams(convention=convention, formulation=formulation, maps=maps)
    problem = Problem(params, detector, geometry, dtype)
    kernel.check(problem)
    key = _Key(
        id(backend), params, geometry.kind, geometry.orientation, detector.shape, dtype
    )
    function = _compiled(key, backend)
    beam = scattering.beam_vector(detector, geometry, dtype)
    found = function(backend.from_numpy(beam))
    # a compiled function returns its dictionary sorted
    return {output.name: found[output.name] for output in kernel.outputs(problem)}


def clear_jit_cache() -> None:
    """Forget all compiled functions, and with them the backends they belong to."""
    with _lock:
        _JIT_CACHE.clear()


def _compiled(key: _Key, backend: BackendProtocol) -> Callable[[Any], dict[str, Any]]:
    with _lock:
        # taken out and put back, it is the one that was used last
        entry = _JIT_CACHE.pop(key, None)
        if entry is None:
            entry = _Entry(backend, _compile(key, backend))
            while len(_JIT_CACHE) >= JIT_CACHE_SIZE:
                del _JIT_CACHE[next(iter(_JIT_CACHE))]
        _JIT_CACHE[key] = entry
    return entry.function


def _compile(key: _Key, backend: BackendProtocol) -> Callable[[Any], dict[str, Any]]:
    """Return the function for all that has this key; nothing is traced yet.

    It is made from a detector and a geometry that have what is in the key and nothing
    else of the caller's: what the program must not depend on is not there.
    """
    problem: Problem[QMapParams] = Problem(
        key.params,
        Detector(name="any", shape=key.shape, pixel_size_um=1.0),
        Geometry(
            name="any",
            kind=key.kind,
            energy_kev=1.0,
            distance_mm=1.0,
            orientation=key.orientation,
        ),
        key.dtype,
    )

    def function(beam: Any) -> dict[str, Any]:
        return dict(QMap().compute(backend, problem, {"beam": beam}))

    return backend.jit(function)
