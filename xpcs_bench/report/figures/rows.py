"""Figures of rows: one per variant, below the name of its problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpcs_bench.records import Estimate
from xpcs_bench.report.drawing import PAPER, drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

__all__ = ["MOST_ROWS", "Row", "cut", "height", "paint_rows"]

MOST_ROWS = 48
"""Rows of a figure; the table says the rest."""


@dataclass(frozen=True)
class Row:
    """What a figure shows of one variant on one problem."""

    problem: str
    variant: str
    estimates: Mapping[str, Estimate]


def paint_rows(
    axes: Axes, rows: Sequence[Row], paint: Callable[[float, Row], None]
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
    axes.set_yticks(ticks, [drawable(row.variant, 34) for row in rows])
    axes.set_ylim(at - 0.2, -0.6)
    axes.grid(visible=False, axis="y")


def _edge(axes: Axes) -> Transform:
    """Return coordinates that run from the figure's left edge, and along the rows."""
    from matplotlib.transforms import blended_transform_factory

    return blended_transform_factory(axes.figure.transFigure, axes.transData)


def height(rows: Sequence[Row]) -> float:
    """Return the height of a figure of rows (inches)."""
    n_problems = len({row.problem for row in rows})
    return 0.85 + 0.24 * (0.8 * len(rows) + 1.8 * n_problems)


def cut(rows: list[Row]) -> tuple[list[Row], str]:
    """Return the rows that a figure has room for, and a sentence if it leaves some."""
    if len(rows) <= MOST_ROWS:
        return rows, ""
    return rows[:MOST_ROWS], "The first problems are drawn; the table has all of them."
