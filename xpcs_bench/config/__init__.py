"""Experiments: from a YAML file to a validated :class:`Experiment`."""

from xpcs_bench.config.claim import Bounds, Claim, ClaimSide, Expectation, Selection
from xpcs_bench.config.crossover import CrossoverSearch, fixed_grid
from xpcs_bench.config.detector import Detector, Mask, MaskedRectangle, MaskFile
from xpcs_bench.config.experiment import (
    MEASURES,
    CompilationCache,
    Converts,
    Dtype,
    Experiment,
    KernelChoice,
    Matrix,
    MeasureName,
    Sampling,
    Selector,
    ToleranceOverride,
)
from xpcs_bench.config.gate import (
    PRESETS_OF_GATES,
    Demand,
    Family,
    Gate,
    GatePreset,
)
from xpcs_bench.config.geometry import Geometry, Orientation
from xpcs_bench.config.profile import PROFILES, Profile, Start

__all__ = [
    "MEASURES",
    "PRESETS_OF_GATES",
    "PROFILES",
    "Bounds",
    "Claim",
    "ClaimSide",
    "CompilationCache",
    "Converts",
    "CrossoverSearch",
    "Demand",
    "Detector",
    "Dtype",
    "Expectation",
    "Experiment",
    "Family",
    "Gate",
    "GatePreset",
    "Geometry",
    "KernelChoice",
    "Mask",
    "MaskFile",
    "MaskedRectangle",
    "Matrix",
    "MeasureName",
    "Orientation",
    "Profile",
    "Sampling",
    "Selection",
    "Selector",
    "Start",
    "ToleranceOverride",
    "fixed_grid",
]
