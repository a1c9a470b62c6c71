"""The figures of a report: what each shows, and the sentence where it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpcs_bench.records import Case, Estimate
from xpcs_bench.report.cells import STAGE, Words
from xpcs_bench.report.drawing import (
    GRID,
    INK,
    MUTED,
    PAPER,
    SERIES,
    draw,
    drawable,
    log_axis,
    tick,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.sections.conversions import carried_bytes
from xpcs_bench.report.standing import Evidence
from xpcs_bench.units import format_bytes, format_count, format_duration, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

__all__ = ["PLOTS", "Plot"]

MARKERS = ("o", "s", "D", "^", "v", "P")
WIDTH = 6.6
"""Of every figure (inches): its labels stay readable when a phone shows it."""
MOST_ROWS = 48
"""Rows of a figure; the table says the rest."""
SMALLEST, LARGEST = 1e-12, 1e12
"""What has a place on a logarithmic axis on which the others can still be read."""


@dataclass(frozen=True)
class Plot:
    """A figure, or a sentence that says why there is none."""

    title: str
    alt: str
    """What it shows, for those who cannot see it."""
    svg: str | None
    note: str = ""
    """What it leaves out, or why it is missing."""


@dataclass(frozen=True)
class _Row:
    """What a figure shows of one variant on one problem."""

    problem: str
    variant: str
    estimates: Mapping[str, Estimate]


def _known(
    evidence: Evidence, case: Place[Case] | None, metric: str
) -> Estimate | None:
    """Return an estimate that may be shown and has a place on a logarithmic axis."""
    found = evidence.estimate(case, metric) if case else None
    if found is None or isinstance(found, Words):
        return None
    return found.value if _positive(found.value) else None


def _positive(estimate: Estimate) -> bool:
    ends = (estimate.lower, estimate.point, estimate.upper)
    return all(SMALLEST < end < LARGEST for end in ends)


def _paint_rows(
    axes: Axes, rows: Sequence[_Row], paint: Callable[[float, _Row], None]
) -> None:
    """Paint one row per variant, below the name of its problem."""
    at = 0.0
    ticks: list[float] = []
    problem: str | None = None
    for row in rows:
        if row.problem != problem:
            problem = row.problem
            at += 0.9 if ticks else 0.0
            # from the figure's edge, above names of variants and bars alike
            axes.text(
                0.01,
                at,
                drawable(problem, 80),
                transform=_edge(axes),
                fontweight="bold",
                fontsize=8.0,
                verticalalignment="center",
                in_layout=False,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
            )
            at += 0.9
        ticks.append(at)
        paint(at, row)
        at += 0.8
    axes.set_yticks(ticks, [drawable(row.variant, 28) for row in rows])
    axes.set_ylim(at - 0.2, -0.6)
    axes.grid(visible=False, axis="y")


def _edge(axes: Axes) -> Transform:
    """Return coordinates that run from the figure's left edge, and along the rows."""
    from matplotlib.transforms import blended_transform_factory

    return blended_transform_factory(axes.figure.transFigure, axes.transData)


def _height(rows: Sequence[_Row]) -> float:
    """Return the height of a figure of rows (inches)."""
    n_problems = len({row.problem for row in rows})
    return 0.85 + 0.24 * (0.8 * len(rows) + 1.8 * n_problems)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    # as many columns as fit into the width, each as wide as the longest label
    n_columns = max(1, 90 // (max(map(len, labels)) + 6))
    figure.legend(
        handles, labels, loc="outside upper left", ncols=n_columns, borderaxespad=0.2
    )


def _cut(rows: list[_Row]) -> tuple[list[_Row], str]:
    if len(rows) <= MOST_ROWS:
        return rows, ""
    return rows[:MOST_ROWS], "The first problems are drawn; the table has all of them."


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
                found := _known(evidence, case, metric)
            ):
                by_owner.setdefault(owner, {})[metric] = found
    rows, note = _cut([_Row(*owner, found) for owner, found in _together(by_owner)])
    if not rows:
        return Plot(title, alt, None, "No first or cached call has a time to draw.")

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()

        def paint_row(at: float, row: _Row) -> None:
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

        _paint_rows(axes, rows, paint_row)
        axes.plot([], [], "o", color=SERIES[0], label="cached call")
        axes.plot(
            [], [], "o", color=SERIES[1], markerfacecolor="none", label="first call"
        )
        log_axis(axes, "x", format_duration)
        _legend(figure, axes)

    svg = draw("first-and-cached", (WIDTH, _height(rows)), paint)
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
            rows.append(_Row(case.value.problem_id, case.value.variant.id, found))
    rows, note = _cut(rows)
    if not rows:
        return Plot(title, alt, None, "No stage of a first call has a time to draw.")

    def paint(figure: Figure) -> None:
        from matplotlib.ticker import FuncFormatter

        axes = figure.add_subplot()

        def paint_row(at: float, row: _Row) -> None:
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

        _paint_rows(axes, rows, paint_row)
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
        _legend(figure, axes)

    return Plot(title, alt, draw("stages", (WIDTH, _height(rows)), paint), note)


@dataclass(frozen=True)
class _Point:
    """One estimate at one size; the size is a number, or a name where none is known."""

    size: float | str
    estimate: Estimate


def _size_of(case: Case, varying: Mapping[str, str]) -> tuple[str, float | str]:
    """Return the axis that a case lies on and its place there."""
    if case.detector is not None:
        rows, columns = case.detector.shape
        return "detector pixels", float(rows * columns)
    if parameter := varying.get(case.kernel):
        return f"{case.kernel}: {parameter}", float(case.labels[parameter])
    return "problem", case.problem_id


def _varying(cases: Sequence[Case]) -> dict[str, str]:
    """Return by kernel the one numeric parameter that varies, where there is one."""
    values: dict[str, dict[str, set[float]]] = {}
    for case in cases:
        for name, value in case.labels.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                values.setdefault(case.kernel, {}).setdefault(name, set()).add(value)
    varying = {}
    for kernel, parameters in values.items():
        names = [name for name, seen in parameters.items() if len(seen) > 1]
        # a kernel's case without the label has its default, which has no place here
        everywhere = (
            all(names[0] in case.labels for case in cases if case.kernel == kernel)
            if len(names) == 1
            else False
        )
        if everywhere:
            varying[kernel] = names[0]
    return varying


def speedup_by_size(evidence: Evidence) -> Plot:
    """Draw the speedup of the cached call over the reference against the size."""
    title = "Speedup of the cached call by size"
    alt = (
        "Speedup of each candidate over its reference with its interval, against the "
        "size of the work, both logarithmic; above the line at one the candidate is "
        "faster. The table has the values."
    )
    compared = [
        (comparison.value.ratio, candidate.value)
        for comparison, baseline, candidate in evidence.comparisons()
        if comparison.value.metric == "steady_state"
        and _positive(comparison.value.ratio)
        and not evidence.withheld(baseline)
        and not evidence.withheld(candidate)
    ]
    if not compared:
        return Plot(title, alt, None, "No speedup is known to draw.")
    varying = _varying([case for _, case in compared])
    panels: dict[str, dict[tuple[str, str], list[_Point]]] = {}
    for ratio, case in compared:
        axis, size = _size_of(case, varying)
        series = (case.kernel, case.variant.id)
        panels.setdefault(axis, {}).setdefault(series, []).append(_Point(size, ratio))

    variants = list(dict.fromkeys(case.variant.id for _, case in compared))
    kernels = list(dict.fromkeys(case.kernel for _, case in compared))
    note = (
        "Colour tells the variant, the marker the kernel."
        if len(variants) > 1 and len(kernels) > 1
        else ""
    )

    def paint(figure: Figure) -> None:
        all_axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axes, (axis, series) in zip(all_axes, panels.items(), strict=True):
            places = _places(series)
            for (kernel, variant), points in series.items():
                _paint_speedups(
                    axes,
                    [(places[point.size], point.estimate) for point in points],
                    SERIES[variants.index(variant) % len(SERIES)],
                    MARKERS[kernels.index(kernel) % len(MARKERS)],
                )
            axes.axhline(1.0, color=INK, linewidth=1.0)
            axes.set_ylabel("speedup")
            log_axis(axes, "y", format_ratio)
            if all(isinstance(size, float) for size in places):
                axes.set_xlabel(drawable(axis))
                log_axis(axes, "x", _short_count)
            else:
                axes.set_xticks(
                    list(places.values()),
                    [drawable(str(name), 30) for name in places],
                    rotation=30,
                    horizontalalignment="right",
                )
        axes = all_axes[0]
        for index, variant in enumerate(variants):
            axes.plot(
                [],
                [],
                "o",
                color=SERIES[index % len(SERIES)],
                label=drawable(variant, 28),
            )
        for index, kernel in enumerate(kernels):
            axes.plot(
                [],
                [],
                MARKERS[index % len(MARKERS)],
                color=MUTED,
                markerfacecolor="none",
                label=drawable(kernel, 28),
            )
        _legend(figure, axes)

    return Plot(
        title, alt, draw("speedup", (WIDTH, 0.6 + 2.6 * len(panels)), paint), note
    )


def _short_count(value: float) -> str:
    """Write a size on an axis: 4M pixels, not 4 000 000."""
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:g}{unit}"
    return f"{value:g}" if value < 1 else format_count(value)


def _places(
    series: Mapping[tuple[str, str], Sequence[_Point]],
) -> dict[float | str, float]:
    """Return where each size lies: numbers at their value, names side by side."""
    sizes = dict.fromkeys(point.size for points in series.values() for point in points)
    return {
        size: size if isinstance(size, float) else float(index)
        for index, size in enumerate(sizes)
    }


def _paint_speedups(
    axes: Axes,
    points: Sequence[tuple[float, Estimate]],
    colour: str,
    marker: str,
) -> None:
    for at, ratio in points:
        axes.plot(
            [at, at], [1 / ratio.upper, 1 / ratio.lower], color=colour, linewidth=1.4
        )
        axes.plot(at, 1 / ratio.point, marker, color=colour, markersize=5.0)


def conversion_by_size(evidence: Evidence) -> Plot:
    """Draw the time of every conversion against the size of the array."""
    title = "Conversion cost by boundary and size"
    alt = (
        "One panel per boundary: time of the conversion against the bytes of the "
        "array, both logarithmic, one line per variant; the table below has the values."
    )
    panels: dict[str, dict[str, list[tuple[int, Estimate]]]] = {}
    for case in evidence.cases.values():
        estimate = _known(evidence, case, "conversion")
        size = carried_bytes(evidence, case)
        if estimate is None or size is None or case.value.boundary is None:
            continue
        panels.setdefault(case.value.boundary, {}).setdefault(
            case.value.variant.id, []
        ).append((size.value, estimate))
    if not panels:
        return Plot(title, alt, None, "No conversion has a time and a size to draw.")
    variants = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    n_columns = min(2, len(panels))
    n_rows = math.ceil(len(panels) / n_columns)

    def paint(figure: Figure) -> None:
        grid = figure.subplots(
            n_rows, n_columns, squeeze=False, sharex=True, sharey=True
        ).ravel()
        for axes, (boundary, series) in zip(grid, panels.items(), strict=False):
            axes.set_title(drawable(boundary, 36))
            for variant, points in series.items():
                colour = SERIES[variants.index(variant) % len(SERIES)]
                marker = MARKERS[variants.index(variant) % len(MARKERS)]
                ordered = sorted(points, key=lambda point: point[0])
                axes.plot(
                    [size for size, _ in ordered],
                    [estimate.point for _, estimate in ordered],
                    color=colour,
                    marker=marker,
                    markersize=4.5,
                    linewidth=1.2,
                )
                for size, estimate in ordered:
                    axes.plot(
                        [size, size], [estimate.lower, estimate.upper], color=colour
                    )
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        for index, variant in enumerate(variants):
            grid[0].plot(
                [],
                [],
                MARKERS[index % len(MARKERS)],
                color=SERIES[index % len(SERIES)],
                label=drawable(variant, 28),
            )
        log_axis(grid[0], "x", format_bytes, base=4.0)
        log_axis(grid[0], "y", format_duration)
        _legend(figure, grid[0])

    svg = draw("conversions", (WIDTH, 0.6 + 1.9 * n_rows), paint)
    return Plot(title, alt, svg)


PLOTS: dict[str, Callable[[Evidence], Plot]] = {
    "speedup_by_size": speedup_by_size,
    "first_and_cached": first_and_cached,
    "stages": stages,
    "conversion_by_size": conversion_by_size,
}
"""Figures by the name under which sections ask for them."""
