"""The checks by name; adding one is a function and a line here.

The parent imports this module too, to know what to ask for: a check is imported only
where it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from xpcs_bench.errors import ConfigError
from xpcs_bench.measure.ceilings import ONE_THREAD
from xpcs_bench.measure.examination.finding import Check, Finding, Surroundings
from xpcs_bench.records import Diagnosis, Outcome

__all__ = ["CHECKS", "PROCESSES", "Entry", "examine"]

PROCESSES: dict[str, dict[str, str]] = {
    "as_the_user": {},
    "one_thread": ONE_THREAD,
}
"""Kinds of process that checks run in, and what is added to the environment of the one
who asks. Checks of one kind share a process, in order, as long as it lives."""


@dataclass(frozen=True)
class Entry:
    """Where a check is, and where it runs."""

    target: str
    """``module:function`` of a :data:`~xpcs_bench.measure.examination.finding.Check`,
    the module below this package."""
    process: str = "as_the_user"
    after: str | None = None
    """A check that must have come to an end: where it could not, this one cannot."""
    remedy: str = "Look into its reason; the other checks do not depend on it."
    """What to do when it ends with an error."""


_FLAGS = (
    "XLA ends the process on a flag that it does not know: take the flags out of "
    "XLA_FLAGS one by one."
)

CHECKS: dict[str, Entry] = {
    # first what the later checks would disturb
    "load": Entry("scheduling:load"),
    "noise": Entry("scheduling:noise"),
    "run_queue": Entry("scheduling:run_queue"),
    "clock": Entry("clocks:clock"),
    "cpu_clock": Entry("clocks:cpu_clock"),
    "cores": Entry("processor:cores"),
    "processor": Entry("processor:processor"),
    "frequency": Entry("processor:frequency"),
    "performance_counters": Entry("processor:performance_counters"),
    "memory": Entry("memory:memory"),
    "allocation": Entry("memory:allocation"),
    "huge_pages": Entry("memory:huge_pages"),
    "space": Entry("memory:space"),
    "versions": Entry("software:versions"),
    # before jax starts, which takes most of a GPU's memory
    "gpu": Entry("accelerator:gpu"),
    "xla_values": Entry(
        "xla:values",
        remedy=_FLAGS,
    ),
    "devices": Entry("software:devices", remedy=_FLAGS),
    "x64": Entry("software:x64", after="xla_values"),
    "compilation_cache": Entry("software:compilation_cache"),
    "blas_threads": Entry("threads:blas"),
    "xla_threads": Entry("threads:xla", after="xla_values"),
    "bandwidth_all_threads": Entry("rates:bandwidth_all_threads"),
    "blas_all_threads": Entry("rates:blas_all_threads"),
    "xla_all_threads": Entry("rates:xla_all_threads", after="xla_values"),
    "gpu_rates": Entry("rates:gpu", after="xla_values"),
    "bandwidth_one_thread": Entry("rates:bandwidth_one_thread", process="one_thread"),
    "blas_one_thread": Entry("rates:blas_one_thread", process="one_thread"),
    "xla_one_thread": Entry(
        "rates:xla_one_thread", process="one_thread", after="xla_values"
    ),
}
"""Name of a check to where it is, in the order in which they run."""


def _load(entry: Entry) -> Check:
    module, _, function = entry.target.partition(":")
    package = __name__.rpartition(".")[0]
    return cast("Check", getattr(import_module(f"{package}.{module}"), function))


def examine(name: str, surroundings: Surroundings | None = None) -> Diagnosis:
    """Run one check in this process.

    Raises
    ------
    ConfigError
        There is no such check.
    """
    if name not in CHECKS:
        msg = f"unknown check {name!r}. Allowed: {', '.join(CHECKS)}."
        raise ConfigError(msg)
    finding = _find(CHECKS[name], surroundings or Surroundings())
    return Diagnosis(
        check=name,
        outcome=finding.outcome,
        found=finding.found,
        advice=finding.advice,
        quantities=finding.quantities,
        ceilings=finding.ceilings,
    )


def _find(entry: Entry, surroundings: Surroundings) -> Finding:
    try:
        return _load(entry)(surroundings)
    except Exception as error:  # noqa: BLE001 (a check that breaks costs itself alone)
        package = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ImportError) and package not in {"", "xpcs_bench"}:
            return Finding(
                Outcome.SKIP,
                f"needs {package}, which cannot be imported: {error}",
                f"Install it (pip install {package}) if you mean to measure with it.",
            )
        reason = f"{type(error).__name__}: {error}"
        return Finding(Outcome.ERROR, reason, entry.remedy)
