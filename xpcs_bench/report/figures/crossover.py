"""Ratio of the cached calls of candidate and baseline along the axis of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpcs_bench.records import Crossover
from xpcs_bench.report.drawing import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    draw,
    drawable,
    log_axis,
)
from xpcs_bench.report.figures.frame import MARKERS, WIDTH, Plot, legend, positive
from xpcs_bench.report.standing import Evidence
from xpcs_bench.units import format_count, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_PANELS", "ratio_by_size"]

MOST_PANELS = 8
"""Panels of a figure; the table says the rest."""
_BRACKET, _UNCLEAR = 0.22, 0.08
"""Opacity of what is shaded."""


def ratio_by_size(evidence: Evidence) -> Plot:
    """Draw the ratios of a search over the sizes, with the brackets of its turns."""
    title = "Ratio of the cached calls by size"
    alt = (
        "One panel a problem: time of each candidate over that of its baseline against "
        "the size, both logarithmic, each with its interval; below the line at one the "
        "candidate is faster. Brackets within which the order turns are shaded. The "
        "table has the values."
    )
    panels: dict[tuple[str, str], list[Crossover]] = {}
    for found in evidence.root.value.summary.crossovers:
        if any(positive(point.ratio) for point in found.points):
            panels.setdefault((found.problem, found.baseline), []).append(found)
    if not panels:
        return Plot(title, alt, None, "No ratio along an axis is known to draw.")
    shown = dict(list(panels.items())[:MOST_PANELS])
    candidates = list(
        dict.fromkeys(row.candidate for rows in shown.values() for row in rows)
    )

    def paint(figure: Figure) -> None:
        all_axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
        for axes, ((problem, baseline), rows) in zip(
            all_axes, shown.items(), strict=True
        ):
            axes.set_title(drawable(f"{problem}, against {baseline}", 84))
            for row in rows:
                _paint(axes, row, candidates.index(row.candidate))
            _finish(axes)
        all_axes[-1].set_xlabel(_axis(rows[0].axis))
        for index, name in enumerate(candidates):
            all_axes[0].plot(
                [],
                [],
                MARKERS[index % len(MARKERS)],
                color=SERIES[index % len(SERIES)],
                label=drawable(name, 34),
            )
        legend(figure, all_axes[0])

    left_out = len(panels) - len(shown)
    note = "Filled: certain. Hollow: not certain. Shaded: the order turns within. "
    if any(row.lost for rows in shown.values() for row in rows):
        note += "Crosses: sizes that could not be compared. "
    if left_out:
        note += "Further problems are in the table. "
    height = 0.7 + 2.5 * len(shown)
    return Plot(title, alt, draw("ratio", (WIDTH, height), paint), note.strip())


def _axis(axis: str) -> str:
    return "side of the detector (pixels)" if axis == "detector" else drawable(axis)


def _paint(axes: Axes, found: Crossover, index: int) -> None:
    colour = SERIES[index % len(SERIES)]
    points = [point for point in found.points if positive(point.ratio)]
    if not points:
        return
    ends = (points[0].size, points[-1].size)
    for turn in found.turns:
        lower = ends[0] if turn.lower is None else turn.lower
        upper = ends[1] if turn.upper is None else turn.upper
        axes.axvspan(lower, upper, color=colour, alpha=_BRACKET, linewidth=0)
    for span in found.unclear:
        axes.axvspan(span.lower, span.upper, color=colour, alpha=_UNCLEAR, linewidth=0)
    sizes = [point.size for point in points]
    axes.plot(
        sizes,
        [point.ratio.point for point in points],
        color=colour,
        linewidth=0.8,
        alpha=0.6,
    )
    for point in points:
        axes.plot(
            [point.size, point.size],
            [point.ratio.lower, point.ratio.upper],
            color=colour,
            linewidth=1.4,
        )
        axes.plot(
            point.size,
            point.ratio.point,
            MARKERS[index % len(MARKERS)],
            color=colour,
            markersize=4.5,
            markerfacecolor=PAPER if point.sign == "unknown" else colour,
        )
    lost = [row.size for row in found.lost]
    # on the lower edge, where no ratio is
    axes.plot(
        lost,
        [0.03 + 0.05 * index] * len(lost),
        "x",
        color=colour,
        markersize=4.0,
        transform=axes.get_xaxis_transform(),
    )


def _finish(axes: Axes) -> None:
    """Draw the line at one, and say what lies on either side of it."""
    axes.axhline(1.0, color=INK, linewidth=1.0)
    axes.set_ylabel("candidate / baseline")
    log_axis(axes, "y", format_ratio)
    low, high = axes.get_ylim()
    # both sides of the line are in sight, also where all ratios lie on one of them
    axes.set_ylim(min(low, 0.8), max(high, 1.25))
    log_axis(axes, "x", lambda value: format_count(round(value)), base=2.0)
    for word, shift, alignment in (("slower", 3, "bottom"), ("faster", -3, "top")):
        axes.annotate(
            word,
            (1.0, 1.0),
            xycoords=("axes fraction", "data"),
            xytext=(4, shift),
            textcoords="offset points",
            horizontalalignment="left",
            verticalalignment=alignment,
            color=MUTED,
            fontsize=8.0,
        )
