"""What a machine can do at most, as it was measured on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from xpcs_bench.confined import RecordedModel

__all__ = ["Ceiling", "best"]

Resource = Literal["bytes", "flops"]
Threads = Literal["one", "all"]
Level = Literal["cache", "memory"]


class Ceiling(RecordedModel):
    """A rate that an efficiency is a part of."""

    resource: Resource
    """Bytes that are read and written, or floating-point operations."""
    per_second: float
    """The highest rate that was seen (bytes/s or operations/s)."""
    operation: str
    """What ran: ``read``, ``write``, ``copy``, ``matrix_product``."""
    library: str
    """Whose code ran: ``numpy``, ``jax``."""
    platform: str
    """``cpu``, ``gpu``."""
    dtype: str
    threads: Threads
    """One thread of the host, or as many as the library takes by itself."""
    level: Level | None
    """Whether the arrays fit into the last-level cache, or are far larger; None where
    it does not matter."""
    working_set_bytes: int
    """All arrays together (bytes)."""
    cache_bytes: int | None = None
    """Last-level cache that tells the levels apart, or what was taken for it (bytes);
    None: not known, as on a GPU, and whatever is worked on counts as in memory."""
    cores_used: float
    """CPU time of the process over wall time, while it was measured."""
    method: str
    """A sentence: how it was measured."""


def best(
    ceilings: Iterable[Ceiling],
    resource: Resource,
    *,
    platform: str = "cpu",
    threads: Threads = "all",
    dtype: str | None = None,
    level: Level | None = None,
) -> Ceiling | None:
    """Return the highest ceiling that fits; None where none was measured.

    ``dtype`` and ``level`` are left open with None.
    """
    fitting = [
        ceiling
        for ceiling in ceilings
        if (ceiling.resource, ceiling.platform, ceiling.threads)
        == (resource, platform, threads)
        and dtype in {None, ceiling.dtype}
        and level in {None, ceiling.level}
    ]
    return max(fitting, key=lambda ceiling: ceiling.per_second, default=None)
