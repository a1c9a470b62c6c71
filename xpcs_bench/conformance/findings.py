"""What an examination found: the record that is written, and nothing that computes."""

from __future__ import annotations

from typing import Literal

from xpcs_bench.confined import RecordedModel

__all__ = [
    "Aspect",
    "Circumstances",
    "Difference",
    "Discrepancy",
    "Examination",
    "Finding",
    "Report",
    "Stale",
    "Verdict",
    "Worst",
]

Aspect = Literal[
    "structure", "dtype", "pattern", "value", "subnormal", "zero sign", "raises"
]
"""In what two answers differ.

structure: nesting or shape. dtype. pattern: which elements are NaN or infinite.
value: more ULP than allowed; unequal integers or booleans. subnormal: zero where a
subnormal number is right. zero sign. raises: an answer where a refusal is right, or the
reverse."""

Verdict = Literal["pass", "known", "fail", "skip"]


class Difference(RecordedModel):
    """One row of the list of known differences."""

    name: str
    methods: tuple[str, ...]
    dtypes: tuple[str, ...]
    inputs: tuple[str, ...]
    """Classes of inputs, with ``*``; empty: all."""
    aspects: tuple[Aspect, ...]
    limit_ulp: float | None = None
    """Largest distance or error that the row explains; None: any."""
    reason: str
    source: str
    """Where it is written or was measured."""


class Worst(RecordedModel):
    """One element, as text that reads back to the very same number."""

    inputs: str
    """Class of the inputs."""
    arguments: str
    answers: dict[str, str]
    """Backend, or ``truth``, to value."""


class Discrepancy(RecordedModel):
    """Answers that differ in one aspect, and one example."""

    aspect: Aspect
    between: tuple[str, str]
    """Two of the backends and ``truth``."""
    inputs: str
    detail: str
    ulp: float | None
    difference: str | None
    """Name of the known difference that explains it; None: nothing does."""


class Finding(RecordedModel):
    """What was found of one method with one dtype."""

    method: str
    category: str
    dtype: str
    n_calls: int
    n_inputs: int
    """Elements that were compared."""
    max_ulp: float | None
    """Largest distance between the backends; None where no float was compared.

    Flushed subnormals do not count here and in the errors, nor do inputs on which a
    known difference has no limit."""
    errors_ulp: dict[str, float]
    """Backend to its largest error against the truth; empty without a truth."""
    nearer: str | None
    """The backend with the smaller error, or ``equal``; None where only one or none can
    be compared with a truth, or the types differ."""
    same_dtype: bool
    same_structure: bool
    verdict: Verdict
    reason: str
    worst: Worst | None
    """Where the backends are furthest apart, or furthest from the truth."""
    discrepancies: tuple[Discrepancy, ...]


class Stale(RecordedModel):
    """A known difference that a method no longer shows; not a failure."""

    difference: str
    method: str


class Examination(RecordedModel):
    """Everything that was found by one examination of two backends."""

    backends: tuple[str, str]
    """The reference first."""
    findings: tuple[Finding, ...]
    stale: tuple[Stale, ...]
    differences: tuple[Difference, ...]
    """The known differences that it judged by."""

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Findings that no known difference explains."""
        return tuple(found for found in self.findings if found.verdict == "fail")


class Circumstances(RecordedModel):
    """What moves the last bits; neither host nor path, so that it can be published."""

    cpu: str
    cpu_features: tuple[str, ...]
    system: str
    python: str
    packages: dict[str, str]
    variables: dict[str, str]
    """Variables that choose code paths, as they were set."""


class Report(RecordedModel):
    """What ``xpcs-bench conformance`` writes."""

    schema_version: int
    xpcs_bench: str
    circumstances: Circumstances
    examination: Examination
