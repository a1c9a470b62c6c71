"""From an experiment to cases, groups, and skips with a reason."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from xpcs_bench.config import (
    Detector,
    Experiment,
    Geometry,
    KernelChoice,
    MeasureName,
    Selector,
)
from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.kernels.kernel import Kernel, Problem, Work
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.records import Case, ClaimCases, Group, Skip, Variant
from xpcs_bench.run.claims import claim_cases, tried
from xpcs_bench.run.controls import controls_of, places_compared
from xpcs_bench.run.obstacles import obstacle
from xpcs_bench.run.selection import Accept, parse_selection
from xpcs_bench.run.wire import Availability
from xpcs_bench.units import format_bytes

__all__ = ["Plan", "make_plan", "select", "with_controls"]

_IDLE_WORKER_BYTES = 400 * 2**20
"""Resident memory of a worker that has imported jax and compiled something small."""
_TEMPORARIES = 4
"""A kernel's working set as a multiple of its inputs and outputs: formulations seen
here held up to three temporaries of the output's size, and a parity check one more."""


@dataclass(frozen=True)
class Plan:
    """What will be measured, and what will not."""

    experiment: Experiment
    cases: tuple[Case, ...]
    groups: tuple[Group, ...]
    skipped: tuple[Skip, ...]
    memory_bytes: Mapping[str, int]
    """Case id to estimated resident memory of its worker (bytes)."""
    claims: tuple[ClaimCases, ...] = ()
    """Which claims it decides, and by which cases."""
    baseline: str = ""
    """What its candidate is held against, in full: a commit; empty: there are no two
    revisions."""

    @property
    def behaviours(self) -> tuple[str, ...]:
        """What is to be tried for its claims, each once."""
        return tried(self.experiment, self.claims)

    @cached_property
    def digest(self) -> str:
        """Of the cases and of everything that decides how they are measured."""
        content: dict[str, Any] = {
            "cases": [_deciding(case) for case in self.cases],
            "sampling": self.experiment.sampling.model_dump(mode="json"),
            "tolerances": [
                row.model_dump(mode="json") for row in self.experiment.tolerances
            ],
            "profile": self.experiment.profile.model_dump(mode="json"),
            "controls": self.experiment.controls,
            "seed": self.experiment.seed,
        }
        if self.experiment.profile.programs == "anew":
            # as all profiles were before there was such a choice
            del content["profile"]["programs"]
        if self.baseline:
            content["baseline"] = self.baseline
        if self.experiment.efficiency:
            # a plan without it keeps the digest from before there was such a choice
            content["efficiency"] = True
        if self.claims:
            # nor is a record that decides one sentence gone on with to decide another
            content["claims"] = [row.model_dump(mode="json") for row in self.claims] + [
                claim.model_dump(mode="json") for claim in self.experiment.claims
            ]
        if self.experiment.crossover:
            content["crossover"] = self.experiment.crossover.model_dump(mode="json")
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _deciding(case: Case) -> dict[str, Any]:
    """Return what of a case decides how it is measured."""
    # what follows from kernel, parameters and type decides nothing more
    content = case.model_dump(mode="json", exclude={"least_flops", "least_bytes"})
    if not case.variant.revision:
        # a plan without revisions keeps the digest from before there were any
        del content["variant"]["revision"]
    if case.variant.converts == "nothing":
        # nor does it change for one whose calls convert nothing
        del content["variant"]["converts"]
    return content


_Row = Mapping[str, Any]
"""The fields that a row of ``include`` or ``exclude`` gives."""


def _matches(row: _Row, fields: Mapping[str, str | None]) -> bool:
    return all(fields[field] == value for field, value in row.items())


def _given(selector: Selector) -> _Row:
    return selector.model_dump(exclude_none=True)


def _variants(experiment: Experiment) -> Iterator[tuple[Variant, _Row]]:
    """Yield variants, and what limits each to some cases."""
    matrix = experiment.matrix
    for backend, device, dtype, cache, converts in itertools.product(
        matrix.backend,
        matrix.device,
        matrix.dtype,
        matrix.compilation_cache,
        matrix.converts,
    ):
        variant = Variant(
            backend=backend,
            device=device,
            dtype=dtype,
            compilation_cache=cache,
            converts=converts,
        )
        yield variant, {}
    for row in matrix.include:
        dtypes = (row.dtype,) if row.dtype else matrix.dtype
        for dtype in dtypes:
            if row.backend is None or row.device is None:
                msg = f"matrix.include row {row!r} must name backend and device."
                raise ConfigError(msg)
            variant = Variant(
                backend=row.backend,
                device=row.device,
                dtype=dtype,
                compilation_cache=row.compilation_cache or "off",
                converts=row.converts or "nothing",
            )
            yield variant, _given(row)


def _problems(
    choice: KernelChoice, kernel: Kernel[Any], experiment: Experiment
) -> Iterator[tuple[Problem[Any], dict[str, object]]]:
    """Yield problems in float64 (the variant sets the dtype) with their id labels."""
    detectors: Sequence[Detector | None] = (
        experiment.detectors if "detector" in kernel.needs else (None,)
    )
    geometries: Sequence[Geometry | None] = (
        experiment.geometries if "geometry" in kernel.needs else (None,)
    )
    defaults = kernel.Params().model_dump(mode="json")
    for values in itertools.product(*choice.params.values()):
        params = kernel.Params(**dict(zip(choice.params, values, strict=True)))
        labels = {
            key: value
            for key, value in params.model_dump(mode="json").items()
            if value != defaults[key]
        }
        for detector, geometry in itertools.product(detectors, geometries):
            yield Problem(params, detector, geometry, "float64"), labels


def _refusal(kernel: Kernel[Any], problem: Problem[Any]) -> str | None:
    """Why a kernel cannot compute a problem; crossing asks for more than is sane."""
    try:
        kernel.check(problem)
    except ConfigError as error:
        return str(error)
    return None


@dataclass(frozen=True)
class _Column:
    """A variant and a measure: what every problem of a kernel is crossed with."""

    variant: Variant
    only: _Row
    """What limits the variant to some cases."""
    measure: MeasureName
    boundary: str | None
    reason: str | None
    """Why no problem of the kernel can be measured so."""


def _columns(
    kernel: Kernel[Any],
    experiment: Experiment,
    availability: Mapping[str, Availability],
) -> Iterator[_Column]:
    """Cross variants and measures, once a kernel: problems come in thousands."""
    for variant, only in _variants(experiment):
        seen = availability.get(variant.backend)
        for measure, boundary in _measures(experiment):
            reason = obstacle(kernel, variant, seen, measure, boundary)
            yield _Column(variant, only, measure, boundary, reason)


def make_plan(
    experiment: Experiment,
    availability: Mapping[str, Availability],
    memory_limit: int,
) -> Plan:
    """Cross kernels, detectors, geometries and variants into cases, or into skips.

    Parameters
    ----------
    availability : mapping
        What a probing worker saw, by backend.
    memory_limit : int
        A case that needs more is skipped (bytes).

    Raises
    ------
    ConfigError
        The experiment's own ``exclude`` leaves no case, or a claim is about none of
        them or about several.
    """
    cases: dict[str, Case] = {}
    skipped: dict[str, Skip] = {}
    asked: list[Case] = []
    groups: dict[str, list[str]] = {}
    memory: dict[str, int] = {}
    excluded = 0
    exclude = [_given(row) for row in experiment.matrix.exclude]
    for choice in experiment.kernels:
        kernel = create_kernel(choice.name)
        columns = list(_columns(kernel, experiment, availability))
        for problem, labels in _problems(choice, kernel, experiment):
            refusal = _refusal(kernel, problem)
            params = problem.params.model_dump(mode="json")
            works: dict[str, Work] = {}
            for column in columns:
                variant = column.variant
                fields = {
                    "kernel": choice.name,
                    "detector": problem.detector.name if problem.detector else None,
                    "geometry": problem.geometry.name if problem.geometry else None,
                    "backend": variant.backend,
                    "device": variant.device,
                    "dtype": variant.dtype,
                    "compilation_cache": variant.compilation_cache,
                    "converts": variant.converts,
                    "measure": column.measure,
                }
                if not _matches(column.only, fields) or any(
                    _matches(row, fields) for row in exclude
                ):
                    excluded += 1
                    continue
                if variant.dtype not in works:
                    of_dtype = replace(problem, dtype=variant.dtype)
                    works[variant.dtype] = kernel.work(of_dtype)
                work = works[variant.dtype]
                case = Case(
                    kernel=choice.name,
                    kernel_version=kernel.version,
                    params=params,
                    labels=labels,
                    detector=problem.detector,
                    geometry=problem.geometry,
                    variant=variant,
                    measure=column.measure,
                    boundary=column.boundary,
                    least_flops=work.flops,
                    least_bytes=work.bytes,
                )
                if case.id in cases or case.id in skipped:
                    continue
                asked.append(case)
                need = _need_bytes(work)
                reason = refusal or column.reason or _memory_reason(need, memory_limit)
                if reason:
                    skipped[case.id] = Skip(case=case.id, reason=reason)
                    continue
                cases[case.id] = case
                memory[case.id] = need
                groups.setdefault(case.group_id, []).append(case.id)
    if not cases and not skipped:
        msg = (
            f"experiment {experiment.name!r}: 'matrix.exclude' leaves no case of "
            f"{excluded}. Remove a row of it, or name fewer fields to match more."
        )
        raise ConfigError(msg)
    plan = Plan(
        experiment=experiment,
        cases=tuple(cases.values()),
        groups=tuple(
            Group(id=name, reference=_reference(members, cases), cases=tuple(members))
            for name, members in groups.items()
        ),
        skipped=tuple(skipped.values()),
        memory_bytes=memory,
        claims=claim_cases(experiment, asked),
    )
    return with_controls(plan) if experiment.controls else plan


def with_controls(plan: Plan) -> Plan:
    """Add the controls that the comparisons of a plan need; it has none yet."""
    trios = list(controls_of({case.id: case for case in plan.cases}, plan.groups))
    needs: dict[str, int] = {}
    for trio in trios:
        kernel = create_kernel(trio[0].kernel)
        params = kernel.Params.model_validate(trio[0].params)
        work = kernel.work(Problem(params, None, None, trio[0].variant.dtype))
        needs |= dict.fromkeys((case.id for case in trio), _need_bytes(work))
    return replace(
        plan,
        cases=(*plan.cases, *(case for trio in trios for case in trio)),
        groups=(
            *plan.groups,
            *(
                Group(
                    id=trio[0].group_id,
                    reference=trio[0].id,
                    cases=tuple(case.id for case in trio),
                )
                for trio in trios
            ),
        ),
        memory_bytes={**plan.memory_bytes, **needs},
    )


def _need_bytes(work: Work) -> int:
    return _IDLE_WORKER_BYTES + _TEMPORARIES * work.bytes


def _measures(experiment: Experiment) -> Iterator[tuple[MeasureName, str | None]]:
    for measure in experiment.measure:
        if measure == "conversion":
            for boundary in experiment.boundaries:
                yield measure, boundary
        else:
            yield measure, None


def _reference(members: Sequence[str], cases: Mapping[str, Case]) -> str:
    """NumPy where it is in the group, else the variant that the file names first."""
    for member in members:
        if cases[member].variant.backend == "numpy":
            return member
    return members[0]


def _memory_reason(need: int, limit: int) -> str | None:
    if need <= limit:
        return None
    return (
        f"memory: needs about {format_bytes(need)}, the limit is {format_bytes(limit)}"
    )


def select(plan: Plan, expression: str) -> Plan:
    """Keep the cases whose id matches ``-k``'s expression.

    See :mod:`xpcs_bench.run.selection`. What does not match is neither measured nor
    listed as skipped. Controls are not asked: they stay with the comparisons that need
    them, and go with the last of these. Claims stay where all their cases do, and those
    about a behaviour where ``behaviours/<name>`` matches.

    Raises
    ------
    ConfigError
        The expression cannot be read.
    CannotMeasure
        Nothing matches.
    """
    accept = parse_selection(expression)
    asked = [case for case in plan.cases if not case.variant.control]
    cases = tuple(case for case in asked if accept(case.id))
    skipped = tuple(skip for skip in plan.skipped if accept(skip.case))
    left = {case.id for case in cases} | {skip.case for skip in skipped}
    claims = _claims_among(plan, left, accept)
    if not cases and not skipped and not claims:
        msg = (
            f"-k {expression!r} matches none of the {len(asked)} cases. Case ids "
            f"look like {asked[0].id if asked else plan.skipped[0].case!r}; "
            f"'xpcs-bench plan' lists them all."
        )
        raise CannotMeasure(msg)
    kept = {case.id: case for case in cases}
    groups = []
    for group in plan.groups:
        members = tuple(member for member in group.cases if member in kept)
        if members:
            groups.append(
                Group(id=group.id, reference=_reference(members, kept), cases=members)
            )
    places = places_compared(kept, groups)
    controls = {
        case.id: case
        for case in plan.cases
        if case.variant.control
        and (case.variant.backend, case.variant.device) in places
    }
    groups += [group for group in plan.groups if group.reference in controls]
    return replace(
        plan,
        cases=(*cases, *controls.values()),
        groups=tuple(groups),
        skipped=skipped,
        claims=claims,
    )


def _claims_among(
    plan: Plan, kept: AbstractSet[str], accept: Accept
) -> tuple[ClaimCases, ...]:
    tried = {claim.id: claim.behaviour for claim in plan.experiment.claims}

    def stays(row: ClaimCases) -> bool:
        if row.of is None:
            return accept(f"behaviours/{tried[row.claim]}")
        return {row.of, row.over} <= {*kept, None}

    return tuple(filter(stays, plan.claims))
