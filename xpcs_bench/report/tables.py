"""What a report says, once, for all formats: sections in the order people ask."""

from __future__ import annotations

from collections.abc import Callable

from xpcs_bench.records import RunRecord
from xpcs_bench.report.cells import Section
from xpcs_bench.report.sections import (
    answers,
    calls,
    circumstances,
    claims,
    conversions,
    crossover,
    efficiency,
    gate,
    losses,
    memory,
    parity,
    verdict,
    work,
)
from xpcs_bench.report.standing import Evidence

__all__ = ["SECTIONS", "describe"]

SECTIONS: tuple[Callable[[Evidence], Section], ...] = (
    verdict.describe,
    gate.describe,
    claims.describe,
    crossover.describe,
    answers.describe,
    calls.describe,
    conversions.describe,
    parity.describe,
    memory.describe,
    work.describe,
    efficiency.describe,
    losses.describe,
    circumstances.describe,
)
"""One function per section, in order of appearance."""


def describe(record: RunRecord) -> tuple[Section, ...]:
    """Return the sections of the report on a record."""
    evidence = Evidence(record)
    return tuple(section(evidence) for section in SECTIONS)
