"""What a plan becomes when two revisions are compared in it."""

import pytest
from making import experiment
from run_scripts import HERE

from xpcs_bench.config import KernelChoice, Matrix
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.run.plan import make_plan
from xpcs_bench.run.schedule import schedule
from xpcs_bench.run.twins import against_baseline

BASELINE = "0" * 40
KERNELS = {"sound": "1"}


@pytest.fixture(autouse=True)
def _plugins(plugins):
    """Kernels whose cost nobody asks for."""


def planned(measure=("steady_state", "parity"), backends=("numpy", "jax"), **changes):
    made = experiment(
        kernels=(KernelChoice(name="sound", params={"size": (64,)}),),
        measure=measure,
        matrix=Matrix(backend=backends, device=("cpu",), dtype=("float64",)),
        **changes,
    )
    return make_plan(made, dict.fromkeys(("numpy", "jax"), HERE), 2**40)


def test_each_timed_case_becomes_two_that_are_compared_with_each_other_alone():
    plan = against_baseline(planned(measure=("steady_state",)), BASELINE, KERNELS)
    groups = {group.id: (group.reference, group.cases) for group in plan.groups}
    work = "sound"
    assert groups == {
        f"{work}/{backend}/cpu/float64/steady_state": (
            f"{work}/{backend}/cpu/float64/baseline/steady_state",
            (
                f"{work}/{backend}/cpu/float64/baseline/steady_state",
                f"{work}/{backend}/cpu/float64/candidate/steady_state",
            ),
        )
        for backend in ("numpy", "jax")
    }
    assert plan.memory_bytes.keys() == {case.id for case in plan.cases}


def test_values_are_those_of_the_candidate():
    plan = against_baseline(planned(), BASELINE, KERNELS)
    (group,) = {
        group for group in plan.groups if group.id.endswith("numpy/cpu/float64/parity")
    }
    (member,) = group.cases
    assert member.endswith("/candidate/parity")


def test_two_revisions_of_a_case_take_turns():
    plan = against_baseline(planned(measure=("steady_state",)), BASELINE, KERNELS)
    jobs = list(schedule(plan, (), 2**40))
    assert {len(job.cases) for job in jobs} == {2}
    assert all(job.together for job in jobs)


@pytest.mark.parametrize("backends", [("numpy",), ("numpy", "jax")])
def test_every_place_where_revisions_are_compared_has_controls(backends):
    """One backend alone has none in a plan that compares nothing."""
    plan = against_baseline(
        planned(backends=backends, controls=True), BASELINE, KERNELS
    )
    controls = [case for case in plan.cases if case.variant.control]
    assert {case.variant.backend for case in controls} == set(backends)
    assert len(controls) == 3 * len(backends)
    assert not any(case.variant.revision for case in controls)


def test_a_plan_without_revisions_keeps_its_digest_and_one_with_them_has_another():
    plan = planned()
    assert against_baseline(plan, BASELINE, KERNELS).digest != plan.digest


@pytest.mark.parametrize("measure", [("parity",)])
def test_values_alone_compare_no_revisions(measure):
    with pytest.raises(CannotMeasure, match="nothing of it can be compared"):
        against_baseline(planned(measure=measure), BASELINE, KERNELS)


@pytest.mark.parametrize(
    ("kernels", "words"),
    [({}, "is new"), ({"sound": "0"}, "its version is '1', and '0' in the baseline")],
)
def test_what_the_baseline_lacks_is_skipped_and_its_values_are_still_checked(
    kernels, words
):
    made = planned(backends=("numpy",))
    other = KernelChoice(name="g2_model", params={})
    both = made.experiment.model_copy(
        update={"kernels": (*made.experiment.kernels, other)}
    )
    both = make_plan(both, dict.fromkeys(("numpy", "jax"), HERE), 2**40)
    version = {case.kernel: case.kernel_version for case in both.cases}["g2_model"]
    plan = against_baseline(both, BASELINE, {"g2_model": version, **kernels})
    reasons = {skip.case: skip.reason for skip in plan.skipped}
    name = "sound/numpy/cpu/float64/candidate/steady_state"
    assert words in reasons[name]
    assert name not in {case.id for case in plan.cases}
    values = "sound/numpy/cpu/float64/candidate/parity"
    assert values in {case.id for case in plan.cases}


def test_another_baseline_is_another_plan():
    plan = planned()
    digests = {against_baseline(plan, commit * 40, KERNELS).digest for commit in "01"}
    assert len(digests) == 2
