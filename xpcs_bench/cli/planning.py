"""``plan`` and ``validate``: what an experiment asks for, before it is measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from xpcs_bench.config.load import load_experiment
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.records import Case
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.prepare import catalogue, prepare
from xpcs_bench.units import format_bytes, format_duration

__all__ = ["show_plan", "validate_files"]

_WORKER_START_S = 1.2
"""Starting a worker that imports jax; 0.9 to 1.6 s on the 2-core machines seen."""
_ONE_SHOT_S = 1.0
"""A measure that is not sampled: a first call with its value check."""
_BEHAVIOUR_S = 2.0
"""Trying one behaviour in a process of its own; 0.5 to 3 s were seen."""
_CHECK_S = 2.0
"""Measuring one kind of ceiling; 0.8 to 2 s were seen."""


def _estimated_s(plan: Plan) -> float:
    """Roughly how long a plan takes, an upper bound of its sampling (s).

    Of a search: as if half of a fixed grid had the processes of a first look.
    """
    from xpcs_bench.run.ceilings import ceiling_checks
    from xpcs_bench.run.schedule import schedule

    sampling = plan.experiment.sampling
    search = plan.experiment.crossover
    part = search.n_grid / 2 / len(search.sizes) if search else 1.0
    total = 0.0
    for job in schedule(plan, (), memory_limit=2**63):
        total += _WORKER_START_S
        for case in job.cases:
            sampled = case.measure in {"steady_state", "conversion"}
            total += (
                sampling.max_time_s / sampling.processes if sampled else _ONE_SHOT_S
            )
    beside = _CHECK_S * len(ceiling_checks(plan)) + _BEHAVIOUR_S * len(plan.behaviours)
    return part * total + beside


def show_plan(
    config: Path, expression: str | None, overrides: tuple[str, ...], *, as_json: bool
) -> int:
    """Print the dry run."""
    loaded, made, limit = prepare(config, expression, overrides)
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    needs = max(made.memory_bytes.values(), default=0)
    seconds = _estimated_s(made)
    if as_json:
        content = {
            "name": loaded.experiment.name,
            "plan_digest": made.digest,
            "cases": [case.id for case in made.cases],
            "groups": [group.model_dump(mode="json") for group in made.groups],
            "skipped": [skip.model_dump(mode="json") for skip in made.skipped],
            "claims": [row.model_dump(mode="json") for row in made.claims],
            "behaviours": list(made.behaviours),
            "estimated_s": seconds,
            "largest_case_bytes": needs,
            "memory_limit_bytes": limit,
        }
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return ExitCode.PASS
    cases = {case.id: case for case in made.cases}
    problems: dict[str, list[str]] = {}
    controls: list[str] = []
    for group in made.groups:
        reference = cases[group.reference]
        if reference.variant.control:
            parts = (cases[member].variant.control for member in group.cases)
            controls.append(
                f"  {reference.variant.backend}/{reference.variant.device}: "
                f"{reference.problem_id}, {reference.variant.dtype}: {', '.join(parts)}"
            )
            continue
        others = [
            cases[member].variant.id
            for member in group.cases
            if member != group.reference
        ]
        line = f"  {reference.measure_id}: {reference.variant.id}"
        if others:
            line += f"  <-  {', '.join(others)}"
        problems.setdefault(reference.problem_id, []).append(line)
    click.echo(f"{loaded.experiment.name}  (plan {made.digest[:12]})")
    search = loaded.experiment.crossover
    if search is not None:
        click.echo(
            f"\nsearch along {search.axis}: {len(search.sizes)} sizes to choose from, "
            f"{search.sizes[0]} to {search.sizes[-1]}; a fixed grid would have "
            f"{search.n_grid}, and the search needs half of it at most for one "
            f"candidate"
        )
        # the smallest size stands for all others, which have the same groups
        problems = _once_a_family(problems, cases, search.axis)
    for problem, lines in problems.items():
        click.echo(f"\n{problem}")
        click.echo("\n".join(lines))
    if controls:
        click.echo("\ncontrols, whose answer is known:")
        click.echo("\n".join(controls))
    if made.skipped:
        click.echo("\nskipped, by reason:")
        for reason, count in Counter(skip.reason for skip in made.skipped).items():
            click.echo(f"  {count} x {reason}")
    if made.claims:
        click.echo(
            f"\n{len(made.claims)} claims to decide, for which "
            f"{len(made.behaviours)} behaviours are tried"
        )
    n_controls = sum(bool(case.variant.control) for case in made.cases)
    beside = f", {n_controls} cases in {len(controls)} controls" if controls else ""
    click.echo(
        f"\n{len(made.cases) - n_controls} cases in "
        f"{len(made.groups) - len(controls)} groups{beside}, "
        f"{len(made.skipped)} skipped; about {format_duration(seconds)} at most; "
        f"largest worker about {format_bytes(needs)} of {format_bytes(limit)} allowed"
    )
    return ExitCode.PASS


def _once_a_family(
    problems: Mapping[str, list[str]], cases: Mapping[str, Case], axis: str
) -> dict[str, list[str]]:
    """Keep of problems that differ in the size alone the first, without its size."""
    names = {case.problem_id: case.problem_without(axis) for case in cases.values()}
    kept: dict[str, list[str]] = {}
    for problem, lines in problems.items():
        kept.setdefault(f"{names[problem]}, at every size", lines)
    return kept


def validate_files(configs: tuple[Path, ...], overrides: tuple[str, ...]) -> int:
    """Check every file; all of them are looked at, whatever the first one holds."""
    known = catalogue()
    errors = []
    for config in configs:
        try:
            experiment = load_experiment(
                config, catalogue=known, overrides=overrides
            ).experiment
        except ConfigError as error:
            errors.append(error)
            click.echo(f"error: {error}", err=True)
        else:
            click.echo(
                f"{config}: ok: {experiment.name}: {len(experiment.kernels)} kernels, "
                f"{len(experiment.detectors)} detectors, "
                f"{len(experiment.geometries)} geometries, "
                f"measures {', '.join(experiment.measure)}"
            )
    return ExitCode.USAGE if errors else ExitCode.PASS
