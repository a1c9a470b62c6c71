"""Parts of ceilings whose true value is known."""

import math

import pytest
from making import case, experiment

from xpcs_bench.analysis.efficiency import efficiencies
from xpcs_bench.config import PROFILES
from xpcs_bench.records import CaseEstimate, Ceiling, Estimate, Variant

CACHE = 2**20
ASKED = experiment(efficiency=True)
CONTROLLED = experiment(efficiency=True, profile=PROFILES["controlled"])


def ceiling(per_second, **changes):
    values = {
        "resource": "bytes",
        "per_second": per_second,
        "operation": "copy",
        "library": "numpy",
        "platform": "cpu",
        "dtype": "int64",
        "threads": "all",
        "level": "memory",
        "working_set_bytes": 8 * CACHE,
        "cache_bytes": CACHE,
        "cores_used": 2.0,
        "method": "Stated by the test.",
    }
    return Ceiling(**values | changes)


def flops(per_second, **changes):
    values = {
        "resource": "flops",
        "operation": "matrix_product",
        "dtype": "float64",
        "level": None,
        "cache_bytes": None,
    }
    return ceiling(per_second, **values | changes)


CEILINGS = (
    ceiling(10e9),
    ceiling(20e9, operation="update"),
    ceiling(50e9, level="cache", working_set_bytes=CACHE // 2),
    ceiling(8e9, threads="one"),
    flops(40e9),
    flops(80e9, dtype="float32"),
    flops(5e9, threads="one"),
    ceiling(2e12, platform="gpu", library="jax", cache_bytes=None),
    flops(30e12, platform="gpu", library="jax"),
)


def time(point=1e-3, doubt=0.1, **changes):
    values = {
        "point": point,
        "lower": point * (1 - doubt),
        "upper": point * (1 + doubt),
        "confidence": 0.95,
        "statistic": "stated",
        "n_processes": 3,
        "n_samples": 30,
        "unit": "s",
    }
    return Estimate(**values | changes)


def work(nbytes=2 * CACHE, operations=10**6, device="cpu", dtype="float64"):
    variant = Variant(backend="jax", device=device, dtype=dtype)
    return case(variant=variant, least_bytes=nbytes, least_flops=operations)


def told(of, estimate=None, ceilings=CEILINGS, asked=ASKED):
    row = CaseEstimate(case=of.id, metric="steady_state", estimate=estimate or time())
    (found,) = efficiencies([of], [row], ceilings, asked)
    assert found.case == of.id
    return found


def test_a_rate_is_the_least_work_over_the_time():
    found = told(work(nbytes=2 * CACHE, operations=10**6), time(1e-3, doubt=0.5))
    rate = found.bandwidth.per_second
    assert rate.point == pytest.approx(2 * CACHE / 1e-3)
    # the longest time is the lowest rate
    assert rate.lower == pytest.approx(2 * CACHE / 1.5e-3)
    assert rate.upper == pytest.approx(2 * CACHE / 0.5e-3)
    assert (rate.unit, found.flops.per_second.unit) == ("B/s", "FLOP/s")
    assert found.flops.per_second.point == pytest.approx(1e9)
    assert (rate.n_processes, rate.n_samples, rate.confidence) == (3, 30, 0.95)


def test_a_part_is_of_the_highest_ceiling_that_fits():
    found = told(work())
    part = found.bandwidth.part
    assert part.point == pytest.approx(2 * CACHE / 1e-3 / 20e9)
    assert part.lower / part.point == pytest.approx(1 / 1.1)
    assert part.unit == "part"
    assert found.flops.part.point == pytest.approx(1e9 / 40e9)
    assert (found.bandwidth.ceiling, found.flops.ceiling) == (1, 4)
    assert found.bandwidth.reason == found.flops.reason == ""


@pytest.mark.parametrize(
    ("of", "asked", "places"),
    [
        (work(nbytes=CACHE), ASKED, (2, 4)),
        (work(nbytes=CACHE + 1), ASKED, (1, 4)),
        (work(dtype="float32"), ASKED, (1, 5)),
        (work(), CONTROLLED, (3, 6)),
        (work(device="gpu"), ASKED, (7, 8)),
        # threads of the host are nothing to a GPU, nor is its cache
        (work(device="gpu"), CONTROLLED, (7, 8)),
        (work(nbytes=1, device="gpu"), ASKED, (7, 8)),
    ],
)
def test_level_type_threads_and_platform_decide_which_fits(of, asked, places):
    found = told(of, asked=asked)
    assert (found.bandwidth.ceiling, found.flops.ceiling) == places


@pytest.mark.parametrize(
    ("of", "asked", "bandwidth", "flop"),
    [
        (
            work(nbytes=1),
            CONTROLLED,
            "no ceiling of bytes a second in the cache of the cpu was measured.",
            None,
        ),
        (
            work(device="gpu", dtype="float32"),
            ASKED,
            None,
            "no ceiling of float32 operations a second of the gpu was measured.",
        ),
        (
            work(device="tpu"),
            ASKED,
            "no ceiling of bytes a second in the memory of the tpu was measured.",
            "no ceiling of float64 operations a second of the tpu was measured.",
        ),
    ],
)
def test_where_no_ceiling_fits_there_is_a_rate_and_no_part(of, asked, bandwidth, flop):
    found = told(of, asked=asked)
    for achieved, reason in ((found.bandwidth, bandwidth), (found.flops, flop)):
        assert achieved.per_second is not None
        assert achieved.reason == (reason or "")
        assert (achieved.part is None) is (achieved.ceiling is None)
        assert (achieved.part is None) is (reason is not None)
    assert found.limited_by is None


def test_without_any_ceiling_nothing_is_zero():
    found = told(work(), ceilings=())
    assert found.bandwidth.part is found.flops.part is found.limited_by is None


def test_what_a_kernel_does_not_state_is_no_rate():
    found = told(work(operations=0))
    assert found.flops.per_second is None
    assert found.flops.reason == "the kernel states no flops."
    assert found.limited_by == "bandwidth"
    found = told(work(nbytes=0))
    assert found.bandwidth.reason == "the kernel states no bytes."
    assert found.limited_by == "flops"
    assert told(work(nbytes=0, operations=0)).limited_by is None


def test_a_record_from_before_says_so():
    found = told(work(nbytes=None, operations=None))
    for achieved in (found.bandwidth, found.flops):
        assert achieved.part is None
        assert "before plans stated" in achieved.reason
    assert found.limited_by is None


@pytest.mark.parametrize(
    ("operations", "limit"),
    [
        # the same part of both: 2 CACHE / 20e9 = x / 40e9
        (4 * CACHE, "bandwidth"),
        (4 * CACHE - 1, "bandwidth"),
        (4 * CACHE + 1, "flops"),
    ],
)
def test_the_larger_part_limits(operations, limit):
    assert told(work(operations=operations)).limited_by == limit


def test_a_part_above_one_is_explained_and_not_hidden():
    found = told(work(), time(2 * CACHE / 30e9))
    assert found.bandwidth.part.point == pytest.approx(1.5)
    assert "stays in a cache" in found.bandwidth.reason
    assert "other work had the machine" in found.bandwidth.reason
    assert found.bandwidth.per_second.point == pytest.approx(30e9)
    assert found.flops.reason == ""
    found = told(work(operations=10**9), time(1e-3))
    assert found.flops.part.point == pytest.approx(25)
    assert "fused" in found.flops.reason


@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (-1.0, 1.0), (1.0, math.inf)])
def test_a_time_without_an_end_gives_no_rate(lower, upper):
    found = told(work(), time(lower=lower, upper=upper))
    assert found.bandwidth.per_second is found.bandwidth.part is None
    assert "interval" in found.bandwidth.reason


@pytest.mark.parametrize("way", ["input", "output", "both"])
def test_a_call_that_converts_is_no_part_of_a_ceiling(way):
    of = work()
    own = of.variant.model_dump()
    converting = case(
        variant=Variant(**own | {"converts": way}),
        least_bytes=of.least_bytes,
        least_flops=of.least_flops,
    )
    assert told(of).bandwidth.part is not None
    found = told(converting)
    for achieved in (found.bandwidth, found.flops):
        assert achieved.per_second is achieved.part is achieved.ceiling is None
        assert achieved.reason.startswith("the call converts")
    assert found.limited_by is None


def test_only_cached_calls_have_a_part_and_only_where_it_was_asked_for():
    of = work()
    rows = [
        CaseEstimate(case=of.id, metric=metric, estimate=time())
        for metric in ("first_call", "steady_state", "conversion", "stages.compile")
    ]
    assert len(efficiencies([of], rows, CEILINGS, ASKED)) == 1
    assert efficiencies([of], rows, CEILINGS, experiment()) == ()
