"""The page: one self-contained file whose every number says where it comes from.

A number is ``<data value="RAW" data-source="POINTER">``, where the pointer leads to the
same raw value in ``run.json``; text of the record is ``<span data-source="POINTER">``.
What follows from the record by one step says so in ``data-as``, and its sources are
then a JSON array: ``count`` is their number, ``inverse`` one over the only one,
``quotient`` the first over the second; ``key`` is the last step of the pointer, and
``case_id``, ``problem_id`` and ``variant_id`` are the name of what is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import jinja2
import markupsafe

from xpcs_bench.records import RunRecord
from xpcs_bench.report.cells import Section, text
from xpcs_bench.report.figures.frame import Plot
from xpcs_bench.report.plots import PLOTS
from xpcs_bench.report.standing import Evidence
from xpcs_bench.report.tables import describe

__all__ = ["render"]

SHORT = 32
"""Longest name that stays on one line (characters)."""


def render(record: RunRecord) -> str:
    """Return the page of a record."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xpcs_bench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["raw"] = _raw
    environment.filters["sources"] = _sources
    environment.filters["breakable"] = _breakable
    environment.globals["short"] = SHORT
    evidence = Evidence(record)
    sections = describe(record)
    return environment.get_template("report.html.j2").render(
        name=text(evidence.root["header"]["name"]),
        verdict=sections[0].lead,
        # the verdict itself stands in the page's head; its section holds the rules
        sections=[section for section in sections if _has_body(section)],
        plots=_plots(evidence, sections),
    )


_SHOWN_WITH_ROWS = frozenset({"verdict", "claims", "crossover", "gate"})
"""Sections that have nothing to say where their tables have no row."""


def _has_body(section: Section) -> bool:
    return section.name not in _SHOWN_WITH_ROWS or any(
        table.n_rows for table in section.tables
    )


def _plots(evidence: Evidence, sections: Sequence[Section]) -> dict[str, Plot]:
    return {
        name: PLOTS[name](evidence) for section in sections for name in section.plots
    }


def _raw(value: float) -> str:
    """Write a number as run.json does."""
    return json.dumps(value)


def _sources(pointers: Sequence[str]) -> str:
    return json.dumps(list(pointers), ensure_ascii=False)


def _breakable(name: str) -> markupsafe.Markup:
    """Let a long name break after a slash or comma, or anywhere if it has none.

    The places to break add no character to the text.
    """
    if len(name) <= SHORT:
        return markupsafe.escape(name)
    parts = re.findall(rf"[^/,]{{1,{SHORT}}}[/,]?|[/,]", name, re.DOTALL)
    return markupsafe.Markup("<wbr>").join(parts)
