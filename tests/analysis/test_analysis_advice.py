"""Who is ahead, by how much, and from which call on."""

import pytest
from advice_scripts import (
    GPU,
    JAX,
    NUMPY,
    failed,
    problem,
    record,
    rows,
    simple,
    variant,
)
from making import DETECTOR, case

from xpcs_bench.analysis.advice import advise
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.records import Judgement


def only(made):
    (found,) = advise(made).problems
    return found


def test_the_faster_comes_first_with_its_ratio_and_its_calls():
    found = only(record(*simple()))
    first, second = found.ranked
    assert (first.variant, second.variant) == (JAX, NUMPY)
    assert found.baseline == NUMPY.id
    assert first.ratio.point == pytest.approx(0.2, rel=0.01)
    assert first.judgement is Judgement.FASTER
    assert (first.standing, second.standing) == ("first", "behind")
    # the way back is one over it, end for end
    assert second.lead.point == pytest.approx(1 / first.ratio.point)
    assert second.lead.lower == pytest.approx(1 / first.ratio.upper)
    assert second.ratio is None
    # 1 + (100 - 10) / (10 - 2) calls, and 1 + (50 - 10) / 8 where a program goes on
    assert first.break_even.point == 13
    assert first.break_even_again.point == 6
    assert (first.compiles, second.compiles) == (True, False)
    assert found.told
    assert found.size_bytes == 1000


def test_the_calls_are_those_of_the_summary():
    made = record(*simple())
    (summary,) = made.summary.break_evens
    first = only(made).ranked[0]
    assert (first.break_even, first.break_even_reason) == (
        summary.calls,
        summary.reason,
    )


def test_the_baseline_may_be_the_first():
    first, second = only(record(*simple(numpy_s=2e-3, jax_s=4e-3))).ranked
    assert (first.variant, first.ratio, first.lead) == (NUMPY, None, None)
    assert second.judgement is Judgement.SLOWER
    assert second.lead == second.ratio
    assert (second.break_even, second.break_even_reason[:6]) == (None, "never:")


def test_within_the_margin_they_are_the_same():
    cases, measured = simple(numpy_s=10e-3, jax_s=10.01e-3)
    found = only(record(cases, measured))
    assert found.ranked[1].standing == "same"
    assert found.told


def test_an_interval_around_1_cannot_be_told():
    cases, measured = simple(numpy_s=10e-3, jax_s=9.5e-3, spread=0.1)
    # the other way round: processes that agree would tell
    slow = next(row for row in cases if row.variant == JAX)
    measured = [row for row in measured if row.case != slow.id]
    measured += rows(slow, 9.5e-3, spread=-0.1)
    found = only(record(cases, measured))
    assert found.ranked[1].standing == "cannot tell"
    assert not found.told
    assert advise(record(*simple())).problems[0].told


def test_a_failing_control_leaves_nothing_told():
    cases, measured = simple()
    trio = [
        case(variant=variant("jax", control=control))
        for control in ("first", "again", "slowed")
    ]
    controls = []
    for part in trio:
        # what is the same code is 40 % slower than itself
        controls += rows(part, 14e-3 if part.variant.control == "again" else 10e-3)
    found = only(record([*cases, *trio], [*measured, *controls]))
    first, second = found.ranked
    assert first.judgement is Judgement.INCONCLUSIVE
    assert first.reason.startswith("Control of jax/cpu: ")
    assert second.standing == "cannot tell"
    assert first.break_even is None
    assert first.break_even_reason.startswith("cannot tell: Control of jax/cpu")
    assert not found.told


def test_two_that_are_no_baseline_are_compared_through_it():
    times = {NUMPY: 10e-3, JAX: 4e-3, GPU: 2e-3}
    cases, measured = problem({who: {"steady_state": s} for who, s in times.items()})
    gpu, jax, _ = only(record(cases, measured)).ranked
    assert (gpu.variant, jax.variant) == (GPU, JAX)
    assert jax.lead.point == pytest.approx(2.0, rel=0.01)
    # wider than either: the ends of both are combined
    wide = jax.ratio.upper / jax.ratio.lower * gpu.ratio.upper / gpu.ratio.lower
    assert jax.lead.upper / jax.lead.lower == pytest.approx(wide)
    assert jax.standing == "behind"
    assert "not known" in gpu.break_even_reason


def test_types_are_ranked_apart():
    times = {
        NUMPY: 10e-3,
        variant("numpy", dtype="float32"): 5e-3,
        variant("jax", dtype="float32"): 1e-3,
    }
    cases, measured = problem({who: {"steady_state": s} for who, s in times.items()})
    double, single = advise(record(cases, measured)).problems
    assert [row.variant for row in double.ranked] == [NUMPY]
    assert not double.told
    assert single.baseline == "numpy/cpu/float32"
    assert single.ranked[0].ratio.point == pytest.approx(0.2, rel=0.01)


def test_what_calls_convert_is_a_question_of_its_own():
    both = variant("jax", converts="both")
    times = {
        NUMPY: {"steady_state": 10e-3},
        JAX: {"steady_state": 1e-3, "recompile": 0.5},
        both: {"steady_state": 20e-3},
    }
    plain, converting = advise(record(*problem(times))).problems
    assert [row.variant for row in plain.ranked] == [JAX, NUMPY]
    assert [row.variant for row in converting.ranked] == [NUMPY, both]
    assert (plain.converts, converting.converts) == ("nothing", "both")
    # the program that is compiled is the same
    assert converting.ranked[1].recompile == plain.ranked[0].recompile


def test_what_was_not_sampled_in_turn_is_not_told():
    cases, measured = simple()
    slow = next(row for row in cases if row.variant == NUMPY)
    measured = [
        row.model_copy(update={"process": row.process + 9})
        if row.case == slow.id
        else row
        for row in measured
    ]
    first, second = only(record(cases, measured)).ranked
    assert "not sampled in turn" in second.reason
    assert second.standing == "cannot tell"
    assert first.judgement is Judgement.INCONCLUSIVE


def test_wrong_values_take_the_variant_and_say_so():
    cases, measured = simple()
    parity = case("jax", "parity")
    found = only(record([*cases, parity], [*measured, *failed(parity)]))
    assert [row.variant for row in found.ranked] == [NUMPY]
    (loss,) = found.not_run
    assert (loss.variant, loss.reason) == (
        JAX,
        "parity failed: 1 of 64 elements beyond tolerance",
    )
    assert not found.told


def test_a_run_that_ended_before_says_so():
    cases, measured = simple()
    measured = [row for row in measured if "jax" not in row.case]
    (loss,) = only(record(cases, measured)).not_run
    assert "the run ended before" in loss.reason


def test_what_was_skipped_is_of_its_problem():
    cases, measured = simple()
    reason = "device gpu: none visible to jax (visible: cpu)"
    skips = [
        (f"toy/small/{GPU.id}/steady_state", reason),
        (f"toy/small/{GPU.id}/first_call", reason),
        (f"toy/huge/{NUMPY.id}/steady_state", "memory: needs about 40 GiB"),
    ]
    advice = advise(record(cases, measured, skips))
    (found,) = advice.problems
    assert [(row.variant, row.reason) for row in found.not_run] == [(GPU, reason)]
    (lost,) = advice.not_run
    assert (lost.problem, lost.variant) == ("toy/huge", NUMPY)


def test_a_type_of_which_all_was_skipped_has_no_rank():
    cases, measured = simple()
    single = variant("jax", "gpu", "float32")
    skips = [(f"toy/small/{single.id}/steady_state", "no device")]
    _, found = advise(record(cases, measured, skips)).problems
    assert (found.dtype, found.ranked, found.baseline) == ("float32", (), None)
    assert found.detector == DETECTOR
    assert not found.told


@pytest.mark.parametrize(
    "changes",
    [
        {"implementation": "other"},
        {"compilation_cache": "warm"},
        {"revision": "baseline"},
        {"control": "first"},
    ],
)
def test_what_no_program_gets_is_not_ranked(changes):
    cases, measured = problem({variant("jax", **changes): {"steady_state": 1e-3}})
    assert advise(record(cases, measured)).problems == ()


def test_a_record_from_before_has_no_size():
    cases, measured = simple(least_bytes=None)
    found = only(record(cases, measured))
    assert found.size_bytes is None
    assert found.told


def test_where_no_cached_call_was_asked_for_there_is_no_advice():
    cases, measured = problem({NUMPY: {"first_call": 1e-3}})
    assert advise(record(cases, measured)).problems == ()
    assert summarise(cases, (), measured).estimates
