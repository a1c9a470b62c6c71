"""JAX arrays that are given to Matplotlib and PyQtGraph as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpcs_bench.measure.behaviours import arrays
from xpcs_bench.measure.behaviours.behaviour import Absent, Observed

__all__ = [
    "matplotlib_colour",
    "matplotlib_curve",
    "matplotlib_deleted",
    "matplotlib_image",
    "matplotlib_key",
    "matplotlib_scatter",
    "pyqtgraph_curve",
    "pyqtgraph_curve_item",
    "pyqtgraph_deleted",
    "pyqtgraph_image",
    "pyqtgraph_key",
]


def _drawn(draw: Callable[[Any], object]) -> Any:
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas: Any = FigureCanvasAgg(Figure())  # half of it is typed
    draw(canvas.figure.add_subplot())
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def _pixels(draw: Callable[[Any, Any], object], values: Any) -> Observed:
    import numpy as np

    found = _drawn(lambda axes: draw(axes, values))
    expected = _drawn(lambda axes: draw(axes, np.asarray(values)))
    return {"pixels equal": bool((found == expected).all())}


def matplotlib_image() -> Observed:
    """Draw an image, and the same from NumPy."""
    return _pixels(lambda axes, image: axes.imshow(image), arrays.image())


def matplotlib_curve() -> Observed:
    """Draw a curve, and the same from NumPy."""
    return _pixels(lambda axes, y: axes.plot(y), arrays.image()[2])


def matplotlib_scatter() -> Observed:
    """Draw points with colours, and the same from NumPy."""
    return _pixels(lambda axes, y: axes.scatter(y, y, c=y), arrays.image()[2])


def matplotlib_colour() -> Observed:
    """Take a vector for a colour."""
    import jax.numpy as jnp

    colour = jnp.array([1.0, 0.5, 0.0])
    return _pixels(lambda axes, rgb: axes.plot([0, 1], color=rgb), colour)


def matplotlib_key() -> Observed:
    """Draw a random key."""
    _drawn(lambda axes: axes.plot(arrays.key()))
    return {}


def matplotlib_deleted() -> Observed:
    """Draw an array whose memory is gone."""
    _drawn(lambda axes: axes.imshow(arrays.deleted()))
    return {}


def _qt() -> Any:
    try:
        import pyqtgraph

        return pyqtgraph, pyqtgraph.mkQApp()
    except ImportError as error:
        msg = f"pyqtgraph or Qt cannot be imported: {error}"
        raise Absent(msg) from error


def _bytes_of(image: Any) -> bytes:
    from pyqtgraph.Qt import QtGui

    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    return bytes(image.constBits())


def _qt_pixels(show: Callable[[Any, Any], Any], values: Any) -> Observed:
    import numpy as np

    pyqtgraph, _application = _qt()
    found = _bytes_of(show(pyqtgraph, values))
    expected = _bytes_of(show(pyqtgraph, np.asarray(values)))
    return {"pixels equal": found == expected}


def _shown(pyqtgraph: Any, image: Any) -> Any:
    item = pyqtgraph.ImageItem()
    item.setImage(image)
    item.render()
    return item.qimage


def _plotted(pyqtgraph: Any, item: Any) -> Any:
    widget = pyqtgraph.PlotWidget()
    widget.resize(120, 90)
    widget.addItem(item)
    return widget.grab().toImage()


def pyqtgraph_image() -> Observed:
    """Show an image, and the same from NumPy."""
    return _qt_pixels(_shown, arrays.image())


def pyqtgraph_curve() -> Observed:
    """Plot a curve, and the same from NumPy."""

    def show(pyqtgraph: Any, y: Any) -> Any:
        return _plotted(pyqtgraph, pyqtgraph.PlotDataItem(y))

    return _qt_pixels(show, arrays.image()[2])


def pyqtgraph_curve_item() -> Observed:
    """Plot a curve by the item that is strict, and the same from NumPy."""

    def show(pyqtgraph: Any, y: Any) -> Any:
        return _plotted(pyqtgraph, pyqtgraph.PlotCurveItem(x=y, y=y))

    return _qt_pixels(show, arrays.image()[2])


def pyqtgraph_key() -> Observed:
    """Show a random key."""
    pyqtgraph, _application = _qt()
    _shown(pyqtgraph, arrays.key())
    return {}


def pyqtgraph_deleted() -> Observed:
    """Show an array whose memory is gone."""
    pyqtgraph, _application = _qt()
    _shown(pyqtgraph, arrays.deleted())
    return {}
