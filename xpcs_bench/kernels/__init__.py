"""Computations under test, each with its inputs, tolerances, truth and work."""

from xpcs_bench.kernels.kernel import (
    Arrays,
    Capability,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.registry import KERNELS, create_kernel, kernel_names

__all__ = [
    "KERNELS",
    "Arrays",
    "Capability",
    "Host",
    "Kernel",
    "Need",
    "Output",
    "Problem",
    "Tolerance",
    "Truth",
    "Work",
    "create_kernel",
    "kernel_names",
]
