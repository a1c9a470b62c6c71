"""Which controls a plan has, and what they say of scripted machines."""

import json

import pytest
from making import experiment
from run_scripts import HERE, steady, trio

from xpcs_bench.config import Experiment, KernelChoice, Matrix, Selector
from xpcs_bench.errors import CannotMeasure, ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import Judgement, Outcome, Variant
from xpcs_bench.run.plan import make_plan, select
from xpcs_bench.run.schedule import schedule

US, MS = 1_000, 1_000_000
CHOICE = (KernelChoice(name="sound", params={"size": (64, 128)}),)
WORK = "g2_model[delays=16,q_bins=4]"


def planned(
    backends=("numpy", "jax"), dtypes=("float64",), devices=("cpu",), **changes
):
    values = {"kernels": CHOICE, "measure": ("steady_state", "parity")}
    values |= {"controls": True} | changes
    matrix = {"backend": backends, "device": devices, "dtype": dtypes}
    matrix |= {"exclude": values.pop("exclude", ())}
    matrix |= {"converts": values.pop("converts", ("nothing",))}
    made = experiment(matrix=Matrix(**matrix), **values)
    return make_plan(made, dict.fromkeys(("numpy", "jax"), HERE), 2**40)


def controls(plan):
    return [case.id for case in plan.cases if case.variant.control]


def expected(*places):
    return [
        f"{WORK}/{place}/{part}/steady_state"
        for place in places
        for part in ("first", "again", "slowed")
    ]


BOTH = ("numpy/cpu/float64", "jax/cpu/float64")


@pytest.fixture(autouse=True)
def _plugins(plugins):
    """Kernels whose cost nobody asks for."""


def test_every_backend_and_device_that_is_compared_has_a_control():
    plan = planned()
    assert controls(plan) == expected(*BOTH)
    groups = {group.id: group for group in plan.groups if "controls/" in group.id}
    assert list(groups) == [
        f"controls/{WORK}/{backend}/cpu/steady_state" for backend in ("numpy", "jax")
    ]
    for group in groups.values():
        assert group.reference.endswith("/first/steady_state")
        assert len(group.cases) == 3
    assert plan.memory_bytes.keys() == {case.id for case in plan.cases}


def test_what_calls_convert_asks_for_no_control_of_its_own():
    plan = planned(converts=("nothing", "input", "output", "both"))
    assert len([case for case in plan.cases if "converts-" in case.id]) == 6
    assert controls(plan) == expected(*BOTH)
    alone = planned(backends=("jax",), converts=("input", "output"))
    assert controls(alone) == expected("jax/cpu/float64")


def test_the_experiments_own_use_of_the_reference_kernel_is_another_group():
    own = KernelChoice(name="g2_model", params={"q_bins": (4,), "delays": (16,)})
    plan = planned(kernels=(own,))
    ids = [case.id for case in plan.cases]
    assert len(ids) == len(set(ids)) == 4 + 6
    (group,) = (group for group in plan.groups if group.id == f"{WORK}/steady_state")
    assert len(group.cases) == 2


def test_a_control_computes_in_the_first_type_that_is_compared():
    plan = planned(dtypes=("float32", "float64"))
    assert controls(plan) == expected("numpy/cpu/float32", "jax/cpu/float32")
    kept = (Selector(backend="jax", dtype="float32"),)
    plan = planned(dtypes=("float32", "float64"), exclude=kept)
    assert controls(plan) == expected("numpy/cpu/float32", "jax/cpu/float64")


def test_what_cannot_run_here_has_no_control():
    plan = planned(devices=("cpu", "gpu"))
    assert controls(plan) == expected(*BOTH)


@pytest.mark.parametrize(
    "changes",
    [
        {"controls": False},
        {"backends": ("numpy",)},
        {"measure": ("parity",)},
        {"measure": ("first_call", "peak_memory")},
    ],
)
def test_where_nothing_timed_is_compared_there_are_none(changes):
    assert controls(planned(**changes)) == []


def test_conversions_are_comparisons_too():
    plan = planned(measure=("conversion",), boundaries=("to_host_copy",))
    assert controls(plan) == expected(*BOTH)


def test_controls_are_part_of_the_digest():
    assert planned().digest != planned(controls=False).digest
    alone = {"backends": ("numpy",)}
    assert planned(**alone).digest != planned(**alone, controls=False).digest


def test_a_selection_keeps_the_controls_of_the_comparisons_it_leaves():
    plan = planned()
    some = select(plan, "size=128")
    assert controls(some) == controls(plan)
    assert len(some.cases) == 4 + 6
    assert [group.id for group in some.groups][-2:] == [
        group.id for group in plan.groups
    ][-2:]


@pytest.mark.parametrize("expression", ["jax", "parity", "numpy and steady_state"])
def test_a_selection_that_compares_nothing_has_none(expression):
    assert controls(select(planned(), expression)) == []


def test_a_selection_of_some_places_has_their_controls_alone():
    plan = planned(dtypes=("float64", "float32"))
    some = select(plan, "numpy and steady_state and not size")
    assert controls(some) == expected("numpy/cpu/float64")


@pytest.mark.parametrize("expression", ["slowed", "g2_model", "delays"])
def test_controls_are_not_what_a_selection_asks_for(expression):
    with pytest.raises(CannotMeasure, match="matches none of the 8 cases"):
        select(planned(), expression)


def test_the_parts_of_a_control_take_turns_in_every_process():
    jobs = [job for job in schedule(planned(), (), 2**40) if job.together]
    trios = [job for job in jobs if job.cases[0].variant.control]
    assert [job.process for job in trios] == [0, 0, 1, 1, 2, 2]
    assert {len(job.cases) for job in trios} == {3}


def test_records_from_before_there_were_controls_can_be_read():
    variant = {"backend": "numpy", "device": "cpu", "dtype": "float64"}
    assert Variant.model_validate(variant).control == ""
    old = json.loads(experiment().model_dump_json())
    del old["controls"]
    assert Experiment.model_validate(old).controls is False


def verdicts(record):
    return [row for row in judge(record) if row.rule == "controls"]


def test_a_machine_that_tells_codes_apart_as_it_must_passes(carried_out):
    costs = {
        ("sound", "numpy"): steady(2 * MS, between=0.01),
        ("sound", "jax"): steady(1 * MS, between=0.01),
    } | trio(50 * US, between=0.01)
    record, _, _ = carried_out(costs, controls=True)
    assert [row.outcome for row in verdicts(record)] == [Outcome.PASS] * 4
    assert [row.judgement for row in record.summary.comparisons] == [Judgement.FASTER]
    for verdict, found in zip(verdicts(record), record.summary.controls, strict=True):
        assert (verdict.subject, verdict.reason) == (found.candidate, found.reason)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"again": 1.2}, "one code was found slower than itself"),
        ({"again": 0.8}, "one code was found faster than itself"),
        ({"slowed": 1.0}, "15.0 % more calls were not found"),
        ({"between": 0.4}, "15.0 % more calls were not found"),
    ],
)
def test_on_a_machine_that_does_not_nothing_is_judged(carried_out, wrong, why):
    sides = {("sound", "numpy"): steady(2 * MS), ("sound", "jax"): steady(1 * MS)}
    costs = sides | trio(50 * US, **{"between": 0.005} | wrong)
    record, _, _ = carried_out(costs, controls=True)
    failed = [row for row in verdicts(record) if row.outcome is not Outcome.PASS]
    assert {row.outcome for row in failed} == {Outcome.INCONCLUSIVE}
    assert any(row.reason.startswith(why) for row in failed)
    (comparison,) = record.summary.comparisons
    assert comparison.judgement is Judgement.INCONCLUSIVE
    assert why in comparison.reason
    # the scripted values are not compared, which the rule of parity skips
    assert exit_code(record.status, judge(record)) is ExitCode.INCONCLUSIVE


def test_with_one_process_nobody_can_tell(carried_out):
    costs = {"sound": steady(2 * MS)} | trio(50 * US)
    record, _, _ = carried_out(costs, controls=True, processes=1)
    assert {row.outcome for row in verdicts(record)} == {Outcome.INCONCLUSIVE}
    assert all("sampling.processes" in row.reason for row in verdicts(record))
    assert record.summary.comparisons[0].judgement is Judgement.INCONCLUSIVE


def test_a_control_that_crashes_cannot_vouch_for_anything(carried_out):
    costs = {"sound": steady(2 * MS)} | trio(50 * US)
    record, _, _ = carried_out(costs, controls=True, broken=("g2_model",))
    assert {row.outcome for row in verdicts(record)} == {Outcome.INCONCLUSIVE}
    assert record.summary.comparisons[0].reason
    assert exit_code(record.status, judge(record)) is ExitCode.COULD_NOT_MEASURE


def test_a_run_without_controls_is_judged_without_them(carried_out):
    record, _, _ = carried_out({"sound": steady(2 * MS)})
    assert record.summary.controls == ()
    assert verdicts(record) == []
    assert exit_code(record.status, judge(record)) is ExitCode.PASS


def test_a_budget_is_not_spent_on_controls(carried_out):
    costs = {"sound": steady(2 * MS, between=0.1)} | trio(50 * US, between=0.1)
    record, stock, _ = carried_out(costs, controls=True, precision=0.04, budget_s=600)
    taken = {"sound": 0, WORK: 0}
    for case, process in stock.taken:
        taken[case.split("/")[0]] = max(taken[case.split("/")[0]], process + 1)
    assert taken[WORK] == 3
    assert taken["sound"] > 3
    assert {row.case.split("/")[0] for row in record.summary.efforts} == {"sound"}


def test_sound_machines_pass_in_at_least_99_runs_of_100(carried_out):
    """Processes of one code that differ by 2 %, in whole runs."""
    passed, trials = 0, 100
    for seed in range(trials):
        costs = {"sound": steady(2 * MS)} | trio(1 * MS, between=0.02)
        record, _, _ = carried_out(costs, controls=True, seed=seed, max_time_s=0.03)
        passed += {row.outcome for row in record.summary.controls} == {Outcome.PASS}
    assert passed >= 0.99 * trials
