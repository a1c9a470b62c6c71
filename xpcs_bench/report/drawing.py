"""Figures as SVG text that takes its colours from the page and never varies.

Text is drawn as paths, so that a page needs no font of the reader's machine, and the
same figure gives the same bytes: no date, no random ids.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "PAPER",
    "SERIES",
    "draw",
    "drawable",
    "log_axis",
    "tick",
]

INK = "#010101"
MUTED = "#020202"
GRID = "#030303"
PAPER = "#0a0a0a"
SERIES = ("#040404", "#050505", "#060606", "#070707", "#080808", "#090909")
"""Series of a figure, in turn: hues apart for colour-blind readers, markers besides."""
_CSS_NAMES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    PAPER: "--paper",
    **{colour: f"--series-{index}" for index, colour in enumerate(SERIES, start=1)},
}
"""Matplotlib cannot draw CSS variables: it draws stand-ins, exchanged afterwards."""
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.0,
    "axes.titlecolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    # a dollar sign in a name is no formula
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
    "svg.fonttype": "path",
}


def draw(name: str, size: tuple[float, float], paint: Callable[[Figure], None]) -> str:
    """Return a figure as an ``<svg>`` element.

    Parameters
    ----------
    name : str
        Prefix of every id in it, so that two figures fit into one page.
    size : tuple of float
        Width and height (inches).
    paint : callable
        Draws into the empty figure.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        # not the style of whoever calls
        mpl.rcdefaults()
        style: Any = {**_STYLE, "svg.hashsalt": name}
        mpl.rcParams.update(style)
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _inline(name, buffer.getvalue())


def _inline(name: str, document: str) -> str:
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    for stand_in, variable in _CSS_NAMES.items():
        svg = svg.replace(stand_in, f"var({variable})")
    # the page gives it its size and its name
    return re.sub(
        r'<svg\b[^>]*?viewBox="([^"]*)"[^>]*>',
        r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" '
        r'aria-hidden="true" focusable="false">',
        svg,
        count=1,
    ).strip()


@cache
def _drawable_codes() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def drawable(name: str, length: int = 56) -> str:
    """Return a name that the font can draw, shortened in its middle."""
    known = _drawable_codes()
    shown = "".join(
        character
        if character.isprintable() and ord(character) in known
        else "\N{WHITE SQUARE}"
        for character in name
    )
    if len(shown) > length:
        head = (length - 1) * 2 // 3
        shown = f"{shown[:head]}\N{HORIZONTAL ELLIPSIS}{shown[head + 1 - length :]}"
    return shown


def tick(value: float, shown: Callable[[float], str]) -> str:
    """Write a round number in the words of the tables, without their last zeros."""
    if value == 0:
        return "0"
    trimmed = re.sub(r"(\.\d*?)0+(?!\d)", r"\1", shown(value))
    return re.sub(r"\.(?!\d)", "", trimmed)


def log_axis(
    axes: Axes, which: str, shown: Callable[[float], str], base: float = 10.0
) -> None:
    """Make an axis logarithmic, with ticks in the words of the tables."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    getattr(axes, f"set_{which}scale")("log")
    axis = getattr(axes, f"{which}axis")
    low, high = sorted(getattr(axes, f"get_{which}lim")())
    # over less than two decades powers of ten alone would leave the axis bare
    steps = (1.0, 2.0, 5.0) if base == 10 and high / low < 100 else (1.0,)
    axis.set_major_locator(LogLocator(base=base, subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, shown)))
