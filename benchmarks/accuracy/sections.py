"""All sections, from one file a kernel; adding a file is a line here."""

from __future__ import annotations

from importlib import import_module

from reading import Section

FILES: tuple[str, ...] = (
    "qmap_accuracy",
    "partition_accuracy",
)
"""Modules beside this one, each with a ``SECTION``."""


def all_sections() -> dict[str, Section]:
    """Return the sections by file, in order."""
    return {file: import_module(file).SECTION for file in FILES}
