"""Which circumstances two runs do not share, and what that does to their times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xpcs_bench.records import (
    Bearing,
    Case,
    Difference,
    Environment,
    Measurement,
    RunRecord,
)
from xpcs_bench.units import format_bytes

__all__ = ["differences"]

_FEATURES = "cpu features"
_NONE = "none"

_COMPARED = frozenset({"revision", "xpcs_bench"})
"""What one compares runs for."""
_HARMLESS = frozenset(
    {
        # which ones, where they are as many
        "core numbers",
        # how much there is, not how fast it is
        "memory",
        "device memory",
        "taking turns",
        # the settings behind it stand beside it
        "profile.name",
        # what was asked of it; what it did stands beside it for every case
        "profile.start",
        # effort: the intervals tell what came of it
        *(
            f"sampling.{name}"
            for name in (
                "precision",
                "max_time_s",
                "processes",
                "budget_s",
                "min_sample_s",
                "warmup_calls",
                "timeout_s",
                "memory_limit",
            )
        ),
        # of values: sizes and types, which decide times, are the same
        "seed",
        "tolerances",
        "controls",
        "efficiency",
    }
)
"""What leaves times as they are. Whatever is neither here nor above does not mix: a
circumstance that somebody adds is refused until somebody says otherwise."""
_ORDER: tuple[Bearing, ...] = ("incomparable", "compared", "harmless")

_Facts = Mapping[str, frozenset[str]]
"""Name of a circumstance to its values, in words."""


def differences(
    baseline: RunRecord, candidate: RunRecord, cases: Sequence[Case]
) -> tuple[Difference, ...]:
    """Return what two runs do not share, the worst first.

    Workers are looked at case by case, so that what only one run measured does not
    count, and each difference is told once.

    Parameters
    ----------
    cases : sequence of Case
        Those that are compared; in both runs.
    """
    runs = (_of_run(baseline), _of_run(candidate))
    found: dict[tuple[str, str, str], set[str]] = {
        difference: set() for difference in _unlike(*runs)
    }
    for backend, facts in _of_cases((baseline, candidate), cases):
        for difference in _unlike(*facts):
            found.setdefault(difference, set()).add(backend)
    everything = [
        Difference(
            name=name,
            baseline=one,
            candidate=other,
            bearing=_bearing(name),
            backends=tuple(sorted(backends)),
        )
        for (name, one, other), backends in found.items()
    ]
    return tuple(sorted(everything, key=lambda row: _ORDER.index(row.bearing)))


def _bearing(name: str) -> Bearing:
    if name in _COMPARED:
        return "compared"
    return "harmless" if name in _HARMLESS else "incomparable"


def _unlike(baseline: _Facts, candidate: _Facts) -> Iterator[tuple[str, str, str]]:
    """Yield the name and both values of each circumstance that differs."""
    for name in dict.fromkeys((*baseline, *candidate)):
        one, other = (facts.get(name, frozenset()) for facts in (baseline, candidate))
        if one == other:
            continue
        if name == _FEATURES:
            # some twenty, most of which both have
            yield name, _listed(one - other), _listed(other - one)
        else:
            yield name, _either(one), _either(other)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "none that the other lacks"


def _either(values: Iterable[str]) -> str:
    return " or ".join(sorted(values)) or _NONE


def _of_run(record: RunRecord) -> _Facts:
    header = record.header
    experiment = header.experiment
    facts: dict[str, Any] = {
        "xpcs_bench": header.xpcs_bench,
        "seed": experiment.seed,
        "controls": experiment.controls,
        "efficiency": experiment.efficiency,
        "tolerances": "; ".join(
            f"{each.kernel} {each.output or 'all'} {each.dtype or 'all'} "
            f"rtol={each.rtol:g} atol={each.atol:g}"
            for each in experiment.tolerances
        ),
    }
    for part in ("profile", "sampling"):
        own = getattr(experiment, part).model_dump()
        facts |= {f"{part}.{name}": value for name, value in own.items()}
    return _said(facts)


def _said(facts: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {
        name: frozenset({_NONE if value in {None, ""} else str(value)})
        for name, value in facts.items()
    }


def _of_cases(
    records: tuple[RunRecord, RunRecord], cases: Sequence[Case]
) -> Iterator[tuple[str, tuple[_Facts, _Facts]]]:
    """Yield backend and facts of both sides, for every case that both tell of."""
    rows = tuple(_by_case(record) for record in records)
    done: set[tuple[object, ...]] = set()
    for case in cases:
        sides = [
            frozenset(
                (row.environment, row.start, row.interleaved)
                for row in side.get(case.id, ())
                if row.environment is not None
            )
            for side in rows
        ]
        key = (case.variant.backend, *sides)
        # thousands of cases ran in a handful of circumstances
        if all(sides) and key not in done:
            done.add(key)
            one, other = (
                _of_workers(record, side)
                for record, side in zip(records, sides, strict=True)
            )
            yield case.variant.backend, (one, other)


def _by_case(record: RunRecord) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = defaultdict(list)
    for row in record.measurements:
        found[row.case].append(row)
    return found


def _of_workers(
    record: RunRecord, workers: Iterable[tuple[str | None, str, bool]]
) -> _Facts:
    found: dict[str, frozenset[str]] = {}
    for fingerprint, start, interleaved in workers:
        if fingerprint is None:
            continue
        own = _of_environment(record.environments[fingerprint]) | _said(
            {"start of workers": start, "taking turns": interleaved}
        )
        for name, values in own.items():
            found[name] = found.get(name, frozenset()) | values
    return found


def _of_environment(environment: Environment) -> dict[str, frozenset[str]]:
    revision = environment.git_revision
    if revision is not None:
        revision = revision[:12] + " with changes" * bool(environment.git_dirty)
    memory = environment.memory_bytes
    facts: dict[str, Any] = {
        "host": environment.host,
        "cpu": environment.cpu,
        "cores": environment.cores,
        "usable cores": len(environment.affinity),
        "core numbers": ", ".join(map(str, environment.affinity)),
        "memory": memory if memory is None else format_bytes(memory),
        "operating system": environment.kernel,
        "python": environment.python,
        "backend": environment.backend,
        "devices": ", ".join(
            f"{device.platform} {device.index}: {device.name}"
            for device in environment.devices
        ),
        "device memory": ", ".join(
            format_bytes(device.memory_bytes)
            for device in environment.devices
            if device.memory_bytes is not None
        ),
        "64-bit types of jax": environment.x64,
        "compilation cache": environment.compilation_cache,
        "revision": revision,
    }
    # the version of xpcs_bench itself is the run's
    facts |= {
        f"package {name}": version
        for name, version in environment.packages.items()
        if name != "xpcs_bench"
    }
    facts |= {
        f"variable {name}": value for name, value in environment.variables.items()
    }
    return _said(facts) | {_FEATURES: frozenset(environment.cpu_features)}
