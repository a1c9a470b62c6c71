"""The delays of a multi-tau correlator: which channels it has in which level.

A frame of level l is made of 2**l frames of the series; channel n of that level is the
delay ``n * 2**l``. Channels of the first level begin at the shortest delay, those of
later levels where the level before them ends.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["Ladder", "channels_by_level", "delays_in_frames"]

Ladder = Literal["scikit_beam", "boost"]


def channels_by_level(
    ladder: Ladder, n_frames: int, levels: int, channels: int
) -> tuple[range, ...]:
    """Return the channels of each level that a series is long enough for.

    ``scikit_beam`` has the channels 0 to channels - 1, and in later levels the upper
    half of them; ``boost`` (boost_corr and xpcs-eigen, which call half the channels
    ``dpl``) 1 to channels. A channel needs one pair of frames of its level; the odd
    last frame of a level is dropped.
    """
    first = 0 if ladder == "scikit_beam" else 1
    found = []
    for level in range(levels):
        lowest = first if level == 0 else first + channels // 2
        highest = min(first + channels, n_frames >> level)
        if lowest >= highest:
            break
        found.append(range(lowest, highest))
    return tuple(found)


def delays_in_frames(levels: tuple[range, ...]) -> list[int]:
    """Return the delays of all channels, rising."""
    return [
        channel << level
        for level, channels in enumerate(levels)
        for channel in channels
    ]
