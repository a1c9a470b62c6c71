"""What calls cost over size."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.backends.cost_curve import CostCurve, Seconds


def flat(seconds):
    return Seconds(seconds, seconds, seconds)


def curve(*rows):
    return CostCurve((size, *map(flat, times)) for size, *times in rows)


def total(of, size, calls=1, **how):
    seconds, measured = of.total(
        math.log(size), calls, **({"ready": False, "fresh": False} | how)
    )
    return pytest.approx(seconds.point), measured


TWO = curve((100, 3.0, 2.0, 1e-2), (10_000, 3.0, 2.0, 1.0))


def test_a_measured_size_costs_what_was_measured():
    assert total(TWO, 100) == (2.0, True)
    assert total(TWO, 100, 11) == (2.0 + 0.1, True)
    assert total(TWO, 100, 11, fresh=True) == (3.0 + 0.1, True)
    assert total(TWO, 100, 11, ready=True) == (0.11, True)
    assert total(TWO, 10_000, 3) == (4.0, True)


def test_between_sizes_logarithms_are_interpolated():
    assert total(TWO, 1_000, 2, ready=True) == (0.2, True)


def test_outside_it_says_so_and_keeps_to_the_rule():
    assert total(TWO, 1, 2) == (2.0 + 0.01, False)
    # three times the size: cached calls alone grow
    assert total(TWO, 30_000, 2) == (1.0 + 2 * 3.0, False)
    assert total(TWO, 30_000, 2, ready=True) == (6.0, False)


def test_a_first_call_that_was_shorter_counts_as_a_cached_one():
    assert total(curve((10, 0.5, 0.5, 1.0)), 10, 3, fresh=True) == (3.0, True)


def test_of_one_size_the_geometric_mean_counts():
    assert total(curve((10, 1, 1, 1), (10, 4, 4, 4)), 10) == (2.0, True)


def test_what_was_asked_is_kept_and_the_memory_is_bounded():
    many = curve((10, 3, 2, 1), (1000, 3, 2, 1))
    for size in range(10, 2000):
        assert total(many, size, 2)[0] == (1 + 2 * max(1, size / 1000))
    assert len(many._known) <= 1024


times = st.floats(1e-6, 1e2)
rows = st.lists(
    st.tuples(st.integers(1, 10**9), times, times, times), min_size=1, max_size=6
)


@given(rows, st.integers(1, 10**10), st.integers(1, 10**6), st.booleans())
def test_costs_are_monotone_in_calls_and_what_is_ready_costs_least(
    measured, size, calls, fresh
):
    own = curve(*measured)
    at = math.log(size)
    less, _ = own.total(at, calls, ready=False, fresh=fresh)
    more, _ = own.total(at, calls + 1, ready=False, fresh=fresh)
    ready, _ = own.total(at, calls, ready=True, fresh=fresh)
    assert 0 < ready.point <= less.point < more.point


@given(rows, st.integers(1, 10**9))
def test_between_sizes_no_time_is_beyond_those_that_were_measured(measured, size):
    sizes = [row[0] for row in measured]
    size = min(max(size, min(sizes)), max(sizes))
    cached, known = curve(*measured).total(math.log(size), 1, ready=True, fresh=False)
    assert known
    low, high = (end(row[3] for row in measured) for end in (min, max))
    assert low * (1 - 1e-9) <= cached.point <= high * (1 + 1e-9)


@given(
    st.lists(st.tuples(times, times, times), min_size=3, max_size=3), st.integers(1, 99)
)
def test_ends_stay_around_their_point(three, calls):
    first, again, cached = (
        Seconds(mid, low, high) for low, mid, high in (sorted(t) for t in three)
    )
    own = CostCurve([(10, first, again, cached)])
    for size in (1, 10, 100):
        found, _ = own.total(math.log(size), calls, ready=False, fresh=False)
        assert found.lower <= found.point * (1 + 1e-12)
        assert found.point <= found.upper * (1 + 1e-12)
