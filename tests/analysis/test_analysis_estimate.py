import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.estimate import (
    PRIORS,
    Prior,
    Sides,
    estimate_location,
    estimate_ratio,
    estimate_unpaired_ratio,
    prior_for,
    smallest_change,
    smallest_unpaired_change,
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


def test_a_wider_confidence_is_a_wider_interval_round_the_same_point():
    usual = estimate_ratio([1.0, 1.0], [1.1, 1.0], PRIOR, 2)
    sure = estimate_ratio([1.0, 1.0], [1.1, 1.0], PRIOR, 2, 0.999)
    assert (usual.confidence, sure.confidence) == (0.95, 0.999)
    assert sure.point == usual.point
    assert sure.lower < usual.lower < usual.upper < sure.upper


def test_the_smallest_change_of_one_pair_is_what_the_tables_say():
    # t(0.975, 4) = 2.7764451 and t(0.95, 4) = 2.1318468
    least = smallest_change([1.0], [3.0], PRIOR)
    assert least == pytest.approx(math.expm1((2.7764451 + 2.1318468) * 0.02))


@given(times.flatmap(lambda b: st.tuples(st.just(b), st.permutations(b))))
def test_the_smallest_change_is_that_of_the_scatter_whatever_the_ratio(pair):
    baseline, candidate = pair
    least = smallest_change(baseline, candidate, PRIOR)
    assert least > 0
    double = [2 * value for value in candidate]
    assert smallest_change(baseline, double, PRIOR) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 30])
def test_a_change_as_small_as_that_is_found_in_95_runs_of_100(n):
    """Machines whose spread is drawn from the prior, which is what moderation assumes.

    Each run says what it could have seen; then it is done again with such a change in
    it, and the same scatter.
    """
    rng = np.random.default_rng(n)
    found, trials = 0, 4000
    for _ in range(trials):
        sd = PRIOR.sd * math.sqrt(PRIOR.df / rng.chisquare(PRIOR.df))
        scatter = np.exp(rng.normal(0.0, sd, n))
        ones = [1.0] * n
        least = smallest_change(ones, scatter.tolist(), PRIOR)
        changed = ((1 + least) * scatter).tolist()
        found += estimate_ratio(ones, changed, PRIOR, n).lower > 1
    # three standard deviations of a count of so many trials
    assert abs(found / trials - 0.95) < 3 * math.sqrt(0.95 * 0.05 / trials)


def test_a_change_half_as_small_is_missed_in_most_runs():
    rng = np.random.default_rng(3)
    found, trials = 0, 1000
    for _ in range(trials):
        scatter = np.exp(rng.normal(0.0, PRIOR.sd, 3))
        ones = [1.0] * 3
        least = smallest_change(ones, scatter.tolist(), PRIOR)
        changed = ((1 + least / 2) * scatter).tolist()
        found += estimate_ratio(ones, changed, PRIOR, 3).lower > 1
    assert found < trials / 2


@pytest.mark.parametrize(
    ("doubts", "sd"),
    [
        ((), PRIORS["steady_state"].sd),
        ((0.0, 0.0), PRIORS["steady_state"].sd),
        ((0.3, 0.4), math.sqrt(PRIORS["steady_state"].sd ** 2 + 0.125)),
    ],
)
def test_what_samples_doubt_is_expected_between_processes(doubts, sd):
    prior = prior_for("steady_state", doubts)
    assert prior.sd == pytest.approx(sd)
    assert prior.df == PRIORS["steady_state"].df


def test_a_restless_process_has_a_wider_interval():
    values = [1.0, 1.0, 1.0]
    quiet, restless = (
        estimate_location(values, prior_for("steady_state", [doubt] * 3), "s", 3)
        for doubt in (0.001, 0.05)
    )
    assert restless.upper / restless.lower > 1.05 > quiet.upper / quiet.lower


NO_DRIFT, DRIFT = Prior(0.0), Prior(0.05, df=8)


def sides(baseline, candidate, drift=NO_DRIFT, priors=(PRIOR, PRIOR)):
    return Sides(baseline, candidate, priors, drift)


def test_unpaired_processes_of_equal_scatter_have_the_degrees_of_both():
    found = estimate_unpaired_ratio(sides([1.0], [2.0]), 2)
    # 4 of either prior; t(0.975, 8) = 2.3060041
    assert found.point == pytest.approx(2.0)
    half = 2.3060041 * 0.02 * math.sqrt(2)
    assert found.upper == pytest.approx(2.0 * math.exp(half))
    assert found.n_processes == 2


def test_the_side_that_scatters_decides_the_degrees():
    # all of the variance is the candidate's: 4 and a little, rounded down
    quiet = (Prior(1e-6), PRIOR)
    found = estimate_unpaired_ratio(sides([1.0], [1.0], priors=quiet), 2)
    # t(0.975, 4) = 2.7764451
    assert found.upper == pytest.approx(math.exp(2.7764451 * 0.02), rel=1e-6)


def test_a_drift_is_of_both_sides_and_no_process_takes_it_away():
    quiet = (Prior(1e-6), Prior(1e-6))
    few, many = (
        estimate_unpaired_ratio(sides([1.0] * n, [1.0] * n, DRIFT, quiet), n)
        for n in (1, 100)
    )
    # t(0.975, 8) = 2.3060041
    assert few.upper == pytest.approx(math.exp(2.3060041 * 0.05 * math.sqrt(2)))
    assert many.upper == pytest.approx(few.upper)
    assert "drift of 5.0%" in few.statistic


@pytest.mark.parametrize("drift", [NO_DRIFT, DRIFT])
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 3)])
def test_intervals_of_unpaired_ratios_hold_the_truth(drift, shape):
    rng = np.random.default_rng(20261128)
    trials = 2000
    hold = 0
    for _ in range(trials):
        values = [
            np.exp(rng.normal(0, drift.sd) + rng.normal(0, PRIOR.sd, n)).tolist()
            for n in shape
        ]
        found = estimate_unpaired_ratio(sides(*values, drift), 1)
        hold += found.lower <= 1 <= found.upper
    assert 0.94 * trials <= hold <= trials


@pytest.mark.parametrize("margin", [0.02, 0.2])
def test_the_smallest_change_of_unpaired_sides_is_found_19_times_in_20(margin):
    rng = np.random.default_rng(20261128)
    trials = 2000
    found = 0
    for _ in range(trials):
        one, other = (
            np.exp(rng.normal(0, 0.05) + rng.normal(0, PRIOR.sd, 3)).tolist()
            for _ in range(2)
        )
        made = sides(one, other, DRIFT)
        more = 1 + smallest_unpaired_change(made, margin)
        slower = sides(one, [value * more for value in other], DRIFT)
        ratio = estimate_unpaired_ratio(slower, 1)
        found += ratio.lower > 1 and ratio.point > 1 + margin
    assert found >= 0.94 * trials
