"""Which variant to use for which work, and whether its first call pays."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

from xpcs_bench.config import Converts
from xpcs_bench.records import BreakEven, Case, Comparison, Estimate, Judgement
from xpcs_bench.report.cells import (
    Bar,
    Cell,
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    Tone,
    Words,
    column,
    count,
    interval,
    inverse_interval,
    joined,
    line,
    number,
    problem_id,
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe", "judgement_words", "speedup_bars"]

_JUDGEMENTS: dict[Judgement, tuple[str, Tone]] = {
    Judgement.FASTER: ("faster", "good"),
    Judgement.SAME: ("same", "muted"),
    Judgement.SLOWER: ("slower", "bad"),
    Judgement.INCONCLUSIVE: ("cannot tell", "doubt"),
}
_WOULD_SEE = "Would see"
_WOULD_SEE_MEANS = (
    "Would see: had the candidate been slower by so much, nearly every such run would "
    "have found it."
)
_CONVERTS_MEANS = (
    " Converts: what every call of the candidates carries across between NumPy's "
    "arrays and their backend's, in its time. The reference is the same for all."
)
Compared = tuple[Place[Comparison], Place[Case], Place[Case]]
"""A comparison, its baseline and its candidate."""


def judgement_words(judgement: Judgement, metric: str = "steady_state") -> Words:
    """Say how a candidate stands to its baseline; memory is not fast, it is less."""
    word, tone = _JUDGEMENTS[judgement]
    if metric == "peak_memory":
        word = {"faster": "less", "slower": "more"}.get(word, word)
    return Words(word, tone)


def speedup_bars(
    ratios: Iterable[Estimate],
) -> Callable[[Estimate], Bar | None]:
    """Return a function that places speedups on one logarithmic axis, 1 included."""
    logs = [
        -math.log(end)
        for ratio in ratios
        for end in (ratio.lower, ratio.upper)
        if 0 < end < math.inf
    ]
    low, high = min((0.0, *logs)), max((0.0, *logs))
    margin = 0.06 * (high - low) or 1.0
    low, high = low - margin, high + margin

    def place(ratio: float) -> float:
        if not 0 < ratio < math.inf:
            return 0.0 if ratio > 0 else 100.0
        return round(100 * (-math.log(ratio) - low) / (high - low), 2)

    def bar(ratio: Estimate) -> Bar | None:
        if any(map(math.isnan, (ratio.lower, ratio.point, ratio.upper))):
            return None
        # the lower end of the ratio is the upper end of the speedup
        return Bar(
            lower=place(ratio.upper),
            point=place(ratio.point),
            upper=place(ratio.lower),
            one=place(1.0),
        )

    return bar


def describe(evidence: Evidence) -> Section:
    """Say per problem which variant is the fastest, and by how much."""
    compared = [
        (comparison, baseline, candidate)
        for comparison, baseline, candidate in evidence.comparisons()
        if not evidence.withheld(baseline) and not evidence.withheld(candidate)
    ]
    cached = [row for row in compared if row[0].value.metric == "steady_state"]
    tables = [_answers(evidence, cached)]
    # with one candidate per question the first table has said it all
    if len(compared) > len(_by_question(cached)):
        tables.append(_comparisons(compared))
    return Section(
        "answers",
        "Which variant to use",
        _lead(evidence, cached),
        tables=tuple(tables),
        plots=("speedup_by_size",),
    )


def _by_problem(cached: list[Compared]) -> dict[str, list[Compared]]:
    problems: dict[str, list[Compared]] = defaultdict(list)
    for row in cached:
        problems[row[1].value.problem_id].append(row)
    return problems


def _by_question(cached: list[Compared]) -> dict[tuple[str, Converts], list[Compared]]:
    """Ask of every problem once for each way in which calls convert.

    What has to be carried across is for the program around the call to say, and not
    among what can be chosen.
    """
    questions: dict[tuple[str, Converts], list[Compared]] = defaultdict(list)
    for row in cached:
        candidate = row[2].value
        questions[candidate.problem_id, candidate.variant.converts].append(row)
    return questions


def _ask_of_conversions(cached: list[Compared]) -> bool:
    return any(row[2].value.variant.converts != "nothing" for row in cached)


def _ratio(row: Compared) -> float:
    point = row[0].value.ratio.point
    return math.inf if math.isnan(point) else point


def _best(rows: list[Compared]) -> Compared:
    """Return the comparison that answers: the best of the most telling judgement."""
    for judgement in Judgement.FASTER, Judgement.INCONCLUSIVE, Judgement.SAME:
        if judged := [row for row in rows if row[0].value.judgement is judgement]:
            return min(judged, key=_ratio)
    return min(rows, key=_ratio)


def _rivals(best: Compared, rows: list[Compared]) -> list[Compared]:
    """Return the candidates whose interval reaches into that of the best."""
    return [
        row
        for row in rows
        if row is not best
        and row[0].value.judgement in (Judgement.FASTER, Judgement.INCONCLUSIVE)
        and row[0].value.ratio.lower <= best[0].value.ratio.upper
    ]


def _lead(evidence: Evidence, cached: list[Compared]) -> Line:
    best = [_best(rows) for rows in _by_question(cached).values()]
    if evidence.root["header"].value.baseline:
        return line("Two revisions were compared, and no variants: see Gate.")
    if not best:
        cases = evidence.under_test.values()
        n_variants = len({case.value.variant.id for case in cases})
        return line(
            "Nothing to compare: the run has one variant."
            if n_variants == 1
            else "No cached calls of two variants were measured that could be compared."
        )
    return line(
        "Problems, each once for every way in which calls convert, "
        if _ask_of_conversions(cached)
        else "Problems ",
        "by the judgement on their best candidate: ",
        joined(
            line(count(rows), " ", judgement_words(judgement))
            for judgement in Judgement
            if (rows := [row[0] for row in best if row[0].value.judgement is judgement])
        ),
        ". Speedup is the reference's cached call over the candidate's; intervals at ",
        _confidence(cached),
        " confidence.",
    )


def _confidence(rows: list[Compared]) -> Cell:
    places = {
        row[0].value.ratio.confidence: row[0]["ratio"]["confidence"] for row in rows
    }
    return joined(number(place, "fraction") for place in places.values())


def _answers(evidence: Evidence, cached: list[Compared]) -> Table:
    bar = speedup_bars(_judged(cached))
    break_evens: dict[tuple[str, str, str], Place[BreakEven]] = {
        (each.value.problem, each.value.baseline, each.value.candidate): each
        for each in evidence.root["summary"]["break_evens"]
    }
    asked = _ask_of_conversions(cached)
    rows = []
    questions: dict[str, list[list[Compared]]] = defaultdict(list)
    for (problem, _), compared in _by_question(cached).items():
        questions[problem].append(compared)
    gated = bool(evidence.root["header"].value.baseline)
    for problem, cases in evidence.by_problem("steady_state").items():
        if problem not in questions and not gated:
            rows.append(_unanswered(evidence, cases, asked=asked))
        for compared in questions[problem]:
            best = _best(compared)
            comparison, baseline, candidate = best
            names = baseline.value.variant.id, candidate.value.variant.id
            rows.append(
                Row(
                    (
                        problem_id(baseline),
                        *([text(candidate["variant"]["converts"])] if asked else []),
                        _fastest(best, compared),
                        _speedup(comparison, bar),
                        line(
                            variant_id(candidate),
                            " ",
                            judgement_words(comparison.value.judgement),
                            _CONJUNCTIONS[comparison.value.judgement],
                            variant_id(baseline),
                            *_reason(comparison),
                        ),
                        number(comparison["smallest_change"], "fraction"),
                        _calls(break_evens.get((problem, *names))),
                    )
                )
            )
    return Table(
        "answers",
        "Fastest variant per problem",
        (
            column("Problem"),
            *([column("Converts")] if asked else []),
            column("Fastest"),
            column("Speedup", numeric=True),
            column("Judgement"),
            column(_WOULD_SEE, numeric=True),
            column("Break-even calls", numeric=True),
        ),
        (RowGroup(None, tuple(rows)),),
        note=line(
            "Break-even: after so many calls the candidate has paid for its first "
            "call. ",
            _WOULD_SEE_MEANS,
            _CONVERTS_MEANS if asked else "",
        ),
    )


_CONJUNCTIONS = {
    Judgement.FASTER: " than ",
    Judgement.SAME: " as ",
    Judgement.SLOWER: " than ",
    Judgement.INCONCLUSIVE: " against ",
}


def _fastest(best: Compared, rows: list[Compared]) -> Cell:
    comparison, baseline, candidate = best
    match comparison.value.judgement:
        case Judgement.FASTER:
            rivals = _rivals(best, rows)
            if not rivals:
                return variant_id(candidate)
            return line(
                variant_id(candidate),
                ", not told apart from ",
                joined(variant_id(rival[2]) for rival in rivals),
            )
        case Judgement.INCONCLUSIVE:
            return Words("cannot tell", "doubt")
        case Judgement.SAME:
            return line("no difference to ", variant_id(baseline))
        case Judgement.SLOWER:
            return variant_id(baseline)


def _unanswered(evidence: Evidence, cases: list[Place[Case]], *, asked: bool) -> Row:
    """Say why a problem has no answer."""
    reasons = [
        line(variant_id(case), " ", estimate)
        for case in cases
        if isinstance(estimate := evidence.estimate(case, "steady_state"), Words)
    ]
    why = joined(reasons) if reasons else line("nothing to compare with")
    blank = Words("none", "muted")
    doubt = Words("cannot tell", "doubt")
    return Row(
        (
            problem_id(cases[0]),
            *([blank] if asked else []),
            *(doubt, blank, why, blank, blank),
        ),
        tone="doubt",
    )


def _calls(break_even: Place[BreakEven] | None) -> Cell:
    if break_even is None:
        return Words("not known", "muted")
    if break_even.value.calls is None:
        return text(break_even["reason"])
    return interval(break_even["calls"])


def _judged(rows: Iterable[Compared]) -> Iterable[Estimate]:
    return (row[0].value.ratio for row in rows if not row[0].value.reason)


def _speedup(
    comparison: Place[Comparison], bar: Callable[[Estimate], Bar | None]
) -> Cell:
    """Show the speedup; not one that a failing control has made worthless."""
    if comparison.value.reason:
        return Words("withheld", "doubt")
    return inverse_interval(comparison["ratio"], bar(comparison.value.ratio))


def _reason(comparison: Place[Comparison]) -> tuple[Cell | str, ...]:
    return (": ", text(comparison["reason"])) if comparison.value.reason else ()


def _metric(comparison: Place[Comparison], candidate: Place[Case]) -> Cell:
    metric = text(comparison["metric"])
    if candidate.value.boundary is None:
        return metric
    return line(metric, " ", text(candidate["boundary"]))


def _comparisons(compared: list[Compared]) -> Table:
    bar = speedup_bars(_judged(compared))
    groups = []
    for problem in _by_problem(compared).values():
        rows = tuple(
            Row(
                (
                    variant_id(candidate),
                    variant_id(baseline),
                    _metric(comparison, candidate),
                    _speedup(comparison, bar),
                    line(
                        judgement_words(
                            comparison.value.judgement, comparison.value.metric
                        ),
                        *_reason(comparison),
                    ),
                    number(comparison["smallest_change"], "fraction"),
                )
            )
            for comparison, baseline, candidate in problem
        )
        groups.append(RowGroup(problem_id(problem[0][1]), rows))
    return Table(
        "comparisons",
        "Every candidate against its reference",
        (
            column("Candidate"),
            column("Reference"),
            column("Metric"),
            column("Speedup", numeric=True),
            column("Judgement"),
            column(_WOULD_SEE, numeric=True),
        ),
        tuple(groups),
        group_title="Problem",
        note=line(
            "Speedup of memory is saving: the reference's amount over the candidate's. "
            if any(row[0].value.metric == "peak_memory" for row in compared)
            else "Speedup is the reference's time over the candidate's. ",
            _WOULD_SEE_MEANS,
        ),
    )
