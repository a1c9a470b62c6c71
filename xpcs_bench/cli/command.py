"""The command, its verbs and its exit codes.

Only click is imported here: ``--help`` must feel instant. Every verb is one function
that reads its arguments and hands over to the floors below.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from xpcs_bench import __version__
from xpcs_bench.errors import ExitCode, XpcsBenchError

__all__ = ["main", "xpcs_bench"]

F = TypeVar("F", bound=Callable[..., Any])

_EPILOG = """\b
Exit codes:
  0    all is well
  1    a rule, a claim or a parity check failed
  2    usage or configuration
  3    cannot tell
  4    could not measure
  130  interrupted; --resume goes on
"""


def main() -> None:
    """Run the command and end with a code of :class:`ExitCode`."""
    try:
        code = xpcs_bench.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except XpcsBenchError as error:
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    sys.exit(int(code or 0))


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="xpcs_bench")
def xpcs_bench() -> None:
    """Measure which backend and device is faster, and whether the numbers are right.

    Validates and times the computations of X-ray photon correlation
    spectroscopy on NumPy and JAX, as an experiment in a YAML file says.
    """


_config = click.argument("config", type=click.Path(path_type=Path))
_set = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace a field of the file, e.g. --set sampling.max_time_s=5.",
)
_select = click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Only cases whose id matches, e.g. -k 'qmap and not float32'.",
)
_out = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder that holds the runs.",
)
_quiet = click.option("-q", "--quiet", is_flag=True, help="No progress; results only.")
_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
_resume = click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[RUN_ID]",
    help="Go on with an interrupted run of this plan: the latest, or the one named.",
)


_budget = click.option(
    "--budget",
    metavar="TIME",
    help="Time for the whole run, e.g. 5m: what is left goes where doubt is largest.",
)
_precision = click.option(
    "--precision",
    metavar="PART",
    help="Half-width of intervals at which sampling stops, e.g. 1%.",
)


def _run_options(verb: F) -> F:
    for option in reversed([_config, _select, _set, _out, _resume, _quiet, _json]):
        verb = option(verb)
    return verb


@xpcs_bench.command()
@_run_options
@_budget
@_precision
@click.option(
    "--no-report",
    "report",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Write run.json alone; 'xpcs-bench report' makes the pages of it later.",
)
def run(*, budget: str | None, precision: str | None, **options: Any) -> int:
    """Measure what CONFIG describes and write a report.

    Writes OUT/RUN_ID/run.json (everything that was seen), report.html and summary.md,
    and says where.
    """
    from xpcs_bench.cli import collector

    with collector.imports():
        from xpcs_bench.cli.measuring import Order, carry_out

    short = {"budget_s": budget, "precision": precision}
    options["overrides"] += tuple(
        f"sampling.{key}={value}" for key, value in short.items() if value is not None
    )
    return carry_out(Order(**options))


@xpcs_bench.command()
@_run_options
@_budget
def crossover(*, budget: str | None, **options: Any) -> int:
    """Find the sizes at which the order of CONFIG's variants turns.

    CONFIG has a block 'crossover', which says along which axis. Measured are the sizes
    that the search needs; 'run' does the same, and prints everything else, too.
    """
    from xpcs_bench.cli import collector

    with collector.imports():
        from xpcs_bench.cli.measuring import Order, carry_out

    if budget is not None:
        options["overrides"] += (f"sampling.budget_s={budget}",)
    return carry_out(Order(**options, searching=True))


@xpcs_bench.command()
@_run_options
@_budget
@click.option(
    "--baseline",
    required=True,
    metavar="REV",
    help="What the working tree is compared with: a commit, a branch or a tag.",
)
@click.option(
    "--baseline-python",
    "python",
    metavar="PYTHON",
    help="Interpreter for the baseline, of an environment with its dependencies.",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "precise", "coarse"]),
    help="What is found; replaces the one of the file.",
)
@click.option(
    "--inconclusive",
    type=click.Choice(["pass", "fail"]),
    help="End with 0 or 1, and not with 3, where nothing can be told.",
)
def gate(
    *,
    budget: str | None,
    python: str | None,
    preset: str | None,
    inconclusive: str | None,
    **options: Any,
) -> int:
    """Say whether the working tree has made CONFIG's cases slower, or wrong.

    The baseline is checked out beside the working tree, and both are measured in turns,
    in pairs of fresh processes: more of them where a case is undecided. Ends with 1
    where one is slower or its values are wrong, with 3 where that cannot be told, and
    with 4 where there is no baseline to compare with.
    """
    from xpcs_bench.cli.gating import carry_out_gate, without_doubt
    from xpcs_bench.cli.measuring import Order

    short = {"sampling.budget_s": budget, "gate.preset": preset}
    options["overrides"] += tuple(
        f"{key}={value}" for key, value in short.items() if value is not None
    )
    code = carry_out_gate(Order(**options), python)
    return without_doubt(code, inconclusive or "")


@xpcs_bench.command()
@_run_options
def parity(**options: Any) -> int:
    """Check the numbers of CONFIG's cases and measure no time; decide no claim."""
    from xpcs_bench.cli import collector

    with collector.imports():
        from xpcs_bench.cli.measuring import Order, carry_out

    options["overrides"] = (*options["overrides"], "measure=[parity]", "claims=[]")
    return carry_out(Order(**options))


@xpcs_bench.command()
@click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Only methods whose category/name matches, e.g. -k 'trigonometry or log1p'.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports/conformance"),
    show_default=True,
    help="Folder for conformance.json and conformance.md.",
)
@_quiet
@_json
def conformance(
    *, expression: str | None, out: Path, quiet: bool, as_json: bool
) -> int:
    """Compare NumPy, JAX and the truth, method by method, on hard inputs.

    Ends with 1 where they differ and no known difference explains it.
    """
    from xpcs_bench.cli.conforming import examine_here

    return examine_here(out, expression, as_json=as_json, quiet=quiet)


@xpcs_bench.command()
@click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Only checks whose name matches, e.g. -k 'xla or noise'.",
)
@_quiet
@_json
def doctor(*, expression: str | None, quiet: bool, as_json: bool) -> int:
    """Say what this machine is for a measurement, and what to do about it.

    Looks at clocks, cores, memory, libraries and devices, and measures the bandwidth
    and the operations a second that they reach. Ends with 1 where what is measured here
    would be wrong, with 4 where a check could not end.
    """
    from xpcs_bench.cli.examining import examine_machine

    return examine_machine(expression, quiet=quiet, as_json=as_json)


@xpcs_bench.command()
@_config
@_select
@_set
@_json
def plan(
    *, config: Path, expression: str | None, overrides: tuple[str, ...], as_json: bool
) -> int:
    """Show the cases, groups, skips, time and memory of CONFIG; measure nothing."""
    from xpcs_bench.cli.planning import show_plan

    return show_plan(config, expression, overrides, as_json=as_json)


@xpcs_bench.command()
@click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path))
@_set
def validate(configs: tuple[Path, ...], overrides: tuple[str, ...]) -> int:
    """Check configuration files and say what each one asks for."""
    from xpcs_bench.cli.planning import validate_files

    return validate_files(configs, overrides)


@xpcs_bench.command()
def schema() -> int:
    """Print the JSON Schema of an experiment, for editors."""
    from xpcs_bench.config.schema import experiment_schema
    from xpcs_bench.run.prepare import catalogue

    click.echo(json.dumps(experiment_schema(catalogue()), indent=2, ensure_ascii=False))
    return ExitCode.PASS


@xpcs_bench.command()
@click.argument("run", type=click.Path(path_type=Path))
@_quiet
def report(*, run: Path, quiet: bool) -> int:
    """Rebuild the report of RUN (a folder or a run.json) from its record alone."""
    from xpcs_bench.cli.concluding import rebuild

    return rebuild(run, quiet=quiet)


@xpcs_bench.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("form", metavar="FORMAT")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; to the terminal where there is none.",
)
def export(*, run: Path, form: str, to: Path | None) -> int:
    """Write what RUN (a folder or a run.json) found in another FORMAT.

    junit: a test for each verdict, which every CI system shows. github: annotations of
    GitHub Actions. markdown: for a pull request or a step summary. terminal, html: as
    run shows and writes them.
    """
    from xpcs_bench.cli.concluding import write_as

    return write_as(run, form, to)


@xpcs_bench.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Print only problems whose id and type match, e.g. -k 'qmap and eiger-4m'.",
)
@click.option(
    "--calls",
    type=click.IntRange(min=1),
    metavar="N",
    help="Say also what N calls are expected to take in a program that goes on.",
)
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write the policy; default: policy.json beside the record.",
)
@_json
def advise(
    *,
    run: Path,
    expression: str | None,
    calls: int | None,
    policy: Path | None,
    as_json: bool,
) -> int:
    """Say of RUN (a folder or a run.json) what to use, and write a policy for programs.

    Ranks backends and devices for every kernel and size. Ends with 3 where nothing can
    be told.
    """
    from xpcs_bench.cli.advising import advise_from

    return advise_from(run, expression, calls, policy, as_json=as_json)


@xpcs_bench.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@_select
@click.option(
    "--anyway",
    is_flag=True,
    help="Compare runs of different circumstances, too; what differs is printed.",
)
@_json
@click.option("--markdown", is_flag=True, help="A summary for a pull request.")
def compare(
    *,
    runs: tuple[Path, ...],
    expression: str | None,
    anyway: bool,
    as_json: bool,
    markdown: bool,
) -> int:
    """Hold RUNS (folders or run.json) against the first of them, case by case.

    Ratios are candidate / baseline, with intervals that hold what a machine does by
    itself from one day to the next: a stored run is a coarse tripwire. Ends with 1
    where right values went wrong, with 3 where nothing can be told, and with 2 where
    circumstances differ for which times do not mix.
    """
    from xpcs_bench.cli.comparing import compare_stored

    form = "json" if as_json else "markdown" if markdown else "table"
    return compare_stored(runs, expression, anyway=anyway, form=form)


@xpcs_bench.command(name="list")
@click.argument(
    "what",
    type=click.Choice(
        ["kernels", "backends", "detectors", "measures", "boundaries", "behaviours"]
    ),
)
@_json
def list_(*, what: str, as_json: bool) -> int:
    """List what a configuration may name."""
    from xpcs_bench.cli.listing import show

    return show(what, as_json=as_json)
