"""Frames in pieces give what they give at once, in memory that does not grow."""

import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import run

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels import g2_stream as module
from xpcs_bench.kernels.g2 import G2Params
from xpcs_bench.kernels.g2_stream import MultiTauStream, correlate_file
from xpcs_bench.kernels.series import bin_columns

G2 = create_kernel("g2")


def at_once(seed=3, dtype="float64", **params):
    problem = Problem(G2Params(**params), None, None, dtype)
    inputs = G2.make_inputs(problem, np.random.default_rng(seed))
    return problem, inputs["frames"], run(G2, problem, "numpy", inputs)


def sizes_of(params):
    return [columns.stop - columns.start for columns in bin_columns(params)]


def streamed(backend, problem, frames, pieces=(1000,), **options):
    params = problem.params
    stream = MultiTauStream(
        backend,
        sizes_of(params),
        ladder=params.ladder,
        levels=params.levels,
        channels=params.channels,
        dtype=problem.dtype,
        **options,
    )
    start = 0
    while start < len(frames):
        for piece in pieces:
            stream.add(frames[start : start + piece])
            start += piece
    return stream


def assert_same(problem, found, desired):
    np.testing.assert_array_equal(found["delays"], desired["delays"])
    for name in ("g2", "g2_error"):
        tolerance = G2.tolerance(problem, name)
        np.testing.assert_allclose(
            found[name], desired[name], rtol=tolerance.rtol, atol=tolerance.atol
        )
        assert found[name].dtype == problem.dtype


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(2, 90),
    pieces=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    frames_at_once=st.integers(1, 70),
    channels=st.sampled_from([2, 4, 8]),
    ladder=st.sampled_from(["scikit_beam", "boost"]),
    block_bytes=st.sampled_from([64, 4096, 1 << 20]),
)
def test_any_pieces_give_what_all_frames_give(
    frames, pieces, frames_at_once, channels, ladder, block_bytes
):
    problem, counts, desired = at_once(
        frames=frames, pixels=60, bins=2, counts=5.0, channels=channels, ladder=ladder
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        stream = streamed(
            NumPyBackend(), problem, counts, pieces, frames_at_once=frames_at_once
        )
    assert stream.n_frames == frames
    assert_same(problem, stream.result(), desired)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_jax_gives_the_same(dtype, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_BYTES", 20_000)
    problem, counts, desired = at_once(frames=53, pixels=300, bins=2, dtype=dtype)
    stream = streamed(create_backend("jax"), problem, counts, (20,), frames_at_once=20)
    assert_same(problem, stream.result(), desired)


def test_a_result_in_between_is_that_of_the_frames_so_far():
    problem, counts, desired = at_once(frames=64, pixels=60, bins=2)
    stream = streamed(NumPyBackend(), problem, counts)
    stream.add(counts[:5])
    stream.result()
    again = streamed(NumPyBackend(), problem, np.concatenate([counts, counts[:5]]))
    np.testing.assert_array_equal(stream.result()["g2"], again.result()["g2"])
    assert not np.array_equal(stream.result()["g2"], desired["g2"])


def test_memory_does_not_grow_with_the_series():
    def peak(n_frames):
        rng = np.random.default_rng(0)
        stream = MultiTauStream(NumPyBackend(), [3000], levels=5, frames_at_once=16)
        stream.add(rng.poisson(1.0, (16, 3000)).astype(np.uint16))
        tracemalloc.start()
        for _ in range(n_frames // 16):
            stream.add(rng.poisson(1.0, (16, 3000)).astype(np.uint16))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, stream.state_bytes

    (short, state), (long, again) = peak(64), peak(1024)
    assert again == state
    assert long < 1.1 * short
    # the state is replaced piece by piece, and a piece is copied a few times
    assert long < 1.5 * state + 20 * 16 * 3000 * 8


def test_nothing_but_the_state_is_kept_between_pieces():
    """A view of a piece would keep all of it: half as much again here."""
    frames = np.random.default_rng(0).poisson(1.0, (64, 3000)).astype(np.uint16)
    tracemalloc.start()
    stream = MultiTauStream(NumPyBackend(), [3000], levels=5, frames_at_once=64)
    for _ in range(5):
        stream.add(frames)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1.05 * stream.state_bytes


def test_what_is_kept_is_as_large_as_is_said():
    stream = MultiTauStream(NumPyBackend(), [50, 30], levels=3)
    kept = [
        array.nbytes
        for blocks in stream._blocks
        for block in blocks
        for level in block
        for array in level
    ]
    assert stream.state_bytes == sum(kept)


def test_a_dark_bin_has_no_g2_and_spoils_no_other():
    problem, counts, desired = at_once(frames=40, pixels=60, bins=2)
    columns = bin_columns(problem.params)
    dark = counts.copy()
    dark[:, columns[0]] = 0
    found = streamed(NumPyBackend(), problem, dark).result()
    assert np.isnan(found["g2"][:, 0]).all()
    assert np.isnan(found["g2_error"][:, 0]).all()
    np.testing.assert_allclose(found["g2"][:, 1], desired["g2"][:, 1], rtol=1e-14)


@pytest.fixture
def written(tmp_path):
    """A file of frames, with pixels of two bins scattered over them."""
    problem, counts, desired = at_once(frames=75, pixels=200, bins=2)
    rng = np.random.default_rng(8)
    places = rng.permutation(16 * 20)[:200]
    labels = np.zeros(16 * 20, np.int32)
    # within a bin the order of the pixels is that of the frame
    for label, columns in enumerate(bin_columns(problem.params), start=1):
        places[columns] = np.sort(places[columns])
        labels[places[columns]] = label
    frames = rng.integers(0, 99, (75, 16 * 20), dtype=np.uint16)
    frames[:, places] = counts
    path = tmp_path / "series.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "/entry/data/data",
            data=frames.reshape(75, 16, 20),
            chunks=(4, 16, 20),
            compression="gzip",
        )
        file["flat"] = frames
    return path, labels.reshape(16, 20), problem, desired


@pytest.mark.parametrize("frames_at_once", [7, 200])
def test_a_file_gives_what_its_frames_give(written, frames_at_once):
    path, labels, problem, desired = written
    found = correlate_file(
        NumPyBackend(), path, "/entry/data/data", labels, frames_at_once=frames_at_once
    )
    assert_same(problem, found, desired)


def test_a_file_that_does_not_fit_is_told(written, tmp_path):
    path, labels, _, _ = written
    backend = NumPyBackend()
    with pytest.raises(RecordError, match=r"nowhere: is missing"):
        correlate_file(backend, path, "nowhere", labels)
    with pytest.raises(RecordError, match=r"flat: has the shape \(75, 320\)"):
        correlate_file(backend, path, "flat", labels)
    with pytest.raises(RecordError, match=r"frames of \(16, 20\) pixels, the labels"):
        correlate_file(backend, path, "/entry/data/data", labels[:8])
    with pytest.raises(RecordError, match="no such file"):
        correlate_file(backend, tmp_path / "none.h5", "x", labels)


def test_what_cannot_be_correlated_is_refused():
    backend = NumPyBackend()
    with pytest.raises(ConfigError, match="no bin"):
        MultiTauStream(backend, [])
    with pytest.raises(ConfigError, match="bin 1 of 2 has 1 pixels"):
        MultiTauStream(backend, [2, 1])
    with pytest.raises(ConfigError, match="channels=7"):
        MultiTauStream(backend, [2], channels=7)
    with pytest.raises(ConfigError, match="frames_at_once=0"):
        MultiTauStream(backend, [2], frames_at_once=0)
    stream = MultiTauStream(backend, [2, 3], ladder="boost")
    with pytest.raises(ConfigError, match=r"shape \(4, 6\).*\(frame, 5\)"):
        stream.add(np.zeros((4, 6)))
    stream.add(np.ones((1, 5)))
    with pytest.raises(ConfigError, match="a series of 1 frames has no delay"):
        stream.result()
