"""The nouns that are persisted: evidence, its circumstances, and conclusions."""

from xpcs_bench.records.case import SLOWED_BY, Case, Group, Skip, Variant
from xpcs_bench.records.ceiling import Ceiling, best
from xpcs_bench.records.conclusion import (
    Achieved,
    BreakEven,
    CaseEstimate,
    Comparison,
    Control,
    Efficiency,
    Effort,
    Estimate,
    Judgement,
    Outcome,
    Summary,
    Verdict,
)
from xpcs_bench.records.diagnosis import Diagnosis, MachineReport, Quantity
from xpcs_bench.records.environment import Device, Environment
from xpcs_bench.records.measurement import (
    Agreement,
    Block,
    Measurement,
    Observation,
    OutputDigest,
    Sample,
    Samples,
    Status,
    Verified,
)
from xpcs_bench.records.run_record import (
    SCHEMA_VERSION,
    Accounting,
    RunHeader,
    RunRecord,
    RunStatus,
)

__all__ = [
    "SCHEMA_VERSION",
    "SLOWED_BY",
    "Accounting",
    "Achieved",
    "Agreement",
    "Block",
    "BreakEven",
    "Case",
    "CaseEstimate",
    "Ceiling",
    "Comparison",
    "Control",
    "Device",
    "Diagnosis",
    "Efficiency",
    "Effort",
    "Environment",
    "Estimate",
    "Group",
    "Judgement",
    "MachineReport",
    "Measurement",
    "Observation",
    "Outcome",
    "OutputDigest",
    "Quantity",
    "RunHeader",
    "RunRecord",
    "RunStatus",
    "Sample",
    "Samples",
    "Skip",
    "Status",
    "Summary",
    "Variant",
    "Verdict",
    "Verified",
    "best",
]
