"""Rates that are known from a scripted clock; values that are wrong are refused."""

import numpy as np
import pytest
from measure_scripts import Clock

from xpcs_bench.errors import ConfigError
from xpcs_bench.measure.ceilings import (
    WrongValues,
    bandwidth,
    cache,
    cache_bytes,
    device_bandwidth,
    device_flops,
    flops,
    level_of,
    products,
    reading,
    streams,
    timed,
)
from xpcs_bench.measure.ceilings.products import _product_ceiling
from xpcs_bench.measure.ceilings.streams import _Streams
from xpcs_bench.measure.circumstances import core_count
from xpcs_bench.records import Ceiling, best

MOVED = {"write": 1, "update": 2, "copy": 2, "read": 1}
"""Arrays that one pass moves."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Arrays and matrices that are worked on in a moment."""
    monkeypatch.setattr(cache, "working_set", lambda level: 2**16)
    monkeypatch.setattr(products, "_SMALLEST", 8)
    monkeypatch.setattr(products, "_LARGEST", 64)


@pytest.mark.parametrize("threads", ["one", "all"])
@pytest.mark.parametrize("reading_ns", [1_000_000, 3_000_000])
def test_a_rate_is_bytes_over_the_time_of_its_passes(threads, reading_ns):
    # whatever happens between two readings takes as long as one of them
    rows = bandwidth(threads, "cache", Clock(reading_ns=reading_ns))
    loops = 2 if reading_ns == 1_000_000 else 1
    assert {row.operation for row in rows} == set(MOVED)
    for row in rows:
        count = core_count() if threads == "all" else 1
        nbytes = 2**15 // 8 // count * count * 8
        expected = MOVED[row.operation] * nbytes * loops * 1e9 / reading_ns
        assert row.per_second == pytest.approx(expected, rel=1e-12)
        assert (row.resource, row.level, row.threads) == ("bytes", "cache", threads)
        assert row.working_set_bytes == nbytes * (2 if row.operation == "copy" else 1)


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_threads_than_cores_may_be_asked_for(monkeypatch, count):
    monkeypatch.setattr(streams, "core_count", lambda: 16)
    for row in bandwidth("all", "cache", Clock(reading_ns=10**6), count):
        assert f"by {count} threads" in row.method
        assert row.threads == "all"


def test_what_tells_the_levels_apart_is_kept_with_the_ceiling(monkeypatch):
    monkeypatch.setattr(cache, "cache_bytes", lambda: 12345)
    clock = Clock(reading_ns=10**6)
    rows = [*bandwidth("one", "memory", clock), *device_bandwidth("cpu", "one", clock)]
    assert {row.cache_bytes for row in rows} == {12345}
    (product,) = flops("one", "float64", clock)
    assert product.cache_bytes is None
    monkeypatch.setattr(cache, "cache_bytes", lambda: None)
    assert bandwidth("one", "cache", clock)[0].cache_bytes == 2**23


def test_a_clock_that_stands_still_ends_all_the_same(monkeypatch):
    monkeypatch.setattr(reading, "_MOST_LOOPS", 2)
    assert len(bandwidth("one", "memory", Clock())) == len(MOVED)


@pytest.mark.parametrize("operation", MOVED)
@pytest.mark.parametrize("threads", ["one", "all"])
def test_a_stream_that_does_nothing_is_no_rate(monkeypatch, operation, threads):
    monkeypatch.setattr(_Streams, operation, lambda self, part: None)
    with pytest.raises(WrongValues, match=operation):
        bandwidth(threads, "cache", Clock(reading_ns=10**6))


def test_a_thread_that_leaves_its_part_out_is_seen(monkeypatch):
    def copy(self, part):
        if part.start == 0:
            np.copyto(self.target[part], self.source[part])

    monkeypatch.setattr(streams, "core_count", lambda: 3)
    monkeypatch.setattr(_Streams, "copy", copy)
    with pytest.raises(WrongValues, match="copy"):
        bandwidth("all", "cache", Clock(reading_ns=10**6))


def scripted(clock, ns_per_element, spoil=0):
    """Multiply at a known cost."""

    def multiply(left, right):
        def call():
            clock.spend(ns_per_element * left.size)
            return left @ right + spoil

        return call

    return multiply


@pytest.mark.parametrize(
    ("ns_per_element", "size"),
    [(10**6, 8), (2_000_000 / 256, 16), (1_999_999 / 256, 32), (1, 64)],
)
def test_matrices_grow_until_a_product_is_long(ns_per_element, size):
    clock = Clock()
    multiply = scripted(clock, ns_per_element)
    row = _product_ceiling(multiply, "numpy", "cpu", "float64", "one", clock)
    assert row.working_set_bytes == 3 * 8 * size**2
    expected = 2 * size**3 * 1e9 / (ns_per_element * size**2)
    assert row.per_second == pytest.approx(expected, rel=1e-3)


def test_the_highest_rate_counts():
    # an interruption only ever adds
    costs = iter([5_000_000, *[9_000_000] * 3, 7_000_000, *[9_000_000] * 1000])
    clock = Clock()
    readings = timed(lambda: clock.spend(next(costs)), clock)
    assert readings.ns == 5_000_000


def test_a_wrong_product_is_no_rate():
    clock = Clock()
    with pytest.raises(WrongValues, match="numpy returned a wrong product"):
        _product_ceiling(
            scripted(clock, 10**6, spoil=1), "numpy", "cpu", "float32", "one", clock
        )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numpy_multiplies(dtype):
    (row,) = flops("all", dtype, Clock(reading_ns=5_000_000))
    assert row.per_second == pytest.approx(2 * 8**3 * 1e9 / 5_000_000)
    assert (row.resource, row.dtype, row.library) == ("flops", dtype, "numpy")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_jax_multiplies_on_a_device(dtype):
    (row,) = device_flops("cpu", "one", dtype, Clock(reading_ns=5_000_000))
    assert row.per_second == pytest.approx(2 * 8**3 * 1e9 / 5_000_000)
    assert (row.dtype, row.library, row.platform) == (dtype, "jax", "cpu")


def test_jax_reads_and_updates_a_device():
    update, read = device_bandwidth("cpu", "one", Clock(reading_ns=10**6))
    assert update.per_second == 2 * read.per_second == 2 * 2**16 * 1e9 / 10**6
    assert (update.operation, read.operation) == ("update", "read")


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="gpu"):
        device_flops("gpu")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_last_level_cache_is_the_largest_that_holds_data(tmp_path):
    folder = tmp_path / "sys/devices/system/cpu/cpu0/cache"
    for index, (kind, size) in enumerate(
        [("Data", "32K"), ("Instruction", "99999K"), ("Unified", "1024K"), ("x", "?")]
    ):
        write(folder / f"index{index}/type", f"{kind}\n")
        write(folder / f"index{index}/size", f"{size}\n")
    (folder / "index9").mkdir()
    assert cache_bytes(tmp_path) == 2**20


def test_a_cache_that_is_not_told_is_unknown(tmp_path):
    assert cache_bytes(tmp_path) is None


@pytest.mark.parametrize(("nbytes", "limit"), [(2**20, 2**20), (None, 2**23)])
def test_what_fits_into_the_cache_is_limited_by_it(monkeypatch, nbytes, limit):
    monkeypatch.setattr(cache, "cache_bytes", lambda: nbytes)
    assert level_of(limit) == "cache"
    assert level_of(limit + 1) == "memory"


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
        "working_set_bytes": 1,
        "cores_used": 1.0,
        "method": "Stated by the test.",
    }
    return Ceiling(**values | changes)


def test_the_best_is_the_highest_that_fits():
    rows = [
        ceiling(1.0),
        ceiling(3.0, operation="update"),
        ceiling(9.0, level="cache"),
        ceiling(20.0, threads="one"),
        ceiling(30.0, platform="gpu"),
        ceiling(40.0, resource="flops", dtype="float64", level=None),
        ceiling(80.0, resource="flops", dtype="float32", level=None),
    ]
    assert best(rows, "bytes", level="memory").per_second == 3.0
    assert best(rows, "bytes").per_second == 9.0
    assert best(rows, "bytes", threads="one").per_second == 20.0
    assert best(rows, "bytes", platform="gpu").per_second == 30.0
    assert best(rows, "flops", dtype="float64").per_second == 40.0
    assert best(rows, "flops", threads="one") is None
    assert best([], "bytes") is None
