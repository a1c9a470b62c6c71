"""The real libraries behind the adapters: files on disk, pixels on a canvas."""

import os
import subprocess
import sys
from functools import cache

import h5py
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xpcs_bench.backends import HDF5Adapter, MatplotlibAdapter
from xpcs_bench.nexus import read_mask, read_setup

ROWS, COLS, BINS, DELAYS = 12, 20, 5, 7


def measured(backend):
    """What a file of APS 8-ID-I holds of a measurement, as arrays of a backend."""
    row = backend.reshape(backend.arange(ROWS), (ROWS, 1))
    col = backend.reshape(backend.arange(COLS), (1, COLS))
    labels = backend.astype((row * COLS + col) % (BINS + 1), "int32")
    tau = backend.logspace(-5.0, 0.0, DELAYS)
    rate = backend.reshape(backend.linspace(1.0, 1e3, BINS), (1, BINS))
    g2 = 1.0 + 0.3 * backend.exp(-2.0 * backend.reshape(tau, (DELAYS, 1)) * rate)
    return {
        "/xpcs/qmap/mask": labels > 0,
        "/xpcs/qmap/dynamic_roi_map": labels,
        "/xpcs/qmap/dynamic_v_list_dim0": backend.linspace(0.001, 0.02, BINS),
        "/xpcs/qmap/beam_center_x": backend.array(9.5),
        "/xpcs/qmap/beam_center_y": backend.array(4.25),
        "/xpcs/qmap/detector_distance": backend.array(11.6),
        "/xpcs/qmap/pixel_size": backend.array(75e-6),
        "/xpcs/qmap/energy": backend.array(12.34),
        "/xpcs/multitau/delay_list": backend.arange(1, DELAYS + 1),
        "/xpcs/multitau/normalized_g2": g2,
        "/xpcs/temporal_mean/scattering_2d": backend.astype(
            backend.expand_dims(row + col, 0), "float32"
        ),
    }


def test_the_nexus_layout_comes_back_from_disk(backend, tmp_path):
    adapter, path = HDF5Adapter(backend, enable_monitoring=True), tmp_path / "file.hdf"
    arrays = measured(backend)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            options = {"compression": "gzip"} if array.ndim else {}
            file.create_dataset(name, data=adapter.to_hdf5(array), **options)
    with h5py.File(path) as file:
        for name, array in arrays.items():
            back = adapter.from_hdf5(file[name])
            assert type(back) is type(array)
            assert (back.dtype, back.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(
                backend.to_numpy(back), backend.to_numpy(array), err_msg=name
            )
    assert adapter.get_stats().count == 2 * len(arrays)


def test_another_reader_understands_the_file(backend, tmp_path):
    path = tmp_path / "file.hdf"
    arrays = measured(backend)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = HDF5Adapter(backend).to_hdf5(array)
    setup = read_setup(path)
    assert (setup.shape, setup.beam_centre_px) == ((ROWS, COLS), (4.25, 9.5))
    assert (setup.energy_kev, setup.distance_mm) == (12.34, 11600.0)
    expected = backend.to_numpy(arrays["/xpcs/qmap/mask"])
    np.testing.assert_array_equal(read_mask(path), expected)


def drawn(draw):
    """Return the pixels of a figure."""
    figure = Figure(figsize=(2, 2), dpi=50)
    canvas = FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    canvas.draw()
    return np.array(canvas.buffer_rgba())


@pytest.mark.parametrize("method", ["imshow", "plot"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bfloat16"])
def test_matplotlib_draws_the_pixels_of_the_values(backend, method, dtype):
    if dtype == "bfloat16" and backend.name == "numpy":
        pytest.skip("NumPy has no bfloat16")
    image = np.add.outer(np.arange(6.0), np.arange(8.0))  # exact in all four types
    plain = image if method == "imshow" else image[2]
    array = backend.array(plain, dtype=dtype)
    adapter = MatplotlibAdapter(backend)
    expected = drawn(lambda axes: getattr(axes, method)(plain))
    found = drawn(lambda axes: getattr(axes, method)(adapter.to_matplotlib(array)))
    np.testing.assert_array_equal(found, expected)
    other = drawn(lambda axes: getattr(axes, method)(plain[::-1]))
    assert (found != other).any()  # it is the values that are drawn


QT = """
import pyqtgraph

pyqtgraph.mkQApp()
"""

SHOWING = """
import sys
import numpy as np
import pyqtgraph
from pyqtgraph.Qt import QtGui

from xpcs_bench.backends import PyQtGraphAdapter, create_backend

application = pyqtgraph.mkQApp()
backend = create_backend(sys.argv[1])
adapter = PyQtGraphAdapter(backend)


def pixels(image):
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    size = image.height() * image.bytesPerLine()
    return np.frombuffer(image.constBits(), np.uint8, size).copy()


def shown(values):
    item = pyqtgraph.ImageItem()
    item.setImage(values)
    item.render()
    return pixels(item.qimage)


def plotted(x, y):
    widget = pyqtgraph.PlotWidget()
    widget.resize(120, 90)
    curve = pyqtgraph.PlotDataItem(x, y)
    widget.addItem(curve)
    held = curve.getOriginalDataset()
    assert all(type(part) is np.ndarray for part in held)
    return pixels(widget.grab().toImage())


image = np.add.outer(np.arange(6.0), np.arange(8.0))
found = shown(adapter.to_pyqtgraph(backend.from_numpy(image)))
assert np.array_equal(found, shown(image))
assert not np.array_equal(found, shown(image[::-1]))
back = adapter.from_pyqtgraph(image)
assert type(back) is type(backend.zeros(1))

x, y = np.arange(8.0), np.arange(8.0) ** 2
found = plotted(*map(adapter.to_pyqtgraph, map(backend.from_numpy, (x, y))))
assert np.array_equal(found, plotted(x, y))
assert not np.array_equal(found, plotted(x, y[::-1]))
print("done")
"""


def in_a_process(code, *arguments):
    """Run Qt where it can end nobody's tests."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def qt_problem():
    """Say why Qt cannot be used here; empty if it can."""
    tried = in_a_process(QT)
    lines = tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"]
    return lines[-1] if tried.returncode else ""


@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_pyqtgraph_shows_the_pixels_of_the_values(name):
    if qt_problem():
        pytest.skip(f"pyqtgraph cannot be used here: {qt_problem()}")
    done = in_a_process(SHOWING, name)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
