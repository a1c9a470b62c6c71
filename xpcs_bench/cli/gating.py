"""``gate``: a candidate, which is the working tree, against a baseline revision."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from xpcs_bench.cli.measuring import Order, measure
from xpcs_bench.config import Experiment
from xpcs_bench.errors import CannotMeasure, ExitCode
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.run.home import Home, known_kernels, origins
from xpcs_bench.run.prepare import load
from xpcs_bench.run.revision import Repository, find_repository
from xpcs_bench.run.stock import Stock
from xpcs_bench.run.twins import against_baseline
from xpcs_bench.run.worker import Limits

__all__ = ["carry_out_gate", "without_doubt"]

_SHOWN = 3


def carry_out_gate(order: Order, python: str | None) -> ExitCode:
    """Check the baseline out, compare the working tree with it, and judge.

    Parameters
    ----------
    python : str, optional
        Interpreter of the environment that the baseline runs in; None: this one.
    """
    loaded, memory_limit = load(order.config, order.overrides)
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    repository = find_repository(loaded.path)
    commit = repository.commit(order.baseline or "")
    _say_what_is_compared(repository, order, commit)
    packages = _packages(loaded.experiment)
    folders = repository.import_folders(packages)
    if not folders:
        msg = (
            f"nothing that {str(order.config)!r} measures comes from the repository "
            f"{str(repository.root)!r}, so that its revisions do not differ in it: "
            f"{', '.join(packages)} are imported from elsewhere. Install the package "
            "under test from this working tree ('pip install --editable .')."
        )
        raise CannotMeasure(msg)
    limits = Limits(loaded.experiment.sampling.timeout_s, memory_limit)
    with repository.checkout(commit) as tree:
        home = Home(
            python or sys.executable, tuple(str(tree / folder) for folder in folders)
        )
        _require_its_own(home, repository, tree, packages)
        kernels = known_kernels(home)
        # no server imports kernels ahead: the baseline may have them elsewhere, and
        # what lies where in memory is to be the same on both sides
        with Stock(
            limits, loaded.experiment.profile, homes={"baseline": home}
        ) as stock:
            return measure(
                order,
                loaded,
                limits,
                stock,
                lambda plan: against_baseline(plan, commit, kernels),
            )


def without_doubt(code: ExitCode, inconclusive: str) -> ExitCode:
    """Return the exit code where a gate that cannot tell is to count as an outcome."""
    if code is not ExitCode.INCONCLUSIVE:
        return code
    return {"pass": ExitCode.PASS, "fail": ExitCode.FAIL}.get(inconclusive, code)


def _say_what_is_compared(repository: Repository, order: Order, commit: str) -> None:
    changes = repository.changes()
    if repository.commit("HEAD") == commit and not changes:
        click.echo(
            f"note: the working tree is the baseline {order.baseline!r} itself.",
            err=True,
        )
    if changes:
        listed = ", ".join(map(repr, changes[:_SHOWN]))
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        click.echo(
            f"note: the working tree has changes that are in no commit, and they are "
            f"part of the candidate: {listed}{more}.",
            err=True,
        )


def _packages(experiment: Experiment) -> list[str]:
    """Name the packages that are measured: those of the kernels, and this one."""
    found = {"xpcs_bench": None}
    for choice in experiment.kernels:
        module = type(create_kernel(choice.name)).__module__
        found[module.partition(".")[0]] = None
    return list(found)


def _require_its_own(
    home: Home, repository: Repository, tree: Path, packages: Sequence[str]
) -> None:
    """Refuse a baseline that would import the candidate.

    Raises
    ------
    CannotMeasure
        Some loader finds a package in the working tree in spite of the path.
    """
    ours = [name for name in packages if repository.import_folders([name])]
    for name, origin in origins(home, ours).items():
        if origin is None or not origin.is_relative_to(tree):
            where = "nowhere" if origin is None else f"from {str(origin)!r}"
            msg = (
                f"the baseline would import {name!r} {where}, and not from its own "
                "tree: an installed loader comes before the path. Make an environment "
                "without it, and name its interpreter with --baseline-python."
            )
            raise CannotMeasure(msg)
