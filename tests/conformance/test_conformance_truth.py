"""The truth is right where it can be checked by hand, and unknown where it is not."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.conformance import truth


def test_more_digits_than_a_float_has():
    right = truth.elementwise(mpmath.sin)(np.array([0.5]))[0]
    with mpmath.workdps(40):
        assert abs(right - mpmath.sin(mpmath.mpf("0.5"))) < mpmath.mpf(10) ** -38


def test_unknown_where_conventions_rule():
    right = truth.elementwise(lambda x: 1 / x)(np.array([math.nan, math.inf, 0.0, 2.0]))
    assert right[:3].tolist() == [None, None, None]
    assert right[3] == 0.5


def test_not_a_number_where_no_real_number_is_right():
    assert mpmath.isnan(truth.elementwise(mpmath.sqrt)(np.array([-1.0]))[0])


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)
def test_the_remainder_is_exact(x, y):
    right = truth.elementwise(truth.remainder)(np.array(x), np.array(y))[()]
    desired = Fraction(x) % Fraction(y)
    assert float(right) == float(desired)


def test_reductions_go_along_the_axis():
    total = truth.reduction(mpmath.fsum)
    x = np.arange(6.0).reshape(2, 3)
    assert total(x, axis=0).tolist() == [3, 5, 7]
    assert total(x, axis=-1).tolist() == [3, 12]
    assert total(x)[()] == 15
    assert total(x, axis=(0, 1))[()] == 15
    assert total(np.empty((2, 0)), axis=1).tolist() == [0, 0]
    assert truth.running(x).tolist() == [0, 1, 3, 6, 10, 15]
    assert truth.running(x, axis=0).tolist() == [[0, 1, 2], [3, 5, 7]]
    assert total(np.array([1.0, math.nan]))[()] is None


def test_sums_do_not_cancel():
    total = truth.reduction(mpmath.fsum)
    assert total(np.array([1e16, 1.0, -1e16]))[()] == 1


@pytest.mark.parametrize("endpoint", [True, False])
def test_points_are_spaced_evenly(endpoint):
    points = truth.spaced(0.0, 1.0, 4, endpoint=endpoint)
    assert [float(p) for p in points] == [i / (3 if endpoint else 4) for i in range(4)]
    decades = truth.spaced_logarithmically(0.0, 4.0, 4, endpoint=endpoint)
    assert float(decades[0]) == 1
    assert truth.spaced(0.0, 1.0, 0).shape == (0,)
    assert [float(p) for p in truth.spaced(2.0, 3.0, 1)] == [2]


def test_a_gradient_from_the_function_alone():
    right = truth.gradient(lambda x: mpmath.exp(-2 * x))(np.array([0.5]))[0]
    assert float(right) == pytest.approx(-2 * math.exp(-1), rel=1e-15)


@pytest.mark.parametrize(
    ("actual", "right", "dtype", "error"),
    [
        (1.0, 1.0, "float64", 0),
        (1.0 + 2**-52, 1.0, "float64", 1),
        (1.0 + 2**-23, 1.0, "float32", 1),
        (math.inf, mpmath.mpf("1e400"), "float64", 0),
        (1e30, mpmath.mpf("1e400"), "float64", math.inf),
        (math.inf, 1e39, "float32", 0),
        (math.nan, mpmath.nan, "float64", 0),
        (0.0, mpmath.mpf("1e-400"), "float64", 0),
    ],
)
def test_errors_are_counted_in_the_type_of_the_answer(actual, right, dtype, error):
    assert truth.error_ulp(actual, mpmath.mpf(right), np.dtype(dtype)) == error


def test_whole_numbers_that_wrap_have_no_truth():
    right = np.array([None, mpmath.mpf(5), mpmath.mpf(300)], object)
    assert truth.within(right, -128, 127).tolist() == [None, 5, None]
