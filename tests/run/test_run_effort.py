"""Where a budget goes, on scripted workers: nothing here takes or reads real time."""

import pytest
import run_scripts
from run_scripts import STARTUP_S, steady

from xpcs_bench.records import Status

MS = 1_000_000


def processes(record):
    count = {}
    for row in record.measurements:
        name = row.case.split("/")[0]
        count[name] = max(count.get(name, 0), row.process + 1)
    return count


def stops(record):
    return {row.case.split("/")[0]: row.stopped for row in record.summary.efforts}


def test_without_a_budget_every_case_gets_its_processes(carried_out):
    record, _, _ = carried_out({"sound": steady(2 * MS, between=0.2)})
    assert processes(record) == {"sound": 3}
    assert stops(record) == {"sound": "processes"}


def test_a_budget_goes_where_doubt_is_until_all_is_known(carried_out):
    costs = {
        "sound": steady(2 * MS, between=0.0),
        "never_compiled": steady(2 * MS, between=0.1),
    }
    record, _, world = carried_out(costs, precision=0.03, budget_s=3600)
    count = processes(record)
    assert count["sound"] < count["never_compiled"]
    assert stops(record) == {"sound": "precision", "never_compiled": "precision"}
    assert all(row.half_width <= 0.03 for row in record.summary.efforts)
    # and then it ends, whatever is left
    assert world.now_s < 300


def test_when_the_budget_is_spent_it_ends_and_says_so(carried_out):
    costs = {"sound": steady(20 * MS, between=0.3)}
    record, _, world = carried_out(costs, precision=0.001, budget_s=60)
    assert stops(record) == {"sound": "budget"}
    # a process is not begun that would not end in time: a pair takes some 1.2 s
    assert 50 < world.now_s <= 60


def test_a_budget_too_small_for_one_round_is_not_the_end_of_it(carried_out):
    record, _, _ = carried_out({"sound": steady(2 * MS)}, budget_s=0.1)
    assert processes(record) == {"sound": 1}
    assert record.status == "complete"
    assert stops(record) == {"sound": "budget"}


def test_what_always_crashes_is_tried_no_more_often_than_without_a_budget(carried_out):
    costs = {"sound": steady(2 * MS, between=0.1), "raises": steady(2 * MS)}
    record, stock, _ = carried_out(costs, broken=("raises",), budget_s=60)
    tries = [case for case, _ in stock.taken if case.startswith("raises")]
    assert len(tries) == 2 * 3
    assert processes(record)["sound"] > 3
    lost = {r.observation.status for r in record.measurements if "raises" in r.case}
    assert lost == {Status.CRASHED}


@pytest.mark.parametrize("measure", ["first_call", "recompile"])
def test_first_calls_get_more_processes_too(carried_out, measure):
    costs = {"sound": steady(50 * MS, between=0.08)}
    record, _, _ = carried_out(costs, measure=(measure,), precision=0.05, budget_s=600)
    assert processes(record)["sound"] > 3
    assert stops(record) == {"sound": "precision"}


def test_a_pair_is_always_extended_on_both_sides(carried_out):
    costs = {
        ("sound", "numpy"): steady(2 * MS),
        ("sound", "jax"): steady(2 * MS, between=0.1),
    }
    record, stock, _ = carried_out(costs, precision=0.03, budget_s=600)
    by_process = {}
    for case, process in stock.taken:
        by_process.setdefault(process, set()).add(case.split("/")[1])
    assert len(by_process) > 3
    assert all(sides == {"numpy", "jax"} for sides in by_process.values())
    assert record.summary.comparisons[0].ratio.n_processes == len(by_process)


@pytest.mark.parametrize("between", [0.005, 0.02, 0.04])
def test_the_ratio_of_equal_costs_is_one_as_often_as_its_interval_says(
    carried_out, between
):
    """A known truth, noise within and between processes, and a drift of the machine."""
    held, trials = 0, 60
    for seed in range(trials):
        sides = [steady(2 * MS, between, within=0.01) for _ in range(2)]
        costs = {("sound", "numpy"): sides[0], ("sound", "jax"): sides[1]}
        record, _, _ = carried_out(costs, seed=seed, max_time_s=0.15)
        (comparison,) = record.summary.comparisons
        held += comparison.ratio.lower <= 1 <= comparison.ratio.upper
    # the prior's spread is 0.02 of a ratio, that of two processes root two times theirs
    least = {0.005: 58, 0.02: 51, 0.04: 45}[between]
    assert held >= least


def test_the_scripted_world_is_the_one_that_is_told_of(carried_out):
    record, _, world = carried_out({"sound": steady(2 * MS)})
    (numpy, jax) = record.summary.estimates
    assert numpy.estimate.point == pytest.approx(2e-3, rel=1e-6)
    assert jax.estimate.point == pytest.approx(2e-3, rel=1e-6)
    assert world.now_s > 6 * STARTUP_S
    assert run_scripts.CALLS_OF_A_SAMPLE == 10
