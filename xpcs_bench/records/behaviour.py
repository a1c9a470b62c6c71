"""What a library did when something was tried on it, in a process of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from xpcs_bench.confined import ConfinedModel

__all__ = ["BehaviourSeen", "Seen", "seen_text"]

Seen = bool | int | float | str
"""One thing that was observed."""


class BehaviourSeen(ConfinedModel):
    """How one behaviour was met with."""

    behaviour: str
    """Name in the registry of behaviours."""
    kind: Literal["returned", "raised", "died", "absent", "lost"]
    """``died``: the process ended before it could say anything. ``absent``: what is
    needed is not here. ``lost``: it was killed for its size or its silence."""
    exceptions: tuple[str, ...] = ()
    """The exception's class and its bases, by name."""
    message: str = ""
    """Of the exception; how the process ended; what is absent."""
    observed: dict[str, Seen] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What was met with, in a line."""
        if self.kind == "raised":
            return f"{self.exceptions[0]}: {self.message}"
        if self.kind == "returned":
            seen = [
                f"{name}: {seen_text(value)}" for name, value in self.observed.items()
            ]
            seen += [f"warning {text}" for text in self.warnings]
            return "; ".join(seen) or "works"
        return self.message


def seen_text(value: Seen) -> str:
    """Write one thing that was observed."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
