"""The circumstances of a measurement; different ones refuse to mix."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property

from xpcs_bench.confined import RecordedModel

__all__ = ["Device", "Environment"]


class Device(RecordedModel):
    """Where a backend can run."""

    platform: str
    """``cpu``, ``gpu``."""
    index: int
    name: str
    memory_bytes: int | None
    """None where the platform does not tell."""


class Environment(RecordedModel):
    """What was true of a worker process and its machine."""

    host: str
    cpu: str
    cpu_features: tuple[str, ...]
    """Instruction sets that move numerical results (AVX2, AVX-512, ...)."""
    cores: int
    affinity: tuple[int, ...]
    """Cores that the process may use."""
    memory_bytes: int | None
    kernel: str
    """Operating system and its version."""
    python: str
    packages: dict[str, str]
    """Distribution to version."""
    backend: str | None
    """Backend whose worker it was; None for the parent."""
    devices: tuple[Device, ...]
    x64: bool | None
    """Whether jax computes in 64 bits; None where jax is not used."""
    variables: dict[str, str]
    """Environment variables that change a measurement, as the worker saw them."""
    compilation_cache: str | None
    """``off``, or the thresholds of the persistent compilation cache."""
    git_revision: str | None
    git_dirty: bool | None

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the content."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
