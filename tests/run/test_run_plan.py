from dataclasses import replace
from pathlib import Path

import pytest
from making import experiment

from xpcs_bench.config import Detector, KernelChoice, Matrix, Selector
from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.kernels.kernel import Problem
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.records import Case, Device, RunRecord
from xpcs_bench.run.plan import Plan, make_plan, select
from xpcs_bench.run.wire import Availability

LIMIT = 8 * 2**30


def available(*platforms):
    return Availability(
        available=True,
        reason="",
        version="1",
        devices=tuple(
            Device(platform=platform, index=0, name=platform, memory_bytes=None)
            for platform in platforms
        ),
    )


BOTH = {"numpy": available("cpu"), "jax": available("cpu")}
CHOICE = (KernelChoice(name="sound", params={"size": (64, 128)}),)


def planned(availability=BOTH, limit=LIMIT, matrix=None, **changes):
    values = {"kernels": CHOICE, "measure": ("steady_state", "parity")} | changes
    matrix = {
        "backend": ("numpy", "jax"),
        "device": ("cpu",),
        "dtype": ("float64",),
    } | (matrix or {})
    return make_plan(experiment(matrix=Matrix(**matrix), **values), availability, limit)


def test_the_matrix_is_crossed(plugins):
    plan = planned()
    assert [case.id for case in plan.cases] == [
        f"{problem}/{backend}/cpu/float64/{measure}"
        for problem in ("sound", "sound[size=128]")
        for backend in ("numpy", "jax")
        for measure in ("steady_state", "parity")
    ]
    assert plan.skipped == ()


def test_groups_differ_in_the_variant_and_numpy_is_the_reference(plugins):
    plan = planned(matrix={"backend": ("jax", "numpy")})
    for group in plan.groups:
        assert len(group.cases) == 2
        assert "/numpy/" in group.reference


def test_a_kernel_that_needs_no_detector_is_not_crossed_with_detectors(plugins):
    detectors = tuple(
        Detector(name=name, shape=(8, 8), pixel_size_um=75.0) for name in "ab"
    )
    assert len(planned(detectors=detectors).cases) == len(planned().cases)


def test_an_absent_device_is_a_skip_with_its_reason(plugins):
    plan = planned(matrix={"device": ("cpu", "gpu")})
    assert len(plan.cases) == 8
    assert {skip.reason for skip in plan.skipped} == {
        "device gpu: none visible to numpy (visible: cpu)",
        "device gpu: none visible to jax (visible: cpu)",
    }


def test_an_absent_backend_is_a_skip_with_its_reason(plugins):
    missing = Availability(
        available=False, reason="jax is not installed", version=None, devices=()
    )
    plan = planned({"numpy": available("cpu"), "jax": missing})
    assert {skip.reason for skip in plan.skipped} == {
        "backend jax: jax is not installed"
    }
    unknown = planned({"numpy": available("cpu")})
    assert "not registered" in unknown.skipped[0].reason


def test_what_a_backend_cannot_do_is_a_skip_with_its_reason(plugins):
    choice = (KernelChoice(name="needs_gradients", params={}),)
    able = available("cpu").model_copy(update={"capabilities": ("grad",)})
    plan = planned({"numpy": available("cpu"), "jax": able}, kernels=choice)
    assert {case.variant.backend for case in plan.cases} == {"jax"}
    assert {group.reference for group in plan.groups} == {c.id for c in plan.cases}
    reason = "requires grad, which the backend numpy does not support"
    assert {skip.reason for skip in plan.skipped} == {
        f"kernel needs_gradients: {reason}"
    }


def test_a_backend_that_is_absent_is_told_before_what_it_could_not_do(plugins):
    choice = (KernelChoice(name="needs_gradients", params={}),)
    plan = planned({"numpy": available("cpu")}, kernels=choice)
    reasons = {skip.case.split("/")[1]: skip.reason for skip in plan.skipped}
    assert "not registered" in reasons["jax"]
    assert "requires grad" in reasons["numpy"]


def test_what_is_never_compiled_has_no_stages(plugins):
    names = ("sound", "never_compiled")
    choices = tuple(KernelChoice(name=name, params={}) for name in names)
    plan = planned(kernels=choices, measure=("stages", "parity"))
    assert {case.kernel for case in plan.cases if case.measure == "stages"} == {"sound"}
    assert {skip.reason for skip in plan.skipped if skip.case.startswith("never_")} >= {
        "the kernel has no stages: it is not compiled."
    }


def test_a_compilation_cache_is_an_axis_of_first_calls_alone(plugins):
    plan = planned(
        kernels=(
            KernelChoice(name="sound", params={}),
            KernelChoice(name="never_compiled", params={}),
        ),
        matrix={"compilation_cache": ("off", "warm")},
        measure=("first_call", "steady_state"),
    )
    warm = [case.id for case in plan.cases if "warm" in case.id]
    assert warm == ["sound/jax/cpu/float64/warm-cache/first_call"]
    assert {skip.reason for skip in plan.skipped} == {
        "compilation cache: numpy compiles nothing",
        "compilation cache: the kernel never_compiled compiles nothing",
        "compilation cache: it changes first calls, and no steady_state",
    }
    (first,) = (g for g in plan.groups if g.id == "sound/first_call")
    assert first.reference == "sound/numpy/cpu/float64/first_call"
    assert len(first.cases) == 3


def test_what_does_not_compile_cannot_compile_again(plugins):
    names = ("sound", "never_compiled")
    plan = planned(
        {**BOTH, "other": available("cpu")},
        kernels=tuple(KernelChoice(name=name, params={}) for name in names),
        matrix={"backend": ("numpy", "jax", "other")},
        measure=("first_call", "recompile"),
    )
    again = [case.id for case in plan.cases if case.measure == "recompile"]
    assert again == ["sound/jax/cpu/float64/recompile"]
    assert {skip.reason for skip in plan.skipped} == {
        "numpy has no recompilation: it does not compile.",
        "the kernel has no recompilation: it is not compiled.",
        (
            "other has no recompilation: of jax alone it is known how to make it "
            "forget what it has compiled."
        ),
    }
    (group,) = (g for g in plan.groups if g.id == "sound/recompile")
    assert (group.reference, *group.cases) == (*again, *again)


def test_a_recompile_finds_a_warm_cache_and_none_that_is_cold(plugins):
    plan = planned(
        kernels=(KernelChoice(name="sound", params={}),),
        matrix={"backend": ("jax",), "compilation_cache": ("off", "cold", "warm")},
        measure=("first_call", "recompile"),
    )
    firsts = {
        case.variant.compilation_cache
        for case in plan.cases
        if case.measure == "first_call"
    }
    assert firsts == {"off", "cold", "warm"}
    again = {
        case.variant.compilation_cache
        for case in plan.cases
        if case.measure == "recompile"
    }
    assert again == {"off", "warm"}
    (skip,) = plan.skipped
    assert skip.case == "sound/jax/cpu/float64/cold-cache/recompile"
    assert skip.reason == (
        "compilation cache: the first call of a process fills a cold one, so that its "
        "recompile finds a warm one"
    )


WAYS = ("nothing", "input", "output", "both")


def test_what_calls_convert_is_an_axis_of_first_and_cached_calls(plugins):
    plan = planned(
        kernels=(KernelChoice(name="sound", params={}),),
        matrix={"converts": WAYS},
        measure=("first_call", "steady_state", "parity"),
    )
    jax = [
        "jax/cpu/float64",
        *(f"jax/cpu/float64/converts-{way}" for way in WAYS[1:]),
    ]
    groups = {group.id: group for group in plan.groups}
    for measure in ("first_call", "steady_state"):
        group = groups[f"sound/{measure}"]
        # all in one group, and NumPy that converts nothing is what they are held to
        assert group.reference == f"sound/numpy/cpu/float64/{measure}"
        assert group.cases == (
            group.reference,
            *(f"sound/{variant}/{measure}" for variant in jax),
        )
    assert len(groups["sound/parity"].cases) == 2
    reasons = {}
    for skip in plan.skipped:
        reasons.setdefault(skip.reason, []).append(skip.case)
    alone = "converts: the arrays of numpy are the host's, and stay what they are"
    assert {reason: len(cases) for reason, cases in reasons.items()} == {
        alone: 9,
        "converts: first and cached calls convert, and no parity does": 3,
    }
    assert all("/numpy/" in case for case in reasons[alone])


def test_a_warm_cache_and_conversions_cross_in_first_calls_alone(plugins):
    plan = planned(
        kernels=(KernelChoice(name="sound", params={}),),
        matrix={
            "backend": ("jax",),
            "compilation_cache": ("off", "warm"),
            "converts": ("nothing", "both"),
        },
        measure=("first_call", "steady_state"),
    )
    ids = {case.variant.id for case in plan.cases if case.measure == "first_call"}
    assert ids == {
        f"jax/cpu/float64{cache}{way}"
        for cache in ("", "/warm-cache")
        for way in ("", "/converts-both")
    }
    cached = [case.id for case in plan.cases if case.measure == "steady_state"]
    assert cached == [
        "sound/jax/cpu/float64/steady_state",
        "sound/jax/cpu/float64/converts-both/steady_state",
    ]


def test_conversions_can_be_left_out_and_added_by_row(plugins):
    plan = planned(
        kernels=(KernelChoice(name="sound", params={}),),
        matrix={
            "converts": ("nothing", "both"),
            "exclude": (Selector(backend="numpy", converts="both"),),
            "include": (
                Selector(backend="jax", device="cpu", converts="output"),
                Selector(backend="jax", device="cpu", dtype="float32"),
            ),
        },
        measure=("steady_state",),
    )
    assert plan.skipped == ()
    assert [case.variant.id for case in plan.cases] == [
        "numpy/cpu/float64",
        "jax/cpu/float64",
        "jax/cpu/float64/converts-both",
        "jax/cpu/float64/converts-output",
        "jax/cpu/float32",
    ]


def test_without_conversions_a_plan_has_the_digest_from_before_there_was_a_choice():
    path = Path(__file__).parents[2] / "reports" / "example" / "run.json"
    text = path.read_text()
    assert '"converts"' not in text
    header = RunRecord.model_validate_json(text).header
    assert {case.variant.converts for case in header.cases} == {"nothing"}
    again = Plan(header.experiment, header.cases, header.groups, header.skipped, {})
    assert again.digest == header.plan_digest


def test_a_plan_with_conversions_is_another_plan(plugins):
    digests = {planned(matrix={"converts": (way,)}).digest for way in WAYS}
    assert len(digests) == len(WAYS)
    assert planned().digest in digests


def test_too_large_for_the_memory_is_a_skip_with_its_reason(plugins):
    choice = (KernelChoice(name="sound", params={"size": (64, 10**9)}),)
    plan = planned(kernels=choice)
    assert {case.problem_id for case in plan.cases} == {"sound"}
    assert all(skip.reason.startswith("memory: needs about") for skip in plan.skipped)


def test_exclude_leaves_out_and_include_adds(plugins):
    plan = planned(
        matrix={
            "exclude": (Selector(backend="jax", measure="parity"),),
            "include": (Selector(backend="jax", device="cpu", dtype="float32"),),
        }
    )
    ids = {case.id for case in plan.cases}
    assert "sound/jax/cpu/float64/parity" not in ids
    assert "sound/jax/cpu/float32/steady_state" in ids
    assert "sound/numpy/cpu/float32/steady_state" not in ids


def test_nothing_left_is_an_error_that_says_why(plugins):
    with pytest.raises(ConfigError, match=r"leaves no case of 8"):
        planned(matrix={"exclude": (Selector(kernel="sound"),)})


def test_the_digest_changes_with_what_is_measured(plugins):
    plain = planned().digest
    assert planned().digest == plain
    assert planned(seed=1).digest != plain
    assert planned(measure=("parity",)).digest != plain


def test_a_selection_keeps_matching_cases_and_their_groups(plugins):
    plan = select(planned(), "jax and not parity")
    assert {case.measure for case in plan.cases} == {"steady_state"}
    assert all(group.cases == (group.reference,) for group in plan.groups)
    with pytest.raises(CannotMeasure, match="matches none of the 8 cases"):
        select(planned(), "nothing")


def test_cases_state_the_least_work_of_their_type(plugins):
    plan = planned(matrix={"dtype": ("float64", "float32")})
    kernel = create_kernel("sound")
    for case in plan.cases:
        params = kernel.Params.model_validate(case.params)
        work = kernel.work(Problem(params, None, None, case.variant.dtype))
        assert (case.least_flops, case.least_bytes) == (work.flops, work.bytes)
    assert {case.least_flops for case in plan.cases} == {64, 128}


def test_least_work_follows_from_the_case_and_is_not_in_the_digest(plugins):
    plan = planned()
    before = tuple(
        Case(**case.model_dump(exclude={"least_flops", "least_bytes"}))
        for case in plan.cases
    )
    assert before != plan.cases
    assert replace(plan, cases=before).digest == plan.digest


def test_a_plan_with_efficiencies_is_another_plan(plugins):
    asked = planned(efficiency=True)
    assert asked.cases == planned().cases
    assert asked.digest != planned().digest
