"""What stands in the record of every study of the engine."""

from __future__ import annotations

from xpcs_bench.measure.environment import machine, versions

__all__ = ["circumstances"]


def circumstances(*distributions: str) -> dict[str, str]:
    """Name the machine and the versions, for a reader."""
    found = versions("numpy", "jax", *distributions)
    return {
        "machine": machine(),
        "versions": ", ".join(f"{name} {version}" for name, version in found.items()),
    }
