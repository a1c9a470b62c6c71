"""What an experiment may name: given by the caller, who knows the floors above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xpcs_bench.confined import ConfinedModel

__all__ = ["Catalogue", "KernelEntry"]


@dataclass(frozen=True)
class KernelEntry:
    """A kernel as far as a configuration needs to know it."""

    params: type[ConfinedModel]
    """Its parameters; every field has a default and a docstring."""
    needs: frozenset[str]
    """``detector``, ``geometry``: what the experiment must list."""


@dataclass(frozen=True)
class Catalogue:
    """The names that are registered when an experiment is loaded."""

    kernels: Mapping[str, KernelEntry]
    backends: tuple[str, ...]
    boundaries: tuple[str, ...]
    behaviours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What can be tried, and what each observes."""
