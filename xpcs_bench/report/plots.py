"""The figures of a report, by name: one function each, and one line here."""

from __future__ import annotations

from collections.abc import Callable

from xpcs_bench.report.figures.calls import first_and_cached, stages
from xpcs_bench.report.figures.conversions import conversion_by_size
from xpcs_bench.report.figures.crossover import ratio_by_size
from xpcs_bench.report.figures.frame import Plot
from xpcs_bench.report.figures.speedup import speedup_by_size
from xpcs_bench.report.standing import Evidence

__all__ = ["PLOTS"]

PLOTS: dict[str, Callable[[Evidence], Plot]] = {
    "speedup_by_size": speedup_by_size,
    "ratio_by_size": ratio_by_size,
    "first_and_cached": first_and_cached,
    "stages": stages,
    "conversion_by_size": conversion_by_size,
}
"""Figures by the name under which sections ask for them."""
