import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.errors import RecordError
from xpcs_bench.nexus import (
    MAX_PIXELS,
    Setup,
    mask_digest,
    read_mask,
    read_setup,
    write_setup,
)

ENTRY = {
    "energy": "/entry/instrument/incident_beam/incident_energy",
    "detector_distance": "/entry/instrument/detector_1/distance",
    "pixel_size": "/entry/instrument/detector_1/x_pixel_size",
    "beam_center_x": "/entry/instrument/detector_1/beam_center_x",
    "beam_center_y": "/entry/instrument/detector_1/beam_center_y",
}
VALUES = {
    "energy": 12.34,
    "detector_distance": 11.6,
    "pixel_size": 75e-6,
    "beam_center_x": 5.5,
    "beam_center_y": 2.25,
}


@pytest.fixture
def measured(tmp_path):
    """Write a file as the beamline does, without this project's writer."""
    path = tmp_path / "measured.h5"
    mask = np.ones((4, 6), np.uint8)
    mask[1, 2] = 0
    with h5py.File(path, "w") as file:
        qmap = file.create_group("/xpcs/qmap")
        qmap["mask"] = mask
        for name, value in VALUES.items():
            qmap[name] = value
    return path


def change(path, **datasets):
    """Replace datasets of the group; None removes one."""
    with h5py.File(path, "r+") as file:
        for name, value in datasets.items():
            del file[f"/xpcs/qmap/{name}"]
            if value is not None:
                file[f"/xpcs/qmap/{name}"] = value


def refusal(path, read=read_setup, *args):
    with pytest.raises(RecordError) as raised:
        read(path, *args)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert message.endswith(".")
    return message


def test_a_measured_file_says_where_photons_landed(measured):
    setup = read_setup(measured)
    assert setup.shape == (4, 6)
    assert setup.pixel_size_um == 75.0
    assert setup.energy_kev == 12.34
    assert setup.distance_mm == 11600.0
    assert setup.beam_centre_px == (2.25, 5.5), "row first; x is the column"
    assert setup.mask.dtype == bool
    assert not setup.mask[1, 2]
    assert setup.mask.sum() == 23
    assert setup.notes == ()


def test_numbers_may_be_arrays_of_one_and_single_precision(measured):
    change(measured, energy=np.array([[12.5]], np.float32), beam_center_x=np.int32(3))
    setup = read_setup(measured)
    assert setup.energy_kev == 12.5
    assert setup.beam_centre_px == (2.25, 3.0)


@pytest.mark.parametrize(
    ("name", "number", "unit", "expected"),
    [
        ("energy", 12340.0, "eV", ("energy_kev", 12.34)),
        ("energy", 12.34, b"keV", ("energy_kev", 12.34)),
        ("detector_distance", 11600.0, "mm", ("distance_mm", 11600.0)),
        ("pixel_size", 75.0, "um", ("pixel_size_um", 75.0)),
    ],
)
def test_a_unit_that_is_written_is_obeyed(measured, name, number, unit, expected):
    change(measured, **{name: number})
    with h5py.File(measured, "r+") as file:
        file[f"/xpcs/qmap/{name}"].attrs["units"] = unit
    field, value = expected
    assert getattr(read_setup(measured), field) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("height", [75e-6, 150e-6])
def test_a_pixel_of_the_second_source_must_be_square(measured, height):
    change(measured, pixel_size=None)
    with h5py.File(measured, "r+") as file:
        file["/entry/instrument/detector_1/x_pixel_size"] = 75e-6
        file["/entry/instrument/detector_1/y_pixel_size"] = height
    if height == 75e-6:
        assert read_setup(measured).pixel_size_um == 75.0
    else:
        assert "Allowed: square pixels" in refusal(measured)


def test_an_unknown_unit_is_refused(measured):
    with h5py.File(measured, "r+") as file:
        file["/xpcs/qmap/energy"].attrs["units"] = "joule"
    assert "has the unit 'joule'. Allowed: keV" in refusal(measured)


@pytest.mark.parametrize("name", VALUES)
def test_the_second_source_is_asked_only_for_what_is_missing_and_said(measured, name):
    with h5py.File(measured, "r+") as file:
        for key, path in ENTRY.items():
            # placeholders that differ from the measured values
            file[path] = 2 * VALUES[key]
    before = read_setup(measured)
    assert before.energy_kev == 12.34
    assert before.notes == ()
    change(measured, **{name: None})
    after = read_setup(measured)
    assert len(after.notes) == 1
    assert ENTRY[name] in after.notes[0]
    assert f"/xpcs/qmap/{name} is missing" in after.notes[0]
    fields = ("energy_kev", "distance_mm", "pixel_size_um", "beam_centre_px")
    changed = [f for f in fields if getattr(after, f) != getattr(before, f)]
    assert len(changed) == 1


@pytest.mark.parametrize("name", VALUES)
def test_nothing_that_is_missing_is_replaced_by_a_default(measured, name):
    change(measured, **{name: None})
    message = refusal(measured)
    assert f"/xpcs/qmap/{name}: is missing" in message
    assert ENTRY[name] in message


def test_a_file_without_a_mask_is_refused(measured):
    change(measured, mask=None)
    assert "/xpcs/qmap/mask: is missing" in refusal(measured)


@pytest.mark.parametrize(
    ("datasets", "says"),
    [
        ({"energy": np.nan}, "nan keV cannot be a photon energy"),
        ({"energy": 0.0}, "0.0 keV cannot be a photon energy"),
        ({"energy": -8.0}, "above 0 and at most 1000 keV"),
        ({"energy": 10900.0}, "10900.0 keV cannot be"),
        ({"detector_distance": 0.0}, "cannot be a distance"),
        ({"detector_distance": 5000.0}, "at most 100 m"),
        ({"detector_distance": np.inf}, "inf m cannot be"),
        ({"pixel_size": 0.075}, "at most 0.01 m"),
        ({"pixel_size": [75e-6, 75e-6]}, "has the shape (2,)"),
        ({"beam_center_x": np.nan}, "cannot be a column"),
        ({"beam_center_y": -1e7}, "cannot be a row"),
        ({"beam_center_x": "middle"}, "Allowed: numbers"),
        ({"energy": 1j}, "Allowed: numbers"),
        ({"energy": h5py.Empty("f8")}, "Allowed: one number"),
        ({"mask": np.ones(4)}, "has the shape (4,)"),
        ({"mask": np.ones((1, 4, 6))}, "has the shape (1, 4, 6)"),
        ({"mask": np.ones((0, 6))}, "has the shape (0, 6)"),
        ({"mask": h5py.Empty("f8")}, "Allowed: (rows, columns)"),
        ({"mask": np.zeros((4, 6))}, "uses no pixel"),
        ({"mask": np.full((4, 6), np.nan)}, "NaN or infinity"),
        ({"mask": np.full((4, 6), b"x")}, "Allowed: numbers"),
    ],
)
def test_impossible_values_are_refused(measured, datasets, says):
    change(measured, **datasets)
    message = refusal(measured)
    assert says in message, message
    assert f"/xpcs/qmap/{next(iter(datasets))}" in message


def test_a_mask_that_claims_too_many_pixels_is_not_read(measured):
    change(measured, mask=None)
    with h5py.File(measured, "r+") as file:
        rows = MAX_PIXELS // 1000
        file.create_dataset("/xpcs/qmap/mask", (rows, 1001), "u1", chunks=(100, 1001))
    assert "has the shape" in refusal(measured)


def test_a_group_is_no_dataset(measured):
    assert "/xpcs/qmap: is a group" in refusal(measured, read_mask, "/xpcs/qmap")


def test_a_link_that_leads_nowhere_is_missing(measured):
    change(measured, energy=None)
    with h5py.File(measured, "r+") as file:
        file["/xpcs/qmap/energy"] = h5py.ExternalLink("gone.h5", "/energy")
    assert "/xpcs/qmap/energy" in refusal(measured)


def test_a_path_through_a_dataset_is_refused(measured):
    assert "/xpcs/qmap/mask/x" in refusal(measured, read_mask, "/xpcs/qmap/mask/x")


def test_files_that_are_no_files(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.h5")
    assert "is a directory" in refusal(tmp_path)
    endless = "x" * 5000
    assert refusal(tmp_path / endless).count(endless) == 1
    text = tmp_path / "text.h5"
    text.write_text("name: x")
    assert "is not a whole HDF5 file" in refusal(text)
    empty = tmp_path / "empty.h5"
    empty.write_bytes(b"")
    assert "is not a whole HDF5 file" in refusal(empty)


def test_a_denied_file_says_so(measured, monkeypatch):
    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "may not be read by this user" in refusal(measured)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused_whatever_is_cut(measured, kept):
    raw = measured.read_bytes()
    measured.write_bytes(raw[: int(len(raw) * kept)])
    refusal(measured)


def test_a_damaged_dataset_is_refused(tmp_path):
    path = tmp_path / "damaged.h5"
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 2, (64, 64), np.uint8)
    with h5py.File(path, "w") as file:
        made = file.create_dataset(
            "/xpcs/qmap/mask", data=mask, chunks=(64, 64), fletcher32=True
        )
        offset = made.id.get_chunk_info(0).byte_offset
    raw = bytearray(path.read_bytes())
    raw[offset + 7] ^= 0xFF
    path.write_bytes(raw)
    assert "cannot be read" in refusal(path, read_mask)


@given(
    data=st.data(),
    energy=st.floats(1e-3, 1000),
    distance=st.floats(1e-2, 1e5),
    pixel=st.floats(1e-2, 1e4),
    row=st.floats(-1e5, 1e5),
    column=st.floats(-1e5, 1e5),
)
def test_what_is_written_is_read_back(
    tmp_path_factory, data, energy, distance, pixel, row, column
):
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    bits = data.draw(
        st.lists(
            st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
        ).filter(any)
    )
    mask = np.array(bits).reshape(shape)
    path = tmp_path_factory.mktemp("setup") / "setup.h5"
    write_setup(path, Setup(shape, pixel, energy, distance, (row, column), mask))
    back = read_setup(path)
    assert back.shape == shape
    assert back.energy_kev == energy
    assert back.beam_centre_px == (row, column)
    assert back.pixel_size_um == pytest.approx(pixel, rel=4e-16)
    assert back.distance_mm == pytest.approx(distance, rel=4e-16)
    assert (back.mask == mask).all()
    assert mask_digest(back.mask) == mask_digest(read_mask(path)) == mask_digest(mask)


@given(
    st.decimals(1, 10_000, places=2, allow_nan=False),
    st.decimals(1, 90_000, places=2, allow_nan=False),
)
def test_decimal_numbers_come_back_to_the_last_bit(tmp_path_factory, pixel, distance):
    path = tmp_path_factory.mktemp("setup") / "setup.h5"
    mask = np.ones((1, 1), bool)
    setup = Setup((1, 1), float(pixel), 10.0, float(distance), (0.0, 0.0), mask)
    write_setup(path, setup)
    back = read_setup(path)
    assert (back.pixel_size_um, back.distance_mm) == (float(pixel), float(distance))


def test_a_setup_is_not_written_over_a_file(measured):
    setup = read_setup(measured)
    before = measured.read_bytes()
    with pytest.raises(RecordError, match="exists already and is not overwritten"):
        write_setup(measured, setup)
    assert measured.read_bytes() == before


def test_a_setup_needs_a_folder_and_a_mask_of_its_shape(measured, tmp_path):
    setup = read_setup(measured)
    with pytest.raises(RecordError, match="cannot be written"):
        write_setup(tmp_path / "none" / "x.h5", setup)
    wrong = Setup((9, 9), 75.0, 10.0, 5000.0, (1.0, 1.0), setup.mask)
    with pytest.raises(RecordError, match="has the shape"):
        write_setup(tmp_path / "x.h5", wrong)


def test_the_digest_tells_masks_apart_by_shape_and_by_pixel():
    mask = np.ones((2, 6), bool)
    assert mask_digest(mask) == mask_digest(mask.T.copy().T)
    assert mask_digest(mask) != mask_digest(mask.reshape(3, 4))
    other = mask.copy()
    other[1, 5] = False
    assert mask_digest(mask) != mask_digest(other)
