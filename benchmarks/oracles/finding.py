"""What an independent program says of the same thing, and how far we are from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Finding", "Oracle"]


@dataclass(frozen=True)
class Finding:
    """One quantity, compared."""

    what: str
    """The quantity, with backend, type and size: ``q, Eiger 4M, NumPy``."""
    measured: float
    """The largest difference found."""
    bound: float
    """What it must not exceed; the reason is beside it in the code."""
    unit: str
    """Of both: ``relative``, ``ULP``, ``pixels``, ``sigma``."""

    @property
    def holds(self) -> bool:
        """Whether it is within the bound; NaN is not."""
        return bool(self.measured <= self.bound)


@dataclass(frozen=True)
class Oracle:
    """One comparison."""

    name: str
    """Short, unique: ``qmap-pyfai``."""
    source: str
    """Whose code or method it is compared with."""
    package: str | None
    """What must be installed, as it is imported; None: nothing more than we need."""
    compare: Callable[[], list[Finding]]
    """Computes both and compares them; takes seconds, no clock involved."""
