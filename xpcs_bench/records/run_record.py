"""The envelope on disk."""

from __future__ import annotations

from typing import Literal

from xpcs_bench.config import Experiment
from xpcs_bench.confined import RecordedModel
from xpcs_bench.records.behaviour import BehaviourSeen
from xpcs_bench.records.case import Case, ClaimCases, Group, Skip
from xpcs_bench.records.ceiling import Ceiling
from xpcs_bench.records.conclusion import Summary
from xpcs_bench.records.diagnosis import Diagnosis
from xpcs_bench.records.environment import Environment
from xpcs_bench.records.measurement import Measurement

__all__ = ["SCHEMA_VERSION", "Accounting", "RunHeader", "RunRecord", "RunStatus"]

SCHEMA_VERSION = 1
"""Raised when a reader of the version before could misread a record."""

RunStatus = Literal["complete", "interrupted", "incomplete"]


class Accounting(RecordedModel):
    """Where the wall time of a run went."""

    wall_s: float
    """Of all sessions that added to the record (s)."""
    measuring_s: float
    """Inside warm-ups, samples, first calls and their stages (s)."""
    startup_s: float
    """Waiting for workers to come up: interpreter and imports (s)."""
    measuring_share: float
    """``measuring_s / wall_s``."""
    overhead_ns_per_sample: float | None
    """Cost of one sample beyond its two clock readings and its call, measured on an
    empty call in every sampling worker; None when nothing was sampled (ns)."""


class RunHeader(RecordedModel):
    """What is known before the first measurement."""

    schema_version: Literal[1] = 1
    run_id: str
    name: str
    command: str
    started: str
    """UTC, ISO 8601."""
    xpcs_bench: str
    """Version of this package."""
    experiment: Experiment
    experiment_path: str
    experiment_sha256: str
    plan_digest: str
    """Digest of the cases and of everything that decides how they are measured."""
    cases: tuple[Case, ...]
    groups: tuple[Group, ...]
    skipped: tuple[Skip, ...]
    claims: tuple[ClaimCases, ...] = ()
    """Which of the experiment's claims the run is to decide, and by which cases; none
    in records from before there were claims."""
    baseline: str = ""
    """What the candidate is held against, in full: a commit; empty: two revisions were
    not compared."""
    parent: Environment


class RunRecord(RecordedModel):
    """Everything one run saw, and what was concluded from it."""

    header: RunHeader
    status: RunStatus
    finished: str
    """UTC, ISO 8601."""
    accounting: Accounting
    environments: dict[str, Environment]
    """By fingerprint."""
    measurements: tuple[Measurement, ...]
    ceilings: tuple[Ceiling, ...] = ()
    """What efficiencies are parts of, measured in workers set up like those of the
    cases; none where the experiment did not ask for efficiencies."""
    ceiling_checks: tuple[Diagnosis, ...] = ()
    """How measuring them ended; the ceilings themselves stand above."""
    behaviours: tuple[BehaviourSeen, ...] = ()
    """What claims without a number rest on."""
    summary: Summary
    """Derived: the same whenever it is computed again from the fields above."""
