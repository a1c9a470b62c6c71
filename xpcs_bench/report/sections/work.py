"""What each variant makes the machine do: counted, and free of noise."""

from __future__ import annotations

from dataclasses import dataclass

from xpcs_bench.records import Case, Measurement, Status
from xpcs_bench.report.cells import (
    Cell,
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    items,
    line,
    number,
    problem_id,
    quotient,
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence, standing_words

__all__ = ["describe"]

_NONE = Words("none", "muted")
_UNCOUNTED = Words("not counted", "muted")


@dataclass(frozen=True)
class _Shown:
    """A column: a counter, or one counter over another."""

    title: str
    counter: str
    unit: str = "1"
    over: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The counters that it takes."""
        return (self.counter, self.over) if self.over else (self.counter,)


_WORK = (
    _Shown("Flops", "flops"),
    _Shown("Flops / least", "flops", over="least_flops"),
    _Shown("Transcendentals", "transcendentals"),
    _Shown("Bytes", "bytes_accessed", "bytes"),
    _Shown("Bytes / least", "bytes_accessed", over="least_bytes"),
    _Shown("Temporary", "temporary_bytes", "bytes"),
    _Shown("Allocated at peak", "allocated_peak_bytes", "bytes"),
)
_PROGRAMS = (
    _Shown("Compilations", "compilations"),
    _Shown("Compiled again", "recompilations"),
    _Shown("Traces", "traces"),
    _Shown("Equations", "jaxpr_equations"),
    _Shown("Instructions", "hlo_instructions"),
    _Shown("Arguments", "argument_bytes", "bytes"),
    _Shown("Outputs", "output_bytes", "bytes"),
)


def describe(evidence: Evidence) -> Section:
    """List the counters of the variants of a problem side by side; none is judged."""
    cases = evidence.by_problem("counters")
    return Section(
        "work",
        "Work",
        line(
            "Counted in a first and a cached call of a fresh process; a busy machine "
            "changes none of it."
            if cases
            else "Work was not counted."
        ),
        tables=(
            _table(
                evidence,
                "work",
                "Work of a call",
                _WORK,
                "The least is the kernel's own: the operations of its formula, inputs "
                "read once and outputs written once. Flops, transcendentals and bytes "
                "are the compiler's count of the optimised program; it counts the body "
                "of a loop once where it does not know how often it runs, and no exp "
                "or sine among the flops, as the least does. Allocated at "
                "peak is what Python and NumPy held in a cached call.",
            ),
            _table(
                evidence,
                "programs",
                "Compiled programs",
                _PROGRAMS,
                "Compiled again: in the call after the first. Equations are those of "
                "the traced program, instructions those of the optimised one.",
            ),
        ),
    )


def _table(
    evidence: Evidence, name: str, title: str, shown: tuple[_Shown, ...], note: str
) -> Table:
    groups = tuple(
        RowGroup(
            problem_id(cases[0]),
            tuple(_row(evidence, case, shown) for case in cases),
        )
        for cases in evidence.by_problem("counters").values()
    )
    return Table(
        name,
        title,
        (
            column("Variant"),
            *(column(each.title, numeric=True) for each in shown),
            column("Not counted"),
        ),
        groups,
        group_title="Problem",
        note=line(note),
    )


def _row(evidence: Evidence, case: Place[Case], shown: tuple[_Shown, ...]) -> Row:
    seen: list[Place[Measurement]] = [
        measurement
        for measurement in evidence.measurements.get(case.value.id, ())
        if measurement.value.observation.status is Status.OK
    ]
    withheld = evidence.withheld(case)
    if withheld or not seen:
        word = withheld or standing_words(evidence.standing(case.value.id))
        blanks = (_NONE,) * len(shown)
        return Row((variant_id(case), word, *blanks))
    # what is counted is the same in every process: one tells it
    observation = seen[0]["observation"]
    counters, uncounted = observation["counters"], observation["uncounted"]
    reasons = {
        uncounted.value[name]: uncounted[name]
        for each in shown
        for name in each.names
        if name in uncounted.value
    }
    return Row(
        (
            variant_id(case),
            *(_cell(counters, each) for each in shown),
            items(text(reason) for reason in reasons.values()),
        )
    )


def _cell(counters: Place[dict[str, float]], shown: _Shown) -> Cell:
    over = shown.over
    if shown.counter not in counters.value:
        return _UNCOUNTED
    if over is None:
        return number(counters[shown.counter], shown.unit)
    if over not in counters.value:
        return _UNCOUNTED
    if not counters.value[over]:
        return _NONE  # no least to be a multiple of
    return quotient(counters[shown.counter], counters[over])
