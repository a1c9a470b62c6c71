"""What is said of the boundaries, and what decides whether it is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import probes

__all__ = ["CLAIMS", "Claim", "Outcome", "Verdict", "fails", "judge", "raises", "shows"]

Verdict = Literal["holds", "does not hold", "cannot be tested here"]


@dataclass(frozen=True)
class Outcome:
    """What a probe met with."""

    kind: Literal["returned", "raised", "died", "absent"]
    exceptions: tuple[str, ...] = ()
    """The exception's class and its bases, by name."""
    message: str = ""
    """Of the exception; why the process died; what is absent."""
    observed: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it for a table."""
        if self.kind == "raised":
            return f"{self.exceptions[0]}: {self.message}"
        if self.kind == "returned":
            seen = [f"{name}: {value}" for name, value in self.observed.items()]
            seen += [f"warning {text}" for text in self.warnings]
            return "; ".join(seen) or "works"
        return self.message


Expectation = Callable[[Outcome], bool]


def raises(name: str) -> Expectation:
    """Expect an exception of this class, or of one derived from it."""
    return lambda outcome: outcome.kind == "raised" and name in outcome.exceptions


def fails(outcome: Outcome) -> bool:
    """Expect an exception, the end of the process, or other pixels than NumPy's."""
    return outcome.kind != "returned" or outcome.observed.get("pixels equal") is False


def shows(name: str, value: Any) -> Expectation:
    """Expect something to be observed."""
    return lambda outcome: (
        outcome.kind == "returned" and outcome.observed.get(name) == value
    )


@dataclass(frozen=True)
class Claim:
    """A sentence that a probe can decide."""

    id: str
    says: str
    expect: Expectation
    probe: Callable[[], dict[str, Any]]


def judge(claim: Claim, outcome: Outcome) -> Verdict:
    """Decide, from what happened alone."""
    if outcome.kind == "absent":
        return "cannot be tested here"
    return "holds" if claim.expect(outcome) else "does not hold"


_H5PY = "h5py raises TypeError when given a JAX array"
_QT = "PyQtGraph renders nothing or crashes silently"
_MPL = "Matplotlib raises ValueError on non-NumPy input"

CLAIMS: dict[str, tuple[Claim, ...]] = {
    "Sentences of the architecture document": (
        Claim("h5py-dataset", _H5PY, raises("TypeError"), probes.h5py_dataset),
        Claim("h5py-slice", _H5PY, raises("TypeError"), probes.h5py_slice),
        Claim("h5py-attribute", _H5PY, raises("TypeError"), probes.h5py_attribute),
        Claim("pyqtgraph-image", _QT, fails, probes.pyqtgraph_image),
        Claim("pyqtgraph-curve", _QT, fails, probes.pyqtgraph_curve),
        Claim("matplotlib-image", _MPL, raises("ValueError"), probes.matplotlib_image),
        Claim("matplotlib-curve", _MPL, raises("ValueError"), probes.matplotlib_curve),
        Claim(
            "matplotlib-scatter", _MPL, raises("ValueError"), probes.matplotlib_scatter
        ),
        Claim(
            "numpy-is-free",
            "conversions are free on NumPy: the array itself comes back",
            shows("the same object", value=True),
            probes.numpy_is_free,
        ),
        Claim(
            "cpu-shares-memory",
            "CPU JAX arrays share memory with NumPy",
            shows("memory shared", value=True),
            probes.cpu_shares_memory,
        ),
        Claim(
            "gpu-is-transferred",
            "GPU arrays are transferred",
            shows("memory shared", value=False),
            probes.gpu_is_transferred,
        ),
    ),
    "Risks that remain": (
        Claim(
            "h5py-read-direct",
            "h5py's read_direct refuses a JAX array",
            raises("TypeError"),
            probes.h5py_read_direct,
        ),
        Claim(
            "h5py-write-direct",
            "h5py's write_direct refuses a JAX array",
            raises("TypeError"),
            probes.h5py_write_direct,
        ),
        Claim(
            "h5py-bfloat16",
            "h5py stores bfloat16 as opaque bytes",
            shows("type on disk", "|V2"),
            probes.h5py_bfloat16,
        ),
        Claim(
            "h5py-bfloat16-adapted",
            "through HDF5Adapter bfloat16 is stored as float32",
            shows("type on disk", "<f4"),
            probes.h5py_bfloat16_adapted,
        ),
        Claim(
            "pyqtgraph-curve-item",
            "PyQtGraph's PlotCurveItem refuses a JAX array",
            raises("Exception"),
            probes.pyqtgraph_curve_item,
        ),
        Claim(
            "matplotlib-colour",
            "Matplotlib takes a JAX vector for no colour",
            raises("ValueError"),
            probes.matplotlib_colour,
        ),
        Claim(
            "h5py-key",
            "h5py refuses a random key",
            raises("TypeError"),
            probes.h5py_key,
        ),
        Claim(
            "pyqtgraph-key",
            "PyQtGraph refuses a random key",
            raises("Exception"),
            probes.pyqtgraph_key,
        ),
        Claim(
            "matplotlib-key",
            "Matplotlib refuses a random key",
            raises("TypeError"),
            probes.matplotlib_key,
        ),
        Claim(
            "ensure-numpy-key",
            "ensure_numpy refuses a random key",
            raises("TypeError"),
            probes.ensure_numpy_key,
        ),
        Claim(
            "h5py-deleted",
            "h5py cannot read a deleted array",
            raises("RuntimeError"),
            probes.h5py_deleted,
        ),
        Claim(
            "pyqtgraph-deleted",
            "PyQtGraph cannot read a deleted array",
            raises("RuntimeError"),
            probes.pyqtgraph_deleted,
        ),
        Claim(
            "matplotlib-deleted",
            "Matplotlib cannot read a deleted array",
            raises("RuntimeError"),
            probes.matplotlib_deleted,
        ),
        Claim(
            "ensure-numpy-deleted",
            "ensure_numpy refuses a deleted array",
            raises("ValueError"),
            probes.ensure_numpy_deleted,
        ),
    ),
}
