"""Why a variant of a kernel cannot be measured in some way, whatever the problem is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpcs_bench.config import CompilationCache, MeasureName
from xpcs_bench.kernels.kernel import Kernel
from xpcs_bench.measure.registry import skip_reason
from xpcs_bench.records import Variant
from xpcs_bench.run.wire import Availability

__all__ = ["obstacle"]

_DECIDED_BY_THE_CACHE: Mapping[MeasureName, frozenset[CompilationCache]] = {
    "first_call": frozenset({"cold", "warm"}),
    "stages": frozenset({"cold", "warm"}),
    # the call before the one that is timed fills a cold one
    "recompile": frozenset({"warm"}),
}
"""States of the persistent compilation cache, other than off, that a measure can be
taken in."""
_CONVERTED: frozenset[MeasureName] = frozenset({"first_call", "steady_state"})
"""Measures whose calls may convert: those that time a call from what it is given to
what it returns."""


def obstacle(
    kernel: Kernel[Any],
    variant: Variant,
    availability: Availability | None,
    measure: MeasureName,
    boundary: str | None,
) -> str | None:
    """Return why nothing can be measured, in a sentence; None where it can.

    Parameters
    ----------
    availability : Availability or None
        What a probing worker saw of the backend; None: it does not know it.
    boundary : str or None
        For conversions: which.
    """
    return (
        _device_reason(variant, availability)
        or _capability_reason(kernel, variant, availability)
        or _cache_reason(kernel, variant, measure)
        or _conversion_reason(variant, measure)
        or skip_reason(
            measure,
            boundary,
            variant.backend,
            variant.device,
            compiled=kernel.compiled,
        )
    )


def _device_reason(variant: Variant, availability: Availability | None) -> str | None:
    if availability is None:
        return f"backend {variant.backend}: not registered in the worker's environment"
    if not availability.available:
        return f"backend {variant.backend}: {availability.reason}"
    platforms = sorted({device.platform for device in availability.devices})
    if variant.device not in platforms:
        return (
            f"device {variant.device}: none visible to {variant.backend} "
            f"(visible: {', '.join(platforms)})"
        )
    return None


def _capability_reason(
    kernel: Kernel[Any], variant: Variant, availability: Availability | None
) -> str | None:
    """Why a backend cannot do what a kernel requires."""
    able = availability.capabilities if availability else ()
    missing = sorted(kernel.requires - set(able))
    if not missing:
        return None
    return (
        f"kernel {kernel.name}: requires {' and '.join(missing)}, which the backend "
        f"{variant.backend} does not support"
    )


def _cache_reason(
    kernel: Kernel[Any], variant: Variant, measure: MeasureName
) -> str | None:
    """Why a state of the compilation cache makes no difference to a case."""
    if variant.compilation_cache == "off":
        return None
    if variant.backend == "numpy" or not kernel.compiled:
        who = "numpy" if variant.backend == "numpy" else f"the kernel {kernel.name}"
        return f"compilation cache: {who} compiles nothing"
    if measure not in _DECIDED_BY_THE_CACHE:
        return f"compilation cache: it changes first calls, and no {measure}"
    if variant.compilation_cache not in _DECIDED_BY_THE_CACHE[measure]:
        return (
            f"compilation cache: the first call of a process fills a cold one, so that "
            f"its {measure} finds a warm one"
        )
    return None


def _conversion_reason(variant: Variant, measure: MeasureName) -> str | None:
    """Why a case has nothing to convert."""
    if variant.converts == "nothing":
        return None
    if variant.backend == "numpy":
        return "converts: the arrays of numpy are the host's, and stay what they are"
    if measure not in _CONVERTED:
        return f"converts: first and cached calls convert, and no {measure} does"
    return None
