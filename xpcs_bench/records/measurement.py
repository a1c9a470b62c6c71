"""Evidence: what one process observed of one case, raw."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from xpcs_bench.config import Start
from xpcs_bench.confined import RecordedModel

__all__ = [
    "Agreement",
    "Block",
    "Measurement",
    "Observation",
    "OutputDigest",
    "Sample",
    "Samples",
    "Status",
    "Verified",
]


class Status(StrEnum):
    """How a measurement ended; only ``ok`` yields a number that is judged."""

    OK = "ok"
    PARITY_FAILED = "parity_failed"
    """Measured, but the timed executable returned wrong values."""
    INVALID = "invalid"
    """Measured, but not what was asked for: retraced, cached host copy, shorter than
    its work allows, ..."""
    RAISED = "raised"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"


def _at_once(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Take a sequence of plain integers as it is: a third of a microsecond an item.

    Three million of them in a record are a second. Whatever else is in it is for
    pydantic to judge.
    """
    if type(value) in {list, tuple} and [*map(type, value)].count(int) == len(value):
        return tuple(value)
    return validate(value)


Column = Annotated[tuple[int, ...], WrapValidator(_at_once)]
"""One field of many samples."""


class Sample(NamedTuple):
    """One timed reading of ``inner_loops`` calls."""

    elapsed_ns: int
    inner_loops: int
    block: int


_LABELS = ("cpu_ns", "run_delay_ns", "involuntary_switches", "minor_faults")


class Samples(RecordedModel):
    """Timed readings in the order they were taken, by column."""

    elapsed_ns: Column = ()
    """Wall time of each reading (ns)."""
    inner_loops: Column = ()
    """Calls inside each reading; a slowed control made more than it says."""
    block: Column = ()
    """Index of the block that each reading belongs to."""
    cpu_ns: Column = ()
    """CPU time of the whole process within each reading (ns); empty: not read."""
    run_delay_ns: Column = ()
    """How long threads were runnable but not running within each reading, together
    (ns); empty where the platform does not tell."""
    involuntary_switches: Column = ()
    """How often a thread lost its core to another; empty as above."""
    minor_faults: Column = ()
    """Pages of memory that were touched for the first time; empty as above."""

    @model_validator(mode="after")
    def _columns_have_one_length(self) -> Self:
        if not len(self.elapsed_ns) == len(self.inner_loops) == len(self.block):
            msg = "elapsed_ns, inner_loops and block must have the same length"
            raise ValueError(msg)
        for name in _LABELS:
            if len(getattr(self, name)) not in {0, len(self.elapsed_ns)}:
                msg = f"{name} must be empty or as long as elapsed_ns"
                raise ValueError(msg)
        return self

    def __len__(self) -> int:
        return len(self.elapsed_ns)

    def rows(self) -> Iterator[Sample]:
        """Yield the readings one by one, in order."""
        yield from map(
            Sample._make,
            zip(self.elapsed_ns, self.inner_loops, self.block, strict=True),
        )


class Block(RecordedModel):
    """The circumstances of consecutive samples, read once around them."""

    started_ns: int
    """Start of the block on the worker's clock (ns)."""
    wall_ns: int
    cpu_ns: int
    """CPU time of the whole process (ns)."""
    run_delay_ns: int | None
    """Time the measuring thread was runnable but not running (ns); Linux only."""
    involuntary_switches: int | None
    minor_faults: int | None


class Agreement(RecordedModel):
    """One output compared with its reference or with the truth."""

    output: str
    against: str
    """``reference`` (the NumPy values) or ``truth`` (sampled points)."""
    passed: bool
    reason: str
    """A sentence: why it passed or failed."""
    shape: tuple[int, ...]
    dtype: str
    n_compared: int
    n_beyond: int
    """Elements beyond the tolerance."""
    max_abs: float | None
    """None when shape or structure differ, or nothing finite was compared."""
    max_rel: float | None
    max_ulp: float | None
    worst_index: tuple[int, ...] | None
    actual: float | None
    """Value at the worst index."""
    desired: float | None
    rtol: float
    atol: float
    tolerance_reason: str


class OutputDigest(RecordedModel):
    """What an output looked like, short enough to keep."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str
    """Of the bytes in C order."""


class Verified(RecordedModel):
    """What was found on outputs that another process may return bit by bit again."""

    checks: tuple[Agreement, ...]
    outputs: tuple[OutputDigest, ...]


class Observation(RecordedModel):
    """What the worker saw of one case; the parent adds the circumstances."""

    status: Status
    reason: str
    """Empty when the status is ok; else a sentence."""
    warmups: Samples = Samples()
    """Calls before the samples, the first of them the first call of the process."""
    samples: Samples = Samples()
    blocks: tuple[Block, ...] = ()
    cores: int | None = None
    """How many cores the process could use while sampling; None: not told."""
    stages_ns: dict[str, int] | None = None
    """Stage name to duration (ns), in order."""
    least_call_ns: float | None = None
    """No call can be shorter: what its least work allows on this machine (ns), for
    cached calls. None: the work is too small to tell, or it was not looked at."""
    n_traces: int | None = None
    """Traces of the kernel by the end; None for a backend that does not trace."""
    value: float | None = None
    """For measures that yield one number, in ``unit``."""
    unit: str = "s"
    """Unit of ``value`` and of the estimate: s, bytes."""
    method: str = ""
    """How ``value`` was read, where the platform decides; a sentence."""
    counters: dict[str, float] = Field(default_factory=dict)
    """What was counted and not timed, by counter; what was not is not here."""
    uncounted: dict[str, str] = Field(default_factory=dict)
    """The other counters, each with the reason why it has no count; a sentence."""
    device_peak_bytes: int | None = None
    """Most memory allocated on the device; None where the platform does not tell."""
    checks: tuple[Agreement, ...] = ()
    outputs: tuple[OutputDigest, ...] = ()
    input_bytes: int = 0
    output_bytes: int = 0
    overhead_ns_per_sample: float | None = None
    """Cost of one sample of an empty call beyond its two clock readings (ns); None
    where nothing is sampled."""
    spent_ns: int = 0
    """Time inside warm-ups, samples, first calls and their stages (ns)."""


class Measurement(RecordedModel):
    """All that one process observed of one case."""

    case: str
    """Case id."""
    process: int
    """Which of the fresh processes; same index = measured in turn with its group."""
    environment: str | None
    """Fingerprint of the worker's environment; None if it died before telling."""
    started: str
    """UTC, ISO 8601."""
    wall_s: float
    """From when its turn came to its last word (s)."""
    startup_s: float
    """Of which: waiting for its worker to come up; 0 where it was up already (s)."""
    interleaved: bool
    """Whether the other cases of its group were alive and sampled in turn with it."""
    start: Start = "spawned"
    """Whether its process was a new interpreter, or forked from one that had imported
    what it needs."""
    log: str
    """Last lines that the worker wrote to stdout and stderr."""
    observation: Observation
