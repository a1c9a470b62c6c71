"""First call against cached call, and the stages of a first call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xpcs_bench.records import Estimate
from xpcs_bench.report.cells import STAGE, Words
from xpcs_bench.report.drawing import GRID, SERIES, draw, drawable, log_axis, tick
from xpcs_bench.report.figures.frame import LARGEST, WIDTH, Plot, known, legend
from xpcs_bench.report.figures.rows import Row, cut, height, paint_rows
from xpcs_bench.report.standing import Evidence
from xpcs_bench.units import format_duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["first_and_cached", "stages"]


def first_and_cached(evidence: Evidence) -> Plot:
    """Draw the first and the cached call of every variant on one line."""
    title = "First and cached call"
    alt = (
        "For every problem and variant a line from the time of the cached call to the "
        "time of the first call, on a logarithmic axis; the table below has the values."
    )
    by_owner: dict[tuple[str, str], dict[str, Estimate]] = {}
    for case in evidence.cases.values():
        owner = (case.value.problem_id, case.value.variant.id)
        for metric in ("first_call", "steady_state"):
            if case.value.measure == metric and (
                found := known(evidence, case, metric)
            ):
                by_owner.setdefault(owner, {})[metric] = found
    rows, note = cut([Row(*owner, found) for owner, found in _together(by_owner)])
    if not rows:
        return Plot(title, alt, None, "No first or cached call has a time to draw.")

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()

        def paint_row(at: float, row: Row) -> None:
            points = [found.point for found in row.estimates.values()]
            axes.plot(points, [at] * len(points), color=GRID, linewidth=3.0, zorder=1)
            for metric, colour, filled in (
                ("steady_state", SERIES[0], True),
                ("first_call", SERIES[1], False),
            ):
                if found := row.estimates.get(metric):
                    axes.plot(
                        [found.lower, found.upper], [at, at], color=colour, zorder=2
                    )
                    axes.plot(
                        found.point,
                        at,
                        "o",
                        color=colour,
                        markerfacecolor=colour if filled else "none",
                        markersize=5.5,
                        zorder=3,
                    )

        paint_rows(axes, rows, paint_row)
        axes.plot([], [], "o", color=SERIES[0], label="cached call")
        axes.plot(
            [], [], "o", color=SERIES[1], markerfacecolor="none", label="first call"
        )
        log_axis(axes, "x", format_duration)
        legend(figure, axes)

    svg = draw("first-and-cached", (WIDTH, height(rows)), paint)
    return Plot(title, alt, svg, note)


def _together(
    by_owner: Mapping[tuple[str, str], dict[str, Estimate]],
) -> list[tuple[tuple[str, str], dict[str, Estimate]]]:
    """Bring the variants of one problem together, problems in order of appearance."""
    problems = list(dict.fromkeys(problem for problem, _ in by_owner))
    return sorted(by_owner.items(), key=lambda item: problems.index(item[0][0]))


def stages(evidence: Evidence) -> Plot:
    """Draw the stages of a first call one after the other."""
    title = "Stages of a first call"
    alt = (
        "For every problem and variant a bar made of the durations of the stages of a "
        "first call, in order; the table below has the values."
    )
    names: dict[str, None] = {}
    rows = []
    for case in evidence.cases.values():
        if case.value.measure != "stages":
            continue
        found = {
            metric: estimate.value
            for metric in evidence.metrics(case)
            if metric.startswith(STAGE)
            and not isinstance(estimate := evidence.estimate(case, metric), Words)
            and 0 <= estimate.value.point < LARGEST
        }
        if found:
            names.update(dict.fromkeys(found))
            rows.append(Row(case.value.problem_id, case.value.variant.id, found))
    rows, note = cut(rows)
    if not rows:
        return Plot(title, alt, None, "No stage of a first call has a time to draw.")

    def paint(figure: Figure) -> None:
        from matplotlib.ticker import FuncFormatter

        axes = figure.add_subplot()

        def paint_row(at: float, row: Row) -> None:
            left = 0.0
            for index, name in enumerate(names):
                if estimate := row.estimates.get(name):
                    axes.barh(
                        at,
                        estimate.point,
                        0.5,
                        left=left,
                        color=SERIES[index % len(SERIES)],
                    )
                    left += estimate.point

        paint_rows(axes, rows, paint_row)
        for index, name in enumerate(names):
            axes.plot(
                [],
                [],
                "s",
                color=SERIES[index % len(SERIES)],
                label=drawable(name.removeprefix(STAGE), 24),
            )
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: tick(value, format_duration))
        )
        legend(figure, axes)

    return Plot(title, alt, draw("stages", (WIDTH, height(rows)), paint), note)
