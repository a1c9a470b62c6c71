"""Detectors by name: one row each, with the source of its numbers.

pyFAI means its detector registry (release 2026.9), which gives the sizes that the
manufacturers publish; a test compares the rows with the installed one. A row counts
the pixels of the whole image, gaps between modules included.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PRESETS", "Preset"]


class Preset(NamedTuple):
    """A detector that is sold or stands at a beamline."""

    rows: int
    columns: int
    pixel_size_um: float
    source: str


PRESETS: dict[str, Preset] = {
    "eiger-500k": Preset(514, 1030, 75.0, "pyFAI Eiger500k"),
    "eiger-1m": Preset(1065, 1030, 75.0, "pyFAI Eiger1M"),
    "eiger-4m": Preset(2167, 2070, 75.0, "pyFAI Eiger4M"),
    "eiger-9m": Preset(3269, 3110, 75.0, "pyFAI Eiger9M"),
    "eiger-16m": Preset(4371, 4150, 75.0, "pyFAI Eiger16M"),
    "eiger2-500k": Preset(512, 1028, 75.0, "pyFAI Eiger2_500k"),
    "eiger2-1m": Preset(1062, 1028, 75.0, "pyFAI Eiger2_1M"),
    "eiger2-4m": Preset(2162, 2068, 75.0, "pyFAI Eiger2_4M"),
    "eiger2-9m": Preset(3262, 3108, 75.0, "pyFAI Eiger2_9M"),
    "eiger2-16m": Preset(4362, 4148, 75.0, "pyFAI Eiger2_16M"),
    "lambda-750k": Preset(516, 1556, 55.0, "pyFAI Lambda750k"),
    # two sizes go by the name Lambda 2M
    "lambda-2m": Preset(1556, 1556, 55.0, "pyFAI Lambda2M"),
    "lambda-2m-8idi": Preset(1813, 1558, 55.0, "boost_corr examples, APS 8-ID-I"),
    "rigaku-500k": Preset(512, 1024, 76.0, "APS 8-ID-I result files, 2022"),
    "rigaku-3m": Preset(1676, 2100, 75.0, "APS 8-ID-I result files, 2025"),
    "pilatus-300k": Preset(619, 487, 172.0, "pyFAI Pilatus300k"),
    "pilatus-1m": Preset(1043, 981, 172.0, "pyFAI Pilatus1M"),
    "pilatus-2m": Preset(1679, 1475, 172.0, "pyFAI Pilatus2M"),
    "jungfrau-500k": Preset(512, 1024, 75.0, "pyFAI Jungfrau"),
    "jungfrau-1m": Preset(1064, 1030, 75.0, "pyFAI Jungfrau1M"),
    "jungfrau-4m": Preset(2164, 2068, 75.0, "pyFAI Jungfrau4M"),
    "maxipix": Preset(256, 256, 55.0, "pyFAI Maxipix"),
    "maxipix-2x2": Preset(516, 516, 55.0, "pyFAI Maxipix2x2"),
    "maxipix-5x1": Preset(256, 1296, 55.0, "pyFAI Maxipix5x1"),
}
"""By the name that a configuration writes."""
