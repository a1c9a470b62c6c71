import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.errors import ConfigError
from xpcs_bench.units import (
    format_bytes,
    format_count,
    format_duration,
    format_part,
    format_percent,
    format_quantity,
    format_rate,
    format_ratio,
    parse_bytes,
    parse_duration,
    parse_fraction,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ns"),
        (1.5e-9, "1.50 ns"),
        (9.996e-4, "1.00 ms"),
        (0.0123456, "12.3 ms"),
        (0.99949, "999 ms"),
        (0.99951, "1.00 s"),
        (123.4, "123 s"),
        (-0.002, "-2.00 ms"),
        (float("inf"), "inf"),
    ],
)
def test_durations_have_three_digits_and_a_short_unit(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.00 KiB"), (3 * 2**30, "3.00 GiB")],
)
def test_bytes_are_binary_multiples(count, text):
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (3.92e10, "39.2 GB/s"),
        (9.996e11, "1.00 TB/s"),
        (1.5e6, "1.50 MB/s"),
        (2e3, "2.00 kB/s"),
        (12, "12.0 B/s"),
        (0, "0 B/s"),
    ],
)
def test_rates_are_decimal_multiples(per_second, text):
    assert format_rate(per_second, "B") == text
    assert format_rate(per_second, "FLOP") == text.replace("B/s", "FLOP/s")


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0123456, "1.23 %"),
        (1.0, "100 %"),
        (1.5, "150 %"),
        (1.2e-4, "0.0120 %"),
        (1e-5, "0.00100 %"),
        (9.9e-6, "9.90e-04 %"),
        (0.0, "0 %"),
    ],
)
def test_a_small_part_stays_more_than_nothing(part, text):
    assert format_part(part) == format_quantity(part, "part") == text


def test_other_quantities():
    assert format_ratio(12.345) == "12.3x"
    assert format_ratio(66038.0) == "66038x"
    assert format_ratio(1e300) == "1.00e+300x"
    assert format_percent(0.0123) == "1.2 %"
    assert format_count(1234567) == "1 234 567"
    assert format_quantity(0.002, "s") == "2.00 ms"
    assert format_quantity(2048, "bytes") == "2.00 KiB"
    assert format_quantity(0.5, "x") == "0.500x"
    assert format_quantity(3.92e10, "B/s") == "39.2 GB/s"
    assert format_quantity(3.92e10, "FLOP/s") == "39.2 GFLOP/s"
    assert format_quantity(3.0, "deg") == "3.00 deg"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300.0), ("200 ms", 0.2), (3, 3.0), ("1e-3 s", 1e-3), ("2", 2.0)],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-15)


def test_fractions_and_bytes_are_read():
    assert parse_fraction("1%") == pytest.approx(0.01)
    assert parse_fraction(0.05) == 0.05
    assert parse_bytes("4 GiB") == 4 * 2**30


@pytest.mark.parametrize("text", ["5 parsecs", "", "five", "1 2", "-3 s"])
def test_what_is_no_duration_is_refused_with_the_units(text):
    with pytest.raises(ConfigError, match=r"ns, us, ms, s, m, h"):
        parse_duration(text)


def test_what_is_long_is_shown_in_part():
    with pytest.raises(ConfigError) as caught:
        parse_fraction([0] * 3000)
    assert str(caught.value).startswith("[0, 0, 0, 0, 0, 0, ...] is not a fraction")


@given(st.floats(1e-9, 1e4))
def test_a_formatted_duration_reads_back_to_three_digits(seconds):
    text = format_duration(seconds)
    assert parse_duration(text) == pytest.approx(seconds, rel=6e-3)
