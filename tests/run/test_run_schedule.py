from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from making import case, experiment, group, sampling

from xpcs_bench.run.plan import Plan
from xpcs_bench.run.schedule import schedule

STEADY = case("numpy"), case("jax")
FIRST = case("numpy", "first_call"), case("jax", "first_call")
AGAIN = (case("jax", "recompile"),)
PARITY = (
    case("jax", "parity"),
    case("jax", "parity", labels={"size": 2}),
    case("numpy", "parity"),
)
CONVERSION = tuple(
    case("jax", "conversion", boundary=boundary) for boundary in ("view", "copy")
)
GROUPS = (STEADY, FIRST, AGAIN, *((row,) for row in (*PARITY, *CONVERSION)))
CASES = tuple(member for members in GROUPS for member in members)


def plan(seed=0):
    return Plan(
        experiment=experiment(sampling=sampling(processes=3), seed=seed),
        cases=CASES,
        groups=tuple(group(*members) for members in GROUPS),
        skipped=(),
        memory_bytes=dict.fromkeys((member.id for member in CASES), 100),
    )


def keys(jobs):
    return [(member.id, job.process) for job in jobs for member in job.cases]


def test_every_case_gets_its_processes_once():
    counts = Counter(name for name, _ in keys(schedule(plan(), (), 10**9)))
    assert counts == {member.id: 1 if member in PARITY else 3 for member in CASES}


def test_all_are_seen_once_before_any_is_seen_twice():
    rounds = [job.process for job in schedule(plan(), (), 10**9)]
    assert rounds == sorted(rounds)


def test_only_sampled_groups_take_turns():
    for job in schedule(plan(), (), 10**9):
        assert job.together == (job.cases[0].measure == "steady_state")
        if job.together:
            assert job.cases == STEADY


def test_a_group_that_does_not_fit_into_memory_is_sampled_one_by_one():
    jobs = [job for job in schedule(plan(), (), 150) if job.together]
    assert sorted(keys(jobs)) == sorted(
        (member.id, process) for member in STEADY for process in range(3)
    )
    assert all(len(job.cases) == 1 for job in jobs)


def test_boundaries_of_one_variant_share_a_worker():
    jobs = [job for job in schedule(plan(), (), 150) if job.cases[0] in CONVERSION]
    assert [job.cases for job in jobs] == [CONVERSION] * 3


def test_values_of_one_variant_are_checked_in_one_worker():
    jobs = [job.cases for job in schedule(plan(), (), 150) if job.cases[0] in PARITY]
    assert sorted(jobs, key=len) == [(PARITY[2],), PARITY[:2]]


def test_what_must_be_first_in_its_process_is_alone():
    for job in schedule(plan(), (), 150):
        if job.cases[0] in (*FIRST, *AGAIN):
            assert len(job.cases) == 1


@given(st.sets(st.sampled_from(sorted(keys(schedule(plan(), (), 10**9))))))
def test_what_is_done_is_not_done_again_save_for_torn_pairs(done):
    left = set(keys(schedule(plan(), done, 10**9)))
    every = set(keys(schedule(plan(), (), 10**9)))
    assert every - done <= left
    for name, process in left & done:
        # its partner is missing, and a ratio needs both sides in one round
        partner = {member.id for member in STEADY} - {name}
        assert all((other, process) not in done for other in partner)


def test_the_order_is_random_and_from_the_seed():
    assert keys(schedule(plan(1), (), 10**9)) == keys(schedule(plan(1), (), 10**9))
    orders = {tuple(keys(schedule(plan(seed), (), 10**9))) for seed in range(5)}
    assert len(orders) > 1
