"""What a check looks at, and what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xpcs_bench.measure.circumstances import core_count
from xpcs_bench.measure.clock import Clock, now_ns
from xpcs_bench.records import Ceiling, Outcome, Quantity

__all__ = [
    "Check",
    "Finding",
    "Surroundings",
    "doubtful",
    "failed",
    "passed",
    "skipped",
]


@dataclass(frozen=True)
class Surroundings:
    """Where a check looks; a test gives it another machine."""

    root: Path = Path("/")
    """Below it are ``proc`` and ``sys``, where there are any."""
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = now_ns
    cores: int = field(default_factory=core_count)
    """Cores that this process may use, or the threads that are left to it if fewer."""

    def text(self, place: str) -> str | None:
        """Content of a file of the system, stripped; None where it cannot be read."""
        try:
            return (self.root / place).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None

    def set_variables(self, *beginnings: str) -> str:
        """List the variables that begin so, as a shell would set them."""
        return ", ".join(
            f"{name}={value}"
            for name, value in sorted(self.variables.items())
            if name.startswith(beginnings)
        )


@dataclass(frozen=True)
class Finding:
    """What a check saw, and what to do."""

    outcome: Outcome
    found: str
    advice: str
    quantities: tuple[Quantity, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()


Check = Callable[[Surroundings], Finding]

Numbers = Mapping[str, tuple[float, str]]
"""Name to value and unit."""
NONE: Numbers = {}


def _finding(outcome: Outcome, found: str, advice: str, numbers: Numbers) -> Finding:
    quantities = tuple(
        Quantity(name=name, value=value, unit=unit)
        for name, (value, unit) in numbers.items()
    )
    return Finding(outcome, found, advice, quantities)


def passed(found: str, advice: str = "", numbers: Numbers = NONE) -> Finding:
    """As it should be."""
    return _finding(Outcome.PASS, found, advice, numbers)


def doubtful(found: str, advice: str, numbers: Numbers = NONE) -> Finding:
    """What is measured here may not tell."""
    return _finding(Outcome.INCONCLUSIVE, found, advice, numbers)


def failed(found: str, advice: str, numbers: Numbers = NONE) -> Finding:
    """What is measured here would be wrong."""
    return _finding(Outcome.FAIL, found, advice, numbers)


def skipped(reason: str, advice: str, numbers: Numbers = NONE) -> Finding:
    """It cannot be seen here."""
    return _finding(Outcome.SKIP, reason, advice, numbers)
