"""Intervals against what is claimed, and what becomes of claims without a number."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from making import agreement, case, experiment, header, measurement, samples

from xpcs_bench.analysis.claims import (
    judge_behaviour,
    judge_bounds,
    judge_claims,
    quotient,
)
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.config import Bounds, Claim, ClaimSide, Expectation, Selection
from xpcs_bench.records import (
    BehaviourSeen,
    ClaimCases,
    Estimate,
    Outcome,
    Skip,
    Status,
    Variant,
)

NUMPY, JAX = case("numpy"), case("jax")
FIRST = case("jax", measure="first_call")
NUMPY_FIRST = case("numpy", measure="first_call")
PARITY = case("jax", measure="parity")


def bounds(lower=None, upper=None):
    return Bounds(lower=lower, upper=upper, text="as the test says")


def estimate(lower, upper, unit="s"):
    return Estimate(
        point=(lower + upper) / 2,
        lower=lower,
        upper=upper,
        confidence=0.95,
        statistic="stated by the test",
        n_processes=3,
        n_samples=3,
        unit=unit,
    )


@pytest.mark.parametrize(
    ("lower", "upper", "claimed", "outcome"),
    [
        (2, 3, bounds(1, 4), Outcome.PASS),
        (1, 4, bounds(1, 4), Outcome.PASS),
        (2, 3, bounds(upper=4), Outcome.PASS),
        (2, 3, bounds(lower=1), Outcome.PASS),
        (5, 6, bounds(1, 4), Outcome.FAIL),
        (0.1, 0.9, bounds(1, 4), Outcome.FAIL),
        (5, 6, bounds(upper=4), Outcome.FAIL),
        (0.1, 0.9, bounds(lower=1), Outcome.FAIL),
        (3, 5, bounds(1, 4), Outcome.INCONCLUSIVE),
        (4, 5, bounds(1, 4), Outcome.INCONCLUSIVE),
        (0.5, 1, bounds(1, 4), Outcome.INCONCLUSIVE),
        (0.5, 5, bounds(1, 4), Outcome.INCONCLUSIVE),
        (0.5, 1.5, bounds(lower=1), Outcome.INCONCLUSIVE),
    ],
)
def test_an_interval_is_inside_outside_or_across(lower, upper, claimed, outcome):
    found, reason = judge_bounds(estimate(lower, upper), claimed)
    assert found is outcome
    assert reason.endswith(".")


def test_a_reason_says_how_far_it_is_off():
    _, reason = judge_bounds(estimate(0.8, 0.9), bounds(0.05, 0.2))
    assert reason == "even its lower end is 4 times the most that is claimed."
    _, reason = judge_bounds(estimate(0.4, 0.5, "x"), bounds(10, 100))
    assert reason == "even its upper end is 0.05 times the least that is claimed."
    _, reason = judge_bounds(estimate(0.1, 0.3), bounds(upper=0.2))
    assert "goes across 200 ms" in reason
    _, reason = judge_bounds(estimate(0.1, 0.3), bounds(upper=0.0))
    assert reason == "even its lower end is not 0, as is claimed."


NUMBER = st.floats(1e-9, 1e9)
RANGE = st.tuples(NUMBER, NUMBER).map(sorted)


@given(measured=RANGE, claimed=RANGE)
def test_the_outcome_is_that_of_all_numbers_of_the_interval(measured, claimed):
    lower, upper = claimed
    outcome, _ = judge_bounds(estimate(*measured), bounds(lower, upper))
    inside = [lower <= end <= upper for end in measured]
    # a range between the ends of the interval is missed by both
    apart = measured[1] < lower or measured[0] > upper
    assert (outcome is Outcome.PASS) == all(inside)
    assert (outcome is Outcome.FAIL) == apart


@given(measured=RANGE, claimed=RANGE, inner=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_better_known_number_never_turns_a_verdict(measured, claimed, inner):
    outcome, _ = judge_bounds(estimate(*measured), bounds(*claimed))
    assume(outcome is not Outcome.INCONCLUSIVE)
    lower, upper = measured
    ends = sorted(min(upper, lower + part * (upper - lower)) for part in inner)
    assert judge_bounds(estimate(*ends), bounds(*claimed))[0] is outcome


@given(of=RANGE, over=RANGE)
def test_a_quotient_holds_every_quotient_of_what_both_hold(of, over):
    found = quotient(estimate(*of), estimate(*over))
    for above in of:
        for below in over:
            slack = 1e-12 * above / below
            assert found.lower - slack <= above / below <= found.upper + slack


def test_nothing_is_a_quotient_of_what_may_be_nothing():
    with pytest.raises(ValueError, match="below the line"):
        quotient(estimate(1, 2), estimate(0, 1))


def seen(kind="returned", **changes):
    return BehaviourSeen(behaviour="b", kind=kind, **changes)


TYPE_ERROR = ("UnicodeError", "ValueError", "Exception")


@pytest.mark.parametrize(
    ("found", "expect", "outcome"),
    [
        (seen("raised", exceptions=TYPE_ERROR), {"raises": "ValueError"}, "pass"),
        (seen("raised", exceptions=TYPE_ERROR), {"raises": "TypeError"}, "fail"),
        (seen(), {"raises": "TypeError"}, "fail"),
        (seen("died"), {"raises": "TypeError"}, "fail"),
        (seen("died"), {"fails": True}, "pass"),
        (seen("raised", exceptions=TYPE_ERROR), {"fails": True}, "pass"),
        (seen(observed={"pixels equal": False}), {"fails": True}, "pass"),
        (seen(observed={"pixels equal": True}), {"fails": True}, "fail"),
        (seen(observed={"a": True, "b": 3}), {"shows": {"a": True}}, "pass"),
        (seen(observed={"a": False}), {"shows": {"a": True}}, "fail"),
        (seen(observed={"a": 1}), {"shows": {"a": True}}, "fail"),
        (seen(observed={"a": True}), {"shows": {"a": 1}}, "fail"),
        (seen(observed={"a": 2.0}), {"shows": {"a": 2}}, "pass"),
        (seen(), {"shows": {"a": True}}, "fail"),
        (seen("raised", exceptions=TYPE_ERROR), {"shows": {"a": True}}, "fail"),
        (seen(observed={"a": 96}), {"shows": {"a": bounds(60)}}, "pass"),
        (seen(observed={"a": 59}), {"shows": {"a": bounds(60)}}, "fail"),
        (seen(observed={"a": 0.5}), {"shows": {"a": bounds(upper=0.4)}}, "fail"),
        (seen(observed={"a": True}), {"shows": {"a": bounds(0, 2)}}, "fail"),
        (seen(observed={"a": "x"}), {"shows": {"a": bounds(0, 2)}}, "fail"),
        (seen("absent", message="no Qt"), {"fails": True}, "skip"),
        (seen("lost", message="too slow"), {"fails": True}, "error"),
    ],
)
def test_what_was_met_with_decides(found, expect, outcome):
    judged, reason = judge_behaviour(found, Expectation(**expect))
    assert judged.value == outcome
    assert reason


def test_a_reason_names_what_was_seen_instead():
    found = seen(observed={"type": "float32", "heard": True})
    _, reason = judge_behaviour(found, Expectation(shows={"type": "float64"}))
    assert reason == "not as claimed: type is float32."
    absent = seen("absent", message="no Qt")
    assert "no Qt" in judge_behaviour(absent, Expectation(fails=True))[1]


def claim(expect=None, **changes):
    values = {
        "id": "c",
        "says": "It is fast.",
        "source": "a document",
        "expect": Expectation(bounds=expect or bounds(1e-9, 1.0)),
    }
    return Claim(**(values | changes))


def side(metric="steady_state"):
    return ClaimSide(metric=metric, where=Selection())


def decided(of_claim, row, *, cases, measurements=(), skipped=(), behaviours=()):
    made = header(
        *cases,
        skipped=skipped,
        experiment=experiment(claims=(of_claim,)),
        claims=(row,),
    )
    summary = summarise(made.cases, made.groups, measurements)
    (found,) = judge_claims(made, measurements, behaviours, summary)
    return found


def timed(of, *times_ns):
    return [
        measurement(of, process, samples=samples(*[time] * 8))
        for process, time in enumerate(times_ns)
    ]


METRIC = {"of": side()}
OF_JAX = ClaimCases(claim="c", of=JAX.id)


def test_a_metric_is_held_against_its_estimate():
    found = decided(
        claim(bounds(5e-7, 2e-6), **METRIC),
        OF_JAX,
        cases=(JAX,),
        measurements=timed(JAX, 1000, 1010, 990),
    )
    assert found.outcome is Outcome.PASS
    assert found.measured.point == pytest.approx(1e-6, rel=0.02)
    assert (found.says, found.claimed) == ("It is fast.", "as the test says")
    assert found.evidence == ("/summary/estimates/0",)


def test_a_ratio_within_a_group_is_formed_within_pairs_of_processes():
    # each process of both is as slow: the ratio is known far better than the times
    rows = timed(NUMPY, 2000, 4000, 8000) + timed(JAX, 1000, 2000, 4000)
    found = decided(
        claim(bounds(1.9, 2.1), of=side(), over=side()),
        ClaimCases(claim="c", of=NUMPY.id, over=JAX.id),
        cases=(NUMPY, JAX),
        measurements=rows,
    )
    assert found.outcome is Outcome.PASS
    assert found.measured.point == pytest.approx(2.0)
    assert "within pairs" in found.measured.statistic
    assert len(found.evidence) == 2


def test_a_ratio_of_two_measures_combines_the_ends():
    rows = timed(JAX, 1000, 1010, 990)
    rows += [measurement(FIRST, p, value=v) for p, v in enumerate((0.1, 0.11, 0.09))]
    found = decided(
        claim(bounds(5e4, 2e5), of=side("first_call"), over=side()),
        ClaimCases(claim="c", of=FIRST.id, over=JAX.id),
        cases=(JAX, FIRST),
        measurements=rows,
    )
    assert found.outcome is Outcome.PASS
    assert found.measured.statistic == "quotient of two estimates, ends combined"
    assert found.measured.unit == "x"


def test_first_calls_of_two_variants_are_a_group_too():
    rows = [measurement(FIRST, p, value=0.2) for p in range(3)]
    rows += [measurement(NUMPY_FIRST, p, value=0.1) for p in range(3)]
    found = decided(
        claim(bounds(1.0, 4.0), of=side("first_call"), over=side("first_call")),
        ClaimCases(claim="c", of=FIRST.id, over=NUMPY_FIRST.id),
        cases=(NUMPY_FIRST, FIRST),
        measurements=rows,
    )
    assert found.measured.point == pytest.approx(2.0)
    assert "within pairs" in found.measured.statistic


def part(control):
    variant = Variant(backend="jax", device="cpu", dtype="float64", control=control)
    return case("jax", variant=variant)


def test_a_failing_control_takes_the_verdict_from_a_comparison():
    controls = tuple(part(control) for control in ("first", "again", "slowed"))
    rows = timed(NUMPY, 2000, 2000, 2000) + timed(JAX, 1000, 1000, 1000)
    for of in controls:  # 15 % more calls take no longer here
        rows += timed(of, 1000, 1000, 1000)
    compared = claim(bounds(10, 100), of=side(), over=side())
    row = ClaimCases(claim="c", of=NUMPY.id, over=JAX.id)
    cases = (NUMPY, JAX, *controls)
    found = decided(compared, row, cases=cases, measurements=rows)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "Control of jax/cpu" in found.reason
    # what is said of one case alone does not rest on them
    alone = decided(
        claim(bounds(5e-7, 2e-6), **METRIC), OF_JAX, cases=cases, measurements=rows
    )
    assert alone.outcome is Outcome.PASS


def test_what_the_plan_skips_is_skipped_with_its_reason():
    reason = "device gpu: none visible to jax (visible: cpu)"
    found = decided(
        claim(**METRIC),
        ClaimCases(claim="c", of="elsewhere"),
        cases=(JAX,),
        skipped=(Skip(case="elsewhere", reason=reason),),
    )
    assert found.outcome is Outcome.SKIP
    assert reason in found.reason
    assert (found.measured, found.found) == (None, "")
    assert found.evidence == ("/header/skipped/0",)


def test_one_skipped_side_of_a_ratio_skips_it():
    found = decided(
        claim(of=side(), over=side()),
        ClaimCases(claim="c", of=JAX.id, over="elsewhere"),
        cases=(JAX,),
        measurements=timed(JAX, 1000),
        skipped=(Skip(case="elsewhere", reason="no GPU"),),
    )
    assert found.outcome is Outcome.SKIP


def test_a_case_that_was_lost_is_an_error():
    found = decided(
        claim(**METRIC),
        OF_JAX,
        cases=(JAX,),
        measurements=[measurement(JAX, status=Status.CRASHED)],
    )
    assert found.outcome is Outcome.ERROR
    assert "crashed: a reason" in found.reason
    assert found.evidence == ("/measurements/0",)


def test_without_parity_there_is_no_verdict_on_speed():
    wrong = measurement(
        JAX,
        status=Status.PARITY_FAILED,
        samples=samples(1),
        checks=(agreement(passed=False),),
    )
    found = decided(claim(**METRIC), OF_JAX, cases=(JAX,), measurements=[wrong])
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "values are wrong" in found.reason


def test_what_was_not_reached_cannot_be_told():
    found = decided(claim(**METRIC), OF_JAX, cases=(JAX,))
    assert found.outcome is Outcome.INCONCLUSIVE
    tried = claim(behaviour="b", expect=None)
    found = decided(tried, ClaimCases(claim="c"), cases=(JAX,))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "--resume" in found.reason


@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_values_agree_as_claimed_or_do_not(agrees, right):
    row = measurement(
        PARITY,
        status=Status.OK if right else Status.PARITY_FAILED,
        checks=(agreement(), agreement(passed=right)),
    )
    found = decided(
        claim(of=side("parity")).model_copy(
            update={"expect": Expectation(agrees=agrees)}
        ),
        ClaimCases(claim="c", of=PARITY.id),
        cases=(PARITY,),
        measurements=[row],
    )
    assert (found.outcome is Outcome.PASS) == (agrees is right)
    assert found.found.startswith(f"{1 + right} of 2 comparisons agree")
    first = 0 if right else 1
    assert found.evidence[0] == f"/measurements/0/observation/checks/{first}"


def test_a_behaviour_is_found_in_its_words():
    tried = Claim(
        id="c",
        says="s",
        source="d",
        behaviour="b",
        expect=Expectation(shows={"a": True}),
    )
    found = decided(
        tried,
        ClaimCases(claim="c"),
        cases=(JAX,),
        behaviours=(seen(observed={"a": True, "shift": 0.00017}),),
    )
    assert found.outcome is Outcome.PASS
    assert found.found == "a: True; shift: 0.00017"
    assert found.evidence == ("/behaviours/0",)
