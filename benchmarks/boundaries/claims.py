"""What is said of the boundaries, and what decides whether it is so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xpcs_bench.analysis.claims import judge_behaviour
from xpcs_bench.config import Expectation
from xpcs_bench.records import BehaviourSeen, Outcome

__all__ = ["CLAIMS", "Claim", "Verdict", "judge", "raises", "shows"]

Verdict = Literal["holds", "does not hold", "cannot be tested here"]
_VERDICTS: dict[Outcome, Verdict] = {
    Outcome.PASS: "holds",
    Outcome.FAIL: "does not hold",
    Outcome.SKIP: "cannot be tested here",
    Outcome.ERROR: "cannot be tested here",
}


def raises(name: str) -> Expectation:
    """Expect an exception of this class, or of one derived from it."""
    return Expectation(raises=name)


def shows(name: str, value: bool | str) -> Expectation:  # noqa: FBT001 - it is seen
    """Expect something to be observed."""
    return Expectation(shows={name: value})


_FAILS = Expectation(fails=True)
"""An exception, the end of the process, or other pixels than NumPy's."""


@dataclass(frozen=True)
class Claim:
    """A sentence that a behaviour can decide."""

    behaviour: str
    """Name in the registry of behaviours."""
    says: str
    expect: Expectation

    @property
    def id(self) -> str:
        """What it is called in the table."""
        return self.behaviour.replace("_", "-")


def judge(claim: Claim, seen: BehaviourSeen) -> Verdict:
    """Decide, from what happened alone."""
    return _VERDICTS[judge_behaviour(seen, claim.expect)[0]]


_H5PY = "h5py raises TypeError when given a JAX array"
_QT = "PyQtGraph renders nothing or crashes silently"
_MPL = "Matplotlib raises ValueError on non-NumPy input"

CLAIMS: dict[str, tuple[Claim, ...]] = {
    "Sentences of the architecture document": (
        Claim("h5py_dataset", _H5PY, raises("TypeError")),
        Claim("h5py_slice", _H5PY, raises("TypeError")),
        Claim("h5py_attribute", _H5PY, raises("TypeError")),
        Claim("pyqtgraph_image", _QT, _FAILS),
        Claim("pyqtgraph_curve", _QT, _FAILS),
        Claim("matplotlib_image", _MPL, raises("ValueError")),
        Claim("matplotlib_curve", _MPL, raises("ValueError")),
        Claim("matplotlib_scatter", _MPL, raises("ValueError")),
        Claim(
            "numpy_is_free",
            "conversions are free on NumPy: the array itself comes back",
            shows("the same object", value=True),
        ),
        Claim(
            "cpu_shares_memory",
            "CPU JAX arrays share memory with NumPy",
            shows("memory shared", value=True),
        ),
        Claim(
            "gpu_is_transferred",
            "GPU arrays are transferred",
            shows("memory shared", value=False),
        ),
    ),
    "Risks that remain": (
        Claim(
            "h5py_read_direct",
            "h5py's read_direct refuses a JAX array",
            raises("TypeError"),
        ),
        Claim(
            "h5py_write_direct",
            "h5py's write_direct refuses a JAX array",
            raises("TypeError"),
        ),
        Claim(
            "h5py_bfloat16",
            "h5py stores bfloat16 as opaque bytes",
            shows("type on disk", "|V2"),
        ),
        Claim(
            "h5py_bfloat16_adapted",
            "through HDF5Adapter bfloat16 is stored as float32",
            shows("type on disk", "<f4"),
        ),
        Claim(
            "pyqtgraph_curve_item",
            "PyQtGraph's PlotCurveItem refuses a JAX array",
            raises("Exception"),
        ),
        Claim(
            "matplotlib_colour",
            "Matplotlib takes a JAX vector for no colour",
            raises("ValueError"),
        ),
        Claim("h5py_key", "h5py refuses a random key", raises("TypeError")),
        Claim("pyqtgraph_key", "PyQtGraph refuses a random key", raises("Exception")),
        Claim("matplotlib_key", "Matplotlib refuses a random key", raises("TypeError")),
        Claim(
            "ensure_numpy_key", "ensure_numpy refuses a random key", raises("TypeError")
        ),
        Claim(
            "h5py_deleted", "h5py cannot read a deleted array", raises("RuntimeError")
        ),
        Claim(
            "pyqtgraph_deleted",
            "PyQtGraph cannot read a deleted array",
            raises("RuntimeError"),
        ),
        Claim(
            "matplotlib_deleted",
            "Matplotlib cannot read a deleted array",
            raises("RuntimeError"),
        ),
        Claim(
            "ensure_numpy_deleted",
            "ensure_numpy refuses a deleted array",
            raises("ValueError"),
        ),
    ),
}
