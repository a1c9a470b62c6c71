"""What happens at a boundary besides the values that arrive."""

import shutil

import h5py
import numpy as np
import pytest

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.measure import boundary
from xpcs_bench.measure.boundary import BOUNDARIES

VALUES = np.arange(12.0).reshape(3, 4)


def opened(name, folder, values=VALUES):
    return BOUNDARIES[name](NumPyBackend(), "cpu", values, folder)


def test_a_write_has_reached_the_file_when_the_clock_stops(tmp_path):
    writing = opened("hdf5_write", tmp_path)
    name = writing.cross(writing.fresh(1)[0])
    # a copy holds what the file holds, not what the library still keeps
    seen = shutil.copy(tmp_path / "boundary.h5", tmp_path / "seen.h5")
    with h5py.File(seen) as file:
        np.testing.assert_array_equal(file[name][()], VALUES)
        assert file[name].chunks is not None
    writing.close()


def test_every_reading_writes_to_an_empty_file(tmp_path):
    writing = opened("hdf5_write", tmp_path)
    for _ in range(2):
        for item in writing.fresh(3):
            writing.cross(item)
    writing.close()
    with h5py.File(tmp_path / "boundary.h5") as file:
        assert sorted(file) == ["0", "1", "2"]


def test_what_is_read_was_written_by_a_file_that_is_closed(tmp_path):
    reading = opened("hdf5_read", tmp_path)
    names = reading.fresh(2)
    assert len(set(names)) == 2
    assert reading._file.mode == "r"
    for name in names:
        np.testing.assert_array_equal(reading.cross(name), VALUES)
    reading.close()


@pytest.mark.parametrize("values", [np.float64(2.5), np.zeros((0, 3)), VALUES[0]])
def test_files_hold_any_shape(tmp_path, values):
    values = np.asarray(values)
    for name in ("hdf5_write", "hdf5_read"):
        crossing = opened(name, tmp_path, values)
        (item,) = crossing.fresh(1)
        arrived = crossing.arrived(crossing.cross(item))
        np.testing.assert_array_equal(arrived, values)
        assert arrived.dtype == values.dtype
        crossing.close()


@pytest.mark.parametrize("values", [VALUES, VALUES[0]])
def test_a_figure_is_drawn_when_the_clock_stops(tmp_path, values):
    drawing = opened("matplotlib_draw", tmp_path, values)
    (item,) = drawing.fresh(1)
    canvas = drawing.cross(item).figure.canvas
    assert np.ptp(np.asarray(canvas.buffer_rgba())) > 0
    drawing.close()


@pytest.mark.skipif(
    boundary.skip_reason("pyqtgraph_image", "numpy", "cpu") is not None,
    reason="pyqtgraph is not installed",
)
def test_an_image_is_rendered_when_the_clock_stops(tmp_path):
    showing = opened("pyqtgraph_image", tmp_path)
    (item,) = showing.fresh(1)
    image = showing.cross(item)
    assert image.qimage is not None
    assert (image.qimage.width(), image.qimage.height()) in {(3, 4), (4, 3)}
    showing.close()
