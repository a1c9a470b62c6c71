"""Who is told how far a run is."""

from __future__ import annotations

from typing import Protocol

from xpcs_bench.records import BehaviourSeen, Case, Diagnosis, Measurement

__all__ = ["Listener", "Silent"]


class Listener(Protocol):
    """Who wants to know how far the run is."""

    def started(self, total: int) -> None:
        """So many measurements are to come."""

    def extended(self, count: int) -> None:
        """So many more are to come than was said before; below zero: so many fewer."""

    def examined(self, diagnosis: Diagnosis) -> None:
        """A check that measures ceilings of the machine is on disk."""

    def tried(self, seen: BehaviourSeen) -> None:
        """What was tried for a claim is on disk."""

    def working(self, case: Case, process: int) -> None:
        """A case is being measured."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """A measurement is on disk."""


class Silent:
    """A listener that says nothing."""

    def started(self, total: int) -> None:
        """Say nothing."""

    def extended(self, count: int) -> None:
        """Say nothing."""

    def examined(self, diagnosis: Diagnosis) -> None:
        """Say nothing."""

    def tried(self, seen: BehaviourSeen) -> None:
        """Say nothing."""

    def working(self, case: Case, process: int) -> None:
        """Say nothing."""

    def measured(self, case: Case, measurement: Measurement) -> None:
        """Say nothing."""
