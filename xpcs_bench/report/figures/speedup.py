"""Speedup of the cached call against the size of the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpcs_bench.records import Case, Estimate
from xpcs_bench.report.drawing import INK, MUTED, SERIES, draw, drawable, log_axis
from xpcs_bench.report.figures.frame import MARKERS, WIDTH, Plot, legend, positive
from xpcs_bench.report.figures.rows import Row, cut, height, paint_rows
from xpcs_bench.report.standing import Evidence
from xpcs_bench.units import format_count, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["speedup_by_size"]


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
        and not comparison.value.reason
        and positive(comparison.value.ratio)
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

    if all(
        len({point.size for points in series.values() for point in points}) < 2
        or any(
            isinstance(point.size, str)
            for points in series.values()
            for point in points
        )
        for series in panels.values()
    ):
        return _speedup_by_problem(compared)
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
                few = len(places) < 3
                axes.set_xticks(
                    list(places.values()),
                    [drawable(str(name), 40 if few else 30) for name in places],
                    rotation=0 if few else 30,
                    horizontalalignment="center" if few else "right",
                )
        axes = all_axes[0]
        for index, variant in enumerate(variants):
            axes.plot(
                [],
                [],
                "o",
                color=SERIES[index % len(SERIES)],
                label=drawable(variant, 34),
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
        legend(figure, axes)

    return Plot(
        title, alt, draw("speedup", (WIDTH, 0.6 + 2.6 * len(panels)), paint), note
    )


def _speedup_by_problem(compared: Sequence[tuple[Estimate, Case]]) -> Plot:
    """Draw one row a candidate: with one size each there is nothing to go along."""
    rows, note = cut(
        [Row(case.problem_id, case.variant.id, {"": ratio}) for ratio, case in compared]
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()

        def paint_row(at: float, row: Row) -> None:
            ratio = row.estimates[""]
            axes.plot([1 / ratio.upper, 1 / ratio.lower], [at, at], color=SERIES[0])
            axes.plot(1 / ratio.point, at, "o", color=SERIES[0], markersize=5.5)

        paint_rows(axes, rows, paint_row)
        axes.axvline(1.0, color=INK, linewidth=1.0)
        log_axis(axes, "x", format_ratio)

    return Plot(
        "Speedup of the cached call",
        "For every problem and candidate its speedup over the reference with its "
        "interval, on a logarithmic axis; right of the line at one the candidate is "
        "faster. The table has the values.",
        draw("speedup", (WIDTH, height(rows)), paint),
        note,
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
