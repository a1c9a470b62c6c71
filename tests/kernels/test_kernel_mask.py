"""Masks: rectangles, stored ones, and what is wrong with them."""

import numpy as np
import pytest

from xpcs_bench.config import Detector, Mask, MaskedRectangle, MaskFile
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.kernels.mask import mask_array
from xpcs_bench.nexus import Setup, mask_digest, write_setup


def detector(*rectangles, file=None, shape=(6, 8)):
    mask = Mask(
        rectangles=tuple(
            MaskedRectangle(rows=rows, columns=columns) for rows, columns in rectangles
        ),
        file=file,
    )
    return Detector(name="tiny", shape=shape, pixel_size_um=75, mask=mask)


@pytest.fixture
def stored(tmp_path):
    used = np.ones((6, 8), np.bool_)
    used[2, 3] = False
    path = tmp_path / "result.hdf"
    write_setup(
        path,
        Setup(
            shape=(6, 8),
            pixel_size_um=75,
            energy_kev=10,
            distance_mm=5000,
            beam_centre_px=(3, 4),
            mask=used,
        ),
    )
    return MaskFile(path=str(path), dataset="/xpcs/qmap/mask", sha256=mask_digest(used))


def test_without_a_mask_every_pixel_is_used():
    used = mask_array(detector())
    assert used.dtype == np.bool_
    assert used.shape == (6, 8)
    assert used.all()


def test_rectangles_are_not_used():
    used = mask_array(detector(((1, 3), (0, 8)), ((0, 6), (4, 5))))
    assert not used[1:3].any()
    assert not used[:, 4].any()
    assert np.count_nonzero(used) == 4 * 7


@pytest.mark.parametrize(
    "rectangle",
    [((0, 7), (0, 1)), ((0, 1), (5, 9)), ((3, 3), (0, 1)), ((-1, 2), (0, 1))],
)
def test_a_rectangle_beyond_the_detector_is_refused(rectangle):
    with pytest.raises(ConfigError, match="masked rectangle has"):
        mask_array(detector(rectangle))


def test_a_mask_that_leaves_nothing_is_refused():
    with pytest.raises(ConfigError, match="leaves no pixel"):
        mask_array(detector(((0, 6), (0, 8))))


def test_all_sources_must_use_a_pixel(stored):
    used = mask_array(detector(((0, 1), (0, 8)), file=stored))
    assert not used[2, 3]
    assert not used[0].any()
    assert np.count_nonzero(used) == 5 * 8 - 1


def test_a_stored_mask_that_changed_is_refused(stored):
    changed = stored.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ConfigError, match="is not the one the experiment was loaded"):
        mask_array(detector(file=changed))


def test_a_stored_mask_of_another_detector_is_refused(stored):
    with pytest.raises(ConfigError, match=r"\(6, 8\)"):
        mask_array(detector(file=stored, shape=(8, 6)))


def test_a_file_that_is_gone_is_named(stored):
    gone = stored.model_copy(update={"path": stored.path + ".gone"})
    with pytest.raises(RecordError, match="gone"):
        mask_array(detector(file=gone))
