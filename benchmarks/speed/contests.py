"""All contests, from one file a kernel; adding a file is a line here."""

from __future__ import annotations

from importlib import import_module

from contest import Contest

FILES: tuple[str, ...] = (
    "nuts_contests",
    "qmap_contests",
    "two_time_contests",
    "hdf5_io_contests",
    "g2_events_contests",
    "partition_contests",
    "binning_contests",
    "g2_contests",
    "fit_contests",
    "g2_model_contests",
)
"""Modules beside this one, each with a tuple ``CONTESTS``."""


def all_contests() -> dict[str, Contest]:
    """Return the contests by name, in order."""
    contests = [c for file in FILES for c in import_module(file).CONTESTS]
    named = {contest.name: contest for contest in contests}
    if len(named) != len(contests):
        msg = "two contests have one name"
        raise ValueError(msg)
    return named
