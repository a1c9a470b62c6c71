"""The last-level cache, and how large arrays are that fit into it or do not."""

from __future__ import annotations

from pathlib import Path

import psutil

from xpcs_bench.records.ceiling import Level

__all__ = ["assumed_bytes", "cache_bytes", "level_of", "working_set"]

_LEAST_MEMORY = 2**28
_MOST_MEMORY = 2**30
"""Two arrays of the memory level; each is to be far larger than the cache (bytes)."""
_UNKNOWN_CACHE = 2**23
"""Taken for the last-level cache where the platform does not tell (bytes)."""


def cache_bytes(root: Path = Path("/")) -> int | None:
    """Size of the last-level cache of the first core; None where it is not told."""
    sizes = []
    folder = root / "sys/devices/system/cpu/cpu0/cache"
    for index in sorted(folder.glob("index*")):
        try:
            kind = (index / "type").read_text().strip()
            size = (index / "size").read_text().strip()
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K") and size[:-1].isdigit():
            sizes.append(int(size[:-1]) * 1024)
    return max(sizes, default=None)


def assumed_bytes() -> int:
    """Return its size, or what is taken for it (bytes)."""
    return cache_bytes() or _UNKNOWN_CACHE


def level_of(working_set_bytes: int) -> Level:
    """Which bandwidth limits who works on so many bytes again and again."""
    return "cache" if working_set_bytes <= assumed_bytes() else "memory"


def working_set(level: Level) -> int:
    """Return how much the two arrays of a level hold together (bytes)."""
    cache = assumed_bytes()
    if level == "cache":
        return cache // 2
    return min(
        max(8 * cache, _LEAST_MEMORY),
        _MOST_MEMORY,
        psutil.virtual_memory().available // 4,
    )
