"""Series: every pixel in one bin, every bin with its own dynamics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.series import (
    SeriesParams,
    bin_columns,
    bin_speckle,
    check_bins,
    make_series,
)


@given(st.integers(1, 60), st.integers(2, 100_000))
def test_bins_are_ranges_that_cover_all_pixels(bins, pixels):
    params = SeriesParams(bins=bins, pixels=pixels)
    columns = bin_columns(params)
    assert columns[0].start == 0
    assert columns[-1].stop == pixels
    assert [c.stop for c in columns[:-1]] == [c.start for c in columns[1:]]
    sizes = [c.stop - c.start for c in columns]
    try:
        check_bins("g2", params)
    except ConfigError:
        assert sizes[0] < 2
    else:
        assert min(sizes) == sizes[0] >= 2


@given(st.integers(1, 200))
def test_the_number_of_pixels_that_a_refusal_asks_for_is_enough(bins):
    check_bins("g2", SeriesParams(bins=bins, pixels=max(2, 2 * bins**2)))


def test_outer_rings_are_larger_and_faster():
    params = SeriesParams(bins=4, pixels=1600, relaxation_frames=14.0)
    assert [c.stop - c.start for c in bin_columns(params)] == [100, 300, 500, 700]
    times = [bin_speckle(params, i).relaxation_frames for i in range(4)]
    # 1 / q at the middle of the rings: 1 : 3 : 5 : 7
    assert times == pytest.approx([14, 14 / 3, 14 / 5, 2])


def test_a_series_is_drawn_bin_by_bin():
    params = SeriesParams(frames=200, pixels=400, bins=2, counts=3.0)
    series = make_series(params, np.random.default_rng(1))
    assert series.dtype == np.uint16
    assert series.shape == (200, 400)
    rng = np.random.default_rng(1)
    for index, columns in enumerate(bin_columns(params)):
        width = columns.stop - columns.start
        desired = bin_speckle(params, index).make_counts(rng, 200, width)
        np.testing.assert_array_equal(series[:, columns], desired)
    assert series.mean() == pytest.approx(3.0, rel=0.05)
