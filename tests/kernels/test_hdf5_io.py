"""The file of the kernel hdf5_io: where it is, that it goes, and what it costs."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DETECTOR, DTYPES, run

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.kernels import Problem, create_kernel, hdf5_io
from xpcs_bench.kernels.hdf5_io import HDF5IOParams

HDF5_IO = create_kernel("hdf5_io")


def problem_of(dtype="float64", detector=DETECTOR, **params):
    return Problem(HDF5IOParams(**params), detector, None, dtype)


def inputs_of(problem, seed=1):
    return HDF5_IO.make_inputs(problem, np.random.default_rng(seed))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make temporary files where a test sees them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def files(monkeypatch):
    """Note what each opened file is, and whether it was closed."""
    opened = []

    class Noted(h5py.File):
        def __init__(self, name, *args, **kwargs):
            super().__init__(name, *args, **kwargs)
            opened.append((Path(name), self.mode, self.driver, self))

    monkeypatch.setattr(h5py, "File", Noted)
    return opened


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_everything_comes_back_as_an_array_of_the_backend(backend):
    problem = problem_of("float32", compression="lzf", layout="tile")
    library = create_backend(backend)
    inputs = library.device_put(inputs_of(problem))
    outputs = HDF5_IO.compute(library, problem, inputs)
    assert outputs.keys() == inputs.keys()
    for name, array in outputs.items():
        assert type(array) is type(inputs[name])
        assert array is not inputs[name]
        np.testing.assert_array_equal(array, inputs[name], strict=True)


@settings(max_examples=25)
@given(
    st.sampled_from(DTYPES),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.sampled_from(["frame", "tile"]),
    st.sampled_from(["none", "gzip", "lzf"]),
    st.booleans(),
    st.integers(1, 6),
    st.integers(1, 255),
)
def test_any_size_comes_back_equal(
    dtype, shape, layout, compression, in_memory, frames, bins
):
    problem = problem_of(
        dtype,
        Detector(name="any", shape=shape, pixel_size_um=75),
        layout=layout,
        compression=compression,
        in_memory=in_memory,
        frames=frames,
        bins=bins,
        reads=2,
    )
    inputs = inputs_of(problem)
    for name, array in run(HDF5_IO, problem, "numpy", inputs).items():
        np.testing.assert_array_equal(array, inputs[name], strict=True)


def test_the_file_is_written_closed_read_and_removed(folder, files):
    problem = problem_of(reads=2)
    run(HDF5_IO, problem, "numpy")
    assert {mode for _, mode, _, _ in files} == {"r+", "r"}  # h5py's word for a
    modes = [mode for _, mode, _, _ in files]
    assert modes == ["r+"] * 2 + ["r"] * 4, "frames and results, written once"
    for path, _, driver, file in files:
        assert path.is_relative_to(folder)
        assert driver == "sec2"
        assert not file.id.valid, "closed"
    assert list(folder.iterdir()) == []


def test_in_memory_there_is_no_file(folder, files):
    run(HDF5_IO, problem_of(in_memory=True, reads=2), "numpy")
    ((path, _, driver, file),) = files
    assert driver == "core"
    assert not file.id.valid
    assert not path.exists()
    assert list(folder.iterdir()) == []


def test_the_file_is_removed_when_reading_fails(folder, monkeypatch):
    seen = []

    def fail(where):
        seen.append(where.exists())
        raise OSError

    monkeypatch.setattr(hdf5_io, "read_frames", fail)
    with pytest.raises(OSError, match=r"^$"):
        run(HDF5_IO, problem_of(), "numpy")
    assert seen == [True]
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(RecordError, match=r"absent.*environment variable TMPDIR\.$"):
        run(HDF5_IO, problem_of(), "numpy")


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_to_compress_what_has_no_chunks_is_refused(compression):
    problem = problem_of(layout="contiguous", compression=compression)
    with pytest.raises(ConfigError, match="HDF5 compresses chunks"):
        HDF5_IO.check(problem)
    HDF5_IO.check(problem_of(layout="contiguous"))


def test_maps_are_consistent_and_leave_out_masked_pixels():
    inputs = inputs_of(problem_of(bins=5))
    static, dynamic = inputs["static_map"], inputs["dynamic_map"]
    masked = static == 0
    assert masked[3:5].all()
    assert not masked[:3].any()
    np.testing.assert_array_equal(dynamic == 0, masked)
    assert (inputs["frames"][:, masked] == 0).all()
    # every static bin lies inside one dynamic bin
    pairs = {(s, d) for s, d in zip(static.flat, dynamic.flat, strict=True) if s}
    assert {d for _, d in pairs} == set(range(1, 6))
    assert len({s for s, _ in pairs}) == len(pairs)


def test_a_detector_is_asked_for():
    with pytest.raises(ConfigError, match="no detector"):
        HDF5_IO.work(problem_of(detector=None))
