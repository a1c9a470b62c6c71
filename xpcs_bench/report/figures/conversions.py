"""Time of every conversion against the size of the array."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xpcs_bench.records import Estimate
from xpcs_bench.report.drawing import SERIES, draw, drawable, log_axis
from xpcs_bench.report.figures.frame import MARKERS, WIDTH, Plot, known, legend
from xpcs_bench.report.figures.rows import Row, cut, height, paint_rows
from xpcs_bench.report.sections.conversions import carried_bytes
from xpcs_bench.report.standing import Evidence
from xpcs_bench.units import format_bytes, format_duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["conversion_by_size"]

_Point = tuple[int, Estimate]
"""Bytes of the array, and the time of its conversion."""


def conversion_by_size(evidence: Evidence) -> Plot:
    """Draw the time of every conversion against the size of the array."""
    title = "Conversion cost by boundary and size"
    alt = (
        "One panel per boundary: time of the conversion against the bytes of the "
        "array, both logarithmic, one line per variant; the table below has the values."
    )
    panels: dict[str, dict[str, list[_Point]]] = {}
    for case in evidence.cases.values():
        estimate = known(evidence, case, "conversion")
        size = carried_bytes(evidence, case)
        if estimate is None or size is None or case.value.boundary is None:
            continue
        panels.setdefault(case.value.boundary, {}).setdefault(
            case.value.variant.id, []
        ).append((size.value, estimate))
    if not panels:
        return Plot(title, alt, None, "No conversion has a time and a size to draw.")
    variants = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    points = [
        point for panel in panels.values() for row in panel.values() for point in row
    ]
    if len({size for size, _ in points}) == 1:
        return _by_boundary(panels)
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
                label=drawable(variant, 34),
            )
        log_axis(grid[0], "x", format_bytes, base=4.0)
        log_axis(grid[0], "y", format_duration)
        legend(figure, grid[0])

    svg = draw("conversions", (WIDTH, 0.6 + 1.9 * n_rows), paint)
    return Plot(title, alt, svg)


def _by_boundary(panels: Mapping[str, Mapping[str, Sequence[_Point]]]) -> Plot:
    """Draw one row a variant below each boundary: all arrays have one size."""
    rows, note = cut(
        [
            Row(boundary, variant, {"": estimate})
            for boundary, series in panels.items()
            for variant, points in sorted(series.items())
            for _, estimate in points
        ]
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()

        def paint_row(at: float, row: Row) -> None:
            estimate = row.estimates[""]
            axes.plot([estimate.lower, estimate.upper], [at, at], color=SERIES[0])
            axes.plot(estimate.point, at, "o", color=SERIES[0], markersize=5.5)

        paint_rows(axes, rows, paint_row)
        log_axis(axes, "x", format_duration)

    return Plot(
        "Conversion cost by boundary",
        "For every boundary and variant the time of the conversion with its interval, "
        "on a logarithmic axis; the table below has the values.",
        draw("conversions", (WIDTH, height(rows)), paint),
        note,
    )
