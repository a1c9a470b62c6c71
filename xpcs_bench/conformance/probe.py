"""What a method is asked, and what is known to be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Probe"]


@dataclass(frozen=True)
class Call:
    """One call of a method: both backends get the same arguments."""

    inputs: str
    """The class of inputs, for the list of known differences: ``denormal``."""
    args: tuple[Any, ...]
    """NumPy arrays, trees of them, and plain values."""
    options: Mapping[str, Any] = field(default_factory=dict)
    refused: type[Exception] | None = None
    """What both must raise; None where both must answer."""


@dataclass(frozen=True)
class Probe:
    """The calls that examine one method."""

    method: str
    dtypes: tuple[str, ...]
    """Types of the main argument that it is probed with."""
    calls: Callable[[str], Iterable[Call]]
    """Return the calls for a dtype. The shapes are few: JAX compiles for each one."""
    truth: Callable[..., Any] | None = None
    """Exact answer to a call's arguments and options: an object array of `mpmath.mpf`,
    a tuple of them where the answer has several leaves; None wherever unknown."""
    scale: Callable[..., Any] | None = None
    """Magnitude of what was added up, where terms may cancel: an error is then counted
    in ULP of that, as no order of summation can promise more."""
    perform: Callable[..., Any] | None = None
    """``perform(backend, *args, **options)`` where a plain call shows too little."""
    raw: bool = False
    """Whether arguments are handed over as NumPy arrays, not as the backend's own."""
