"""Laws of the ULP distance, and the error against a truth that is no float."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.ulp import NOT_COMPARABLE, ulp_distance, ulp_error, ulp_size

DTYPES = [np.float16, np.float32, np.float64]
doubles = st.floats(allow_nan=False, allow_infinity=False)
singles = st.floats(allow_nan=False, allow_infinity=False, width=32)


def distance(a, b, dtype=np.float64):
    return int(ulp_distance(np.array([a], dtype), np.array([b], dtype))[0])


@given(doubles, doubles)
def test_the_distance_is_symmetric(a, b):
    assert distance(a, b) == distance(b, a)


@given(doubles, doubles, doubles)
def test_the_distance_obeys_the_triangle_inequality(a, b, c):
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@given(singles, singles, singles)
def test_distances_along_a_line_add_up(a, b, c):
    low, middle, high = sorted((a, b, c))
    whole = distance(low, high, np.float32)
    parts = distance(low, middle, np.float32) + distance(middle, high, np.float32)
    assert whole == parts


@given(doubles)
def test_the_next_float_is_one_ulp_away(a):
    with np.errstate(over="ignore"):
        up = np.nextafter(a, np.inf)
    assert distance(a, up) == (1 if np.isfinite(up) else NOT_COMPARABLE)
    assert distance(a, a) == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_counts_its_own_floats(dtype):
    one = np.ones(3, dtype)
    steps = one + np.array([0, 1, 5], dtype) * np.finfo(dtype).eps
    assert ulp_distance(steps, one).tolist() == [0, 1, 5]
    tiny = np.finfo(dtype).smallest_subnormal
    # through both zeros, which are one place
    assert ulp_distance(np.array([-tiny]), np.array([tiny])).tolist() == [2]
    assert distance(-0.0, 0.0, dtype) == 0


@pytest.mark.parametrize("dtype", [">f8", ">f4"])
def test_the_byte_order_does_not_matter(dtype):
    x = np.array([1.0, -2.5], dtype)
    y = np.nextafter(x.astype(x.dtype.newbyteorder("=")), np.inf).astype(dtype)
    assert ulp_distance(x, y).tolist() == [1, 1]


def test_the_whole_range_of_doubles_does_not_overflow():
    largest = np.finfo(np.float64).max
    assert distance(-largest, largest) == 2 * distance(0.0, largest)


def test_non_finite_elements_are_alike_or_not_comparable():
    inf, nan = np.inf, np.nan
    a = np.array([nan, inf, -inf, inf, nan, 1.0, inf])
    b = np.array([nan, inf, -inf, -inf, 1.0, nan, 1.0])
    unlike = int(NOT_COMPARABLE)
    assert ulp_distance(a, b).tolist() == [0, 0, 0] + [unlike] * 4


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.float32, np.float64),
        (np.int64, np.int64),
        (np.longdouble, np.longdouble),
    ],
)
def test_types_without_a_distance_are_refused(a, b):
    with pytest.raises(TypeError, match="no distance in ULP"):
        ulp_distance(np.ones(2, a), np.ones(2, b))


@pytest.mark.parametrize("dtype", DTYPES)
@given(value=st.floats(-60000, 60000, width=16))
def test_the_size_is_that_of_numpy(dtype, value):
    assert ulp_size(value, dtype) == np.spacing(dtype(abs(value)))


def test_the_error_against_a_truth_between_two_floats():
    with mpmath.workdps(50):
        third = mpmath.mpf(1) / 3
        error = ulp_error(1 / 3, third, np.float64)
        exact = abs(mpmath.mpf(1 / 3) - third) * 2**54
    assert error == pytest.approx(float(exact), rel=1e-12)
    assert 0 < error <= 0.5
    up = float(np.nextafter(1 / 3, 1))
    assert ulp_error(up, third, np.float64) == pytest.approx(1 - error)


def test_a_float32_is_measured_in_its_own_ulp():
    error = ulp_error(float(np.float32(0.1)), mpmath.mpf(0.1), np.float32)
    assert 0 < error <= 0.5
    assert ulp_error(float(np.float32(0.1)), 0.1, np.float64) > 1e6


def test_near_zero_the_error_is_in_subnormal_steps():
    tiny = float(np.finfo(np.float64).smallest_subnormal)
    assert ulp_error(3 * tiny, 0.0, np.float64) == 3


def test_non_finite_truths_are_met_or_missed():
    inf, nan = float("inf"), float("nan")
    assert ulp_error(nan, nan, np.float64) == 0
    assert ulp_error(inf, inf, np.float64) == 0
    assert ulp_error(1.0, nan, np.float64) == inf
    assert ulp_error(-inf, inf, np.float64) == inf


def test_the_distance_of_two_single_floats_of_unlike_sign_warns_of_nothing():
    assert ulp_distance(np.array(-1.0), np.array(1.0)) == 2 * 0x3FF0000000000000
