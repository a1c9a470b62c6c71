"""What parent and worker say to each other: one JSON object a line, over two pipes.

The worker speaks first (:class:`Hello`), then answers every request with exactly one
message. Two sides with the same major version understand each other; a minor version
adds fields that the other side may ignore.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from xpcs_bench.config import Sampling, ToleranceOverride
from xpcs_bench.records import (
    BehaviourSeen,
    Case,
    Device,
    Diagnosis,
    Environment,
    Observation,
    Verified,
)

__all__ = [
    "PROTOCOL",
    "Availability",
    "Examine",
    "Examined",
    "Failed",
    "Finish",
    "Hello",
    "Load",
    "Loaded",
    "Measure",
    "Message",
    "Observed",
    "Prepare",
    "Probe",
    "Probed",
    "Ready",
    "Take",
    "Taken",
    "Tried",
    "Try",
    "decode",
    "encode",
    "encode_request",
]

PROTOCOL = (2, 1)
"""Major and minor version."""


class _Message(BaseModel):
    # unknown fields are ignored: a later minor version may add some
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class Hello(_Message):
    """Worker: I am here, and this is what I speak."""

    type: Literal["hello"] = "hello"
    protocol: tuple[int, int]
    xpcs_bench: str
    pid: int


class _Work(_Message):
    case: Case
    sampling: Sampling
    seed: int
    tolerances: tuple[ToleranceOverride, ...]


class Measure(_Work):
    """Parent: measure this case from beginning to end. Answer: Observed or Failed."""

    type: Literal["measure"] = "measure"


class Load(_Work):
    """Parent: do what nobody times: import, make and place the inputs.

    The workers of a group do it side by side. Answer: Loaded or Failed.
    """

    type: Literal["load"] = "load"
    verified: Verified | None = None
    """Outputs of this case that have been checked in another process."""


class Loaded(_Message):
    """Worker: everything is in its place."""

    type: Literal["loaded"] = "loaded"


class Prepare(_Message):
    """Parent: get ready to be sampled in turns. Answer: Ready or Failed."""

    type: Literal["prepare"] = "prepare"


class Ready(_Message):
    """Worker: warmed up and calibrated."""

    type: Literal["ready"] = "ready"
    inner_loops: int
    call_ns: int
    """About how long one call takes (ns)."""


class Take(_Message):
    """Parent: take so many samples now, as one block. Answer: Taken or Failed."""

    type: Literal["take"] = "take"
    count: int


class Taken(_Message):
    """Worker: the readings of the block."""

    type: Literal["taken"] = "taken"
    per_call_ns: tuple[float, ...]
    """One value a sample; the evidence itself stays in the worker until the end."""
    half_width: float | None = None
    """How well the median of all samples so far is known, as a part of it: for the
    parent's decision to go on. None: not at all."""


class Finish(_Message):
    """Parent: no more samples; check the values. Answer: Observed or Failed."""

    type: Literal["finish"] = "finish"


class Observed(_Message):
    """Worker: all I saw of the case, and my circumstances."""

    type: Literal["observed"] = "observed"
    observation: Observation
    environment: Environment


class Failed(_Message):
    """Worker: the code under test failed; I am still here."""

    type: Literal["failed"] = "failed"
    kind: Literal["raised", "out_of_memory"]
    message: str


class Probe(_Message):
    """Parent: what could run here? Answer: Probed."""

    type: Literal["probe"] = "probe"
    backends: tuple[str, ...] = ()
    """Names to try; empty: all that are registered."""


class Availability(_Message):
    """Whether a backend can be used, and where."""

    available: bool
    reason: str
    """Empty when available; else a sentence."""
    version: str | None
    devices: tuple[Device, ...]
    capabilities: tuple[str, ...] = ()
    """What kernels may require of it, as :data:`~xpcs_bench.kernels.Capability` names
    it; a worker of protocol 1.0 does not say."""


class Probed(_Message):
    """Worker: the backends that were asked for, and their devices."""

    type: Literal["probed"] = "probed"
    backends: dict[str, Availability]


class Examine(_Message):
    """Parent: run this check of the machine. Answer: Examined or Failed."""

    type: Literal["examine"] = "examine"
    check: str
    """Name in the registry of checks."""
    threads: int | None = None
    """How many threads its variables leave to the libraries of the worker; None, and in
    protocol 1.2 always: one for each of its cores."""


class Examined(_Message):
    """Worker: what the check found, even where that is why it could not look."""

    type: Literal["examined"] = "examined"
    diagnosis: Diagnosis


class Try(_Message):
    """Parent: try this, whatever becomes of you. Answer: Tried."""

    type: Literal["try"] = "try"
    behaviour: str
    """Name in the registry of behaviours."""


class Tried(_Message):
    """Worker: what came of it, exceptions included."""

    type: Literal["tried"] = "tried"
    seen: BehaviourSeen


Message = Annotated[
    Hello
    | Measure
    | Load
    | Loaded
    | Prepare
    | Ready
    | Take
    | Taken
    | Finish
    | Observed
    | Failed
    | Probe
    | Probed
    | Examine
    | Examined
    | Try
    | Tried,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Message)
_JSON: TypeAdapter[Any] = TypeAdapter(
    Any, config=ConfigDict(ser_json_inf_nan="constants")
)


def encode(message: Message) -> bytes:
    """One line, newline included."""
    return _ADAPTER.dump_json(message) + b"\n"


def encode_request(message: Message) -> bytes:
    """One line as :func:`encode`, without fields whose value goes without saying.

    A worker of an earlier revision refuses a case with fields that it does not know.
    """
    content = message.model_dump(mode="json", exclude_defaults=True)
    return _JSON.dump_json({"type": message.type, **content}) + b"\n"


def decode(line: bytes) -> Message:
    """Raise ``pydantic.ValidationError`` for a line that is no message."""
    return _ADAPTER.validate_json(line)
