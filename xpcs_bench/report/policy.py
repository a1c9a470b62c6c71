"""The policy file of a run: the times of its advice, for programs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from xpcs_bench.backends.cost_curve import Seconds
from xpcs_bench.backends.policy import (
    POLICY_VERSION,
    Candidate,
    Circumstances,
    Lost,
    Point,
    Policy,
    Series,
    Visible,
)
from xpcs_bench.config import Converts
from xpcs_bench.errors import ConfigError
from xpcs_bench.records import (
    Advice,
    Environment,
    Estimate,
    ProblemAdvice,
    Ranked,
    RunRecord,
)

__all__ = ["POLICY", "make_policy", "save_policy"]

POLICY = "policy.json"
_PACKAGES = ("xpcs_bench", "numpy", "scipy", "jax", "jaxlib")


class _Key(NamedTuple):
    """What the points of a series have in common."""

    kernel: str
    words: str
    """Parameters that are no numbers, as JSON."""
    geometry: str | None
    dtype: str
    converts: Converts


def make_policy(record: RunRecord, advice: Advice) -> Policy:
    """Make a policy of what has a time and a size; nothing is estimated here."""
    by_series: dict[_Key, list[ProblemAdvice]] = {}
    for problem in advice.problems:
        if problem.ranked and problem.size_bytes:
            words, _ = _told_apart(problem.params)
            kind = problem.geometry.kind if problem.geometry else None
            key = _Key(
                problem.kernel, json.dumps(words), kind, problem.dtype, problem.converts
            )
            by_series.setdefault(key, []).append(problem)
    return Policy(
        schema_version=POLICY_VERSION,
        run_id=record.header.run_id,
        xpcs_bench=record.header.xpcs_bench,
        circumstances=_circumstances(record),
        series=tuple(
            Series(
                kernel=key.kernel,
                params=json.loads(key.words),
                geometry=key.geometry,
                dtype=key.dtype,
                converts=key.converts,
                points=tuple(
                    sorted(map(_point, problems), key=lambda point: point.size_bytes)
                ),
            )
            for key, problems in by_series.items()
        ),
        lost=tuple(_lost(advice)),
    )


def _told_apart(
    params: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, int | float]]:
    """Part parameters into those that say what is computed, and how much."""
    numbers = {
        key: value
        for key, value in params.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    return {key: params[key] for key in params if key not in numbers}, numbers


def _point(problem: ProblemAdvice) -> Point:
    _, numbers = _told_apart(problem.params)
    return Point(
        size_bytes=problem.size_bytes or 0,
        numbers=numbers,
        detector=problem.detector.name if problem.detector else None,
        shape=problem.detector.shape if problem.detector else None,
        candidates=tuple(_candidate(row, problem) for row in problem.ranked),
    )


def _candidate(row: Ranked, problem: ProblemAdvice) -> Candidate:
    """Make the candidate of a variant.

    Its cached call is that of the baseline times the ratio: on a busy machine the ratio
    of calls that took turns is known better than either, and the two may be told by
    different clocks.
    """
    cached = row.cached
    if row.ratio is not None:
        (base,) = (each.cached for each in problem.ranked if each.ratio is None)
        ends = ("point", "lower", "upper")
        cached = cached.model_copy(
            update={end: base.point * getattr(row.ratio, end) for end in ends}
        )
    return Candidate(
        backend=row.variant.backend,
        device=row.variant.device,
        compiles=row.compiles,
        first_call_s=_seconds(row.first_call) if row.first_call else None,
        recompile_s=_seconds(row.recompile) if row.recompile else None,
        cached_s=_seconds(cached),
        judgement=row.judgement.value if row.judgement else "baseline",
    )


def _seconds(estimate: Estimate) -> Seconds:
    return Seconds(
        *(
            float(f"{end:.4g}")
            for end in (estimate.point, estimate.lower, estimate.upper)
        )
    )


def _circumstances(record: RunRecord) -> Circumstances:
    workers = list(_workers(record)) or [record.header.parent]
    packages = {
        name: version
        for worker in workers
        for name, version in worker.packages.items()
        if name in _PACKAGES
    }
    devices = {
        Visible(
            backend=worker.backend, platform=device.platform, name=device.name
        ): None
        for worker in workers
        if worker.backend
        for device in worker.devices
    }
    return Circumstances(
        cpu=workers[0].cpu,
        # a worker of a controlled run may have had one core of many
        cores=len(workers[0].affinity),
        python=workers[0].python,
        packages=packages,
        devices=tuple(devices),
    )


def _workers(record: RunRecord) -> Iterator[Environment]:
    """Yield the environments of the workers that took cached calls."""
    sampled = {
        row.environment
        for row in record.measurements
        if row.case.endswith("/steady_state")
    }
    for fingerprint, environment in record.environments.items():
        if fingerprint in sampled:
            yield environment


def _lost(advice: Advice) -> Iterator[Lost]:
    every = chain(advice.not_run, *(problem.not_run for problem in advice.problems))
    counts = Counter((row.variant, row.reason) for row in every)
    for (variant, reason), problems in counts.items():
        yield Lost(
            backend=variant.backend,
            device=variant.device,
            dtype=variant.dtype,
            reason=reason,
            problems=problems,
        )


def save_policy(policy: Policy, path: Path) -> None:
    """Write a policy, a candidate a line; a reader never sees half of it.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    draft = path.with_name(path.name + ".part")
    text = _text(policy.model_dump(mode="json")) + "\n"
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 (atomic by contract)
    except OSError as error:
        msg = (
            f"--policy {str(path)!r}: cannot be written ({error.strerror}). Name a "
            "file in a folder that exists and can be written to."
        )
        raise ConfigError(msg) from error


def _text(value: Any, indent: str = "") -> str:
    """Write JSON for people: what holds no further mapping is a line."""
    deeper = indent + " "
    if isinstance(value, dict) and any(map(_holds_mapping, value.values())):
        parts = [f"{json.dumps(key)}: {_text(value[key], deeper)}" for key in value]
        opening, closing = "{", "}"
    elif isinstance(value, list) and _holds_mapping(value):
        parts = [_text(each, deeper) for each in value]
        opening, closing = "[", "]"
    else:
        return json.dumps(value, ensure_ascii=False)
    lines = f",\n{deeper}".join(parts)
    return f"{opening}\n{deeper}{lines}\n{indent}{closing}"


def _holds_mapping(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_holds_mapping, value))
    return isinstance(value, dict)
