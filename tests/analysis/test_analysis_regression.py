import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.estimate import Prior
from xpcs_bench.analysis.pairs import Pairs
from xpcs_bench.analysis.regression import decide
from xpcs_bench.config import PRESETS_OF_GATES, Demand
from xpcs_bench.records import Outcome

PRIOR = Prior(0.01)
GATE = PRESETS_OF_GATES["default"]
DEMAND = GATE.demands["calls"]


def decided(baseline, candidate, prior=PRIOR, n_cases=30, demand=DEMAND, gate=GATE):
    pairs = Pairs(baseline, candidate, prior, 0)
    return decide(pairs, demand, gate, n_cases)


def pairs(slower, sd, n, seed=0):
    """Baseline and candidate of n pairs whose ratios scatter by sd."""
    order = random.Random(seed)  # noqa: S311 (times, no secret)
    baseline = [1e-3 * math.exp(order.gauss(0, 0.3)) for _ in range(n)]
    factor = 1 + slower
    return baseline, [b * factor * math.exp(order.gauss(0, sd)) for b in baseline]


@pytest.mark.parametrize("name", PRESETS_OF_GATES)
def test_equal_times_pass(name):
    gate = PRESETS_OF_GATES[name]
    times = [1.0] * 3
    found = decided(times, times, Prior(0.005), demand=gate.demands["calls"], gate=gate)
    assert found.outcome is Outcome.PASS


def test_twice_what_is_to_be_found_is_found():
    found = decided(*pairs(0.10, 0.005, 6))
    assert found.outcome is Outcome.FAIL
    assert found.at_least > 1 + DEMAND.margin


def test_a_large_change_in_three_pairs_that_do_not_agree_stays_undecided():
    found = decided([1.0, 1.0, 1.0], [0.9, 1.1, 1.25])
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_slowdown_within_the_margin_is_never_called_one():
    slower = [1 + DEMAND.margin] * 12
    found = decided([1.0] * 12, slower, Prior(1e-6), 1)
    assert found.outcome is Outcome.PASS


def test_what_is_faster_passes():
    assert decided([1.0] * 3, [0.5] * 3).outcome is Outcome.PASS


def test_a_slowdown_of_the_smallest_change_is_called_so_19_times_in_20():
    sd, n, found, trials = 0.02, 12, 0, 600
    known = Prior(sd, 10_000)  # so that what is seen does not move the limits
    least = decided(*pairs(0, sd, n), known).smallest_change
    for seed in range(trials):
        found += decided(*pairs(least, sd, n, seed), known).outcome is Outcome.FAIL
    assert found / trials == pytest.approx(0.95, abs=0.03)


def test_identical_code_is_called_slower_no_more_often_than_the_error_allows():
    """At an error so large that it can be seen: one case, one look, 20 %."""
    demand = Demand(find=0.05, margin=0.0)
    gate = GATE.model_copy(update={"looks": (6,), "error": 0.2})
    sd = 0.02
    wrong = sum(
        decided(*pairs(0, sd, 6, seed), Prior(sd), 1, demand, gate).outcome
        is Outcome.FAIL
        for seed in range(1000)
    )
    assert 0.13 < wrong / 1000 < 0.24


ratios = st.lists(st.floats(0.5, 2.0), min_size=3, max_size=12)


@given(ratios, st.integers(1, 100), st.integers(1, 100))
def test_more_cases_never_make_a_regression_of_what_was_none(values, few, more):
    times = [1.0] * len(values)
    first = decided(times, values, n_cases=few)
    second = decided(times, values, n_cases=few + more)
    assert second.at_least <= first.at_least
    if second.outcome is Outcome.FAIL:
        assert first.outcome is Outcome.FAIL


@given(ratios, st.floats(1.001, 2.0))
def test_a_slower_candidate_is_never_judged_better(values, factor):
    order = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)
    times = [1.0] * len(values)
    first = decided(times, values)
    slower = decided(times, [factor * v for v in values])
    assert order.index(slower.outcome) >= order.index(first.outcome)


@given(ratios, st.floats(1e-6, 1e3))
def test_the_unit_of_time_does_not_matter(values, unit):
    first = decided([1.0] * len(values), values)
    scaled = decided([unit] * len(values), [unit * v for v in values])
    assert scaled.at_least == pytest.approx(first.at_least)
    assert scaled.at_most == pytest.approx(first.at_most)
