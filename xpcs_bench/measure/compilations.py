"""How often jax compiled, and how often it found a program on disk, as it tells itself.

Its events are no promise: whoever draws a conclusion asks first whether they are heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

__all__ = [
    "COMPILATION",
    "RETRIEVAL",
    "Compilations",
    "Programs",
    "is_heard",
    "listen",
]

COMPILATION = "/jax/core/compile/backend_compile_duration"
"""Told of every program, of those too that were found in the persistent cache."""
RETRIEVAL = "/jax/compilation_cache/cache_retrieval_time_sec"
"""Told of those that were found in the persistent cache."""


class Programs(NamedTuple):
    """How many programs were made ready to run."""

    ready: int
    """Compiled, or found in the persistent cache."""
    found: int
    """Those of them that were found."""

    def since(self, before: Programs) -> Programs:
        """Return how many were added."""
        return Programs(self.ready - before.ready, self.found - before.found)

    def missing(self) -> str:
        """Say that the persistent cache lacked some; empty where it had them all."""
        if self.found == self.ready:
            return ""
        return (
            f"{self.ready - self.found} of {self.ready} programs were not found in the "
            "persistent compilation cache, which a process of the same case had "
            "filled: what was timed is no call with a warm one."
        )


@dataclass
class Compilations:
    """What jax told since somebody listens."""

    count: int = 0
    """Programs that were compiled, or found in the persistent cache."""
    retrieved: int = 0
    """Those of them that were found."""

    @property
    def programs(self) -> Programs:
        """Both numbers, as they are now."""
        return Programs(self.count, self.retrieved)

    def hear(self, event: str, duration_secs: float, **details: str | int) -> None:
        """Take notice of an event."""
        del duration_secs, details
        self.count += event == COMPILATION
        self.retrieved += event == RETRIEVAL


@cache
def listen() -> Compilations:
    """Listen from now on; once a process, since not every jax can take it back."""
    from jax import monitoring

    heard = Compilations()
    monitoring.register_event_duration_secs_listener(heard.hear)
    return heard


def is_heard(compilations: Compilations) -> bool:
    """Whether jax still reports a compilation: its events are no promise."""
    import jax

    before = compilations.count
    jax.jit(lambda x: x + 1)(np.float32(0)).block_until_ready()
    return compilations.count > before
