"""What the figures share: their frame, and which numbers can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpcs_bench.records import Case, Estimate
from xpcs_bench.report.cells import Words
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "LARGEST",
    "MARKERS",
    "SMALLEST",
    "WIDTH",
    "Plot",
    "known",
    "legend",
    "positive",
]

MARKERS = ("o", "s", "D", "^", "v", "P")
WIDTH = 6.6
"""Of every figure (inches): its labels stay readable when a phone shows it."""
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


def known(evidence: Evidence, case: Place[Case] | None, metric: str) -> Estimate | None:
    """Return an estimate that may be shown and has a place on a logarithmic axis."""
    found = evidence.estimate(case, metric) if case else None
    if found is None or isinstance(found, Words):
        return None
    return found.value if positive(found.value) else None


def positive(estimate: Estimate) -> bool:
    """Return whether an estimate has a place on a logarithmic axis with others."""
    ends = (estimate.lower, estimate.point, estimate.upper)
    return all(SMALLEST < end < LARGEST for end in ends)


def legend(figure: Figure, axes: Axes) -> None:
    """Put the legend of some axes above the figure."""
    handles, labels = axes.get_legend_handles_labels()
    # as many columns as fit into the width, each as wide as the longest label
    n_columns = max(1, 90 // (max(map(len, labels)) + 6))
    figure.legend(
        handles, labels, loc="outside upper left", ncols=n_columns, borderaxespad=0.2
    )
