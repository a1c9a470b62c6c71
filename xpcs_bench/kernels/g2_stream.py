"""Multi-tau g2 of frames that come in pieces, in memory that does not grow with them.

The same g2 and errors as those of the kernel ``g2``, to the last few bits, whatever the
pieces are: of every level the stream keeps the last frames that a delay reaches back
to, sums of products, and what the two ends of the series add. See
:class:`~xpcs_bench.kernels.g2.G2` for the definitions and their source.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.kernels.ladder import Ladder, channels_by_level, delays_in_frames

__all__ = ["MultiTauStream", "correlate_file"]

_BLOCK_BYTES = 1 << 20
"""Size of the frames of one block of pixels (bytes): what fits into a cache."""


class _Level(NamedTuple):
    """What one block of pixels keeps of one level; the last axis is the pixel."""

    recent: Any
    """The last frames, as many as the longest channel reaches back; zeros before the
    first, which add nothing to a product."""
    products: Any
    """Sum of the products of each channel."""
    total: Any
    """Sum of all frames."""
    first: Any
    """Sum of the first frames, as many as the number of each channel."""
    pending: Any
    """A frame that waits for its neighbour to make one of the next level."""


class MultiTauStream:
    """g2 of pixels grouped by bin, from frames that are added piece by piece.

    Parameters
    ----------
    backend : BackendProtocol
    sizes : sequence of int
        Pixels of each bin; the pixels of a frame are in this order.
    ladder, levels, channels
        As in :class:`~xpcs_bench.kernels.g2.G2Params`. Levels that the series turns
        out to be too short for are left out of the result, and are held in memory all
        the same.
    dtype : str
        Type of sums and results. Sums of counts are exact as long as it counts so far.
    frames_at_once : int
        Frames that go through the levels together; longer pieces are cut.

    Raises
    ------
    ConfigError
        A bin has fewer than two pixels, which have no scatter; or an odd number of
        channels.
    """

    def __init__(
        self,
        backend: BackendProtocol,
        sizes: Sequence[int],
        *,
        ladder: Ladder = "scikit_beam",
        levels: int = 12,
        channels: int = 8,
        dtype: str = "float64",
        frames_at_once: int = 64,
    ) -> None:
        _check(sizes, channels, frames_at_once)
        self._backend = backend
        self._dtype = dtype
        self._ladder: Ladder = ladder
        self._limits = (levels, channels)
        # as many levels as are asked for: how long the series is, nobody knows yet
        self._channels = channels_by_level(ladder, channels << levels, levels, channels)
        self._frames_at_once = frames_at_once
        self._count = [0] * levels
        self._advance = _compiled(backend, self._channels)
        widest = max(2, _BLOCK_BYTES // (frames_at_once * np.dtype(dtype).itemsize))
        self._width = min(widest, max(sizes))
        bounds = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        self._columns = [
            [
                slice(start, min(start + self._width, stop))
                for start in range(first, stop, self._width)
            ]
            for first, stop in pairwise(bounds)
        ]
        self._n_pixels = bounds[-1]
        self._blocks = [[self._empty() for _ in columns] for columns in self._columns]

    @property
    def n_frames(self) -> int:
        """Frames so far."""
        return self._count[0]

    @property
    def state_bytes(self) -> int:
        """Memory that is kept between pieces, however many there are (bytes)."""
        per_pixel = sum(
            channels[-1] + 2 * len(channels) + 2 for channels in self._channels
        )
        n_blocks = sum(map(len, self._columns))
        return per_pixel * n_blocks * self._width * np.dtype(self._dtype).itemsize

    def add(self, frames: Any) -> None:
        """Add frames (frame, pixel), of counts or intensities, to the series.

        Raises
        ------
        ConfigError
            They have another number of pixels than the bins.
        """
        if frames.ndim != 2 or frames.shape[1] != self._n_pixels:
            msg = (
                f"frames of the shape {tuple(frames.shape)} were added to bins of "
                f"{self._n_pixels} pixels together. Allowed: (frame, "
                f"{self._n_pixels}). Select and sort the pixels by bin first."
            )
            raise ConfigError(msg)
        for start in range(0, frames.shape[0], self._frames_at_once):
            piece = frames[start : start + self._frames_at_once]
            for columns, blocks in zip(self._columns, self._blocks, strict=True):
                for place, chosen in enumerate(columns):
                    blocks[place] = self._through(blocks[place], piece[:, chosen])
            for level, parity in enumerate(self._parities(piece.shape[0])):
                self._count[level] += parity[0]

    def result(self) -> dict[str, NDArray[Any]]:
        """Return g2 and its error by delay and bin, and the delays (frames).

        A bin without a photon in the frames that a delay compares has NaN there.

        Raises
        ------
        ConfigError
            Fewer frames were added than the shortest delay needs.
        """
        levels = channels_by_level(self._ladder, self.n_frames, *self._limits)
        if not levels:
            msg = (
                f"a series of {self.n_frames} frames has no delay. At least "
                f"{self._channels[0][0] + 1} are needed. Add more frames."
            )
            raise ConfigError(msg)
        g2, error = [], []
        for level, channels in enumerate(levels):
            n_pairs = [self._count[level] - channel for channel in channels]
            found = [
                [self._of_bin(bin_, level, place, pairs) for bin_ in self._bins()]
                for place, pairs in enumerate(n_pairs)
            ]
            g2 += [[one for one, _ in row] for row in found]
            error += [[one for _, one in row] for row in found]
        return {
            "g2": np.array(g2, self._dtype),
            "g2_error": np.array(error, self._dtype),
            "delays": np.array(delays_in_frames(levels), np.int64),
        }

    def _empty(self) -> tuple[_Level, ...]:
        def zeros(n: int) -> Any:
            return self._backend.zeros((n, self._width), self._dtype)

        return tuple(
            _Level(
                recent=zeros(channels[-1]),
                products=zeros(len(channels)),
                total=zeros(1)[0],
                first=zeros(len(channels)),
                pending=zeros(1)[0],
            )
            for channels in self._channels
        )

    def _parities(self, n: int) -> Iterator[tuple[int, int]]:
        """Yield, by level, how many frames a piece adds, and whether one is pending."""
        for count in self._count:
            pending = count % 2
            yield n, pending
            n = (n + pending) // 2

    def _through(self, levels: tuple[_Level, ...], piece: Any) -> tuple[_Level, ...]:
        """Take a piece of a block through the levels, as far up as it reaches."""
        backend, found = self._backend, list(levels)
        counts = backend.astype(backend.array(piece), self._dtype)
        padding = self._width - counts.shape[1]
        if padding:
            dark = backend.zeros((counts.shape[0], padding), self._dtype)
            counts = backend.concatenate([counts, dark], axis=1)
        for level, (n, pending) in enumerate(self._parities(piece.shape[0])):
            if not n:
                break
            index = self._count[level] + np.arange(n)
            inside = index < np.array(self._channels[level])[:, None]
            weights = backend.array(inside.astype(self._dtype))
            step = self._advance[level][pending]
            found[level], counts = step(levels[level], counts, weights)
        # what is not yet computed holds on to what it is computed from
        backend.block_until_ready(found[0])
        return tuple(found)

    def _bins(self) -> Iterator[list[tuple[tuple[_Level, ...], int]]]:
        """Yield the blocks of each bin, with the pixels that are no padding."""
        for columns, blocks in zip(self._columns, self._blocks, strict=True):
            yield [
                (block, chosen.stop - chosen.start)
                for block, chosen in zip(blocks, columns, strict=True)
            ]

    def _of_bin(
        self,
        blocks: list[tuple[tuple[_Level, ...], int]],
        level: int,
        place: int,
        n_pairs: int,
    ) -> tuple[float, float]:
        """Return g2 and its error at one delay: sums over pixels, the quotient last."""
        n_pixels = sum(size for _, size in blocks)
        sums = [self._sums(block[level], level, place, size) for block, size in blocks]
        mean = [math.fsum(part[i].sum() for part in sums) / n_pixels for i in range(3)]
        if not min(mean[1:]) > 0:
            return math.nan, math.nan
        g2 = (mean[0] / mean[1]) * (n_pairs / mean[2])
        if not mean[0]:
            # without a coincidence g2 is 0, and its error is that of no product
            return 0.0, 0.0
        square = math.fsum(
            float(np.sum(np.square(_apart(part, mean)))) for part in sums
        )
        return g2, g2 * math.sqrt(square / (n_pixels * (n_pixels - 1)))

    def _sums(
        self, kept: _Level, level: int, place: int, size: int
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return product, earlier and later counts of the pixels of a block."""
        channel = self._channels[level][place]
        host = self._backend.to_numpy
        total = host(kept.total)[:size].astype(np.float64)
        last = host(kept.recent)[:, :size]
        behind = last[len(last) - channel :].sum(axis=0, dtype=np.float64)
        first = host(kept.first)[place, :size].astype(np.float64)
        product = host(kept.products)[place, :size].astype(np.float64)
        return product, total - behind, total - first


def _apart(
    part: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], mean: Sequence[float]
) -> NDArray[Any]:
    """Return by how much each pixel is off, to first order and as a part of g2."""
    product, earlier, later = (one / of for one, of in zip(part, mean, strict=True))
    apart: NDArray[Any] = product - earlier - later + 1.0
    return apart


def _check(sizes: Sequence[int], channels: int, frames_at_once: int) -> None:
    if not len(sizes):
        msg = "there is no bin. At least one is needed. Label some pixels."
        raise ConfigError(msg)
    for index, size in enumerate(sizes):
        if size < 2:
            msg = (
                f"bin {index} of {len(sizes)} has {size} pixels. Allowed: two or more, "
                "since one has no scatter. Leave out bins that are smaller."
            )
            raise ConfigError(msg)
    if channels < 2 or channels % 2:
        msg = (
            f"channels={channels!r}. Allowed: an even number from 2 on, since a level "
            "takes over half the channels. Take one more or one fewer."
        )
        raise ConfigError(msg)
    if frames_at_once < 1:
        msg = f"frames_at_once={frames_at_once!r}. Allowed: 1 or more, such as 64."
        raise ConfigError(msg)


def _compiled(
    backend: BackendProtocol, levels: Sequence[range]
) -> list[tuple[Callable[..., Any], Callable[..., Any]]]:
    """Return the step of each level, without and with a pending frame."""
    return [
        (
            backend.jit(functools.partial(_step, backend, channels, False)),  # noqa: FBT003
            backend.jit(functools.partial(_step, backend, channels, True)),  # noqa: FBT003
        )
        for channels in levels
    ]


def _step(
    backend: BackendProtocol,
    channels: range,
    has_pending: bool,  # noqa: FBT001 (bound before the function is compiled)
    kept: _Level,
    frames: Any,
    weights: Any,
) -> tuple[_Level, Any]:
    """Add frames to a level; return it, and the frames that go on to the next.

    ``weights`` (channel, frame) are 1 for the first frames of the series, as many as
    the number of the channel.
    """
    n = frames.shape[0]
    reach = channels[-1]
    known = backend.concatenate([kept.recent, frames], axis=0)
    products = backend.stack(
        [
            backend.sum(frames * known[reach - channel : reach - channel + n], axis=0)
            for channel in channels
        ]
    )
    waiting = frames
    if has_pending:
        waiting = backend.concatenate([backend.expand_dims(kept.pending, 0), frames])
    even = 2 * (waiting.shape[0] // 2)
    merged = waiting[0:even:2] + waiting[1:even:2]
    return (
        _Level(
            # a view would keep the whole piece alive
            recent=backend.copy(known[known.shape[0] - reach :]),
            products=kept.products + products,
            total=kept.total + backend.sum(frames, axis=0),
            first=kept.first + backend.matmul(weights, frames),
            # whether it waits is known from the number of frames
            pending=backend.copy(waiting[waiting.shape[0] - 1]),
        ),
        merged,
    )


def _read_pieces(
    path: str | Path, dataset: str, frames_at_once: int
) -> Iterator[NDArray[Any]]:
    """Read the frames of a file piece by piece: (frame, row, column) each.

    Raises
    ------
    RecordError
        The file cannot be read, or the dataset is no series of frames.
    """
    from xpcs_bench.nexus.file import find_dataset, opened

    with opened(path) as file:
        found = find_dataset(file, path, dataset)
        if found is None or found.ndim != 3:
            wrong = "is missing" if found is None else f"has the shape {found.shape}"
            msg = (
                f"{path}: {dataset}: {wrong}. Allowed: frames (frame, row, column). "
                "Name another dataset."
            )
            raise RecordError(msg)
        for start in range(0, found.shape[0], frames_at_once):
            try:
                yield found[start : start + frames_at_once]
            except OSError as error:
                msg = (
                    f"{path}: {dataset}: frame {start} and those after it cannot be "
                    f"read ({error}). Copy the file again."
                )
                raise RecordError(msg) from error


def correlate_file(
    backend: BackendProtocol,
    path: str | Path,
    dataset: str,
    labels: NDArray[np.integer[Any]],
    *,
    frames_at_once: int = 64,
    **options: Any,
) -> dict[str, NDArray[Any]]:
    """Correlate the frames of a file of any length, piece by piece.

    Beside :attr:`MultiTauStream.state_bytes` it holds two pieces of ``frames_at_once``
    frames, as they are stored.

    Parameters
    ----------
    labels : array
        Bin of each pixel (row, column): 0 for none, and 1 to the number of bins, as a
        partition gives them. Every bin has two pixels or more.
    **options
        Of :class:`MultiTauStream`.

    Raises
    ------
    RecordError
        The file cannot be read, or its frames have another shape than the labels.
    ConfigError
        A bin is too small, or the series too short.
    """
    flat = np.asarray(labels).reshape(-1)
    used = np.flatnonzero(flat > 0)
    order = used[np.argsort(flat[used], kind="stable")]
    sizes = np.bincount(flat[used])[1:].tolist()
    stream = MultiTauStream(backend, sizes, frames_at_once=frames_at_once, **options)
    for frames in _read_pieces(path, dataset, frames_at_once):
        if frames.shape[1:] != np.shape(labels):
            msg = (
                f"{path}: {dataset}: has frames of {frames.shape[1:]} pixels, the "
                f"labels are {np.shape(labels)}. They must be the same. Take the "
                "labels of this detector."
            )
            raise RecordError(msg)
        stream.add(np.take(frames.reshape(len(frames), -1), order, axis=1))
    return stream.result()
