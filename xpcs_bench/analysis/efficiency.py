"""How near cached calls come to the ceilings of their machine.

The least work of a case (:class:`~xpcs_bench.records.Case`) over its estimated time is
what it achieves; over the ceiling that fits it is a part. Everything is decided from
what a record holds: also which memory the bytes fit into, by the size of the cache that
was seen where the ceilings were measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from xpcs_bench.config import Experiment
from xpcs_bench.records import (
    Achieved,
    Case,
    CaseEstimate,
    Ceiling,
    Efficiency,
    Estimate,
    best,
)
from xpcs_bench.records.ceiling import Level, Resource, Threads

__all__ = ["efficiencies"]

_SYMBOLS: dict[Resource, str] = {"bytes": "B/s", "flops": "FLOP/s"}
_ABOVE: dict[Resource, str] = {
    "bytes": (
        "more than the ceiling: what a call works on stays in a cache that is nearer "
        "to the cores than the level that was measured, or the ceiling is too low, "
        "since other work had the machine while it was measured."
    ),
    "flops": (
        "more than the ceiling: operations that the kernel counts one by one were "
        "fused, shared or never needed, or the ceiling is too low, since other work "
        "had the machine while it was measured."
    ),
}
"""What a part above 1 means."""
_CONVERTS = (
    "the call converts, so that its time is not that of the kernel's work alone."
)


def efficiencies(
    cases: Sequence[Case],
    estimates: Iterable[CaseEstimate],
    ceilings: Sequence[Ceiling],
    experiment: Experiment,
) -> tuple[Efficiency, ...]:
    """Tell of every cached call that has an estimate which part of the machine it uses.

    Parameters
    ----------
    ceilings : sequence of Ceiling
        All that were measured, in the order of the record.
    experiment : Experiment
        Says whether it was asked for, and how many threads workers had.
    """
    if not experiment.efficiency:
        return ()
    threads: Threads = "one" if experiment.profile.threads == 1 else "all"
    by_id = {case.id: case for case in cases}
    return tuple(
        _efficiency(by_id[row.case], row.estimate, ceilings, threads)
        for row in estimates
        if row.metric == "steady_state"
    )


def _efficiency(
    case: Case, time: Estimate, ceilings: Sequence[Ceiling], threads: Threads
) -> Efficiency:
    device, dtype = case.variant.device, case.variant.dtype
    if case.variant.converts != "nothing":
        return Efficiency(
            case=case.id,
            bandwidth=_none(_CONVERTS),
            flops=_none(_CONVERTS),
            limited_by=None,
        )
    if device != "cpu":
        threads = "all"  # those of the host have nothing to do with it
    level = _level(case.least_bytes or 0, device, ceilings)
    bandwidth = _achieved(
        "bytes",
        case.least_bytes,
        time,
        best(ceilings, "bytes", platform=device, threads=threads, level=level),
        ceilings,
        f"bytes a second in the {level} of the {device}",
    )
    flops = _achieved(
        "flops",
        case.least_flops,
        time,
        best(ceilings, "flops", platform=device, threads=threads, dtype=dtype),
        ceilings,
        f"{dtype} operations a second of the {device}",
    )
    return Efficiency(
        case=case.id,
        bandwidth=bandwidth,
        flops=flops,
        limited_by=_limit(case, bandwidth, flops),
    )


def _level(nbytes: int, device: str, ceilings: Iterable[Ceiling]) -> Level:
    """Return which memory so many bytes are worked on in, again and again."""
    caches = [row.cache_bytes for row in ceilings if row.platform == device]
    return "cache" if nbytes <= max((c for c in caches if c), default=0) else "memory"


def _achieved(
    resource: Resource,
    least: int | None,
    time: Estimate,
    ceiling: Ceiling | None,
    ceilings: Sequence[Ceiling],
    what: str,
) -> Achieved:
    if least is None:
        return _none("the record is from before plans stated the least work.")
    if least <= 0:
        return _none(f"the kernel states no {resource}.")
    if not 0 < time.lower <= time.upper < math.inf:
        return _none("the interval of the time has no end above zero, and a rate none.")
    rate = _over_time(least, time, _SYMBOLS[resource])
    if ceiling is None:
        return Achieved(
            per_second=rate,
            part=None,
            ceiling=None,
            reason=f"no ceiling of {what} was measured.",
        )
    part = _over_time(least / ceiling.per_second, time, "part")
    return Achieved(
        per_second=rate,
        part=part,
        ceiling=next(at for at, row in enumerate(ceilings) if row is ceiling),
        reason=_ABOVE[resource] if part.point > 1 else "",
    )


def _none(reason: str) -> Achieved:
    return Achieved(per_second=None, part=None, ceiling=None, reason=reason)


def _over_time(work: float, time: Estimate, unit: str) -> Estimate:
    """Divide by a time; the longest gives the lower end."""
    return Estimate(
        point=work / time.point,
        lower=work / time.upper,
        upper=work / time.lower,
        confidence=time.confidence,
        statistic=f"least work over time: {time.statistic}",
        n_processes=time.n_processes,
        n_samples=time.n_samples,
        unit=unit,
    )


def _limit(
    case: Case, bandwidth: Achieved, flops: Achieved
) -> Literal["bandwidth", "flops"] | None:
    """Say of which a case uses the larger part; what it needs none of limits nobody."""
    # both parts are of the same time: where that lies in its interval decides nothing
    if bandwidth.part and (flops.part or case.least_flops == 0):
        used = flops.part.point if flops.part else 0.0
        return "bandwidth" if bandwidth.part.point >= used else "flops"
    return "flops" if flops.part and case.least_bytes == 0 else None
