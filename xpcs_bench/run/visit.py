"""One case in one worker, and what becomes a measurement of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from xpcs_bench.errors import (
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerRaised,
    WorkerTimedOut,
)
from xpcs_bench.records import Case, Measurement, Observation, Status
from xpcs_bench.run.schedule import Job
from xpcs_bench.run.wire import Ready
from xpcs_bench.run.worker import Worker

__all__ = ["Turns", "Visit", "failed", "lost"]

_BLOCK_S = 0.05
"""How long one case samples before the next of its group has its turn: long against
the cost of changing turns (1 ms), short against the drift of a machine (seconds)."""
_MAX_BLOCK = 1000
"""Most samples in one block."""

_STATUS: Mapping[type[WorkerFailure], Status] = {
    WorkerRaised: Status.RAISED,
    WorkerOutOfMemory: Status.OUT_OF_MEMORY,
    WorkerTimedOut: Status.TIMED_OUT,
    WorkerCrashed: Status.CRASHED,
}


class Visit:
    """One case in one worker, from when it is its turn to its last word."""

    def __init__(
        self, case: Case, job: Job, worker: Worker, monotonic: Callable[[], float]
    ) -> None:
        self.case = case
        self.process = job.process
        self.interleaved = job.together and len(job.cases) > 1
        self.worker = worker
        self.started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._monotonic = monotonic
        self._began = monotonic()
        self._waited_before_s = worker.waited_s

    def measurement(
        self, observation: Observation, environment: str | None
    ) -> Measurement:
        """Make a measurement of what was seen, in a worker of this environment."""
        return Measurement(
            case=self.case.id,
            process=self.process,
            environment=environment,
            started=self.started,
            wall_s=self._monotonic() - self._began,
            startup_s=self.worker.waited_s - self._waited_before_s,
            interleaved=self.interleaved,
            start=self.worker.start,
            log=self.worker.log(),
            observation=observation,
        )


@dataclass
class Turns:
    """A case that is sampled in turns: warmed up, and how far it is."""

    visit: Visit
    ready: Ready
    half_width: float = math.inf
    sampled_s: float = 0.0

    def block(self) -> int:
        """Return how many samples make its next block."""
        sample_ns = self.ready.call_ns * self.ready.inner_loops
        return max(1, min(_MAX_BLOCK, round(_BLOCK_S * 1e9 / max(sample_ns, 1))))


def failed(failure: WorkerFailure) -> Observation:
    """Return what was seen of a case whose worker failed."""
    status = next(
        status for kind, status in _STATUS.items() if isinstance(failure, kind)
    )
    return Observation(status=status, reason=str(failure))


def lost(case: Case, job: Job, failure: WorkerFailure) -> Measurement:
    """Return the measurement of a case that was lost before its own process began."""
    return Measurement(
        case=case.id,
        process=job.process,
        environment=None,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        wall_s=0.0,
        startup_s=0.0,
        interleaved=False,
        log=failure.log,
        observation=failed(failure),
    )
