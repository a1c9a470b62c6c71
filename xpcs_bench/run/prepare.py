"""From a configuration file to a plan for this machine: load, probe, plan, select."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from xpcs_bench.backends.registry import backend_names
from xpcs_bench.config import Experiment, Sampling
from xpcs_bench.config.catalogue import Catalogue, KernelEntry
from xpcs_bench.config.load import LoadedExperiment, load_experiment
from xpcs_bench.kernels.registry import create_kernel, kernel_names
from xpcs_bench.measure.behaviours.registry import BEHAVIOURS
from xpcs_bench.measure.boundary import BOUNDARIES
from xpcs_bench.run.plan import Plan, make_plan, select
from xpcs_bench.run.probe import probe
from xpcs_bench.run.worker import Limits

__all__ = [
    "PROBE_TIMEOUT_S",
    "catalogue",
    "load",
    "memory_limit",
    "plan_here",
    "prepare",
]

PROBE_TIMEOUT_S = 120.0
"""Longest wait for a worker that only says which devices it sees (s)."""
_AVAILABLE_SHARE = 0.8


class _Kernels(Mapping[str, KernelEntry]):
    """Those that are registered; one is imported when it is asked for."""

    def __init__(self) -> None:
        self._names = kernel_names()

    def __getitem__(self, name: str) -> KernelEntry:
        if name not in self._names:
            raise KeyError(name)
        kernel = create_kernel(name)
        return KernelEntry(params=kernel.Params, needs=frozenset(kernel.needs))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def catalogue() -> Catalogue:
    """Collect what a configuration may name, from the registries."""
    return Catalogue(
        kernels=_Kernels(),
        backends=tuple(backend_names()),
        boundaries=tuple(BOUNDARIES),
        behaviours={name: entry.observes for name, entry in BEHAVIOURS.items()},
    )


def memory_limit(sampling: Sampling) -> int:
    """Resident memory a worker may hold (bytes)."""
    available = psutil.virtual_memory().available
    return sampling.memory_limit or round(_AVAILABLE_SHARE * available)


def load(config: Path, overrides: tuple[str, ...]) -> tuple[LoadedExperiment, int]:
    """Return an experiment, and the memory limit of its workers here in bytes."""
    loaded = load_experiment(config, catalogue=catalogue(), overrides=overrides)
    return loaded, memory_limit(loaded.experiment.sampling)


def plan_here(experiment: Experiment, expression: str | None, limit: int) -> Plan:
    """Probe this machine, plan for it, and select."""
    named = experiment.matrix.backends
    made = make_plan(experiment, probe(Limits(PROBE_TIMEOUT_S, limit), named), limit)
    return select(made, expression) if expression else made


def prepare(
    config: Path, expression: str | None, overrides: tuple[str, ...]
) -> tuple[LoadedExperiment, Plan, int]:
    """Load, probe, plan and select.

    Returns
    -------
    loaded, plan, memory limit in bytes
    """
    loaded, limit = load(config, overrides)
    return loaded, plan_here(loaded.experiment, expression, limit), limit
