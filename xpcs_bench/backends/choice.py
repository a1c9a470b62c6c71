"""What a policy answers: the candidates for some calls, the cheapest first."""

from __future__ import annotations

from dataclasses import dataclass

from xpcs_bench.backends.cost_curve import Seconds
from xpcs_bench.units import format_bytes, format_duration

__all__ = ["Choice", "Expected", "Place", "spoken"]

_NAMES = {"numpy": "NumPy", "jax": "JAX"}

Place = tuple[str, str]
"""Backend and device: ``("jax", "cpu")``."""


def spoken(backend: str, device: str) -> str:
    """Name a backend and a device in a sentence: ``JAX on CPU``."""
    return f"{_NAMES.get(backend, backend)} on {device.upper()}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What calls are expected to take by one candidate (s)."""

    backend: str
    device: str
    seconds: Seconds
    measured: bool
    """Whether the size lies between sizes that were measured."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that is expected to take the least time, and why."""

    kernel: str
    size: int
    calls: int
    fresh: bool
    """Whether the process ends after these calls."""
    candidates: tuple[Expected, ...]
    """The cheapest first."""

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self.candidates[0].backend

    @property
    def device(self) -> str:
        """Platform: ``cpu``, ``gpu``; what ``device_put`` takes."""
        return self.candidates[0].device

    @property
    def certain(self) -> bool:
        """Whether the interval of every other candidate lies above that of the first.

        What is chosen where they overlap costs little more than the best, or nothing.
        """
        first, *others = self.candidates
        return all(other.seconds.lower > first.seconds.upper for other in others)

    @property
    def reason(self) -> str:
        """A sentence."""
        first, *others = self.candidates
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        said = [
            f"{spoken(each.backend, each.device)} {_interval(each.seconds)}"
            for each in self.candidates
        ]
        where = "a fresh process" if self.fresh else "a program that goes on"
        text = (
            f"{self.kernel}, {format_bytes(self.size)}, {calls} in {where}: expected "
            f"in all {', '.join(said)}"
        )
        if not others:
            text += "; nothing else was measured that is visible here"
        elif not self.certain:
            text += f", so it cannot be told whether {spoken(*_place(first))} is ahead"
        text += "."
        if not all(each.measured for each in self.candidates):
            text += (
                " No such size was measured: below the smallest its times hold, above "
                "the largest calls grow in proportion to the size."
            )
        return text


def _place(expected: Expected) -> Place:
    return expected.backend, expected.device


def _interval(seconds: Seconds) -> str:
    lower, upper = format_duration(seconds.lower), format_duration(seconds.upper)
    return f"{format_duration(seconds.point)} [{lower}, {upper}]"
