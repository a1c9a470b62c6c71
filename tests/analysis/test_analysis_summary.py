import pytest
from making import agreement, case, group, measurement, samples

from xpcs_bench.analysis.summary import judge_ratio, summarise
from xpcs_bench.records import Estimate, Judgement, Status, Variant

NUMPY, JAX = case("numpy"), case("jax")


def ratio(lower, upper):
    return Estimate(
        point=(lower * upper) ** 0.5,
        lower=lower,
        upper=upper,
        confidence=0.95,
        statistic="stated by the test",
        n_processes=3,
        n_samples=3,
        unit="x",
    )


@pytest.mark.parametrize(
    ("lower", "upper", "judgement"),
    [
        (0.5, 0.6, Judgement.FASTER),
        (1.5, 1.6, Judgement.SLOWER),
        (0.99, 1.01, Judgement.SAME),
        (1.001, 1.015, Judgement.SAME),
        (0.9, 1.1, Judgement.INCONCLUSIVE),
        (0.97, 1.0, Judgement.INCONCLUSIVE),
        (float("nan"), float("nan"), Judgement.INCONCLUSIVE),
    ],
)
def test_an_interval_is_judged(lower, upper, judgement):
    values = ratio(1.0, 1.0).model_copy(update={"lower": lower, "upper": upper})
    assert judge_ratio(values) is judgement


def taken(numpy_ns, jax_ns, **changes):
    rows = []
    for process, (b, c) in enumerate(zip(numpy_ns, jax_ns, strict=True)):
        rows.append(measurement(NUMPY, process, samples=samples(b, b, b)))
        rows.append(measurement(JAX, process, samples=samples(c, c, c), **changes))
    return rows


def test_the_ratio_is_candidate_over_reference():
    summary = summarise(
        (NUMPY, JAX), (group(NUMPY, JAX),), taken((100, 110, 90), (50, 55, 45))
    )
    (comparison,) = summary.comparisons
    assert comparison.baseline == NUMPY.id
    assert comparison.candidate == JAX.id
    assert comparison.ratio.point == pytest.approx(0.5)
    assert comparison.judgement is Judgement.FASTER
    assert [row.estimate.n_samples for row in summary.estimates] == [9, 9]


def test_wrong_values_leave_no_number():
    rows = taken(
        (100, 110, 90),
        (50, 55, 45),
        status=Status.PARITY_FAILED,
        checks=(agreement(passed=False),),
    )
    summary = summarise((NUMPY, JAX), (group(NUMPY, JAX),), rows)
    assert [row.case for row in summary.estimates] == [NUMPY.id]
    assert summary.comparisons == ()


def test_wrong_values_in_one_measure_leave_no_number_in_any():
    parity = case("jax", "parity")
    rows = [
        *taken((100, 110, 90), (50, 55, 45)),
        measurement(parity, status=Status.PARITY_FAILED),
    ]
    summary = summarise((NUMPY, JAX, parity), (group(NUMPY, JAX),), rows)
    assert [row.case for row in summary.estimates] == [NUMPY.id]


def test_a_wrong_conversion_says_nothing_of_the_kernel():
    broken = case("jax", "conversion", boundary="hdf5_write")
    sound = case("jax", "conversion", boundary="to_host_view")
    rows = [
        *taken((100, 110, 90), (50, 55, 45)),
        measurement(broken, status=Status.PARITY_FAILED, samples=samples(5)),
        measurement(sound, samples=samples(7)),
    ]
    summary = summarise((NUMPY, JAX, broken, sound), (group(NUMPY, JAX),), rows)
    assert {row.case for row in summary.estimates} == {NUMPY.id, JAX.id, sound.id}


def test_a_recompile_is_estimated_beside_the_first_call_and_pays_for_nothing():
    first, again = case("jax", "first_call"), case("jax", "recompile")
    numpy_first = case("numpy", "first_call")
    rows = taken((100_000,) * 3, (50_000,) * 3)
    for process in range(3):
        rows.append(measurement(again, process, value=1e-6))
    cases = (NUMPY, JAX, numpy_first, first, again)
    summary = summarise(cases, (group(NUMPY, JAX), group(again)), rows)
    assert summary.break_evens == ()  # no first call, whatever a recompile costs
    for process in range(3):
        rows.append(measurement(numpy_first, process, value=100e-6))
        rows.append(measurement(first, process, value=1000e-6))
    summary = summarise(cases, (group(NUMPY, JAX), group(again)), rows)
    found = {row.metric: row.estimate for row in summary.estimates if "jax" in row.case}
    assert found["recompile"].point == pytest.approx(1e-6)
    assert found["first_call"].point == pytest.approx(1000e-6)
    assert (found["recompile"].unit, found["recompile"].n_processes) == ("s", 3)
    (row,) = summary.break_evens
    assert row.calls.point == pytest.approx(900 / 50, abs=1)


def test_a_warm_compilation_cache_has_a_break_even_of_its_own():
    own = case("jax").variant.model_dump()
    warm = Variant(**own | {"compilation_cache": "warm"})
    firsts = [
        case("numpy", "first_call"),
        case("jax", "first_call"),
        case("jax", "first_call", variant=warm),
    ]
    rows = taken((100_000,) * 3, (50_000,) * 3)
    for process in range(3):
        for first, value in zip(firsts, (100e-6, 1000e-6, 200e-6), strict=True):
            rows.append(measurement(first, process, value=value))
    summary = summarise((NUMPY, JAX, *firsts), (group(NUMPY, JAX),), rows)
    calls = {row.candidate: row.calls.point for row in summary.break_evens}
    assert calls.keys() == {"jax/cpu/float64", "jax/cpu/float64/warm-cache"}
    assert calls["jax/cpu/float64/warm-cache"] < calls["jax/cpu/float64"] / 4


def converting(backend, measure="steady_state", converts="both"):
    own = case(backend).variant.model_dump()
    return case(backend, measure, variant=Variant(**own | {"converts": converts}))


def test_a_call_that_converts_has_a_break_even_of_its_own():
    both = converting("jax")
    firsts = (
        case("numpy", "first_call"),
        case("jax", "first_call"),
        converting("jax", "first_call"),
    )
    rows = taken((100_000,) * 3, (50_000,) * 3)
    for process in range(3):
        rows.append(measurement(both, process, samples=samples(*[75_000] * 3)))
        for first, value in zip(firsts, (100e-6, 1000e-6, 1600e-6), strict=True):
            rows.append(measurement(first, process, value=value))
    summary = summarise((NUMPY, JAX, both, *firsts), (group(NUMPY, JAX, both),), rows)
    calls = {row.candidate: row.calls.point for row in summary.break_evens}
    assert calls.keys() == {JAX.variant.id, both.variant.id}
    assert calls[JAX.variant.id] == pytest.approx(900 / 50, abs=1)
    assert calls[both.variant.id] == pytest.approx(1500 / 25, abs=1)


def test_a_call_that_converts_without_a_first_call_of_its_own_has_no_break_even():
    both = converting("jax")
    firsts = (case("numpy", "first_call"), case("jax", "first_call"))
    rows = []
    for process in range(3):
        for cached, ns in ((NUMPY, 100_000), (both, 75_000)):
            rows.append(measurement(cached, process, samples=samples(*[ns] * 3)))
        for first, value in zip(firsts, (100e-6, 1000e-6), strict=True):
            rows.append(measurement(first, process, value=value))
    summary = summarise((NUMPY, both, *firsts), (group(NUMPY, both),), rows)
    assert len(summary.comparisons) == 1
    assert summary.break_evens == ()


def test_converting_pays_back_no_compilation_of_the_same_program():
    both = converting("jax")
    firsts = (case("jax", "first_call"), converting("jax", "first_call"))
    rows = []
    for process in range(3):
        for cached, ns in ((JAX, 100_000), (both, 75_000)):
            rows.append(measurement(cached, process, samples=samples(*[ns] * 3)))
        for first, value in zip(firsts, (1000e-6, 1600e-6), strict=True):
            rows.append(measurement(first, process, value=value))
    summary = summarise((JAX, both, *firsts), (group(JAX, both), group(*firsts)), rows)
    assert len(summary.comparisons) == 2
    assert summary.break_evens == ()


def labelled(cpu_ns, delay_ns):
    """Ten samples of 1000 ns of wall time."""
    n = 10
    plain = samples(*[1000] * n)
    labels = {
        "cpu_ns": (cpu_ns,) * n,
        "run_delay_ns": (delay_ns,) * (n - 5) + (0,) * 5,
        "involuntary_switches": (0,) * n,
        "minor_faults": (0,) * n,
    }
    return plain.model_copy(update=labels)


def test_the_estimate_names_its_clock_and_the_share_of_samples_that_count():
    rows = [measurement(NUMPY, 0, samples=labelled(2000, 500))]
    (row,) = summarise((NUMPY,), (group(NUMPY),), rows).estimates
    assert row.estimate.statistic.startswith("median wall time of undisturbed samples;")
    assert row.estimate.kept_share == 0.5
    assert row.estimate.p90 == pytest.approx(1e-6)
    plain = [measurement(NUMPY, 0, samples=samples(100, 100))]
    (row,) = summarise((NUMPY,), (group(NUMPY),), plain).estimates
    assert "wall time of all samples" in row.estimate.statistic
    assert row.estimate.kept_share == 1


@pytest.mark.parametrize(
    ("cpu_ns", "clock"),
    [
        ((1000,), "CPU time"),
        ((1000, 1500), "wall time"),
        ((1500, 1500, 1000), "wall time"),
        # one that has seen in its samples what is not so
        ((1000, 1500, 1000), "CPU time"),
    ],
)
def test_all_processes_of_a_case_are_told_by_the_clock_of_most(cpu_ns, clock):
    rows = [
        measurement(NUMPY, process, samples=labelled(each, 0))
        for process, each in enumerate(cpu_ns)
    ]
    (row,) = summarise((NUMPY,), (group(NUMPY),), rows).estimates
    assert row.estimate.statistic.startswith(f"median {clock}")


@pytest.mark.parametrize(
    ("jax_cpu_ns", "ratio"),
    [
        # several threads against one: both by wall time, which is the same
        (1500, 1.0),
        # one against one: both by CPU time, however long they waited
        (500, 500 / 600),
    ],
)
def test_a_ratio_is_of_one_clock(jax_cpu_ns, ratio):
    # of 1000 ns it worked 600 and waited 400, in every sample
    waiting = {"run_delay_ns": (400,) * 10}
    one = labelled(600, 0).model_copy(update=waiting)
    other = labelled(jax_cpu_ns, 0)
    if jax_cpu_ns == 500:
        other = other.model_copy(update={"run_delay_ns": (500,) * 10})
    rows = [
        measurement(NUMPY, 0, samples=one),
        measurement(JAX, 0, samples=other),
    ]
    summary = summarise((NUMPY, JAX), (group(NUMPY, JAX),), rows)
    assert summary.estimates[0].estimate.point == pytest.approx(600e-9)
    assert summary.comparisons[0].ratio.point == pytest.approx(ratio)


def test_unpaired_processes_are_not_compared():
    rows = [
        measurement(NUMPY, 0, samples=samples(100)),
        measurement(JAX, 1, samples=samples(50)),
    ]
    summary = summarise((NUMPY, JAX), (group(NUMPY, JAX),), rows)
    assert len(summary.estimates) == 2
    assert summary.comparisons == ()


def test_stages_are_estimated_one_by_one():
    stages = case("jax", "stages")
    rows = [measurement(stages, stages_ns={"trace": 10, "compile": 1000})]
    summary = summarise((stages,), (group(stages),), rows)
    assert {row.metric: row.estimate.point for row in summary.estimates} == (
        pytest.approx({"stages.trace": 1e-8, "stages.compile": 1e-6})
    )


def test_break_even_joins_first_and_cached_calls():
    firsts = case("numpy", "first_call"), case("jax", "first_call")
    rows = taken((100_000,) * 3, (50_000,) * 3)
    for process in range(3):
        rows.append(measurement(firsts[0], process, value=100e-6))
        rows.append(measurement(firsts[1], process, value=200e-6))
    summary = summarise(
        (NUMPY, JAX, *firsts), (group(NUMPY, JAX), group(*firsts)), rows
    )
    (row,) = summary.break_evens
    assert (row.baseline, row.candidate) == ("numpy/cpu/float64", "jax/cpu/float64")
    # 100 us dearer at first, 50 us cheaper at each call
    assert row.calls.point in {3.0, 4.0}
    assert row.calls.lower <= 3.0 <= row.calls.upper
