import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.estimate import Prior
from xpcs_bench.analysis.regression import DEMANDS, Demand, decide

PRIOR = Prior(0.01)
DEFAULT = DEMANDS["default"]


def pairs(slower, sd, n, seed=0):
    """Baseline and candidate of n pairs whose ratios scatter by sd."""
    order = random.Random(seed)  # noqa: S311 (times, no secret)
    baseline = [1e-3 * math.exp(order.gauss(0, 0.3)) for _ in range(n)]
    factor = 1 + slower
    return baseline, [b * factor * math.exp(order.gauss(0, sd)) for b in baseline]


@pytest.mark.parametrize("name", DEMANDS)
def test_equal_times_pass(name):
    times = [1.0] * 3
    assert decide(times, times, Prior(0.005), DEMANDS[name], 30).outcome == "passed"


def test_twice_what_is_to_be_found_is_found():
    made = pairs(0.10, 0.005, 6)
    decision = decide(*made, PRIOR, DEFAULT, 30)
    assert decision.outcome == "regressed"
    assert decision.at_least > 1 + DEFAULT.margin


def test_a_large_change_in_three_pairs_that_do_not_agree_stays_undecided():
    baseline = [1.0, 1.0, 1.0]
    candidate = [0.9, 1.1, 1.25]
    assert decide(baseline, candidate, PRIOR, DEFAULT, 30).outcome == "undecided"


def test_a_slowdown_within_the_margin_is_never_called_one():
    times = [1.0] * 12
    slower = [1 + DEFAULT.margin] * 12
    assert decide(times, slower, Prior(1e-6), DEFAULT, 1).outcome == "passed"


def test_what_is_faster_passes():
    times = [1.0] * 3
    assert decide(times, [0.5] * 3, PRIOR, DEFAULT, 30).outcome == "passed"


def test_a_slowdown_of_the_smallest_change_is_called_so_19_times_in_20():
    sd, n, found, trials = 0.02, 12, 0, 600
    known = Prior(sd, 10_000)  # so that what is seen does not move the limits
    least = decide(*pairs(0, sd, n), known, DEFAULT, 30).smallest_change
    for seed in range(trials):
        made = pairs(least, sd, n, seed)
        found += decide(*made, known, DEFAULT, 30).outcome == "regressed"
    assert found / trials == pytest.approx(0.95, abs=0.03)


def test_identical_code_is_called_slower_no_more_often_than_the_error_allows():
    """At an error so large that it can be seen: one case, one look, 20 %."""
    demand = Demand(find=0.05, margin=0.0, looks=(6,), error=0.2)
    sd = 0.02
    wrong = sum(
        decide(*pairs(0, sd, 6, seed), Prior(sd), demand, 1).outcome == "regressed"
        for seed in range(1000)
    )
    assert 0.13 < wrong / 1000 < 0.24


ratios = st.lists(st.floats(0.5, 2.0), min_size=3, max_size=12)


@given(ratios, st.integers(1, 100), st.integers(1, 100))
def test_more_cases_never_make_a_regression_of_what_was_none(values, few, more):
    times = [1.0] * len(values)
    first = decide(times, values, PRIOR, DEFAULT, few)
    second = decide(times, values, PRIOR, DEFAULT, few + more)
    assert second.at_least <= first.at_least
    if second.outcome == "regressed":
        assert first.outcome == "regressed"


@given(ratios, st.floats(1.001, 2.0))
def test_a_slower_candidate_is_never_judged_better(values, factor):
    order = {"passed": 0, "undecided": 1, "regressed": 2}
    times = [1.0] * len(values)
    first = decide(times, values, PRIOR, DEFAULT, 30)
    slower = decide(times, [factor * v for v in values], PRIOR, DEFAULT, 30)
    assert order[slower.outcome] >= order[first.outcome]


@given(ratios, st.floats(1e-6, 1e3))
def test_the_unit_of_time_does_not_matter(values, unit):
    times = [1.0] * len(values)
    first = decide(times, values, PRIOR, DEFAULT, 30)
    scaled = decide(
        [unit] * len(values), [unit * v for v in values], PRIOR, DEFAULT, 30
    )
    assert scaled.at_least == pytest.approx(first.at_least)
    assert scaled.at_most == pytest.approx(first.at_most)
