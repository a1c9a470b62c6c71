"""All oracles, from one file a kernel; adding a file is a line here."""

from __future__ import annotations

from importlib import import_module

from finding import Oracle

FILES: tuple[str, ...] = (
    "nuts_oracles",
    "qmap_oracles",
    "two_time_oracles",
    "partition_oracles",
    "binning_oracles",
    "g2_events_oracles",
    "g2_oracles",
    "fit_oracles",
)
"""Modules beside this one, each with a tuple ``ORACLES``."""


def all_oracles() -> dict[str, Oracle]:
    """Return the oracles by name, in order."""
    oracles = [o for file in FILES for o in import_module(file).ORACLES]
    named = {oracle.name: oracle for oracle in oracles}
    if len(named) != len(oracles):
        msg = "two oracles have one name"
        raise ValueError(msg)
    return named
