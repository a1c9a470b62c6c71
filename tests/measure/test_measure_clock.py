from hypothesis import given
from hypothesis import strategies as st
from measure_scripts import Clock

from xpcs_bench.measure.clock import clock_cost_ns, now_ns


@given(st.integers(0, 10_000))
def test_the_cost_of_a_reading_is_what_the_clock_advances_per_reading(reading_ns):
    assert clock_cost_ns(Clock(reading_ns=reading_ns)) == reading_ns


def test_the_cost_is_the_least_of_the_trials():
    clock = Clock(reading_ns=10)
    interrupted = iter([5_000_000] * 4 + [0])

    def reading():
        now = clock()
        if len(clock.events) % 1001 == 500:  # in the middle of a trial
            clock.spend(next(interrupted))
        return now

    assert clock_cost_ns(reading) == 10


def test_the_clock_counts_whole_nanoseconds_and_never_goes_back():
    readings = [now_ns() for _ in range(1000)]
    assert all(isinstance(reading, int) for reading in readings)
    assert readings == sorted(readings)
