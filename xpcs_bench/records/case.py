"""One point of the plan, and the groups that are compared."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Literal

from xpcs_bench.config import (
    CompilationCache,
    Converts,
    Detector,
    Dtype,
    Geometry,
    MeasureName,
)
from xpcs_bench.confined import RecordedModel

__all__ = [
    "SLOWED_BY",
    "Case",
    "ClaimCases",
    "ControlRole",
    "Group",
    "Revision",
    "Skip",
    "Variant",
    "without_revision",
]

ControlRole = Literal["", "first", "again", "slowed"]
Revision = Literal["", "baseline", "candidate"]
SLOWED_BY = 0.15
"""By what part more calls a sample of a slowed control holds than it says. Three pairs
of processes that differ by 2 to 3 % find it always; those of a machine that is too
restless for comparisons do not."""


class Variant(RecordedModel):
    """Who computes, where, and in which type."""

    implementation: str = "builtin"
    """Whose code it is."""
    backend: str
    device: str
    """Platform: ``cpu``, ``gpu``."""
    dtype: Dtype
    compilation_cache: CompilationCache = "off"
    """State of the persistent compilation cache when its process starts."""
    converts: Converts = "nothing"
    """What a call carries across: ``input`` from NumPy's arrays to the backend's,
    ``output`` back, or ``both``. Records from before there was a choice have none."""
    control: ControlRole = ""
    """Part in a control, whose answer is known: the ``first``, the same ``again``, or
    ``slowed`` by :data:`SLOWED_BY`. Empty for what is under test."""
    revision: Revision = ""
    """Which of two states of the code under test, where a gate compares them."""

    @cached_property
    def id(self) -> str:
        """``backend/device/dtype``, with the implementation in front unless builtin.

        A compilation cache that is not off stands behind, then what calls convert, the
        part in a control, and last the revision.
        """
        parts = [self.backend, self.device, self.dtype]
        if self.compilation_cache != "off":
            parts.append(f"{self.compilation_cache}-cache")
        if self.converts != "nothing":
            parts.append(f"converts-{self.converts}")
        parts += filter(None, (self.control, self.revision))
        if self.implementation != "builtin":
            parts.insert(0, self.implementation)
        return "/".join(parts)

    @property
    def converts_input(self) -> bool:
        """Whether a call is given NumPy's arrays, and places them itself."""
        return self.converts in {"input", "both"}

    @property
    def converts_output(self) -> bool:
        """Whether a call returns NumPy's arrays."""
        return self.converts in {"output", "both"}


class Case(RecordedModel):
    """One kernel, on one problem, by one variant, measured in one way."""

    kernel: str
    kernel_version: str
    params: dict[str, Any]
    """Every parameter with its value."""
    labels: dict[str, Any]
    """The parameters that differ from their defaults: they appear in the id."""
    detector: Detector | None
    geometry: Geometry | None
    variant: Variant
    measure: MeasureName
    boundary: str | None = None
    """For conversions: the name in the boundary registry."""
    least_flops: int | None = None
    """Operations that a call of the kernel needs at least, as the kernel states them;
    None: the record is from before plans said so."""
    least_bytes: int | None = None
    """Its inputs read once and outputs written once (bytes); None as above."""

    @cached_property
    def problem_id(self) -> str:
        """The work, without who does it: ``qmap[convention=flat]/eiger-4m/saxs``."""
        return self.problem_without(None)

    def problem_without(self, axis: str | None) -> str:
        """Return the problem id as if it had no such parameter, or no ``detector``."""
        labels = ",".join(
            f"{key}={value if isinstance(value, str) else json.dumps(value)}"
            for key, value in sorted(self.labels.items())
            if key != axis
        )
        detector = None if axis == "detector" else self.detector
        parts = [f"{self.kernel}[{labels}]" if labels else self.kernel]
        parts += [part.name for part in (detector, self.geometry) if part]
        return "/".join(parts)

    @cached_property
    def measure_id(self) -> str:
        """``steady_state``, ``conversion.hdf5_write``."""
        return f"{self.measure}.{self.boundary}" if self.boundary else self.measure

    @cached_property
    def id(self) -> str:
        """Readable, unique in a plan, and the same in every run of the same work."""
        return f"{self.problem_id}/{self.variant.id}/{self.measure_id}"

    @cached_property
    def group_id(self) -> str:
        """Cases of one group differ in the variant alone.

        Those of a control are a group of their own for each backend and device, and so
        are two revisions for each variant.
        """
        if self.variant.revision:
            # made anew: a copy would bring its cached id along
            both = Variant(**self.variant.model_dump() | {"revision": ""})
            return f"{self.problem_id}/{both.id}/{self.measure_id}"
        if self.variant.control:
            where = f"{self.variant.backend}/{self.variant.device}"
            return f"controls/{self.problem_id}/{where}/{self.measure_id}"
        return f"{self.problem_id}/{self.measure_id}"


def without_revision(case: Case) -> Case:
    """Return the case as one that is in no gate: a worker is of one revision anyway."""
    if not case.variant.revision:
        return case
    # made anew: a copy would bring its cached ids along
    variant = Variant(**case.variant.model_dump() | {"revision": ""})
    return Case(**case.model_dump() | {"variant": variant})


class Group(RecordedModel):
    """Cases that differ in the variant alone; sampled in turn and compared."""

    id: str
    reference: str
    """Id of the case that the others are compared with: the baseline."""
    cases: tuple[str, ...]
    """Case ids, the reference among them."""


class Skip(RecordedModel):
    """A case that was asked for and is not measured."""

    case: str
    """Case id."""
    reason: str


class ClaimCases(RecordedModel):
    """The cases of the plan, measured or skipped, that a claim is about."""

    claim: str
    """Id of the claim."""
    of: str | None = None
    """Case id; None: the claim is about a behaviour."""
    over: str | None = None
    """Case id of what stands below the line of a ratio."""
