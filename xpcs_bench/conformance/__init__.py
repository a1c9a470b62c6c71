"""Whether two backends mean the same by every method of the protocol.

Every method has a probe (:mod:`~xpcs_bench.conformance.probes`): hard inputs, and the
truth where mpmath knows it. Whatever differs must be in the list of known differences
(:mod:`~xpcs_bench.conformance.differences`), with its reason.
"""

from __future__ import annotations

from xpcs_bench.conformance.differences import DIFFERENCES
from xpcs_bench.conformance.examine import examine, examine_calls
from xpcs_bench.conformance.findings import (
    Circumstances,
    Difference,
    Examination,
    Finding,
    Report,
)
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.probes import PROBES

__all__ = [
    "DIFFERENCES",
    "PROBES",
    "Call",
    "Circumstances",
    "Difference",
    "Examination",
    "Finding",
    "Probe",
    "Report",
    "examine",
    "examine_calls",
]
