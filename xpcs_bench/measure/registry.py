"""The measures by name; adding one is a module and a line here.

The planning parent imports this module too: it imports no array library but NumPy,
and a measure only when asked for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from xpcs_bench.measure.clock import Clock
from xpcs_bench.measure.task import Task
from xpcs_bench.records import Observation

__all__ = ["MEASURES", "SKIP_REASONS", "OneShot", "one_shot", "skip_reason"]

OneShot = Callable[[Task, Clock], Observation]

MEASURES: dict[str, str] = {
    "first_call": "xpcs_bench.measure.first_call:measure",
    "recompile": "xpcs_bench.measure.recompile:measure",
    "stages": "xpcs_bench.measure.stages:measure",
    "steady_state": "xpcs_bench.measure.steady_state:SteadyState",
    "conversion": "xpcs_bench.measure.conversion:measure",
    "parity": "xpcs_bench.measure.parity:measure",
    "peak_memory": "xpcs_bench.measure.peak_memory:measure",
    "counters": "xpcs_bench.measure.counters:measure",
}
"""Name to ``module:function``. ``steady_state`` is a class: its cases take turns."""

SKIP_REASONS: dict[str, str] = {
    "recompile": "xpcs_bench.measure.recompile:skip_reason",
    "stages": "xpcs_bench.measure.stages:skip_reason",
    "conversion": "xpcs_bench.measure.boundary:skip_reason",
}
"""Measures that do not apply everywhere, to ``module:function`` of (boundary, backend,
device, compiled); a measure that is not here applies to every case."""


def _load(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def one_shot(name: str) -> OneShot:
    """Return the measure that takes one task from beginning to end.

    Raises
    ------
    ValueError
        There is none of this name, or it is sampled in turns.
    """
    allowed = [measure for measure in MEASURES if measure != "steady_state"]
    if name not in allowed:
        msg = (
            f"{name!r} is not measured in one go. Allowed: {', '.join(allowed)}. Cases "
            "of 'steady_state' take turns: use SteadyState."
        )
        raise ValueError(msg)
    return cast("OneShot", _load(MEASURES[name]))


def skip_reason(
    measure: str,
    boundary: str | None,
    backend: str,
    device: str,
    *,
    compiled: bool = True,
) -> str | None:
    """Say at planning time why a case cannot be measured; None if it can.

    ``compiled`` is that of the kernel. Imports neither the backend nor the library at
    a boundary.
    """
    if measure not in SKIP_REASONS:
        return None
    ask = cast("Callable[..., str | None]", _load(SKIP_REASONS[measure]))
    return ask(boundary, backend, device, compiled=compiled)
