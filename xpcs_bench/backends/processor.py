"""What processor this is, as the operating system tells."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["processor_fields", "processor_name", "usable_cores"]


def processor_name() -> str:
    """Name the processor, for a reader."""
    fields = processor_fields()
    return fields.get("model name") or platform.processor() or platform.machine()


def processor_fields() -> dict[str, str]:
    """Fields of the first core in /proc/cpuinfo; empty where there is none."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def usable_cores() -> tuple[int, ...]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))
