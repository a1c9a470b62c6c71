"""What a parity check must see: each deliberate fault of a fast and wrong backend."""

import tracemalloc
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

from xpcs_bench.analysis.agreement import (
    Tolerance,
    compare,
    compare_outputs,
    compare_truth,
    require_finite,
)


class At(NamedTuple):
    index: tuple[int, ...]
    value: Any


TIGHT = Tolerance(1e-12, 0.0, "for the test")
EXACT = Tolerance(0.0, 0.0, "labels are counted")


@pytest.fixture
def desired():
    return np.random.default_rng(3).uniform(1.0, 2.0, (300, 1000))


def test_equal_arrays_agree(desired):
    found = compare("q", desired.copy(), desired, TIGHT)
    assert found.passed
    assert (found.max_abs, found.max_rel, found.max_ulp) == (0.0, 0.0, 0.0)
    assert found.n_compared == desired.size
    assert found.shape == (300, 1000)
    assert found.tolerance_reason == "for the test"


@pytest.mark.parametrize(("factor", "passes"), [(0.999, True), (1.001, False)])
def test_one_element_just_within_or_just_beyond_decides(desired, factor, passes):
    actual = desired.copy()
    index = (211, 17)
    desired[index] = 1.5
    actual[index] = 1.5 + factor * 1.5e-12
    found = compare("q", actual, desired, TIGHT)
    assert found.passed is passes
    assert found.worst_index == index
    assert found.n_beyond == (0 if passes else 1)
    assert found.max_abs == actual[index] - 1.5
    assert found.max_ulp == round((actual[index] - 1.5) / np.spacing(1.5))
    assert (found.actual, found.desired) == (actual[index], 1.5)


def test_the_worst_element_uses_most_of_its_tolerance():
    desired = np.array([1e6, 1.0])
    actual = desired + np.array([1e-7, 0.9e-12])
    found = compare("q", actual, desired, TIGHT)
    assert found.passed
    assert found.max_abs == pytest.approx(1e-7, rel=1e-2)
    assert found.worst_index == (1,)


def test_an_absolute_tolerance_serves_values_near_zero():
    desired, actual = np.array([0.0, 1.0]), np.array([1e-17, 1.0])
    assert not compare("q", actual, desired, TIGHT).passed
    assert compare("q", actual, desired, Tolerance(0.0, 2e-17, "steps")).passed


def test_zeros_in_one_output_are_seen(desired):
    actual = {"q": np.zeros_like(desired), "phi": desired}
    tolerances = {"q": TIGHT, "phi": TIGHT}
    q, phi = compare_outputs(actual, {"q": desired, "phi": desired}, tolerances)
    assert not q.passed
    assert q.n_beyond == desired.size
    assert q.max_rel == 1.0
    assert phi.passed


def test_missing_and_extra_outputs_fail_by_name(desired):
    found = compare_outputs(
        {"phi": desired, "spare": desired},
        {"q": desired, "phi": desired},
        {"q": TIGHT, "phi": TIGHT},
    )
    assert [(a.output, a.passed) for a in found] == [
        ("q", False),
        ("phi", True),
        ("spare", False),
    ]
    assert "missing" in found[0].reason
    assert "not expected" in found[2].reason
    assert found[0].max_abs is found[2].max_abs is None


def test_a_wrong_type_fails_though_the_values_agree():
    desired = np.array([1.0, 2.0, 3.0])
    found = compare("q", desired.astype(np.float32), desired, TIGHT)
    assert not found.passed
    assert "float32, expected float64" in found.reason
    assert found.n_beyond == 0
    assert found.max_abs == 0.0
    assert found.max_ulp is None
    assert not compare("n", np.ones(2, np.int64), np.ones(2, np.int32), EXACT).passed


@pytest.mark.parametrize("shape", [(1000, 300), (300000,), (300, 1001)])
def test_a_wrong_shape_fails_without_comparing_values(desired, shape):
    found = compare("q", np.ones(shape), desired, TIGHT)
    assert not found.passed
    assert f"{shape}, expected (300, 1000)" in found.reason
    assert found.max_abs is found.worst_index is None


def test_a_broadcastable_shape_is_still_wrong():
    assert not compare("q", np.ones((3, 1)), np.ones((3, 3)), TIGHT).passed


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (np.nan, 1.0),
        (1.0, np.nan),
        (np.inf, 1.0),
        (-np.inf, np.inf),
        (np.nan, np.inf),
    ],
)
def test_the_non_finite_pattern_must_agree(desired, wrong, right):
    actual = desired.copy()
    actual[7, 9], desired[7, 9] = wrong, right
    found = compare("q", actual, desired, Tolerance(1.0, 1e300, "generous"))
    assert not found.passed
    assert found.worst_index == (7, 9)
    assert found.n_beyond == 1
    assert found.n_compared == desired.size - 1
    assert "not finite" in found.reason


def test_like_non_finite_elements_agree_and_are_not_counted():
    values = np.array([np.nan, np.inf, -np.inf, 1.0])
    found = compare("q", values.copy(), values, TIGHT)
    assert found.passed
    assert found.n_compared == 1


@pytest.mark.parametrize("values", [np.empty((0, 4)), np.full(5, np.nan)])
def test_where_nothing_finite_was_compared_nothing_is_perfect(values):
    found = compare("q", values.copy(), values, TIGHT)
    assert found.n_compared == 0
    assert found.max_abs is found.max_rel is found.max_ulp is None
    assert "No finite element" in found.reason


def test_signed_zeros_are_equal():
    found = compare("q", np.array([-0.0]), np.array([0.0]), EXACT)
    assert found.passed
    assert found.max_ulp == 0


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint64, np.uint8])
def test_integers_are_compared_exactly_over_their_whole_range(dtype):
    info = np.iinfo(dtype)
    desired = np.array([info.max, info.min, 5], dtype)
    actual = np.array([info.max - 1, info.min, 5], dtype)
    found = compare("labels", actual, desired, EXACT)
    assert not found.passed
    assert (found.n_beyond, found.max_abs, found.max_ulp) == (1, 1.0, None)
    assert compare("labels", actual, desired, Tolerance(0.0, 1.0, "one")).passed
    opposite = np.array([info.min, info.min, 5], dtype)
    span = compare("labels", opposite, desired, EXACT).max_abs
    assert span == float(info.max - info.min)


def test_booleans_are_compared_exactly():
    desired = np.array([True, False, True])
    assert compare("mask", desired.copy(), desired, EXACT).passed
    found = compare("mask", ~desired, desired, EXACT)
    assert (found.passed, found.n_beyond) == (False, 3)


def test_a_difference_that_overflows_is_infinite_and_beyond():
    found = compare("q", np.array([1e308]), np.array([-1e308]), TIGHT)
    assert not found.passed
    assert found.max_abs == np.inf


def test_arrays_that_are_not_contiguous_are_indexed_as_they_look(desired):
    actual = desired.copy()
    actual[200, 3] *= 2
    found = compare("q", actual.T, desired.T, TIGHT)
    assert found.worst_index == (3, 200)
    strided = compare("q", actual[::-2, ::3], desired[::-2, ::3], TIGHT)
    assert strided.shape == (150, 334)
    assert strided.passed is False or strided.n_beyond == 0


def test_scalars_have_an_index_too():
    found = compare("chi2", np.float64(2.0), np.float64(1.0), TIGHT)
    assert (found.shape, found.worst_index) == ((), ())


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_types_that_cannot_be_compared_are_refused(values):
    with pytest.raises(TypeError, match="cannot be compared"):
        compare("q", values, values, TIGHT)


def test_a_large_comparison_needs_little_memory():
    desired = np.ones(4_000_000)
    actual = desired.copy()
    tracemalloc.start()
    compare("q", actual, desired, TIGHT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < desired.nbytes / 2


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_that_nothing_can_fail_is_refused(bad):
    with pytest.raises(ValueError, match="is not a tolerance"):
        Tolerance(bad, 0.0, "")
    with pytest.raises(ValueError, match="is not a tolerance"):
        Tolerance(0.0, bad, "")


def test_the_truth_is_met_within_a_fraction_of_an_ulp():
    third = mpmath.mpf(1) / 3
    actual = np.array([[1.0, 1 / 3], [2.0, 3.0]])
    found = compare_truth("q", actual, [At((0, 1), third)], TIGHT, "float64")
    assert found.passed
    assert found.against == "truth"
    assert found.max_ulp <= 0.5
    assert found.worst_index == (0, 1)


def test_the_truth_is_finer_than_the_type():
    actual = np.array([1.0])
    with mpmath.workdps(50):
        truth = mpmath.mpf(1) + mpmath.mpf(2) ** -53
    found = compare_truth("q", actual, [At((0,), truth)], EXACT, np.float64)
    assert not found.passed
    assert found.max_ulp == 0.5


def test_the_truth_catches_one_wrong_element_among_right_ones():
    actual = np.array([1.0, 2.0, 3.0])
    actual[1] += 3e-12
    truths = [At((i,), mpmath.mpf(i + 1)) for i in range(3)]
    found = compare_truth("q", actual, truths, TIGHT, "float64")
    assert (found.passed, found.n_beyond, found.worst_index) == (False, 1, (1,))


def test_the_truth_wants_the_type_and_the_shape():
    truths = [At((2,), mpmath.mpf(1))]
    found = compare_truth("q", np.ones(3, np.float32), truths, TIGHT, "float64")
    assert not found.passed
    assert "float32, expected float64" in found.reason
    found = compare_truth("q", np.ones(2), truths, TIGHT, "float64")
    assert not found.passed
    assert "no element (2,)" in found.reason


def test_truths_of_integers_are_exact():
    labels = np.array([[0, 7]], np.int32)
    assert compare_truth("labels", labels, [At((0, 1), 7)], EXACT, "int32").passed
    assert not compare_truth("labels", labels, [At((0, 1), 6)], EXACT, "int32").passed


def test_a_number_where_the_truth_is_one_but_the_array_has_nan():
    found = compare_truth(
        "q", np.array([np.nan]), [At((0,), mpmath.mpf(1))], TIGHT, "float64"
    )
    assert not found.passed
    assert "not finite" in found.reason


def test_finite_outputs_are_required_where_they_must_be():
    values = np.ones((300, 1000))
    assert require_finite("q", values).passed
    values[299, 5] = np.nan
    values[299, 7] = np.inf
    found = require_finite("q", values)
    assert not found.passed
    assert found.worst_index == (299, 5)
    assert found.n_beyond == 2


PER_SD = Tolerance(0.0, 0.5, "half a standard deviation", per="sd")


@pytest.mark.parametrize(("shift", "passes"), [(0.49, True), (0.51, False)])
@pytest.mark.parametrize("place", [0, 1])
def test_a_tolerance_may_be_counted_in_another_output(shift, passes, place):
    desired = {"mean": np.array([5.0, 1e-6]), "sd": np.array([2.0, 1e-8])}
    actual = {name: array.copy() for name, array in desired.items()}
    actual["mean"][place] += shift * desired["sd"][place]
    # it is the desired one that counts
    actual["sd"] *= 100
    found, _ = compare_outputs(actual, desired, {"mean": PER_SD, "sd": EXACT})
    assert found.passed is passes
    assert "atol 0.5 sd" in found.reason
    assert found.worst_index == (place,)


def test_units_go_with_their_elements_in_any_layout_and_beside_nan():
    rng = np.random.default_rng(0)
    desired = rng.uniform(1, 2, (3, 90_000))
    unit = rng.uniform(1e-9, 1e-3, desired.shape)
    actual = desired + 0.4 * unit
    actual[1, 5] = desired[1, 5] = np.nan
    for arrays in ((actual, desired, unit), (actual.T, desired.T, unit.T)):
        assert compare("m", *arrays[:2], PER_SD, unit=arrays[2]).passed
        wrong = arrays[2] / 2
        assert not compare("m", *arrays[:2], PER_SD, unit=wrong).passed


@pytest.mark.parametrize(
    "unit", [None, np.ones(3), np.array([1.0, -1.0]), np.array([1.0, np.nan])]
)
def test_a_tolerance_per_nothing_is_refused(unit):
    with pytest.raises(ValueError, match="tolerance of 'mean' is per 'sd'"):
        compare("mean", np.ones(2), np.ones(2), PER_SD, unit=unit)
    with pytest.raises(ValueError, match="there is: nothing"):
        compare_outputs({"mean": np.ones(2)}, {"mean": np.ones(2)}, {"mean": PER_SD})
    with pytest.raises(ValueError, match="there is: nothing"):
        compare_truth("mean", np.ones(2), [At((0,), 1.0)], PER_SD, "float64")
