"""Which samples count and by which clock: for a cause, never for a value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.central import (
    DISTURBED,
    central,
    one_thread,
    percentile,
    relative_half_width,
)
from xpcs_bench.records import Samples

CALL = 1_000_000


def samples(rows, inner_loops=1):
    """Make samples of (wall, CPU, delay)."""
    wall, cpu, delay = zip(*rows, strict=True)
    n = len(rows)
    return Samples(
        elapsed_ns=wall,
        inner_loops=(inner_loops,) * n,
        block=(0,) * n,
        cpu_ns=cpu,
        run_delay_ns=delay,
        involuntary_switches=(0,) * n,
        minor_faults=(0,) * n,
    )


def waited(delay, cpu=CALL):
    """One thread that works, and waits for a core meanwhile."""
    return (cpu + delay, cpu, delay)


def test_without_labels_nothing_is_left_out():
    plain = Samples(elapsed_ns=(10, 20, 90), inner_loops=(1, 2, 1), block=(0, 0, 0))
    found = central(plain)
    assert found.value_s == pytest.approx(10e-9)
    assert (found.timing, found.n_kept, found.n_samples) == ("unlabelled", 3, 3)


def test_one_thread_is_told_by_its_cpu_time():
    found = central(samples([waited(0)] * 6 + [waited(9 * CALL)] * 6, inner_loops=4))
    assert found.value_s == pytest.approx(CALL * 1e-9 / 4)
    assert (found.timing, found.n_kept, found.n_samples) == ("cpu", 6, 12)


def test_when_too_few_are_undisturbed_cpu_time_stands_in_for_all():
    found = central(samples([waited(0)] * 4 + [waited(5 * CALL)] * 20))
    assert found.value_s == pytest.approx(CALL * 1e-9)
    assert (found.timing, found.n_kept) == ("cpu", 24)


@pytest.mark.parametrize(
    "cpu", [2 * CALL, CALL // 3], ids=["two threads", "waits for a file"]
)
def test_several_threads_and_files_are_told_by_wall_time(cpu):
    quiet, busy = (CALL, cpu, 0), (3 * CALL, cpu, CALL)
    found = central(samples([quiet] * 7 + [busy] * 9))
    assert found.value_s == pytest.approx(CALL * 1e-9)
    assert (found.timing, found.n_kept, found.n_samples) == ("wall", 7, 16)


def test_with_several_threads_and_no_quiet_sample_the_least_disturbed_stand_in():
    rows = [
        (CALL + 2 * d, 2 * CALL, d) for d in range(CALL // 10, 4 * CALL, CALL // 10)
    ]
    found = central(samples(rows))
    assert found.timing == "least_disturbed"
    assert found.n_kept == len(rows) // 5
    # the median of those that waited least, and not of all
    assert found.value_s < 2 * CALL * 1e-9 < rows[len(rows) // 2][0] * 1e-9


def test_the_border_belongs_to_the_undisturbed():
    border = round(DISTURBED * CALL)
    rows = [(CALL, 2 * CALL, border)] * 5 + [(CALL, 2 * CALL, border + 1)] * 5
    assert central(samples(rows)).n_kept == 5


def test_a_process_of_few_samples_needs_no_more_than_these():
    found = central(samples([(CALL, 2 * CALL, 0)] * 2))
    assert (found.timing, found.n_kept) == ("wall", 2)


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="no sample"):
        central(Samples())


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9)),
        min_size=1,
        max_size=40,
    ),
    st.integers(2, 1000),
)
def test_a_value_never_decides_what_is_kept(rows, factor):
    """Multiply every time alike: the same samples are kept, the number scales."""
    found = central(samples(rows))
    scaled = central(samples([tuple(factor * x for x in row) for row in rows]))
    assert (scaled.timing, scaled.n_kept) == (found.timing, found.n_kept)
    assert scaled.value_s == pytest.approx(factor * found.value_s)
    assert found.value_s <= max(max(row[:2]) for row in rows) * 1e-9
    assert found.p90_s >= found.value_s or found.n_kept < 3


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, part):
    found = percentile(values, part)
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
    assert sum(value < found for value in values) < part * len(values)


def test_a_noisy_series_is_known_less_well_than_a_quiet_one():
    rng = np.random.default_rng(1)
    assert relative_half_width([1.0] * 9) == math.inf
    assert relative_half_width([1.0] * 10) == 0
    assert relative_half_width(list(rng.normal(1.0, 0.2, 30))) > 0.01
    assert relative_half_width(list(rng.normal(1.0, 0.002, 30))) < 0.01
    assert relative_half_width(list(rng.normal(1.0, 0.02, 3000))) < 0.01


def test_it_is_the_samples_that_count_whose_median_is_known():
    quiet, busy = (CALL, 2 * CALL, 0), (30 * CALL, 2 * CALL, 28 * CALL)
    assert central(samples([quiet] * 10 + [busy] * 30)).half_width == 0
    assert central(samples([quiet] * 9 + [busy] * 30)).half_width == math.inf


def test_all_processes_of_a_case_can_be_told_by_one_clock():
    rows = samples([waited(0)] * 6)
    assert central(rows, by_cpu=True).timing == "cpu"
    assert central(rows, by_cpu=False).timing == "wall"


def test_on_one_core_threads_that_wait_for_each_other_are_one():
    """A pool's thread waits while the main one hands over: both count in their time."""
    rows = samples([(CALL, CALL, CALL // 20)] * 10)
    assert not one_thread(rows, 2)
    assert one_thread(rows, 1)
    waits_for_a_file = samples([(CALL, CALL // 2, 0)] * 10)
    assert not one_thread(waits_for_a_file, 1)


def test_time_that_no_label_knows_of_does_not_make_one_thread_several():
    """A hypervisor that takes the core away is seen in wall time alone."""
    found = central(samples([waited(0)] * 12 + [(5 * CALL, CALL, 0)] * 8))
    assert found.timing == "cpu"
    assert found.value_s == found.p90_s == pytest.approx(CALL * 1e-9)
