"""Frames and results in HDF5: what is written is read, where the layout says."""

import subprocess
import sys
from typing import get_args

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xpcs_bench import nexus
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.nexus import (
    chunk_shape,
    read_frames,
    read_results,
    series,
    write_frames,
    write_results,
)

STORED = [
    (layout, compression)
    for layout in get_args(nexus.Layout)
    for compression in get_args(nexus.Compression)
    if layout != "contiguous" or compression == "none"
]
FRAMES = np.arange(3 * 70 * 5, dtype=np.uint16).reshape(3, 70, 5)
RESULTS = {
    "delays": np.array([1, 2, 4]),
    "g2": np.linspace(1.0, 1.3, 6).reshape(3, 2),
    "g2_error": np.full((3, 2), 1e-3, np.float32),
    "dynamic_map": np.array([[0, 1], [2, 2]], np.uint8),
    "static_map": np.array([[0, 1], [2, 300]], np.uint16),
}
NUMBERS = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="="),
    arrays.unsigned_integer_dtypes(endianness="="),
    arrays.floating_dtypes(endianness="="),
)


def in_memory():
    return h5py.File("memory", "w", driver="core", backing_store=False)


def refusal(kind, call, *args, **kwargs):
    with pytest.raises(kind) as raised:
        call(*args, **kwargs)
    message = str(raised.value)
    assert message.endswith(".")
    return message


@settings(max_examples=60)
@given(
    st.data(),
    NUMBERS,
    arrays.array_shapes(min_dims=3, max_dims=3, max_side=9),
    st.sampled_from(STORED),
)
def test_any_frames_come_back_bit_by_bit(data, dtype, shape, stored):
    frames = data.draw(arrays.arrays(dtype, shape))
    layout, compression = stored
    with in_memory() as file:
        write_frames(file, frames, layout=layout, compression=compression)
        back = read_frames(file)
        first = data.draw(st.integers(0, shape[0]))
        some = read_frames(file, first, shape[0])
    assert back.dtype == frames.dtype
    assert back.tobytes() == frames.tobytes()
    assert some.tobytes() == frames[first:].tobytes()


@pytest.mark.parametrize(("layout", "compression"), STORED)
def test_frames_are_stored_as_asked_and_where_the_layout_says(
    tmp_path, layout, compression
):
    path = tmp_path / "frames.h5"
    write_frames(path, FRAMES, layout=layout, compression=compression)
    with h5py.File(path) as file:
        dataset = file["/entry/data/data"]
        expected = {"contiguous": None, "frame": (1, 70, 5), "tile": (3, 64, 5)}
        assert dataset.chunks == expected[layout]
        assert dataset.compression == (None if compression == "none" else compression)
        np.testing.assert_array_equal(dataset[()], FRAMES)
    np.testing.assert_array_equal(read_frames(path, 1, 2), FRAMES[1:2])


def test_a_tile_has_as_many_frames_as_fit_into_a_mebibyte():
    assert chunk_shape("tile", (1000, 512, 1024), 2) == (128, 64, 64)
    assert chunk_shape("tile", (1000, 512, 1024), 4) == (64, 64, 64)
    assert chunk_shape("tile", (1000, 512, 10), 2) == (819, 64, 10)
    assert chunk_shape("tile", (1000, 2, 2), 8) == (1000, 2, 2)


def test_a_chunk_is_never_empty_however_large_its_numbers_are(monkeypatch):
    monkeypatch.setattr(series, "_TILE_BYTES", 1)
    assert chunk_shape("tile", (10, 64, 64), 8) == (1, 64, 64)


def test_few_photons_take_less_space_compressed(tmp_path):
    frames = np.random.default_rng(0).poisson(0.05, (8, 128, 128)).astype(np.uint16)
    sizes = {}
    for layout, compression in STORED:
        path = tmp_path / f"{layout}-{compression}.h5"
        write_frames(path, frames, layout=layout, compression=compression)
        sizes[layout, compression] = path.stat().st_size
    for layout in ("frame", "tile"):
        assert sizes[layout, "none"] >= frames.nbytes
        assert sizes[layout, "lzf"] < frames.nbytes / 2
        assert sizes[layout, "gzip"] < sizes[layout, "lzf"]


def test_results_come_back_with_their_types_and_lie_beside_frames(tmp_path):
    path = tmp_path / "results.h5"
    write_frames(path, FRAMES)
    write_results(path, RESULTS)
    back = read_results(path)
    assert back.keys() == RESULTS.keys()
    for name, array in RESULTS.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    with h5py.File(path) as file:
        for dataset, name in (
            ("/xpcs/multitau/delay_list", "delays"),
            ("/xpcs/multitau/normalized_g2", "g2"),
            ("/xpcs/multitau/normalized_g2_err", "g2_error"),
            ("/xpcs/qmap/dynamic_roi_map", "dynamic_map"),
            ("/xpcs/qmap/static_roi_map", "static_map"),
        ):
            np.testing.assert_array_equal(file[dataset][()], RESULTS[name])
    np.testing.assert_array_equal(read_frames(path), FRAMES)


def test_an_open_file_stays_open():
    with in_memory() as file:
        write_frames(file, FRAMES)
        read_frames(file)
        assert file.id.valid


def test_a_path_is_closed_again(tmp_path):
    path = tmp_path / "closed.h5"
    write_frames(path, FRAMES)
    read_frames(path)
    with h5py.File(path, "r+"):  # locked if it were open
        pass


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "twice.h5"
    write_frames(path, FRAMES)
    write_results(path, RESULTS)
    message = refusal(RecordError, write_frames, path, FRAMES + 1)
    assert message.startswith(f"{path}: /entry/data/data: is there already")
    # not even the first of several is written when a later one is there
    with h5py.File(path, "a") as file:
        del file["/xpcs/multitau/delay_list"]
    message = refusal(RecordError, write_results, path, RESULTS)
    assert message.startswith(f"{path}: /xpcs/multitau/normalized_g2: is there already")
    with h5py.File(path) as file:
        assert "/xpcs/multitau/delay_list" not in file
    np.testing.assert_array_equal(read_frames(path), FRAMES)


def test_a_contiguous_dataset_cannot_be_compressed(tmp_path):
    path = tmp_path / "never.h5"
    message = refusal(
        ConfigError,
        write_frames,
        path,
        FRAMES,
        layout="contiguous",
        compression="gzip",
    )
    assert "Take the layout 'frame' or 'tile', or the compression 'none'." in message
    assert not path.exists()


@pytest.mark.parametrize(
    "frames",
    [FRAMES[0], FRAMES[:0], FRAMES.astype(str), FRAMES.astype(complex)],
    ids=["image", "nothing", "text", "complex"],
)
def test_what_is_no_stack_of_numbers_is_not_written(tmp_path, frames):
    path = tmp_path / "never.h5"
    message = refusal(RecordError, write_frames, path, frames)
    assert f"shape {frames.shape} and type {frames.dtype}" in message
    assert not path.exists()


def test_results_must_be_known_and_have_the_axes_of_the_layout(tmp_path):
    path = tmp_path / "never.h5"
    message = refusal(RecordError, write_results, path, {"g3": RESULTS["g2"]})
    assert "unknown result 'g3'. Allowed: delays, g2," in message
    message = refusal(RecordError, write_results, path, {"g2": RESULTS["delays"]})
    assert "normalized_g2: has the shape (3,). Allowed: 2 axes" in message
    assert not path.exists()


def test_what_is_missing_or_something_else_is_named_when_reading(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = np.zeros((2, 2))
        file["/xpcs/multitau/delay_list"] = "soon"
    message = refusal(RecordError, read_frames, path)
    assert message.startswith(f"{path}: /entry/data/data: holds float64 values of the")
    assert "Allowed: numbers with 3 axes" in message
    assert "delay_list: holds object values" in refusal(RecordError, read_results, path)
    with h5py.File(path, "a") as file:
        del file["/xpcs/multitau/delay_list"]
    assert "delay_list: is missing" in refusal(RecordError, read_results, path)
    absent = tmp_path / "absent.h5"
    assert f"{absent}: no such file" in refusal(RecordError, read_frames, absent)


def test_a_torn_chunk_is_named(tmp_path):
    path = tmp_path / "torn.h5"
    write_frames(path, FRAMES, compression="gzip")
    with h5py.File(path) as file:
        chunk = file["/entry/data/data"].id.get_chunk_info(1)
    with path.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * chunk.size)
    message = refusal(RecordError, read_frames, path)
    assert message.startswith(f"{path}: /entry/data/data: cannot be read (")
    np.testing.assert_array_equal(read_frames(path, 2), FRAMES[2:])


def test_a_place_that_cannot_be_written_says_why(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no HDF5\n")
    for where, why in (
        (tmp_path / "absent" / "x.h5", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (text, "signature not found"),
        (f"{tmp_path}/cut\0off.h5", "null"),
    ):
        message = refusal(RecordError, write_frames, where, FRAMES)
        assert message.startswith(f"{where}: cannot be written (")
        assert why in message
    assert text.read_text() == "no HDF5\n"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


FULL_DISK = """
import resource, signal, sys
import numpy as np
from xpcs_bench.errors import RecordError
from xpcs_bench.nexus import write_frames

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
frames = np.random.default_rng(0).integers(0, 1 << 16, (40, 100, 100), dtype=np.uint16)
for layout, compression in {stored!r}:
    try:
        write_frames(
            f"{{layout}}-{{compression}}.h5",
            frames,
            layout=layout,
            compression=compression,
        )
    except RecordError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_is_an_error_that_says_so_and_not_a_crash(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(stored=STORED)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(STORED)
    assert all("cannot be written (File too large)" in line for line in said)
