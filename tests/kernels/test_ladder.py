"""Ladders: the delays that other programs have, and none without frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.kernels.ladder import channels_by_level, delays_in_frames

LADDERS = ("scikit_beam", "boost")
sizes = {
    "ladder": st.sampled_from(LADDERS),
    "n_frames": st.integers(2, 1_000_000),
    "levels": st.integers(1, 30),
    "channels": st.integers(1, 32).map(lambda half: 2 * half),
}


def test_a_hundred_thousand_frames_have_the_61_delays_of_real_files():
    levels = channels_by_level("boost", 100_000, 30, 8)
    delays = delays_in_frames(levels)
    assert len(delays) == 61
    assert delays[:10] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12]
    assert delays[-1] == 5 * 2**14


def test_the_ladder_of_scikit_beam():
    levels = channels_by_level("scikit_beam", 1000, 3, 8)
    assert delays_in_frames(levels) == [
        *(0, 1, 2, 3, 4, 5, 6, 7),
        *(8, 10, 12, 14),
        *(16, 20, 24, 28),
    ]


@given(**sizes)
def test_delays_rise_and_have_a_pair_of_frames(ladder, n_frames, levels, channels):
    found = channels_by_level(ladder, n_frames, levels, channels)
    delays = delays_in_frames(found)
    assert delays == sorted(set(delays))
    assert len(found) <= levels
    for level, row in enumerate(found):
        assert len(row) > 0
        assert row[-1] < n_frames >> level
    # the delays of a series are those of a longer one, cut off
    longer = channels_by_level(ladder, 2 * n_frames, levels, channels)
    assert delays_in_frames(longer)[: len(delays)] == delays or any(
        len(one) < len(other) for one, other in zip(found, longer, strict=False)
    )


@given(**sizes)
def test_no_channel_is_left_out(ladder, n_frames, levels, channels):
    first = 0 if ladder == "scikit_beam" else 1
    desired = [
        channel << level
        for level in range(levels)
        for channel in range(first + (channels // 2 if level else 0), first + channels)
        if channel < n_frames >> level
    ]
    found = channels_by_level(ladder, n_frames, levels, channels)
    assert delays_in_frames(found) == desired


@pytest.mark.parametrize("ladder", LADDERS)
def test_two_frames_have_one_delay_or_two(ladder):
    delays = delays_in_frames(channels_by_level(ladder, 2, 12, 8))
    assert delays == {"scikit_beam": [0, 1], "boost": [1]}[ladder]
