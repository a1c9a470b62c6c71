"""Sums over the pairs of frames of every channel: the inner loops of multi-tau."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, NamedTuple

from xpcs_bench.backends import BackendProtocol

__all__ = ["ChannelSums", "merge_pairs", "sum_channels", "sum_frames", "sum_products"]

_WRITTEN_OUT = 64
"""Terms of a sum that are written out at most, where code is compiled."""
_WRITTEN_OUT_OF_MANY = 16
"""The same where there are more: code that is twice as long compiles twice as long,
and the sums over groups of so many frames are small beside those within."""
_CHAINS = 4
"""Partial sums that are kept apart: a processor adds to one while others wait."""


class ChannelSums(NamedTuple):
    """Of every delay and pixel: (delay, pixel)."""

    product: Any
    """Products of the counts of both frames."""
    earlier: Any
    """Counts of the earlier frames."""
    later: Any
    """Counts of the later frames."""


def sum_channels(
    backend: BackendProtocol, levels: Sequence[range], counts: Any
) -> ChannelSums:
    """Sum product, earlier and later counts over the pairs of each channel.

    ``counts`` are floating-point numbers (frame, pixel). A frame of a level is the sum
    of those it is made of, not their mean: g2 is the same, and sums of counts are
    whole numbers.
    """
    products, earlier, later = [], [], []
    for level, channels in enumerate(levels):
        if level:
            counts = merge_pairs(counts)
        n = counts.shape[0]
        products += [
            sum_products(backend, counts, 0, n - channel, channel)
            for channel in channels
        ]
        # from the longest delay down, each has one frame more at either end
        longest = channels[-1]
        ends = [
            sum_frames(backend, counts, 0, n - longest),
            sum_frames(backend, counts, longest, n),
        ]
        sums = [ends]
        for channel in reversed(channels[:-1]):
            ends = [ends[0] + counts[n - channel - 1], ends[1] + counts[channel]]
            sums.append(ends)
        earlier += [one for one, _ in reversed(sums)]
        later += [one for _, one in reversed(sums)]
    return ChannelSums(*map(backend.stack, (products, earlier, later)))


def merge_pairs(counts: Any) -> Any:
    """Add up neighbouring frames: the next level. An odd last one is dropped."""
    n = 2 * (counts.shape[0] // 2)
    return counts[0:n:2] + counts[1:n:2]


def sum_frames(backend: BackendProtocol, counts: Any, first: int, stop: int) -> Any:
    """Sum frames from ``first`` to before ``stop``: (pixel)."""
    return _sum_terms(
        backend, stop - first, lambda *frames: _pick(counts, first, *frames)
    )


def sum_products(
    backend: BackendProtocol, counts: Any, first: int, stop: int, channel: int
) -> Any:
    """Sum ``counts[t] * counts[t + channel]`` from ``first`` to before ``stop``."""
    return _sum_terms(
        backend,
        stop - first,
        lambda *frames: (
            _pick(counts, first, *frames) * _pick(counts, first + channel, *frames)
        ),
    )


def _pick(counts: Any, shift: int, first: int, number: int, step: int) -> Any:
    """Return some frames, ``step`` apart."""
    first += shift
    return counts[first : first + (number - 1) * step + 1 : step]


def _sum_terms(
    backend: BackendProtocol, n: int, term: Callable[[int, int, int], Any]
) -> Any:
    """Sum n terms; ``term(first, number, step)`` makes some of them (term, pixel)."""
    if not backend.supports_jit:
        return backend.sum(term(0, n, 1), axis=0)
    # XLA copies the slices of a sum over the first axis, and multiplies them apart;
    # sums that are written out it does in one pass, in registers: 2 to 3 times as fast
    step = n if n <= _WRITTEN_OUT else _WRITTEN_OUT_OF_MANY
    groups = n // step
    inside = _add_up([term(k, groups, step) for k in range(step)])
    total = inside[0] if groups == 1 else backend.sum(inside, axis=0)
    rest = [term(k, 1, 1) for k in range(groups * step, n)]
    return total + _add_up(rest)[0] if rest else total


def _add_up(terms: Sequence[Any]) -> Any:
    chains = [terms[k::_CHAINS] for k in range(min(_CHAINS, len(terms)))]
    return reduce(add, [reduce(add, chain) for chain in chains])
