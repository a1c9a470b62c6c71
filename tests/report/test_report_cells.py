import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_scripts import estimate

from xpcs_bench.report.cells import (
    Number,
    Words,
    count,
    interval,
    inverse_interval,
    items,
    joined,
    line,
    number,
    plain,
    printable,
    quotient_interval,
    text,
)
from xpcs_bench.report.place import Place


@pytest.mark.parametrize(
    ("raw", "unit", "shown"),
    [
        (0.0123, "s", "12.3 ms"),
        (412.0, "ns", "412 ns"),
        (0.84, "fraction", "84.0 %"),
        (3.14e-16, "value", "3.14e-16"),
        (0.0, "value", "0"),
        (1030, "index", "1030"),
        (12345, "1", "12 345"),
        (2**20, "bytes", "1.00 MiB"),
        (math.inf, "x", "inf"),
        (math.nan, "s", "nan"),
    ],
)
def test_numbers_are_shown_in_their_unit(raw, unit, shown):
    assert Number(raw, unit, ("/a",)).text == shown


@pytest.mark.parametrize(
    ("point", "unit", "shown"),
    [
        (0.0123, "s", "12.3 ms [12.1, 12.5]"),
        (1.0, "s", "1.00 s [980 ms, 1.02 s]"),
        (1.28, "x", "1.28x [1.25, 1.31]"),
        (20000, "1", "20 000 [19 600, 20 400]"),
        (math.nan, "x", "nan [nan, nan]"),
        (math.inf, "s", "inf [inf, inf]"),
    ],
)
def test_an_interval_says_its_unit_once_where_that_is_clear(point, unit, shown):
    assert plain(interval(Place(estimate(point, unit)))) == shown


@given(
    st.floats(0.01, 100),
    st.floats(0, 0.5),
    st.floats(0.01, 100),
    st.floats(0, 0.5),
)
def test_derived_intervals_hold_their_point(above, doubt, below, other):
    over, under = (
        Place(estimate(above, doubt=doubt), "/a"),
        Place(estimate(below, doubt=other), "/b"),
    )
    for derived in inverse_interval(over), quotient_interval(over, under):
        assert derived.lower.raw <= derived.point.raw <= derived.upper.raw


def test_division_by_nothing_is_shown_and_not_raised():
    zero = Place(estimate(0.0), "/a")
    assert inverse_interval(zero).point.raw == math.inf
    assert math.isnan(quotient_interval(zero, zero).point.raw)


def test_what_is_missing_is_said_in_words():
    assert number(Place(None), "s") == Words("not known", "muted")
    assert text(Place(None)) == Words("not known", "muted")
    assert text(Place("")) == Words("none", "muted")
    assert plain(count([])) == "none"
    assert plain(joined([])) == plain(items([])) == "none"


def test_parts_are_joined_to_a_sentence():
    assert plain(line("a ", joined([Words("b"), Words("c")]), "!")) == "a b, c!"


@given(st.text())
def test_printable_text_steers_nothing(string):
    shown = printable(string)
    controls = {
        character for character in shown if unicodedata.category(character) == "Cc"
    }
    assert controls <= {"\n", "\t"}
    assert printable(shown) == shown
    assert not set(shown) & set("\u202d\u202e\u2066\u2067\u2068")


def test_printable_text_keeps_what_can_be_read():
    assert printable("Größe\t検出\r\n\x1b[31m\x00") == "Größe\t検出\n\u241b[31m\u2400"
