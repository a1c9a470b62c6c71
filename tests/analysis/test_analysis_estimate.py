import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.estimate import (
    PRIORS,
    Prior,
    estimate_location,
    estimate_ratio,
)

PRIOR = Prior(sd=0.02, df=4)

times = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=12)


@given(times)
def test_the_interval_holds_the_point(values):
    estimate = estimate_location(values, PRIOR, "s", len(values))
    assert estimate.lower < estimate.point < estimate.upper
    slack = 1e-12
    assert min(values) * (1 - slack) <= estimate.point <= max(values) * (1 + slack)


@given(times, st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(values, scale):
    one = estimate_location(values, PRIOR, "s", 1)
    other = estimate_location([value * scale for value in values], PRIOR, "s", 1)
    assert other.lower == pytest.approx(one.lower * scale, rel=1e-9)
    assert other.upper == pytest.approx(one.upper * scale, rel=1e-9)


def test_one_process_still_has_a_doubt():
    estimate = estimate_location([1.0], PRIOR, "s", 50)
    # t(0.975, 4) = 2.7764451
    assert estimate.upper == pytest.approx(math.exp(2.7764451 * 0.02))


def test_processes_that_agree_by_luck_do_not_give_a_point():
    estimate = estimate_location([1.0, 1.0, 1.0], PRIOR, "s", 3)
    assert estimate.upper / estimate.lower > 1.03


def test_more_processes_narrow_the_interval():
    widths = [
        estimate.upper / estimate.lower
        for n in (2, 4, 8)
        for estimate in [estimate_location([1.0, 1.01] * (n // 2), PRIOR, "s", n)]
    ]
    assert widths == sorted(widths, reverse=True)


def test_a_peak_of_nothing_is_estimated_on_the_linear_scale():
    estimate = estimate_location([0.0, 100.0], PRIORS["peak_memory"], "bytes", 2)
    assert estimate.point == 50.0
    assert estimate.lower < 0 < estimate.upper


def test_no_process_no_estimate():
    with pytest.raises(ValueError, match="no process"):
        estimate_location([], PRIOR, "s", 0)


@given(times.flatmap(lambda b: st.tuples(st.just(b), st.permutations(b))))
def test_turning_a_ratio_round_inverts_its_interval(pair):
    baseline, candidate = pair
    there = estimate_ratio(baseline, candidate, PRIOR, 1)
    back = estimate_ratio(candidate, baseline, PRIOR, 1)
    assert there.lower == pytest.approx(1 / back.upper, rel=1e-9)
    assert there.point == pytest.approx(1 / back.point, rel=1e-9)


def test_ratios_are_formed_within_pairs():
    # a machine that drifts by a factor of ten hits both sides of a pair
    estimate = estimate_ratio([1.0, 10.0, 100.0], [2.0, 20.0, 200.0], PRIOR, 6)
    assert estimate.point == pytest.approx(2.0)
    assert estimate.upper < 2.1
    with pytest.raises(ValueError, match="3 baseline values and 1"):
        estimate_ratio([1.0, 2.0, 3.0], [1.0], PRIOR, 4)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    # processes scatter as the prior says; 1000 runs of three processes
    rng = np.random.default_rng(20240611)
    held = 0
    for _ in range(1000):
        values = np.exp(rng.normal(0.0, PRIOR.sd, 3))
        estimate = estimate_location(list(values), PRIOR, "s", 3)
        held += estimate.lower <= 1.0 <= estimate.upper
    # the prior counts for 4 observations, so agreement with it is a little conservative
    assert 940 <= held <= 995
