"""Adapters convert both ways, and count without paying for what came before."""

import threading
import time

import h5py
import numpy as np
import pytest

from xpcs_bench.backends import (
    HDF5Adapter,
    MatplotlibAdapter,
    NumPyBackend,
    PyQtGraphAdapter,
    create_adapters,
    set_backend,
)
from xpcs_bench.backends.adapter import Conversion, ConversionStatistics


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


class Pending:
    """An array whose computation takes 1000 ns and whose conversion takes ``cost``."""

    def __init__(self, clock, cost, values):
        self.clock, self.cost, self.values = clock, cost, np.asarray(values)
        self.pending = True

    def block_until_ready(self):
        if self.pending:
            self.clock.now += 1000
        self.pending = False
        return self

    def __array__(self, dtype=None, copy=None):
        self.block_until_ready()
        self.clock.now += self.cost
        return np.array(self.values, dtype=dtype)


def test_there_and_back(backend):
    x = backend.array([[1.0, 2.0], [3.0, 4.0]])
    pyqtgraph, hdf5, matplotlib = create_adapters(backend)
    for there, back in (
        (pyqtgraph.to_pyqtgraph, pyqtgraph.from_pyqtgraph),
        (hdf5.to_hdf5, hdf5.from_hdf5),
    ):
        host = there(x)
        assert type(host) is np.ndarray
        again = back(host)
        assert type(again) is type(x)
        np.testing.assert_array_equal(backend.to_numpy(again), host)
    assert type(matplotlib.to_matplotlib(x)) is np.ndarray


def test_matplotlib_gets_one_or_a_tuple(backend):
    adapter = MatplotlibAdapter(backend)
    first, second = adapter.to_matplotlib(backend.zeros(2), backend.ones(2))
    assert (first.tolist(), second.tolist()) == ([0, 0], [1, 1])
    with pytest.raises(TypeError, match="at least one"):
        adapter.to_matplotlib()


def test_what_comes_back_is_a_copy(backend):
    source = np.zeros(4096)
    for back in (
        PyQtGraphAdapter(backend).from_pyqtgraph,
        HDF5Adapter(backend).from_hdf5,
    ):
        source[:] = 0
        array = back(source)
        source[:] = 1
        assert backend.to_numpy(array).sum() == 0


def test_without_a_backend_the_active_one_is_used():
    adapter = HDF5Adapter()
    for name in ("numpy", "jax"):
        expected = set_backend(name)
        assert type(adapter.from_hdf5(np.ones(1))) is type(expected.ones(1))


def test_a_file_round_trip(backend, tmp_path):
    adapter = HDF5Adapter(backend)
    arrays = {
        "float64": backend.linspace(0.0, 1.0, 7),
        "float32": backend.ones((2, 3), dtype="float32"),
        "int64": backend.arange(5),
        "bool": backend.array([True, False]),
        "scalar": backend.array(1.5),
        "empty": backend.zeros((0, 3)),
    }
    with h5py.File(tmp_path / "file.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = adapter.to_hdf5(array)
        file["swapped"] = np.arange(3, dtype=">f8")
    with h5py.File(tmp_path / "file.h5") as file:
        for name, array in arrays.items():
            read = adapter.from_hdf5(file[name])
            assert read.dtype == array.dtype
            np.testing.assert_array_equal(
                backend.to_numpy(read), backend.to_numpy(array)
            )
        swapped = adapter.from_hdf5(file["swapped"])
        assert backend.to_numpy(swapped).tolist() == [0, 1, 2]


def test_small_floats_are_stored_as_numbers(jax_backend, tmp_path):
    half = jax_backend.array([1.5, 2.0], dtype="bfloat16")
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["plain"] = np.asarray(half)
        file["adapted"] = HDF5Adapter(jax_backend).to_hdf5(half)
        assert file["plain"].dtype.kind == "V"  # what the adapter is for
        assert file["adapted"].dtype == np.float32
        assert file["adapted"][()].tolist() == [1.5, 2.0]


@pytest.mark.parametrize("values", [["a"], np.array(["2026-01-01"], "M8[D]")])
def test_what_no_one_can_draw_is_refused(np_backend, values):
    with pytest.raises(TypeError, match="holds no numbers"):
        PyQtGraphAdapter(np_backend).to_pyqtgraph(values)


def test_statistics_know_the_slowest_and_not_the_computation(np_backend):
    clock = Clock()
    adapter = PyQtGraphAdapter(np_backend, enable_monitoring=True, clock=clock)
    adapter.to_pyqtgraph(Pending(clock, 30, [1.0]))
    adapter.to_pyqtgraph(Pending(clock, 70, [[1, 2], [3, 4]]))
    adapter.to_pyqtgraph(Pending(clock, 50, [1.0]))
    statistics = adapter.get_stats()
    assert statistics == ConversionStatistics(
        count=3, total_ns=150, slowest=Conversion(70, (2, 2), "int64")
    )
    assert statistics.average_ns == 50
    assert clock.now == 3150
    adapter.reset_stats()
    assert adapter.get_stats() == ConversionStatistics()
    assert adapter.get_stats().average_ns == 0


def test_the_way_back_ends_when_the_array_is_there():
    clock = Clock()

    class Slow(NumPyBackend):
        def from_numpy(self, x, /):
            pending = Pending(clock, 0, x)
            pending.shape, pending.dtype = x.shape, x.dtype
            return pending

    adapter = HDF5Adapter(Slow(), enable_monitoring=True, clock=clock)
    adapter.from_hdf5(np.ones(2))
    assert adapter.get_stats().total_ns == 1000


def test_both_directions_and_each_array_are_counted(backend):
    adapters = create_adapters(backend, enable_monitoring=True)
    adapters.hdf5.from_hdf5(adapters.hdf5.to_hdf5(backend.ones(2)))
    adapters.matplotlib.to_matplotlib(backend.ones(2), backend.ones(3))
    assert adapters.hdf5.get_stats().count == 2
    assert adapters.matplotlib.get_stats().count == 2
    assert adapters.pyqtgraph.get_stats().count == 0


def test_without_monitoring_nobody_looks_at_the_clock(backend):
    def clock():
        raise AssertionError

    adapters = create_adapters(backend, clock=clock)
    adapters.hdf5.from_hdf5(adapters.hdf5.to_hdf5(backend.ones(2)))
    adapters.matplotlib.to_matplotlib(backend.ones(2))
    assert adapters.hdf5.get_stats() == ConversionStatistics()


def test_no_conversion_is_lost_between_threads(np_backend, monkeypatch):
    clock = Clock()
    add = ConversionStatistics.with_one_more

    def slowly(statistics, one):
        more = add(statistics, one)
        time.sleep(1e-5)  # another thread's turn, after reading and before writing
        return more

    monkeypatch.setattr(ConversionStatistics, "with_one_more", slowly)
    adapter = HDF5Adapter(np_backend, enable_monitoring=True, clock=clock)
    x = np.ones(1)

    def convert():
        for _ in range(20):
            adapter.to_hdf5(x)

    threads = [threading.Thread(target=convert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert adapter.get_stats().count == 160
