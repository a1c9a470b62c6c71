"""The verb ``advise``: what a run says to use, and the policy that programs load."""

from __future__ import annotations

import json
import sys
from itertools import zip_longest
from pathlib import Path

import click
from rich.console import Console

from xpcs_bench.analysis.advice import advise
from xpcs_bench.backends.choice import Choice
from xpcs_bench.backends.policy import Policy
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.records import Advice
from xpcs_bench.report.advice import answer, print_advice
from xpcs_bench.report.policy import POLICY, make_policy, save_policy
from xpcs_bench.run.selection import parse_selection
from xpcs_bench.run.store import load

__all__ = ["advise_from"]

_WIDTH = 100
"""Columns where nobody looks: a pipe or a log has no width of its own."""


def advise_from(
    run: Path,
    expression: str | None,
    calls: int | None,
    policy_path: Path | None,
    *,
    as_json: bool,
) -> ExitCode:
    """Print the advice of a run and write its policy."""
    folder, record = load(run)
    whole = advise(record)
    advice = _selected(whole, expression)
    # what is looked at decides nothing for programs
    policy = make_policy(record, whole)
    path = policy_path or folder / POLICY
    written = bool(policy.series)
    if written:
        save_policy(policy, path)
    choices = _choices(advice, policy, calls) if calls else ()
    told = any(problem.told for problem in advice.problems)
    code = ExitCode.PASS if told else ExitCode.INCONCLUSIVE
    if as_json:
        content = {
            "exit_code": int(code),
            "policy": str(path) if written else None,
            "advice": advice.model_dump(mode="json"),
            "answers": [
                {
                    "problem": problem.problem,
                    "dtype": problem.dtype,
                    "converts": problem.converts,
                    "told": problem.told,
                    "sentence": answer(problem),
                    "size_bytes": problem.size_bytes,
                    "calls": _said(choice),
                }
                for problem, choice in zip_longest(advice.problems, choices)
            ],
        }
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return code
    # a pipe or a log gets plain text
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    print_advice(advice, choices, console)
    if not written:
        click.echo(
            "policy: none, no cached call has a time and a size. Have 'steady_state' "
            "measured, with 'first_call' and 'recompile' beside it."
        )
        return code
    click.echo(f"policy: {path}")
    click.echo(f"  in a shell:   export XPCS_BACKEND_POLICY={path.resolve()}")
    click.echo("  in a program: get_backend_for(KERNEL, size=BYTES, calls=N)")
    if any(device == "gpu" for _, device in policy.places):
        click.echo("  for the GPU:  export XPCS_USE_GPU=true")
    if _lacks_recompiles(policy):
        click.echo(
            "  note: without the measure 'recompile' the first call of a fresh process "
            "stands for it,\n  and what compiles is chosen a little too late."
        )
    return code


def _lacks_recompiles(policy: Policy) -> bool:
    return any(
        candidate.compiles and candidate.recompile_s is None
        for series in policy.series
        for point in series.points
        for candidate in point.candidates
    )


def _selected(advice: Advice, expression: str | None) -> Advice:
    """Keep the problems that match.

    Raises
    ------
    ConfigError
        The expression cannot be read, or matches nothing.
    """
    if not expression:
        return advice
    accept = parse_selection(expression)
    problems = tuple(
        row for row in advice.problems if accept(f"{row.problem}/{row.dtype}")
    )
    not_run = tuple(
        row for row in advice.not_run if accept(f"{row.problem}/{row.variant.dtype}")
    )
    if not problems and not not_run:
        known = dict.fromkeys(f"{row.problem}/{row.dtype}" for row in advice.problems)
        msg = (
            f"-k {expression!r} matches none of the {len(known)} problems. They are "
            f"{', '.join(known) or 'none'}. Use words of these."
        )
        raise ConfigError(msg)
    return advice.model_copy(update={"problems": problems, "not_run": not_run})


def _choices(advice: Advice, policy: Policy, calls: int) -> tuple[Choice | None, ...]:
    """Choose for so many calls of each problem, among all that was measured."""
    return tuple(
        policy.choose(
            problem.kernel,
            problem.size_bytes,
            calls=calls,
            params=problem.params,
            geometry=problem.geometry.kind if problem.geometry else None,
            dtype=problem.dtype,
            converts=problem.converts,
            devices=policy.places,
        )
        if problem.size_bytes and problem.ranked
        else None
        for problem in advice.problems
    )


def _said(choice: Choice | None) -> dict[str, object] | None:
    if choice is None:
        return None
    return {
        "calls": choice.calls,
        "backend": choice.backend,
        "device": choice.device,
        "certain": choice.certain,
        "expected_s": [
            {"backend": row.backend, "device": row.device, **row.seconds._asdict()}
            for row in choice.candidates
        ],
        "sentence": choice.reason,
    }
