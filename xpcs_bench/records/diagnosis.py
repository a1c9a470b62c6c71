"""What a machine is for a measurement, check by check, and what to do about it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from xpcs_bench.confined import RecordedModel
from xpcs_bench.records.ceiling import Ceiling
from xpcs_bench.records.conclusion import Outcome
from xpcs_bench.records.environment import Environment

__all__ = ["Diagnosis", "MachineReport", "Quantity"]


class Quantity(RecordedModel):
    """A number that a check found."""

    name: str
    value: float
    unit: str
    """``s``, ``bytes``, ``1`` (a count or a share)."""


class Diagnosis(RecordedModel):
    """One check, applied to this machine."""

    check: str
    """Name in the registry of checks."""
    outcome: Outcome
    """pass: as it should be. inconclusive: what is measured here may not tell. fail:
    what is measured here would be wrong. skip: it cannot be seen here. error: the check
    itself did not end."""
    found: str
    """What was seen, with numbers and units; for skip and error the reason."""
    advice: str
    """A sentence: what to do; may be empty where it passes."""
    quantities: tuple[Quantity, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()

    @model_validator(mode="after")
    def _says_what_to_do(self) -> Self:
        if self.outcome is not Outcome.PASS and not self.advice:
            msg = f"{self.check}: {self.outcome} needs an advice"
            raise ValueError(msg)
        return self


class MachineReport(RecordedModel):
    """All diagnoses, and of which machine."""

    schema_version: Literal[1] = 1
    xpcs_bench: str
    """Version of this package."""
    started: str
    """UTC, ISO 8601."""
    exit_code: int
    environment: Environment
    """Of the process that asked."""
    diagnoses: tuple[Diagnosis, ...]
