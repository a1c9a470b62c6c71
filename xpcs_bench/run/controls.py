"""Cases whose comparison has a known answer, beside the comparisons of a plan.

For every backend and device that is compared: one small piece of work as the ``first``
of three, the same ``again``, and the same ``slowed`` by a known part. They are
measured, and their values checked, as any other case is; what a comparison of them
must say is known (:mod:`xpcs_bench.analysis.controls`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from xpcs_bench.analysis.controls import CONTROLLED
from xpcs_bench.config import Dtype
from xpcs_bench.kernels.kernel import Problem
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.records import Case, Group, Variant

__all__ = ["controls_of", "places_compared"]

_REFERENCE = "g2_model"
_PARAMS = {"q_bins": 4, "delays": 16}
"""The reference needs neither detector nor geometry, nor anything that a backend may
lack. It is so small that no backend divides it among threads: from some 500 elements
on XLA does, and on two busy cores such calls differ by a factor of two between
processes. That is for the interval of each comparison to tell; what a control asks is
whether processes that do the same are found to do the same."""

Place = tuple[str, str]
"""Backend and device."""


def places_compared(
    cases: Mapping[str, Case], groups: Iterable[Group]
) -> dict[Place, Dtype]:
    """Return where timed comparisons take place, and the first type that each names.

    What is measured alone has nothing to be told apart from. Groups of controls are
    not among those that are given.
    """
    places: dict[Place, Dtype] = {}
    for group in groups:
        members = [cases[member] for member in group.cases]
        if len(members) > 1 and members[0].measure in CONTROLLED:
            for variant in (case.variant for case in members):
                places.setdefault((variant.backend, variant.device), variant.dtype)
    return places


def controls_of(
    cases: Mapping[str, Case], groups: Iterable[Group]
) -> Iterator[tuple[Case, Case, Case]]:
    """Yield the cases of each control that the comparisons of a plan need."""
    kernel = create_kernel(_REFERENCE)
    params = kernel.Params(**_PARAMS)
    for (backend, device), dtype in places_compared(cases, groups).items():
        work = kernel.work(Problem(params, None, None, dtype))
        first, again, slowed = (
            Case(
                kernel=kernel.name,
                kernel_version=kernel.version,
                params=params.model_dump(mode="json"),
                labels=_PARAMS,
                detector=None,
                geometry=None,
                variant=Variant(
                    backend=backend, device=device, dtype=dtype, control=control
                ),
                measure="steady_state",
                least_flops=work.flops,
                least_bytes=work.bytes,
            )
            for control in ("first", "again", "slowed")
        )
        yield first, again, slowed
