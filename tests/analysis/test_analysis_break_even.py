import pytest

from xpcs_bench.analysis.break_even import break_even
from xpcs_bench.records import Estimate


def estimate(point, lower=None, upper=None, unit="s"):
    return Estimate(
        point=point,
        lower=point if lower is None else lower,
        upper=point if upper is None else upper,
        confidence=0.95,
        statistic="stated by the test",
        n_processes=3,
        n_samples=30,
        unit=unit,
    )


def total(first, cached, calls):
    return first + (calls - 1) * cached


@pytest.mark.parametrize(
    ("first", "ratio"), [(0.2, 0.5), (0.2, 0.9), (5.0, 0.01), (0.0101, 0.5)]
)
def test_the_candidate_is_ahead_at_the_break_even_and_not_before(first, ratio):
    cached = 0.01
    calls, _ = break_even(
        estimate(cached), estimate(first), estimate(cached), estimate(ratio, unit="x")
    )
    n = calls.point
    assert total(first, cached * ratio, n) <= total(cached, cached, n) + 1e-12
    assert total(first, cached * ratio, n - 1) > total(cached, cached, n - 1) - 1e-12


def test_the_interval_combines_the_ends():
    calls, reason = break_even(
        estimate(0.010, 0.009, 0.011),
        estimate(0.200, 0.190, 0.210),
        estimate(0.010, 0.009, 0.011),
        estimate(0.50, 0.45, 0.55, unit="x"),
    )
    assert (calls.lower, calls.point, calls.upper) == (31.0, 39.0, 51.0)
    assert reason == "pays from call 39 on."


def test_never_when_a_cached_call_saves_nothing():
    calls, reason = break_even(
        estimate(0.01), estimate(0.2), estimate(0.01), estimate(1.5, 1.4, 1.6)
    )
    assert calls is None
    assert reason.startswith("never")


def test_cannot_tell_when_the_interval_includes_one():
    calls, reason = break_even(
        estimate(0.01), estimate(0.2), estimate(0.01), estimate(0.99, 0.9, 1.1)
    )
    assert calls is None
    assert reason.startswith("cannot tell")


def test_a_cheaper_first_call_pays_at_once():
    calls, reason = break_even(
        estimate(0.3), estimate(0.2), estimate(0.01), estimate(0.5)
    )
    assert calls.point == 1
    assert reason == "pays from the first call."
