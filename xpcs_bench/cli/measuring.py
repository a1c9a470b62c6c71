"""``run``, ``crossover`` and ``parity``: from a configuration to a record."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from xpcs_bench.cli import collector
from xpcs_bench.config.load import LoadedExperiment
from xpcs_bench.errors import ConfigError, ExitCode
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.prepare import load, plan_here
from xpcs_bench.run.stock import Stock
from xpcs_bench.run.worker import Limits

__all__ = ["Order", "carry_out", "measure"]


@dataclass(frozen=True)
class Order:
    """What the command line asks for."""

    config: Path
    expression: str | None
    overrides: tuple[str, ...]
    out: Path
    resume: str | None
    """None: a new run; empty: the latest; else a run id."""
    quiet: bool
    as_json: bool
    report: bool = True
    """Whether pages are made of the record."""
    searching: bool = False
    """Whether a crossover is all that is asked for."""
    baseline: str | None = None
    """The revision that a candidate is held against; None: it is no gate."""

    @property
    def verb(self) -> str:
        """The verb that goes on with what this one has begun."""
        if self.baseline is not None:
            return "gate"
        return "crossover" if self.searching else "run"

    @property
    def again(self) -> str:
        """The command that goes on, without the run that it goes on with.

        What was selected or set is part of the plan, and is said again.
        """
        words = ["xpcs-bench", self.verb, str(self.config)]
        for option, value in (
            ("--baseline", self.baseline),
            ("-k", self.expression),
            *(("--set", override) for override in self.overrides),
            ("--out", str(self.out)),
        ):
            if value is not None:
                words += [option, value]
        return shlex.join([*words, "--resume"])


def carry_out(order: Order) -> ExitCode:
    """Plan, measure, conclude, report; whatever was measured is kept."""
    loaded, memory_limit = load(order.config, order.overrides)
    if order.searching and loaded.experiment.crossover is None:
        msg = (
            f"{order.config}: says no sizes along which to look for a crossover. Add "
            f"a block to it, for example crossover: {{axis: detector, from: 16, to: "
            f"4096, pixel_size_um: 75}}; its axis may be an integer parameter of the "
            f"kernels, too. 'xpcs-bench run' measures the file as it is."
        )
        raise ConfigError(msg)
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    experiment = loaded.experiment
    limits = Limits(experiment.sampling.timeout_s, memory_limit)
    kernels = [choice.name for choice in experiment.kernels]
    with Stock(limits, experiment.profile, kernels=kernels) as stock:
        # what is selected, or left to do, is not known yet
        if order.expression is None and order.resume is None:
            stock.expect(experiment)
        return measure(order, loaded, limits, stock)


def measure(
    order: Order,
    loaded: LoadedExperiment,
    limits: Limits,
    stock: Stock,
    change: Callable[[Plan], Plan] = lambda plan: plan,
) -> ExitCode:
    """Plan and measure with what is in stock, conclude and report.

    Parameters
    ----------
    change : callable
        What becomes of the plan for this machine.
    """
    with collector.imports():  # the interpreters of the stock come up meanwhile
        from xpcs_bench.cli.concluding import conclude
        from xpcs_bench.cli.progress import listener
        from xpcs_bench.measure.environment import capture
        from xpcs_bench.run.execute import execute
        from xpcs_bench.run.journal import Evidence, Journal, read_journal
        from xpcs_bench.run.store import begin, compose, resumable

    plan = change(plan_here(loaded.experiment, order.expression, limits.memory_bytes))
    if order.resume is None:
        command = [Path(sys.argv[0]).name, *map(shlex.quote, sys.argv[1:])]
        folder, header = begin(
            plan,
            order.out,
            command,
            (str(order.config), loaded.sha256),
            capture(None),
        )
        with Journal(folder) as journal:
            journal.header(header)
        evidence = Evidence(header)
    else:
        folder, evidence = resumable(plan, order.out, order.resume or None)
    interrupted = False
    with Journal(folder) as journal, listener(quiet=order.quiet) as progress:
        try:
            with _termination_interrupts():
                if plan.behaviours:
                    from xpcs_bench.run.behaviours import see_behaviours

                    see_behaviours(plan, evidence, journal, limits, progress)
                if loaded.experiment.efficiency:
                    from xpcs_bench.run.ceilings import measure_ceilings

                    stock.settle()  # what the machine reaches is timed, too
                    measure_ceilings(plan, evidence, journal, limits, progress)
                execute(plan, evidence, journal, limits, progress, stock=stock)
        except KeyboardInterrupt:
            interrupted = True
    # the journal is the evidence: what it holds is what is concluded from
    record = compose(read_journal(folder), interrupted=interrupted)
    return conclude(record, folder, order)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: in order, with a record."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
