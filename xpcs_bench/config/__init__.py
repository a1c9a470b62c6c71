"""Experiments: from a YAML file to a validated :class:`Experiment`."""

from xpcs_bench.config.crossover import CrossoverSearch, fixed_grid
from xpcs_bench.config.detector import Detector, Mask, MaskedRectangle, MaskFile
from xpcs_bench.config.experiment import (
    MEASURES,
    CompilationCache,
    Dtype,
    Experiment,
    KernelChoice,
    Matrix,
    MeasureName,
    Sampling,
    Selector,
    ToleranceOverride,
)
from xpcs_bench.config.geometry import Geometry, Orientation
from xpcs_bench.config.profile import PROFILES, Profile, Start

__all__ = [
    "MEASURES",
    "PROFILES",
    "CompilationCache",
    "CrossoverSearch",
    "Detector",
    "Dtype",
    "Experiment",
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
    "Selector",
    "Start",
    "ToleranceOverride",
    "fixed_grid",
]
