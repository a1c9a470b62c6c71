"""One row per method of the protocol: what it is asked, and what is right.

A method is probed by adding its row to the file of its category.
"""

from __future__ import annotations

from xpcs_bench.conformance.probe import Probe
from xpcs_bench.conformance.probes.binning import BINNING
from xpcs_bench.conformance.probes.conversion import CONVERSION, PLACEMENT
from xpcs_bench.conformance.probes.creation import CREATION
from xpcs_bench.conformance.probes.elementwise import (
    MATHEMATICS,
    ROUNDING,
    TRIGONOMETRY,
)
from xpcs_bench.conformance.probes.manipulation import MANIPULATION
from xpcs_bench.conformance.probes.masking import MASKING
from xpcs_bench.conformance.probes.reductions import PRODUCTS, STATISTICS
from xpcs_bench.conformance.probes.transformations import TRANSFORMATIONS

__all__ = ["PROBES"]

PROBES: dict[str, tuple[Probe, ...]] = {
    "creation": CREATION,
    "trigonometry": TRIGONOMETRY,
    "rounding": ROUNDING,
    "mathematics": MATHEMATICS,
    "products": PRODUCTS,
    "statistics": STATISTICS,
    "binning": BINNING,
    "masking": MASKING,
    "manipulation": MANIPULATION,
    "conversion": CONVERSION,
    "transformations": TRANSFORMATIONS,
    "placement": PLACEMENT,
}
"""Category to the probes of its methods."""
