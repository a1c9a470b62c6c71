"""Onto a canvas: Matplotlib and PyQtGraph, both without a screen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from xpcs_bench.backends import BackendProtocol, MatplotlibAdapter, PyQtGraphAdapter
from xpcs_bench.measure.boundaries.crossing import Boundary, Host

__all__ = ["MatplotlibDraw", "PyQtGraphImage"]


def _as_image(values: Host) -> Host:
    """Return a 2-D view: one row of few dimensions, all leading axes of many."""
    return values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)


class MatplotlibDraw(Boundary):
    """On a canvas in memory (Agg); the empty figure is made before the clock starts."""

    summary = "Draw the array with Matplotlib: a curve if it is 1-D, else an image."

    def __init__(
        self, backend: BackendProtocol, device: str, source: Any, folder: Path
    ) -> None:
        super().__init__(backend, device, source, folder)
        self._adapter = MatplotlibAdapter(backend)

    def fresh(self, count: int) -> Sequence[tuple[Any, Any]]:
        """Make copies, each with the axes of a new figure."""
        from matplotlib.backends.backend_agg import (
            FigureCanvasAgg,
        )
        from matplotlib.figure import Figure

        axes = [FigureCanvasAgg(Figure()).figure.add_subplot() for _ in range(count)]
        return list(zip(super().fresh(count), axes, strict=True))

    def cross(self, item: tuple[Any, Any]) -> Any:
        """Convert, make the artist, draw the figure."""
        array, axes = item
        values = self._adapter.to_matplotlib(array)
        artist = (
            axes.plot(values)[0] if values.ndim == 1 else axes.imshow(_as_image(values))
        )
        axes.figure.canvas.draw()
        return artist

    def arrived(self, outcome: Any) -> Host:
        """What the artist holds."""
        shown = (
            outcome.get_array()
            if hasattr(outcome, "get_array")
            else outcome.get_ydata(orig=True)
        )
        return np.ma.getdata(shown).reshape(np.shape(self.source))


class PyQtGraphImage(Boundary):
    """Without a screen (Qt's ``offscreen`` platform)."""

    summary = "Show the array in a PyQtGraph ImageItem and render it."

    @classmethod
    def refusal(cls, backend: str, device: str) -> str | None:
        """PyQtGraph and a Qt binding are extras."""
        del backend, device
        bindings = ("PySide6", "PyQt6", "PyQt5")
        if find_spec("pyqtgraph") and any(map(find_spec, bindings)):
            return None
        return (
            "pyqtgraph or Qt is not installed; 'pip install xpcs_bench[qt]' brings both"
        )

    def __init__(
        self, backend: BackendProtocol, device: str, source: Any, folder: Path
    ) -> None:
        super().__init__(backend, device, source, folder)
        # Qt reads it when its application starts; a user's choice stands
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        import pyqtgraph

        self._application = pyqtgraph.mkQApp()  # items need one that is alive
        self._make_item = pyqtgraph.ImageItem
        self._adapter = PyQtGraphAdapter(backend)

    def fresh(self, count: int) -> Sequence[tuple[Any, Any]]:
        """Make copies, each with an empty image item."""
        items = [self._make_item() for _ in range(count)]
        return list(zip(super().fresh(count), items, strict=True))

    def cross(self, item: tuple[Any, Any]) -> Any:
        """Convert, give it to the item, render."""
        array, image = item
        image.setImage(_as_image(self._adapter.to_pyqtgraph(array)))
        image.render()
        return image

    def arrived(self, outcome: Any) -> Host:
        """What the image item holds."""
        return np.asarray(outcome.image).reshape(np.shape(self.source))
