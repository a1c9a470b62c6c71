import numpy as np
import pytest
from making import case, group, measurement, samples

from xpcs_bench.analysis.controls import judge_control
from xpcs_bench.analysis.estimate import Prior
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.records import Judgement, Outcome, Variant


def part(control, backend="numpy", device="cpu"):
    variant = Variant(backend=backend, device=device, dtype="float64", control=control)
    return case(backend, variant=variant)


FIRST, AGAIN, SLOWED = (part(control) for control in ("first", "again", "slowed"))
TRIO = group(FIRST, AGAIN, SLOWED)
NUMPY, JAX = case("numpy"), case("jax")
PRIOR = Prior(sd=0.02)


def told(candidate, *ratios):
    """What is said of a candidate that took so much of the first's time, by process."""
    return judge_control(
        TRIO, candidate, [1.0] * len(ratios), list(ratios), PRIOR, len(ratios)
    )


def test_one_code_that_is_not_told_apart_from_itself_passes():
    found = told(AGAIN, 1.01, 0.98, 1.0)
    assert (found.kind, found.outcome) == ("same", Outcome.PASS)
    assert found.ratio.confidence == 0.999
    assert found.reason == (
        "one code was not told apart from itself: ratio 0.997 [0.935, 1.062] at 99.9 %."
    )


@pytest.mark.parametrize(("factor", "word"), [(1.2, "slower"), (0.8, "faster")])
def test_one_code_that_differs_from_itself_fails(factor, word):
    found = told(AGAIN, factor, factor * 1.01, factor * 0.99)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason.startswith(f"one code was found {word} than itself: ratio")


def test_what_is_called_the_same_anyway_is_no_failure():
    # 1 % apart in every one of 60 processes: it is not 1, and it is within the margin
    found = told(AGAIN, *[1.01] * 60)
    assert found.ratio.lower > 1
    assert found.outcome is Outcome.PASS


def test_a_doubt_of_one_in_twenty_is_no_failure():
    found = told(AGAIN, 1.05, 1.06, 1.04)
    assert found.outcome is Outcome.PASS
    assert told(SLOWED, 1.05, 1.06, 1.04).outcome is Outcome.PASS


def test_slowed_code_that_is_found_passes():
    found = told(SLOWED, 1.15, 1.16, 1.14)
    assert (found.kind, found.outcome) == ("slowed", Outcome.PASS)
    assert found.ratio.confidence == 0.95
    assert found.reason.startswith("15.0 % more calls were found: ratio 1.150 [")


@pytest.mark.parametrize("ratios", [(1.0, 1.01, 0.99), (0.8, 1.5, 1.2), (0.8, 0.8)])
def test_slowed_code_that_is_not_found_fails_and_says_what_would_have_been(ratios):
    found = told(SLOWED, *ratios)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason.startswith("15.0 % more calls were not found: ratio ")
    assert " Nothing below " in found.reason


@pytest.mark.parametrize("candidate", [AGAIN, SLOWED])
def test_one_pair_of_processes_cannot_tell(candidate):
    found = told(candidate, 1.15)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason.startswith("fewer than 2 processes measured both sides")
    assert "sampling.processes" in found.reason
    nothing = told(candidate)
    assert nothing.outcome is Outcome.INCONCLUSIVE
    assert nothing.ratio is None


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_sound_machine_fails_no_more_than_one_control_in_a_hundred(n):
    """Processes of one code that differ by 2 %, as on shared machines."""
    rng = np.random.default_rng(20261128)
    passed = {"same": 0, "slowed": 0}
    trials = 2000
    for _ in range(trials):
        first = np.exp(rng.normal(0, 0.02, n)).tolist()
        for candidate, factor in ((AGAIN, 1.0), (SLOWED, 1.15)):
            values = (factor * np.exp(rng.normal(0, 0.02, n))).tolist()
            found = judge_control(TRIO, candidate, first, values, PRIOR, n)
            passed[found.kind] += found.outcome is Outcome.PASS
    assert min(passed.values()) >= 0.99 * trials


def measured(*, again=1.0, slowed=1.15, processes=3):
    """Measurements of a control on numpy, and of numpy and jax, at half its time."""
    times = [
        (FIRST, 100_000),
        (AGAIN, round(100_000 * again)),
        (SLOWED, round(100_000 * slowed)),
        (NUMPY, 100_000),
        (JAX, 50_000),
    ]
    return [
        measurement(of, process, samples=samples(took, took))
        for of, took in times
        for process in range(processes)
    ]


def concluded(rows, *cases):
    everything = (NUMPY, JAX, FIRST, AGAIN, SLOWED, *cases)
    groups = {}
    for of in everything:
        groups.setdefault(of.group_id, []).append(of)
    return summarise(everything, [group(*each) for each in groups.values()], rows)


def test_controls_are_no_comparisons_and_have_no_estimates():
    summary = concluded(measured())
    assert {row.case for row in summary.estimates} == {NUMPY.id, JAX.id}
    (comparison,) = summary.comparisons
    assert (comparison.baseline, comparison.candidate) == (NUMPY.id, JAX.id)
    assert comparison.judgement is Judgement.FASTER
    assert comparison.reason == ""
    assert [(row.kind, row.outcome) for row in summary.controls] == [
        ("same", Outcome.PASS),
        ("slowed", Outcome.PASS),
    ]
    assert {row.group for row in summary.controls} == {
        "controls/toy/small/numpy/cpu/steady_state"
    }


@pytest.mark.parametrize("wrong", [{"again": 1.2}, {"slowed": 1.0}, {"processes": 1}])
def test_a_failing_control_takes_the_judgement_and_says_why(wrong):
    summary = concluded(measured(**wrong))
    failed = [row.reason for row in summary.controls if row.outcome is not Outcome.PASS]
    (comparison,) = summary.comparisons
    assert comparison.judgement is Judgement.INCONCLUSIVE
    assert comparison.smallest_change is None
    assert comparison.reason.startswith("Control of numpy/cpu: ")
    assert failed
    assert all(reason in comparison.reason for reason in failed)
    # the evidence is not touched
    assert comparison.ratio.point == pytest.approx(0.5)


def test_a_control_that_was_not_reached_cannot_vouch_for_anything():
    rows = [row for row in measured() if row.case in {NUMPY.id, JAX.id}]
    summary = concluded(rows)
    assert [row.ratio for row in summary.controls] == [None, None]
    assert summary.comparisons[0].judgement is Judgement.INCONCLUSIVE


def test_a_control_speaks_for_its_own_backend_and_device_alone():
    other = [part(control, "torch", "gpu") for control in ("first", "again", "slowed")]
    gpu = [
        measurement(of, process, samples=samples(100_000))
        for of in other
        for process in range(3)
    ]
    summary = concluded([*measured(), *gpu], *other)
    assert Outcome.INCONCLUSIVE in {row.outcome for row in summary.controls}
    assert summary.comparisons[0].judgement is Judgement.FASTER


def test_conversions_depend_on_controls_and_first_calls_do_not():
    sides = {
        measure: [
            case(backend, measure, boundary=boundary) for backend in ("numpy", "jax")
        ]
        for measure, boundary in (("conversion", "to_host_copy"), ("first_call", None))
    }
    rows = measured(slowed=1.0)
    for process in range(3):
        for side, took in zip(sides["conversion"], (100_000, 50_000), strict=True):
            rows.append(measurement(side, process, samples=samples(took)))
        for side, took in zip(sides["first_call"], (0.1, 1.0), strict=True):
            rows.append(measurement(side, process, value=took))
    summary = concluded(rows, *sides["conversion"], *sides["first_call"])
    judged = {
        row.metric: (row.judgement, bool(row.reason)) for row in summary.comparisons
    }
    assert judged == {
        "steady_state": (Judgement.INCONCLUSIVE, True),
        "conversion": (Judgement.INCONCLUSIVE, True),
        "first_call": (Judgement.SLOWER, False),
    }
    # a saving that nobody vouches for pays for nothing
    (break_even,) = summary.break_evens
    assert break_even.calls is None
    assert "control" in break_even.reason


def test_no_change_within_the_margin_is_promised_to_be_seen():
    rows = []
    for process in range(60):
        rows.append(measurement(NUMPY, process, samples=samples(100_000)))
        rows.append(measurement(JAX, process, samples=samples(100_000)))
    (comparison,) = summarise((NUMPY, JAX), (group(NUMPY, JAX),), rows).comparisons
    assert comparison.judgement is Judgement.SAME
    assert comparison.smallest_change == 0.02
    (few,) = summarise((NUMPY, JAX), (group(NUMPY, JAX),), rows[:4]).comparisons
    assert few.smallest_change > 0.02
