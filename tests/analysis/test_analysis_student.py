"""Quantiles of Student's t against tables, laws and SciPy."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from xpcs_bench.analysis.student import student_t

probabilities = st.floats(0.5, 0.9999)
degrees = st.integers(1, 300)


@given(probabilities, degrees)
def test_it_is_what_scipy_says(probability, df):
    expected = float(stdtrit(df, probability))
    assert student_t(probability, df) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("df", range(1, 80))
@pytest.mark.parametrize("probability", [0.95, 0.975, 0.995])
def test_it_is_exact_where_intervals_are_made(probability, df):
    expected = float(stdtrit(df, probability))
    assert student_t(probability, df) == pytest.approx(expected, rel=1e-12)


@given(probabilities)
def test_one_and_two_degrees_of_freedom_have_closed_forms(probability):
    wanted = 2 * probability - 1
    one = math.tan(math.pi / 2 * wanted)
    assert student_t(probability, 1) == pytest.approx(one, rel=1e-9, abs=1e-12)
    two = wanted * math.sqrt(2 / (1 - wanted**2))
    assert student_t(probability, 2) == pytest.approx(two, rel=1e-9, abs=1e-12)


def test_many_degrees_of_freedom_are_the_normal_distribution():
    expected = statistics.NormalDist().inv_cdf(0.975)
    assert student_t(0.975, 100_000) == pytest.approx(expected, rel=2e-5)


@given(probabilities, degrees)
def test_more_degrees_of_freedom_never_widen_it(probability, df):
    slack = 1 + 1e-9
    assert student_t(probability, df + 1) <= student_t(probability, df) * slack


@pytest.mark.parametrize(
    ("probability", "df"), [(0.4, 3), (1.0, 3), (math.nan, 3), (0.9, 0)]
)
def test_outside_there_is_none(probability, df):
    with pytest.raises(ValueError, match=r"from 0\.5"):
        student_t(probability, df)
