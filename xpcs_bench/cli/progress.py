"""How far a run is: a bar on a terminal, a line a measurement elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from xpcs_bench.records import (
    BehaviourSeen,
    Case,
    Diagnosis,
    Measurement,
    Outcome,
    Status,
)
from xpcs_bench.run.listener import Listener, Silent
from xpcs_bench.units import format_duration

__all__ = ["listener"]


def _outcome(measurement: Measurement) -> str:
    observation = measurement.observation
    if observation.status is Status.OK:
        return f"ok in {format_duration(measurement.wall_s)}"
    return f"{observation.status.value}: {observation.reason}"


def _examined(diagnosis: Diagnosis) -> str:
    line = f"ceilings, {diagnosis.check}: {diagnosis.outcome}"
    if diagnosis.outcome is Outcome.PASS:
        return line
    return f"{line}: {diagnosis.found}. {diagnosis.advice}"


class _Lines(Silent):
    """One line a measurement, as a log of continuous integration wants it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = 0
        self._count = 0

    def started(self, total: int) -> None:
        self._total = total
        if total:  # a search or a gate asks for them as it goes on
            self._say(f"{total} measurements to take")

    def extended(self, count: int) -> None:
        self._total += count

    def examined(self, diagnosis: Diagnosis) -> None:
        self._say(_examined(diagnosis))

    def tried(self, seen: BehaviourSeen) -> None:
        self._say(f"behaviours, {seen.behaviour}: {seen.kind}")

    def measured(self, case: Case, measurement: Measurement) -> None:
        self._count += 1
        self._say(
            f"[{self._count}/{self._total}] {case.id} #{measurement.process}: "
            f"{_outcome(measurement)}"
        )

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Bar(Silent):
    """A bar, and a line for what went wrong."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("starting", total=None)

    def started(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def extended(self, count: int) -> None:
        total = self._progress.tasks[0].total or 0
        self._progress.update(self._task, total=total + count)

    def examined(self, diagnosis: Diagnosis) -> None:
        if diagnosis.outcome is not Outcome.PASS:
            self._progress.console.print(
                _examined(diagnosis), markup=False, highlight=False
            )

    def tried(self, seen: BehaviourSeen) -> None:
        self._progress.update(self._task, description=f"behaviours, {seen.behaviour}")

    def working(self, case: Case, process: int) -> None:
        self._progress.update(self._task, description=f"{case.id} #{process}")

    def measured(self, case: Case, measurement: Measurement) -> None:
        self._progress.advance(self._task)
        if measurement.observation.status is not Status.OK:
            self._progress.console.print(
                f"{case.id} #{measurement.process}: {_outcome(measurement)}",
                markup=False,
                highlight=False,
            )


@contextmanager
def listener(*, quiet: bool) -> Iterator[Listener]:
    """Choose by where stderr goes; progress never mixes with results on stdout."""
    console = Console(stderr=True)
    if quiet:
        yield Silent()
    elif console.is_terminal:
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            # drawing takes CPU time from the worker that is being measured
            refresh_per_second=2,
        ) as progress:
            yield _Bar(progress)
    else:
        yield _Lines(console)
