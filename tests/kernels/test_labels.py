"""Label maps are combined as crossed, and static bins are held against dynamic ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.labels import NO_PIXEL, combine_labels, dynamic_of_static


@given(
    first=arrays.arrays(np.int32, (3, 4), elements=st.integers(0, 5)),
    second=arrays.arrays(np.uint8, (3, 4), elements=st.integers(0, 7)),
)
def test_a_combined_label_tells_both(first, second):
    labels = combine_labels(first, second, 7)
    assert labels.dtype == np.int32
    used = labels > 0
    np.testing.assert_array_equal(used, (first > 0) & (second > 0))
    one, other = np.divmod(labels[used] - 1, 7)
    np.testing.assert_array_equal(one + 1, first[used])
    np.testing.assert_array_equal(other + 1, second[used])


def test_a_label_above_the_number_of_bins_cannot_be_combined():
    with pytest.raises(ConfigError, match="label 4, which is above n_second=3"):
        combine_labels([[1, 2]], [[4, 1]], 3)


def test_static_bins_in_one_dynamic_bin_each_pass():
    found = dynamic_of_static([[1, 1, 2], [3, 3, 0]], [[1, 1, 1], [2, 2, 0]])
    assert found.dtype == np.int32
    assert found.tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("static", "dynamic", "message"),
    [
        # of the two that are wrong, the first
        (
            [[1, 2, 2], [3, 4, 4]],
            [[1, 1, 2], [2, 2, 1]],
            r"bin 2 spans the dynamic labels 1 \(pixel \(0, 1\)\) and 2 \(pixel",
        ),
        ([[1, 1, 2]], [[1, 0, 1]], r"static bin 1 spans the dynamic labels 0 .* and 1"),
        ([[1, 2, 2]], [[1, 0, 0]], r"bin 2 is in no dynamic bin: its pixel \(0, 1\)"),
        ([[0, 0, 1]], [[0, 3, 1]], r"pixel \(0, 1\) has the dynamic label 3"),
    ],
)
def test_a_static_bin_across_an_edge_fails(static, dynamic, message):
    with pytest.raises(ConfigError, match=message):
        dynamic_of_static(static, dynamic)


def test_of_a_static_bin_without_pixels_nothing_can_be_told():
    assert dynamic_of_static([[0, 1, 4]], [[0, 1, 2]]).tolist() == [
        0,
        1,
        NO_PIXEL,
        NO_PIXEL,
        2,
    ]
    assert dynamic_of_static(np.zeros((0, 3), int), np.zeros((0, 3), int)).tolist() == [
        0
    ]


@given(
    mapping=st.lists(st.integers(1, 6), min_size=1, max_size=9),
    seed=st.integers(0, 99),
)
def test_any_map_that_refines_is_found_again_until_a_pixel_is_moved(mapping, seed):
    rng = np.random.default_rng(seed)
    static = rng.integers(0, len(mapping) + 1, (6, 7))
    static[0, :2] = 1
    to_dynamic = np.array([0, *mapping])
    dynamic = to_dynamic[static]
    found = dynamic_of_static(static, dynamic)
    told = found != NO_PIXEL
    np.testing.assert_array_equal(found[told], to_dynamic[: found.size][told])
    assert set(np.flatnonzero(~told)).isdisjoint(static.ravel())
    dynamic[0, 0] += 1
    with pytest.raises(ConfigError, match="static bin 1 spans"):
        dynamic_of_static(static, dynamic)


@pytest.mark.parametrize(
    ("static", "dynamic", "message"),
    [
        ([[1.0, 2.0]], [[1, 1]], "static labels are float64"),
        ([[1, -2]], [[1, 1]], "static labels are int64 with a least value of -2"),
        ([[1, 2]], [[True, True]], "dynamic labels are bool"),
        ([[1, 2]], [[1], [1]], r"shape \(1, 2\), the dynamic labels \(2, 1\)"),
    ],
)
def test_what_is_no_label_map_is_refused(static, dynamic, message):
    with pytest.raises(ConfigError, match=message):
        dynamic_of_static(static, dynamic)
