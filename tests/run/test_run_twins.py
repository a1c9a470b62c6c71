"""What a plan becomes when two revisions are compared in it."""

import pytest
from making import experiment
from run_scripts import HERE

from xpcs_bench.config import KernelChoice, Matrix
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.run.plan import make_plan
from xpcs_bench.run.schedule import schedule
from xpcs_bench.run.twins import against_baseline


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
    plan = against_baseline(planned(measure=("steady_state",)))
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
    plan = against_baseline(planned())
    (group,) = {
        group for group in plan.groups if group.id.endswith("numpy/cpu/float64/parity")
    }
    (member,) = group.cases
    assert member.endswith("/candidate/parity")


def test_two_revisions_of_a_case_take_turns():
    plan = against_baseline(planned(measure=("steady_state",)))
    jobs = list(schedule(plan, (), 2**40))
    assert {len(job.cases) for job in jobs} == {2}
    assert all(job.together for job in jobs)


@pytest.mark.parametrize("backends", [("numpy",), ("numpy", "jax")])
def test_every_place_where_revisions_are_compared_has_controls(backends):
    """One backend alone has none in a plan that compares nothing."""
    plan = against_baseline(planned(backends=backends, controls=True))
    controls = [case for case in plan.cases if case.variant.control]
    assert {case.variant.backend for case in controls} == set(backends)
    assert len(controls) == 3 * len(backends)
    assert not any(case.variant.revision for case in controls)


def test_a_plan_without_revisions_keeps_its_digest_and_one_with_them_has_another():
    plan = planned()
    assert against_baseline(plan).digest != plan.digest


@pytest.mark.parametrize("measure", [("parity",)])
def test_values_alone_compare_no_revisions(measure):
    with pytest.raises(CannotMeasure, match="nothing of it can be compared"):
        against_baseline(planned(measure=measure))
