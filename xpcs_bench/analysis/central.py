"""What one process says of the time of a call: from labelled samples to one number.

On a busy machine the mean and the median of all samples are wrong by up to 75 %, since
a thread that waits for a core goes on being timed. Linux tells how long each waited,
and so a sample is left out for this named cause, and never for its value:

* *disturbed* is a sample whose threads waited longer than 0.5 % of it for a core;
* a call during which one thread works at any moment has its CPU time for its time:
  wall time is then CPU time and waiting, which the samples themselves show;
* any other call (several threads, files, a device) has the wall time of undisturbed
  samples. Where these are too few, that of the least disturbed ones stands in.

Where nothing is known of causes, nothing is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DISTURBED",
    "WORDS",
    "Central",
    "Columns",
    "Timing",
    "central",
    "drift",
    "one_thread",
    "percentile",
    "relative_half_width",
]

DISTURBED = 0.005
"""Share of a sample that its threads waited for a core, from which it is disturbed."""
_LEAST_KEPT = 5
"""Fewer undisturbed samples say too little of a process."""
_LEAST_PART = 5
"""One in so many stands in where too few are undisturbed: the least disturbed."""
_LEAST_VALUES = 10
_SAME_TIME = 0.02
"""How far CPU time and waiting may be from wall time where one thread works."""

Timing = Literal["cpu", "wall", "least_disturbed", "unlabelled"]
"""Whose time it is, and which samples: CPU time of all, or of the undisturbed ones;
wall time of the undisturbed, of the least disturbed, or of all for want of labels."""

WORDS: dict[Timing, str] = {
    "cpu": "CPU time",
    "wall": "wall time of undisturbed samples",
    "least_disturbed": "wall time of the least disturbed samples",
    "unlabelled": "wall time of all samples",
}


_Column = NDArray[np.int64]
_Ordered = Sequence[float] | NDArray[np.float64]
"""Values of which none is less than the one before; one number costs one look-up."""


class Columns(Protocol):
    """Samples by column, as :class:`~xpcs_bench.records.Samples` has them."""

    @property
    def elapsed_ns(self) -> Sequence[int]:
        """Wall time of each reading (ns)."""

    @property
    def inner_loops(self) -> Sequence[int]:
        """Calls inside each reading."""

    @property
    def cpu_ns(self) -> Sequence[int]:
        """CPU time within each reading (ns); empty: not read."""

    @property
    def run_delay_ns(self) -> Sequence[int]:
        """Waiting for a core within each reading (ns); empty: not told."""


@dataclass(frozen=True)
class Central:
    """The time of a call as one process tells it."""

    value_s: float
    """Median (s)."""
    p90_s: float
    """What nine calls in ten take at most, of the same samples (s)."""
    timing: Timing
    n_kept: int
    n_samples: int
    half_width: float
    """How well the median of this process is known, as a part of it."""


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least this part of all does not exceed."""
    return _percentile(sorted(values), part)


def _percentile(ordered: _Ordered, part: float) -> float:
    return float(ordered[max(0, math.ceil(part * len(ordered)) - 1)])


def _median(ordered: _Ordered) -> float:
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return (float(ordered[half - 1]) + float(ordered[half])) / 2


def relative_half_width(values: Sequence[float]) -> float:
    """Return how well the median of the values is known, as a part of it.

    From order statistics: half the width of a 95 % interval; infinite for fewer than
    ten values. It says how long to sample; the interval that is reported comes from
    the processes.
    """
    return _half_width(sorted(values))


def _half_width(ordered: _Ordered) -> float:
    n = len(ordered)
    if n < _LEAST_VALUES:
        return math.inf
    # binomial(n, 1/2) within 1.96 standard deviations of its mean
    reach = math.ceil(0.98 * math.sqrt(n))
    low = float(ordered[max(0, n // 2 - reach)])
    high = float(ordered[min(n - 1, n // 2 + reach)])
    middle = _median(ordered)
    return (high - low) / 2 / middle if middle > 0 else 0.0


class _Arrays:
    """Consecutive samples, as arrays: a record has millions, and each is asked often.

    Made once of columns; a part of arrays is a view of them.
    """

    def __init__(self, samples: Columns | _Arrays, part: slice = slice(None)) -> None:
        self.elapsed_ns: _Column = np.asarray(samples.elapsed_ns, np.int64)[part]
        self.inner_loops: _Column = np.asarray(samples.inner_loops, np.int64)[part]
        self.cpu_ns: _Column = np.asarray(samples.cpu_ns, np.int64)[part]
        self.run_delay_ns: _Column = np.asarray(samples.run_delay_ns, np.int64)[part]

    @property
    def labelled(self) -> bool:
        """Whether it is known who waited."""
        return len(self.run_delay_ns) > 0 and len(self.cpu_ns) > 0


def central(samples: Columns | _Arrays, *, by_cpu: bool | None = None) -> Central:
    """Return the median time per call, of the clock and the samples that fit the kind.

    Parameters
    ----------
    by_cpu : bool, optional
        Whether one thread works at any moment, where that was told from more samples
        than these; None: told from these.

    Raises
    ------
    ValueError
        There is no sample.
    """
    if not len(samples.elapsed_ns):
        msg = "no sample, no time"
        raise ValueError(msg)
    arrays = _Arrays(samples)
    everything = slice(None)
    if not arrays.labelled:
        return _of(arrays, arrays.elapsed_ns, everything, "unlabelled")
    places, enough = _least_disturbed(arrays)
    if one_thread(arrays) if by_cpu is None else by_cpu:
        # waiting for a core is no CPU time: where little is undisturbed, all counts
        return _of(arrays, arrays.cpu_ns, places if enough else everything, "cpu")
    timing: Timing = "wall" if enough else "least_disturbed"
    return _of(arrays, arrays.elapsed_ns, places, timing)


def drift(samples: Columns, cores: int | None = None) -> float:
    """Return by what part a series has moved from its first half to its second.

    0 where it has settled: where the intervals of both medians meet, or lie within 2 %
    of each other. Warm-up ends after a fixed number of calls, and what goes on after
    that is told here and not cut off.
    """
    arrays = _Arrays(samples)
    by_cpu = one_thread(arrays, cores)
    half = len(arrays.elapsed_ns) // 2
    parts = [
        central(_Arrays(arrays, part), by_cpu=by_cpu)
        for part in (slice(None, half), slice(half, None))
        if half
    ]
    if not parts or max(part.half_width for part in parts) == math.inf:
        return 0.0
    first, second = parts
    apart = abs(second.value_s - first.value_s)
    doubt = sum(part.half_width * part.value_s for part in parts)
    moved = second.value_s / first.value_s - 1 if first.value_s else 0.0
    return moved if apart > doubt and abs(moved) > _SAME_TIME else 0.0


def one_thread(samples: Columns | _Arrays, cores: int | None = None) -> bool:
    """Whether the work is that of one thread: then CPU time tells how long it takes.

    Wall time is then CPU time and waiting. With several threads at work CPU time is
    more; while a file or a device is waited for it is less. On one core any number of
    threads does the work of one, and some wait for each other. Not without labels to
    tell it from; the least disturbed samples tell, in the median: from some a
    hypervisor takes time that no label knows of.

    Parameters
    ----------
    cores : int, optional
        How many the process could use; None: not known.
    """
    arrays = _Arrays(samples)
    if not arrays.labelled:
        return False
    places, _ = _least_disturbed(arrays)
    spent_ns = arrays.cpu_ns[places] + arrays.run_delay_ns[places]
    part = spent_ns / np.maximum(arrays.elapsed_ns[places], 1)
    accounted = _median(np.sort(part))
    return accounted >= 1 - _SAME_TIME and (cores == 1 or accounted <= 1 + _SAME_TIME)


def _least_disturbed(samples: _Arrays) -> tuple[NDArray[np.intp], bool]:
    """Return the places of undisturbed samples, and whether these are enough.

    Where not, the places are those of the samples that waited least, as a share of
    their time.
    """
    share = samples.run_delay_ns / np.maximum(samples.elapsed_ns, 1)
    kept = np.flatnonzero(share <= DISTURBED)
    least = min(_LEAST_KEPT, len(share))
    if len(kept) >= least:
        return kept, True
    count = max(least, len(share) // _LEAST_PART)
    return np.argsort(share, kind="stable")[:count], False


def _of(
    samples: _Arrays,
    times_ns: _Column,
    places: NDArray[np.intp] | slice,
    timing: Timing,
) -> Central:
    per_call_s = np.sort(times_ns[places] * 1e-9 / samples.inner_loops[places])
    return Central(
        value_s=_median(per_call_s),
        p90_s=_percentile(per_call_s, 0.9),
        timing=timing,
        n_kept=len(per_call_s),
        n_samples=len(samples.elapsed_ns),
        half_width=_half_width(per_call_s),
    )
