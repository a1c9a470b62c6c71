"""What the first call costs against the cached ones, and where its time goes."""

from __future__ import annotations

from xpcs_bench.records import Case, Estimate
from xpcs_bench.report.cells import (
    STAGE,
    Cell,
    Column,
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    interval,
    line,
    number,
    problem_id,
    quotient_interval,
    stage,
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]

_NOT_ASKED = Words("not asked", "muted")
_NONE = Words("none", "muted")
_RECOMPILED = "Warm-process recompile"
_TWO_FIRST_CALLS = (
    " A first call is that of a cold process: the one-off start of the compiler is in "
    "it. A warm-process recompile is the first call of a further kernel, in a process "
    "that has started the compiler before: after all caches were cleared, a new "
    "function is traced, lowered, compiled and executed. With a warm compilation cache "
    "its program is found there, and not compiled. Where nothing else was measured, "
    "processes and samples are those behind it."
)
_CONVERTING = (
    " Of a variant that converts, input says that every call is given NumPy's arrays "
    "and takes them to the device, output that it returns NumPy's arrays, and both "
    "that it does the one and the other. All of that is in its times."
)
_SAMPLED = ("first_call", "recompile", "steady_state", "conversion")


def describe(evidence: Evidence) -> Section:
    """Set first call, cached call and stages side by side."""
    return Section(
        "calls",
        "First call against cached call",
        line(
            "A first call happens once per fresh process and holds tracing and "
            "compilation; every later call of the same shape is cached."
        ),
        tables=(_calls(evidence), _sampling(evidence), _stages(evidence)),
        plots=("first_and_cached", "stages"),
    )


def _variants(cases: list[Place[Case]]) -> dict[str, dict[str, Place[Case]]]:
    """Return the cases of one problem by variant and measure."""
    variants: dict[str, dict[str, Place[Case]]] = {}
    for case in cases:
        variants.setdefault(case.value.variant.id, {})[case.value.measure] = case
    return variants


def _calls(evidence: Evidence) -> Table:
    groups = []
    # most runs do not ask for it: a column of gaps would take the place of numbers
    recompiled = bool(evidence.by_problem("recompile"))
    converting = any(
        case.value.variant.converts != "nothing"
        for case in evidence.under_test.values()
    )
    none = {skip.case for skip in evidence.root.value.header.skipped}
    problems = evidence.by_problem("first_call", "recompile", "steady_state")
    for cases in problems.values():
        rows = []
        for measures in _variants(cases).values():
            first = _estimate(evidence, measures, "first_call")
            again = _estimate(evidence, measures, "recompile")
            cached = _estimate(evidence, measures, "steady_state")
            rows.append(
                Row(
                    (
                        variant_id(next(iter(measures.values()))),
                        _time(first),
                        *([_recompiled(again, measures, none)] if recompiled else []),
                        _time(cached),
                        _NONE
                        if isinstance(first, Words) or isinstance(cached, Words)
                        else quotient_interval(first, cached),
                        *_effort(cached, first, again),
                        _NONE
                        if isinstance(cached, Words)
                        else _taking_turns(evidence, measures["steady_state"]),
                    )
                )
            )
        groups.append(RowGroup(problem_id(cases[0]), tuple(rows)))
    return Table(
        "calls",
        "First and cached call",
        (
            column("Variant"),
            column("First call", numeric=True),
            *([column(_RECOMPILED, numeric=True)] if recompiled else []),
            column("Cached call", numeric=True),
            column("First / cached", numeric=True),
            column("Processes", numeric=True),
            column("Samples", numeric=True),
            column("Sampled"),
        ),
        tuple(groups),
        group_title="Problem",
        note=line(
            "The ends of first / cached are the farthest that both intervals allow. "
            "Processes and samples are those behind the cached call, or behind the "
            "first call where that alone was measured. Sampled in turn: with the other "
            "variants, so that what disturbs one disturbs all."
            + (_TWO_FIRST_CALLS if recompiled else "")
            + (_CONVERTING if converting else "")
        ),
    )


_STOPS = {
    "precision": Words("known well enough"),
    "processes": Words("had its processes"),
    "budget": Words("budget spent", "doubt"),
}


def _sampling(evidence: Evidence) -> Table:
    """Say how well each time is known, from which samples, and why no better."""
    groups = []
    for cases in evidence.by_problem(*_SAMPLED).values():
        rows = []
        for case in cases:
            metric = case.value.measure_id.partition(".")[0]
            estimate = evidence.estimate(case, metric)
            effort = evidence.effort(case)
            if isinstance(estimate, Words) or effort is None:
                continue
            moving = effort["n_unsettled"]
            rows.append(
                Row(
                    (
                        variant_id(case),
                        text(case["boundary"])
                        if case.value.boundary
                        else text(effort["metric"]),
                        number(effort["half_width"], "fraction"),
                        number(effort["target"], "fraction"),
                        _STOPS[effort.value.stopped],
                        _known(estimate["kept_share"], "fraction"),
                        _known(estimate["p90"], "s"),
                        number(moving, "1") if moving.value else _NONE,
                        text(estimate["statistic"]),
                    )
                )
            )
        if rows:
            groups.append(RowGroup(problem_id(cases[0]), tuple(rows)))
    return Table(
        "sampling",
        "How well each time is known",
        (
            column("Variant"),
            column("Metric"),
            column("Half-width", numeric=True),
            column("Asked", numeric=True),
            column("Sampling ended"),
            column("Samples that count", numeric=True),
            column("9 in 10 within", numeric=True),
            column("Still moving", numeric=True),
            column("Statistic"),
        ),
        tuple(groups),
        group_title="Problem",
        note=line(
            "A sample does not count when its threads waited for a core longer than "
            "0.5 % of it: for this cause, and never for its value. Still moving: "
            "processes whose second half of samples differs from the first."
        ),
    )


def _known(place: Place[float | None], unit: str) -> Cell:
    return _NONE if place.value is None else number(place, unit)


def _estimate(
    evidence: Evidence, measures: dict[str, Place[Case]], measure: str
) -> Place[Estimate] | Words:
    case = measures.get(measure)
    return evidence.estimate(case, measure) if case else _NOT_ASKED


def _recompiled(
    again: Place[Estimate] | Words, measures: dict[str, Place[Case]], none: set[str]
) -> Cell:
    """Show a recompile; what does not compile was skipped, and has none."""
    case = next(iter(measures.values())).value
    its_id = case.id.removesuffix(case.measure_id) + "recompile"
    return _NONE if its_id in none else _time(again)


def _time(estimate: Place[Estimate] | Words) -> Cell:
    return estimate if isinstance(estimate, Words) else interval(estimate)


def _effort(*estimates: Place[Estimate] | Words) -> tuple[Cell, Cell]:
    """Return processes and samples of the first of them that there is."""
    for found in estimates:
        if not isinstance(found, Words):
            return number(found["n_processes"], "1"), number(found["n_samples"], "1")
    return _NONE, _NONE


def _taking_turns(evidence: Evidence, case: Place[Case]) -> Words:
    """Say whether the cached calls were sampled in turn with the other variants'."""
    seen = evidence.measurements[case.value.id]
    in_turn = [measurement.value.interleaved for measurement in seen]
    if all(in_turn):
        return Words("in turn")
    return Words("partly alone" if any(in_turn) else "alone", "doubt")


def _stages(evidence: Evidence) -> Table:
    cases = evidence.by_problem("stages")
    names: dict[str, Place[str]] = {}
    for case in (case for problem in cases.values() for case in problem):
        for name, metric in evidence.metrics(case).items():
            if name.startswith(STAGE):
                names.setdefault(name, metric)
    groups = []
    for problem in cases.values():
        rows = tuple(
            Row((variant_id(case), *(_stage(evidence, case, name) for name in names)))
            for case in problem
        )
        groups.append(RowGroup(problem_id(problem[0]), rows))
    return Table(
        "stages",
        "Stages of a first call",
        (
            column("Variant"),
            *(Column(stage(metric), numeric=True) for metric in names.values()),
        ),
        tuple(groups),
        group_title="Problem",
        note=line("Measured apart from the undivided first call above."),
    )


def _stage(evidence: Evidence, case: Place[Case], metric: str) -> Cell:
    # a backend that does not compile has no such stage, which is no loss
    if metric not in evidence.metrics(case) and not evidence.withheld(case):
        return _NONE
    return _time(evidence.estimate(case, metric))
