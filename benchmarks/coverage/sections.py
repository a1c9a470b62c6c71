"""All sections, from one file a method; adding a file is a line here."""

from __future__ import annotations

from importlib import import_module

from section import Section

FILES: tuple[str, ...] = ("fit_section", "nuts_section")
"""Modules beside this one, each with a tuple ``SECTIONS``."""


def all_sections() -> dict[str, Section]:
    """Return the sections by name, in order."""
    sections = [s for file in FILES for s in import_module(file).SECTIONS]
    named = {section.name: section for section in sections}
    if len(named) != len(sections):
        msg = "two sections have one name"
        raise ValueError(msg)
    return named
