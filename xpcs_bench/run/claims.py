"""Which cases the claims of an experiment are about."""

from __future__ import annotations

from collections.abc import Sequence

from xpcs_bench.config import ClaimSide, Experiment
from xpcs_bench.errors import ConfigError
from xpcs_bench.records import Case, ClaimCases

__all__ = ["claim_cases", "tried"]

_SHOWN = 3


def claim_cases(
    experiment: Experiment, cases: Sequence[Case]
) -> tuple[ClaimCases, ...]:
    """Find the one case of each side of every claim.

    Parameters
    ----------
    cases : sequence of Case
        All that the experiment asks for, those that are skipped among them: their
        claims are skipped for the same reason.

    Raises
    ------
    ConfigError
        A side of a claim is none of them, or several.
    """
    return tuple(
        ClaimCases(
            claim=claim.id,
            of=_only(claim.id, claim.of, cases) if claim.of else None,
            over=_only(claim.id, claim.over, cases) if claim.over else None,
        )
        for claim in experiment.claims
    )


def tried(experiment: Experiment, claims: Sequence[ClaimCases]) -> tuple[str, ...]:
    """Name the behaviours that these claims are about, each once."""
    mine = {row.claim for row in claims}
    return tuple(
        dict.fromkeys(
            claim.behaviour
            for claim in experiment.claims
            if claim.behaviour is not None and claim.id in mine
        )
    )


def _only(claim: str, side: ClaimSide, cases: Sequence[Case]) -> str:
    found = [case.id for case in cases if _selects(side, case)]
    if len(found) == 1:
        return found[0]
    asked = ", ".join(
        f"{key}: {value!r}"
        for key, value in side.where.model_dump(exclude_defaults=True).items()
    )
    said = f"claim {claim!r}: {side.metric} where {{{asked}}} is "
    if not found:
        msg = (
            f"{said}no case of this experiment. Widen the selection, or let kernels, "
            "detectors, geometries and matrix hold such a case; 'xpcs-bench plan' "
            "lists what they do hold."
        )
        raise ConfigError(msg)
    listed = ", ".join(map(repr, found[:_SHOWN]))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    msg = (
        f"{said}{len(found)} cases of this experiment: {listed}{more}. A claim is "
        "about one. Name more of kernel, params, detector, geometry, backend, device, "
        "dtype, compilation_cache, converts and boundary."
    )
    raise ConfigError(msg)


def _selects(side: ClaimSide, case: Case) -> bool:
    where = side.where
    fields = {
        "kernel": case.kernel,
        "detector": case.detector.name if case.detector else None,
        "geometry": case.geometry.name if case.geometry else None,
        "backend": case.variant.backend,
        "device": case.variant.device,
        "dtype": case.variant.dtype,
        "compilation_cache": case.variant.compilation_cache,
        "converts": case.variant.converts,
        "boundary": case.boundary,
    }
    return (
        case.measure == side.measure
        and all(getattr(where, key) in {None, value} for key, value in fields.items())
        and all(
            key in case.params and case.params[key] == value
            for key, value in where.params.items()
        )
    )
