"""What is tried at the boundaries: each function runs in a process of its own.

A probe returns what it observed; what it raises is an observation too.
"""

# ruff: noqa: D103 - what a probe is for is said by the claim that it decides

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "Absent",
    "cpu_shares_memory",
    "ensure_numpy_deleted",
    "ensure_numpy_key",
    "gpu_is_transferred",
    "h5py_attribute",
    "h5py_bfloat16",
    "h5py_bfloat16_adapted",
    "h5py_dataset",
    "h5py_deleted",
    "h5py_key",
    "h5py_read_direct",
    "h5py_slice",
    "h5py_write_direct",
    "matplotlib_colour",
    "matplotlib_curve",
    "matplotlib_deleted",
    "matplotlib_image",
    "matplotlib_key",
    "matplotlib_scatter",
    "numpy_is_free",
    "pyqtgraph_curve",
    "pyqtgraph_curve_item",
    "pyqtgraph_deleted",
    "pyqtgraph_image",
    "pyqtgraph_key",
]


class Absent(Exception):
    """What a probe needs is not here."""


def _jax_image() -> Any:
    import jax.numpy as jnp

    return jnp.add.outer(jnp.arange(6.0), jnp.arange(8.0))


def _key() -> Any:
    import jax

    return jax.random.key(0)


def _deleted() -> Any:
    array = _jax_image()
    array.delete()
    return array


def _stored(value: Any) -> dict[str, Any]:
    import h5py
    import numpy as np

    with h5py.File.in_memory() as file:
        file["x"] = value
        found = {"type on disk": file["x"].dtype.str}
        if file["x"].dtype.kind != "V":
            found["values equal"] = bool((file["x"][()] == np.asarray(value)).all())
        return found


def h5py_dataset() -> dict[str, Any]:
    return _stored(_jax_image())


def h5py_slice() -> dict[str, Any]:
    import h5py
    import numpy as np

    image = _jax_image()
    with h5py.File.in_memory() as file:
        data = file.create_dataset("x", image.shape, "f8")
        data[...] = image
        return {"values equal": bool((data[()] == np.asarray(image)).all())}


def h5py_attribute() -> dict[str, Any]:
    import h5py
    import numpy as np

    with h5py.File.in_memory() as file:
        file.attrs["x"] = _jax_image()[0]
        return {
            "values equal": bool((file.attrs["x"] == np.asarray(_jax_image()[0])).all())
        }


def h5py_read_direct() -> dict[str, Any]:
    import h5py

    with h5py.File.in_memory() as file:
        file["x"] = [[0.0] * 8] * 6
        file["x"].read_direct(_jax_image())
    return {}


def h5py_write_direct() -> dict[str, Any]:
    import h5py

    image = _jax_image()
    with h5py.File.in_memory() as file:
        file.create_dataset("x", image.shape, "f8").write_direct(image)
    return {}


def h5py_bfloat16() -> dict[str, Any]:
    return _stored(_jax_image().astype("bfloat16"))


def h5py_bfloat16_adapted() -> dict[str, Any]:
    from xpcs_bench.backends import HDF5Adapter

    return _stored(HDF5Adapter().to_hdf5(_jax_image().astype("bfloat16")))


def h5py_key() -> dict[str, Any]:
    return _stored(_key())


def h5py_deleted() -> dict[str, Any]:
    return _stored(_deleted())


def _drawn(draw: Callable[[Any], object]) -> Any:
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure())
    draw(canvas.figure.add_subplot())
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def _pixels(draw: Callable[[Any, Any], object], values: Any) -> dict[str, Any]:
    import numpy as np

    found = _drawn(lambda axes: draw(axes, values))
    expected = _drawn(lambda axes: draw(axes, np.asarray(values)))
    return {"pixels equal": bool((found == expected).all())}


def matplotlib_image() -> dict[str, Any]:
    return _pixels(lambda axes, image: axes.imshow(image), _jax_image())


def matplotlib_curve() -> dict[str, Any]:
    return _pixels(lambda axes, y: axes.plot(y), _jax_image()[2])


def matplotlib_scatter() -> dict[str, Any]:
    return _pixels(lambda axes, y: axes.scatter(y, y, c=y), _jax_image()[2])


def matplotlib_colour() -> dict[str, Any]:
    import jax.numpy as jnp

    colour = jnp.array([1.0, 0.5, 0.0])
    return _pixels(lambda axes, rgb: axes.plot([0, 1], color=rgb), colour)


def matplotlib_key() -> dict[str, Any]:
    _drawn(lambda axes: axes.plot(_key()))
    return {}


def matplotlib_deleted() -> dict[str, Any]:
    _drawn(lambda axes: axes.imshow(_deleted()))
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


def _qt_pixels(show: Callable[[Any, Any], Any], values: Any) -> dict[str, Any]:
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


def pyqtgraph_image() -> dict[str, Any]:
    return _qt_pixels(_shown, _jax_image())


def pyqtgraph_curve() -> dict[str, Any]:
    def show(pyqtgraph: Any, y: Any) -> Any:
        return _plotted(pyqtgraph, pyqtgraph.PlotDataItem(y))

    return _qt_pixels(show, _jax_image()[2])


def pyqtgraph_curve_item() -> dict[str, Any]:
    def show(pyqtgraph: Any, y: Any) -> Any:
        return _plotted(pyqtgraph, pyqtgraph.PlotCurveItem(x=y, y=y))

    return _qt_pixels(show, _jax_image()[2])


def pyqtgraph_key() -> dict[str, Any]:
    pyqtgraph, _application = _qt()
    _shown(pyqtgraph, _key())
    return {}


def pyqtgraph_deleted() -> dict[str, Any]:
    pyqtgraph, _application = _qt()
    _shown(pyqtgraph, _deleted())
    return {}


def numpy_is_free() -> dict[str, Any]:
    import numpy as np

    from xpcs_bench.backends import create_adapters, create_backend, ensure_numpy

    image = np.zeros((6, 8))
    pyqtgraph, hdf5, matplotlib = create_adapters(create_backend("numpy"))
    doors = (
        ensure_numpy,
        pyqtgraph.to_pyqtgraph,
        hdf5.to_hdf5,
        matplotlib.to_matplotlib,
    )
    return {"the same object": all(door(image) is image for door in doors)}


def _pointer(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def cpu_shares_memory() -> dict[str, Any]:
    import jax

    from xpcs_bench.backends import ensure_numpy

    image = jax.device_put(_jax_image(), jax.devices("cpu")[0])
    view = ensure_numpy(image)
    return {
        "memory shared": _pointer(view) == image.unsafe_buffer_pointer(),
        "writable": view.flags.writeable,
    }


def gpu_is_transferred() -> dict[str, Any]:
    import jax

    from xpcs_bench.backends import DeviceManager, ensure_numpy

    if not DeviceManager().gpu_available:
        msg = "JAX sees no GPU"
        raise Absent(msg)
    image = jax.device_put(_jax_image(), jax.devices("gpu")[0])
    shared = _pointer(ensure_numpy(image)) == image.unsafe_buffer_pointer()
    return {"memory shared": shared}


def ensure_numpy_key() -> dict[str, Any]:
    from xpcs_bench.backends import ensure_numpy

    ensure_numpy(_key())
    return {}


def ensure_numpy_deleted() -> dict[str, Any]:
    from xpcs_bench.backends import ensure_numpy

    ensure_numpy(_deleted())
    return {}
