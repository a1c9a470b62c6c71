"""A later run against an earlier one: each judgement, and why there is none."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import agreement, case, environment, experiment, measurement
from stored_runs import HERE, JAX, NUMPY, digest, once, stored, timed

from xpcs_bench.analysis.between_runs import DRIFTS, compare_runs
from xpcs_bench.analysis.standing import standing
from xpcs_bench.records import Judgement, Skip, Status, Variant

PEAK = case("jax", "peak_memory")
FIRST = case("jax", "first_call")
PARITY = case("jax", "parity")
COUNTERS = case("jax", "counters")


def run_of(*elapsed_ns, clock="cpu", of=NUMPY):
    return stored((of,), timed(of, *elapsed_ns, clock=clock))


def ratio_of(one, other):
    (ratio,) = compare_runs(one, other).ratios
    return ratio


@pytest.mark.parametrize(
    ("factor", "clock", "judgement"),
    [
        (1.0, "cpu", Judgement.SAME),
        (1.05, "cpu", Judgement.SAME),
        (1.15, "cpu", Judgement.INCONCLUSIVE),
        (1.3, "cpu", Judgement.SLOWER),
        (1 / 1.3, "cpu", Judgement.FASTER),
        # of wall time less is known
        (1.0, "wall", Judgement.INCONCLUSIVE),
        (1.3, "wall", Judgement.INCONCLUSIVE),
        (2.0, "wall", Judgement.SLOWER),
        (0.5, "wall", Judgement.FASTER),
        # and where nobody says whether it was disturbed, less still
        (2.0, None, Judgement.INCONCLUSIVE),
        (3.0, None, Judgement.SLOWER),
    ],
)
def test_a_ratio_of_runs_is_judged(factor, clock, judgement):
    slower = round(100_000 * factor)
    row = ratio_of(
        run_of(100_000, 100_000, 100_000, clock=clock),
        run_of(slower, slower, slower, clock=clock),
    )
    assert row.ratio.point == pytest.approx(factor, rel=1e-3)
    assert row.ratio.lower < row.ratio.point < row.ratio.upper
    assert row.judgement is judgement
    assert row.reason == ""
    assert row.candidate.point == pytest.approx(slower * 1e-9)


def test_the_smallest_change_is_one_that_is_found():
    base = run_of(100_000, 101_000, 99_000)
    least = ratio_of(base, base).smallest_change
    assert 0.2 < least < 0.5
    slower = [round(each * (1 + least)) for each in (100_000, 101_000, 99_000)]
    assert ratio_of(base, run_of(*slower)).judgement is Judgement.SLOWER


@pytest.mark.parametrize("disturbed", ["baseline", "candidate"])
def test_disturbed_wall_time_decides_nothing(disturbed):
    clocks = {"baseline": "wall", "candidate": "wall"} | {disturbed: "least_disturbed"}
    row = ratio_of(
        run_of(100, 100, clock=clocks["baseline"]),
        run_of(500, 500, clock=clocks["candidate"]),
    )
    assert row.ratio.point == pytest.approx(5)
    assert row.judgement is Judgement.INCONCLUSIVE
    assert row.smallest_change is None
    assert f"2 of 2 processes of the {disturbed}" in row.reason


def test_cpu_time_of_a_busy_machine_does_decide():
    # threads of one core wait, and what they wait is not in their CPU time
    row = ratio_of(run_of(100_000, 100_000), run_of(200_000, 200_000))
    assert row.judgement is Judgement.SLOWER


def test_where_one_run_has_several_threads_both_are_told_by_wall_time():
    row = ratio_of(run_of(100, 100), run_of(100, 100, clock="wall"))
    assert row.baseline.statistic.startswith("median wall time")
    assert row.ratio.upper / row.ratio.lower > 2


@pytest.mark.parametrize(("n_one", "n_other"), [(1, 3), (3, 1), (1, 1)])
def test_one_process_cannot_tell(n_one, n_other):
    row = ratio_of(run_of(*[100] * n_one), run_of(*[900] * n_other))
    assert row.judgement is Judgement.INCONCLUSIVE
    assert row.reason.startswith("One process of the ")
    assert "sampling.processes" in row.reason


@pytest.mark.parametrize(
    ("after", "judgement"),
    [
        (100e6, Judgement.SAME),
        (109e6, Judgement.INCONCLUSIVE),
        (130e6, Judgement.SLOWER),
        (70e6, Judgement.FASTER),
    ],
)
def test_a_peak_has_one_process_and_is_judged(after, judgement):
    one, other = (
        stored((PEAK,), once(PEAK, value, unit="bytes")) for value in (100e6, after)
    )
    row = ratio_of(one, other)
    assert (row.metric, row.baseline.unit) == ("peak_memory", "bytes")
    assert row.judgement is judgement


def test_a_peak_of_nothing_has_no_ratio():
    one, other = (
        stored((PEAK,), once(PEAK, value, unit="bytes")) for value in (0.0, 100e6)
    )
    row = ratio_of(one, other)
    assert row.ratio is None
    assert row.judgement is Judgement.INCONCLUSIVE
    assert row.reason == "What is nothing on one side has no ratio."


def test_a_first_call_is_wall_time_that_nobody_vouches_for():
    one, other = (
        stored((FIRST,), once(FIRST, value, value, value)) for value in (0.1, 0.15)
    )
    row = ratio_of(one, other)
    assert row.judgement is Judgement.INCONCLUSIVE
    assert row.smallest_change > 1
    slow = stored((FIRST,), once(FIRST, 0.4, 0.4, 0.4))
    assert ratio_of(one, slow).judgement is Judgement.SLOWER


def test_stages_are_compared_one_by_one():
    of = case("jax", "stages")
    sides = [
        stored(
            (of,),
            [
                measurement(of, process, stages_ns={"trace": trace, "compile": 1000})
                for process in range(2)
            ],
        )
        for trace in (100, 1000)
    ]
    found = {row.metric: row for row in compare_runs(*sides).ratios}
    assert found["stages.trace"].judgement is Judgement.SLOWER
    assert found["stages.compile"].ratio.point == pytest.approx(1)


PARTS = [
    case(
        "numpy",
        variant=Variant(backend="numpy", device="cpu", dtype="float64", control=part),
    )
    for part in ("first", "again", "slowed")
]


def controlled(again, took=100_000):
    rows = timed(NUMPY, took, took, took)
    for of, factor in zip(PARTS, (1.0, again, 1.15), strict=True):
        rows += timed(of, *[round(100_000 * factor)] * 3)
    return stored((NUMPY, *PARTS), rows)


def test_controls_that_hold_are_no_cases():
    found = compare_runs(controlled(1.0), controlled(1.0, took=150_000))
    (row,) = found.ratios
    assert row.case == NUMPY.id
    assert row.judgement is Judgement.SLOWER
    assert found.uncompared == ()


@pytest.mark.parametrize(("one", "other"), [(1.5, 1.0), (1.0, 1.5)])
def test_a_control_that_failed_in_either_run_takes_the_judgement(one, other):
    row = ratio_of(controlled(one), controlled(other, took=150_000))
    assert row.judgement is Judgement.INCONCLUSIVE
    side = "baseline" if one > other else "candidate"
    assert row.reason.startswith(f"Control of numpy/cpu in the {side}: one code was")
    assert row.ratio.point == pytest.approx(1.5)


def test_controls_of_another_backend_say_nothing():
    rows = timed(JAX, 100_000, 100_000)
    bad = controlled(1.5)
    both = stored((*bad.header.cases, JAX), [*bad.measurements, *rows])
    found = {row.case: row for row in compare_runs(both, both).ratios}
    assert found[NUMPY.id].judgement is Judgement.INCONCLUSIVE
    assert found[JAX.id].judgement is Judgement.SAME


def wrong(of, **changes):
    return measurement(
        of,
        status=Status.PARITY_FAILED,
        environment=HERE.fingerprint,
        checks=(agreement(passed=False),),
        **changes,
    )


def test_values_that_went_wrong_are_said_and_leave_no_speed():
    one = stored((JAX, PARITY), [*timed(JAX, 100, 100), measurement(PARITY)])
    other = stored((JAX, PARITY), [*timed(JAX, 50, 50), wrong(PARITY)])
    found = compare_runs(one, other)
    (change,) = found.standings
    assert change.case == PARITY.id
    assert (change.baseline, change.candidate) == (Status.OK, Status.PARITY_FAILED)
    assert change.went_wrong
    assert change.reason == "a reason"
    assert found.ratios == ()
    (lost,) = found.uncompared
    assert lost.case == JAX.id
    assert "wrong values in another measure of the candidate" in lost.reason
    # the other way round they went right, and still there is no speed
    back = compare_runs(other, one)
    assert not back.standings[0].went_wrong
    assert back.ratios == ()


def test_values_that_went_wrong_come_first():
    crashed = measurement(NUMPY, status=Status.CRASHED)
    one = stored((NUMPY, JAX, PARITY), [crashed, *timed(JAX, 100), measurement(PARITY)])
    other = stored((NUMPY, JAX, PARITY), [crashed, wrong(JAX), wrong(PARITY)])
    found = compare_runs(one, other)
    assert [row.case for row in found.standings] == [JAX.id, PARITY.id, NUMPY.id]
    assert [row.went_wrong for row in found.standings] == [True, True, False]


def test_a_case_that_is_invalid_has_no_speed():
    bad = measurement(NUMPY, 2, status=Status.INVALID)
    other = stored((NUMPY,), [*timed(NUMPY, 100, 100), bad])
    found = compare_runs(run_of(100, 100), other)
    assert found.ratios == ()
    assert [row.candidate for row in found.standings] == [Status.INVALID]


def test_a_process_that_was_lost_costs_no_other():
    lost = measurement(NUMPY, 2, status=Status.TIMED_OUT)
    other = stored((NUMPY,), [*timed(NUMPY, 200_000, 200_000), lost])
    found = compare_runs(run_of(100_000, 100_000), other)
    assert [row.candidate for row in found.standings] == [Status.TIMED_OUT]
    assert found.ratios[0].judgement is Judgement.SLOWER


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((Status.OK, Status.OK), Status.OK),
        ((Status.OK, Status.RAISED), Status.RAISED),
        ((Status.CRASHED, Status.PARITY_FAILED), Status.PARITY_FAILED),
        ((), "not_measured"),
    ],
)
def test_a_case_stands_as_its_worst_process(statuses, worst):
    rows = [measurement(NUMPY, status=status).observation for status in statuses]
    assert standing(rows) == worst


def test_a_check_that_failed_is_wrong_values_whatever_is_said():
    row = measurement(NUMPY, checks=(agreement(passed=False),)).observation
    assert standing([row]) is Status.PARITY_FAILED


def with_outputs(*digests, seed=0):
    rows = [
        measurement(PARITY, process, outputs=(each,) if each else ())
        for process, each in enumerate(digests)
    ]
    return stored((PARITY,), rows, experiment=experiment(seed=seed))


SAME, OTHER = digest("a" * 64), digest("b" * 64)


@pytest.mark.parametrize(
    ("one", "other", "sameness", "words"),
    [
        (with_outputs(SAME), with_outputs(SAME, SAME), "equal", ""),
        (with_outputs(SAME), with_outputs(OTHER), "changed", "not the same bits"),
        (with_outputs(SAME), with_outputs(None), "changed", "only the baseline"),
        (with_outputs(None), with_outputs(SAME), "changed", "only the candidate"),
        (
            with_outputs(SAME),
            with_outputs(SAME, OTHER),
            "untold",
            "processes of the candidate differ",
        ),
        (
            with_outputs(SAME, OTHER),
            with_outputs(SAME, OTHER),
            "untold",
            "processes of the baseline and the candidate differ",
        ),
        (with_outputs(SAME), with_outputs(OTHER, seed=1), "untold", "from seed 1"),
        # inputs that nobody draws are the same for every seed
        (with_outputs(SAME), with_outputs(SAME, seed=1), "equal", ""),
    ],
)
def test_outputs_are_compared_bit_by_bit(one, other, sameness, words):
    (row,) = compare_runs(one, other).outputs
    assert row.sameness == sameness
    assert words in row.reason
    assert (row.reason == "") == (sameness == "equal")


def counted(*counters):
    rows = [
        measurement(COUNTERS, process, counters=each)
        for process, each in enumerate(counters)
    ]
    return stored((COUNTERS,), rows)


@pytest.mark.parametrize(
    ("one", "other", "sameness"),
    [
        (({"flops": 100.0},), ({"flops": 100.0},), "equal"),
        (({"flops": 100.0},), ({"flops": 101.0},), "changed"),
        (({"flops": 100.0},), ({},), "untold"),
        (({"flops": 1.0}, {"flops": 2.0}), ({"flops": 2.0}, {"flops": 1.0}), "equal"),
        (({"flops": 1.0}, {"flops": 2.0}), ({"flops": 2.0},), "changed"),
        # small objects of Python come and go
        (
            ({"allocated_peak_bytes": 334_371.0},),
            ({"allocated_peak_bytes": 335_728.0},),
            "equal",
        ),
        (
            ({"allocated_peak_bytes": 334_371.0},),
            ({"allocated_peak_bytes": 350_000.0},),
            "changed",
        ),
    ],
)
def test_what_is_counted_is_compared_exactly(one, other, sameness):
    (row,) = compare_runs(counted(*one), counted(*other)).counters
    assert row.sameness == sameness
    (name,) = one[0]
    assert row.baseline == tuple(sorted(each[name] for each in one))


def test_a_case_of_one_run_alone_is_listed_with_the_reason():
    rows = timed(NUMPY, 100, 100)
    both = stored((NUMPY, JAX), [*rows, *timed(JAX, 50, 50)])
    skip = Skip(case=JAX.id, reason="device gpu: none visible to jax.")
    skipped = stored((NUMPY,), rows, skipped=(skip,))
    narrow = stored((NUMPY,), rows)
    stopped = stored((NUMPY, JAX), rows, status="interrupted")

    def why(one, other):
        (row,) = compare_runs(one, other).uncompared
        assert row.case == JAX.id
        return row.reason

    assert why(both, skipped) == (
        "the candidate skipped it: device gpu: none visible to jax."
    )
    assert why(both, narrow) == "the candidate was not asked for it."
    assert why(narrow, both) == "the baseline was not asked for it."
    assert why(stopped, both) == "the baseline did not come to it: it is interrupted."
    # what neither could measure is nothing to compare
    assert compare_runs(skipped, skipped).uncompared == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel_version": "2"}, "kernel is version '1' in the baseline, '2' in the"),
        ({"params": {"n": 2}}, "its params is another in the candidate"),
        ({"detector": None}, ""),
    ],
)
def test_another_work_under_one_name_is_not_compared(changes, words):
    other = case("numpy", **changes)
    found = compare_runs(run_of(100, 100), run_of(900, 900, of=other))
    assert found.ratios == ()
    if other.id == NUMPY.id:
        (row,) = found.uncompared
        assert words in row.reason
    else:
        assert [row.case for row in found.uncompared] == [NUMPY.id, other.id]


def test_another_detector_of_the_same_name_is_another_work():
    larger = NUMPY.detector.model_copy(update={"shape": (16, 16)})
    other = case("numpy", detector=larger)
    assert other.id == NUMPY.id
    (row,) = compare_runs(run_of(100, 100), run_of(100, 100, of=other)).uncompared
    assert row.reason.startswith("its detector is another")


def test_a_selection_narrows_all_of_it():
    both = stored((NUMPY, JAX), [*timed(NUMPY, 1, 1), *timed(JAX, 1, 1)])
    found = compare_runs(both, both, lambda name: "jax" in name)
    assert [row.case for row in found.ratios] == [JAX.id]


def test_differences_of_circumstances_come_along():
    there = environment(host="there")
    other = stored((NUMPY,), timed(NUMPY, 100, 100, where=there), (there,))
    found = compare_runs(run_of(100, 100), other)
    assert [row.name for row in found.refusals] == ["host"]
    assert compare_runs(other, other).refusals == ()


times = st.lists(st.integers(1_000, 10**9), min_size=1, max_size=5)
clocks = st.sampled_from(["cpu", "wall", "least_disturbed", None])
OPPOSITE = {
    Judgement.FASTER: Judgement.SLOWER,
    Judgement.SLOWER: Judgement.FASTER,
    Judgement.SAME: Judgement.SAME,
    Judgement.INCONCLUSIVE: Judgement.INCONCLUSIVE,
}


@settings(deadline=None)
@given(times, times, clocks)
def test_turning_the_runs_round_inverts_ratio_and_judgement(one, other, clock):
    first, second = run_of(*one, clock=clock), run_of(*other, clock=clock)
    there, back = ratio_of(first, second), ratio_of(second, first)
    assert there.ratio.point == pytest.approx(1 / back.ratio.point, rel=1e-9)
    assert there.ratio.lower == pytest.approx(1 / back.ratio.upper, rel=1e-9)
    assert back.judgement is OPPOSITE[there.judgement]
    # None where one process of a run is all there is
    both = [row.smallest_change or 0.0 for row in (there, back)]
    assert both[0] == pytest.approx(both[1], rel=1e-9)


@settings(deadline=None)
@given(times, clocks)
def test_a_run_is_neither_faster_nor_slower_than_itself(values, clock):
    made = run_of(*values, clock=clock)
    row = ratio_of(made, made)
    assert row.judgement in {Judgement.SAME, Judgement.INCONCLUSIVE}
    assert row.ratio.point == 1


@given(times.filter(lambda values: len(values) > 1), st.floats(1.0, 1.199))
@settings(deadline=None)
def test_what_a_day_may_do_is_never_called_a_change(values, factor):
    later = [max(1, math.floor(value * factor)) for value in values]
    row = ratio_of(run_of(*values), run_of(*later))
    assert row.judgement in {Judgement.SAME, Judgement.INCONCLUSIVE}


def test_no_number_of_processes_narrows_an_interval_below_the_drift():
    row = ratio_of(run_of(*[100_000] * 100), run_of(*[100_000] * 100))
    # t(0.975, 8) = 2.306, of two runs
    least = 2.306 * math.sqrt(2) * DRIFTS["cpu"].prior.sd
    assert math.log(row.ratio.upper) == pytest.approx(least, rel=0.02)
