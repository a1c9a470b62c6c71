"""Estimates against a known truth, on a machine that drifts and has bursts."""

import math
import statistics

import pytest
from run_scripts import Moving, linear, restless, steady

A_NS, B_NS = 200_000, 900
SIZES = {"numpy": 2000, "jax": 1000}
COST_NS = {backend: linear(A_NS, B_NS, n) for backend, n in SIZES.items()}
TRUTH = COST_NS["jax"] / COST_NS["numpy"]
TRIALS = 40


def ratios(carried_out, *, turns):
    found = []
    for seed in range(TRIALS):
        costs = {
            ("sound", backend): Moving(steady(call_ns, 0.01, 0.02), restless)
            for backend, call_ns in COST_NS.items()
        }
        record, _, _ = carried_out(
            costs, seed=seed, turns=turns, known=None, max_time_s=3
        )
        assert {row.interleaved for row in record.measurements} == {turns}
        (comparison,) = record.summary.comparisons
        found.append(comparison.ratio)
    return found


def test_in_turn_a_ratio_is_true_however_restless_the_machine(carried_out):
    found = ratios(carried_out, turns=True)
    assert sum(ratio.lower <= TRUTH <= ratio.upper for ratio in found) >= 36
    off = statistics.median(abs(math.log(ratio.point / TRUTH)) for ratio in found)
    assert off < 0.03


def test_one_after_the_other_it_is_not(carried_out):
    """So that the test above is known to ask for something."""
    found = ratios(carried_out, turns=False)
    off = statistics.median(abs(math.log(ratio.point / TRUTH)) for ratio in found)
    assert off > 0.06


@pytest.mark.parametrize("n", [1, 100, 10_000])
def test_on_a_quiet_machine_times_are_those_of_the_script(carried_out, n):
    call_ns = linear(A_NS, B_NS, n)
    record, _, _ = carried_out({"sound": steady(call_ns, 0.0, 0.02)}, known=None)
    for row in record.summary.estimates:
        assert row.estimate.point == pytest.approx(call_ns * 1e-9, rel=0.02)
        assert row.estimate.lower < call_ns * 1e-9 < row.estimate.upper
