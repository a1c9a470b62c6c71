"""What the processes of a case tell, one number each: what estimates are made of.

A case whose values were wrong tells nothing, in any measure: without parity there is no
speed to speak of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xpcs_bench.analysis.central import WORDS, Timing, central, one_thread
from xpcs_bench.analysis.estimate import estimate_location, prior_for
from xpcs_bench.records import Case, Estimate, Measurement, Status

__all__ = ["CaseReadings", "Reading", "estimate_readings", "sound_readings"]


@dataclass(frozen=True)
class Reading:
    """One number of one process."""

    process: int
    value: float
    n_samples: int = 1
    n_kept: int = 1
    p90: float | None = None
    timing: Timing | None = None
    """Which clock and samples; None for a single reading."""
    doubt: float = 0.0
    """Standard error as its samples tell, as a part of the value; 0: one reading."""


_UNTOLD = 0.02
"""Doubt where samples are too few to tell it."""


def _steady(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, Reading]]:
    if len(row.observation.samples):
        found = central(row.observation.samples, by_cpu=by_cpu)
        # the half-width is that of an interval of 95 %
        doubt = found.half_width / 1.96 if found.half_width < math.inf else _UNTOLD
        yield (
            "",
            Reading(
                row.process,
                found.value_s,
                found.n_samples,
                found.n_kept,
                found.p90_s,
                found.timing,
                doubt,
            ),
        )


def _value(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, Reading]]:
    del by_cpu  # a first call waits for whatever it needs: its time is wall time
    if row.observation.value is not None:
        yield "", Reading(row.process, row.observation.value)


def _stages(row: Measurement, *, by_cpu: bool) -> Iterable[tuple[str, Reading]]:
    del by_cpu
    for stage, elapsed_ns in (row.observation.stages_ns or {}).items():
        yield f".{stage}", Reading(row.process, elapsed_ns * 1e-9)


_READERS: Mapping[str, Callable[..., Iterable[tuple[str, Reading]]]] = {
    "steady_state": _steady,
    "conversion": _steady,
    "first_call": _value,
    "recompile": _value,
    "peak_memory": _value,
    "stages": _stages,
}
"""Measure to what it reads of a measurement: metric suffix and reading."""


def _wrong(
    cases: Mapping[str, Case], measurements: Sequence[Measurement]
) -> set[tuple[str, str, str | None]]:
    """Who returned wrong values: problem, variant, and boundary for a conversion."""
    return {
        (case.problem_id, case.variant.id, case.boundary)
        for row in measurements
        if row.observation.status is Status.PARITY_FAILED
        for case in (cases[row.case],)
    }


class CaseReadings:
    """What the processes of a case tell, by the clock that is asked for."""

    def __init__(self, case: Case, rows: Sequence[Measurement]) -> None:
        self._case = case
        self._rows = rows

    @cached_property
    def by_cpu(self) -> bool:
        """Whether one thread works at any moment, as most of the processes say.

        All processes of a case are told by one clock: one that has few samples may see
        in them what is not so.
        """
        said = [
            one_thread(row.observation.samples, row.observation.cores)
            for row in self._rows
            if len(row.observation.samples)
        ]
        return 2 * sum(said) > len(said)

    @cached_property
    def by_cpu_time(self) -> dict[str, list[Reading]]:
        """By metric; what has no CPU time in the record is told by its wall time."""
        return self._read(by_cpu=True)

    @cached_property
    def by_wall_time(self) -> dict[str, list[Reading]]:
        """By metric."""
        return self._read(by_cpu=False)

    @property
    def own(self) -> dict[str, list[Reading]]:
        """By metric, and by the clock that fits the case."""
        return self.by_cpu_time if self.by_cpu else self.by_wall_time

    def _read(self, *, by_cpu: bool) -> dict[str, list[Reading]]:
        metrics: dict[str, list[Reading]] = {}
        reader = _READERS[self._case.measure]
        for row in self._rows:
            for suffix, reading in reader(row, by_cpu=by_cpu):
                metrics.setdefault(self._case.measure + suffix, []).append(reading)
        return metrics


def sound_readings(
    cases: Mapping[str, Case], measurements: Sequence[Measurement]
) -> dict[str, CaseReadings]:
    """Return what was read of every case whose values were right, by case id."""
    wrong = _wrong(cases, measurements)
    sound: dict[str, list[Measurement]] = {}
    for row in measurements:
        case = cases[row.case]
        if case.measure not in _READERS or row.observation.status is not Status.OK:
            continue
        identity = (case.problem_id, case.variant.id)
        if {(*identity, case.boundary), (*identity, None)} & wrong:
            continue
        sound.setdefault(row.case, []).append(row)
    return {name: CaseReadings(cases[name], rows) for name, rows in sound.items()}


def estimate_readings(measure: str, rows: Sequence[Reading]) -> Estimate:
    """Estimate one metric of a case from one reading per process, told by one clock."""
    unit = "bytes" if measure == "peak_memory" else "s"
    n_samples = sum(row.n_samples for row in rows)
    prior = prior_for(measure, [row.doubt for row in rows])
    estimate = estimate_location([row.value for row in rows], prior, unit, n_samples)
    timings = sorted({WORDS[row.timing] for row in rows if row.timing})
    slow = [row.p90 for row in rows if row.p90 is not None]
    if not timings:
        return estimate
    return estimate.model_copy(
        update={
            "statistic": f"median {' or '.join(timings)}; {estimate.statistic}",
            "kept_share": sum(row.n_kept for row in rows) / n_samples,
            "p90": estimate_location(slow, prior, unit, n_samples).point,
        }
    )
