"""Peak memory beside its stated bound: ``python benchmarks/memory/study.py``.

Every section measures the peak of its computation in fresh processes and sets it beside
the bound that is stated for it. Writes ``reports/kernels/memory.json`` and
``memory.md``. Exits with 1 when a bound does not hold. Takes some minutes.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from xpcs_bench.measure.environment import machine, versions

RECORD = Path(__file__).resolve().parents[2] / "reports" / "kernels"
SECTIONS = ("two_time_section", "stream_section")
"""Modules beside this one, each with ``TITLE``, ``rows()`` and ``lines(rows)``."""


def markdown(record: dict[str, Any]) -> str:
    """Write the record for a reader."""
    here = record["circumstances"]
    used = ", ".join(f"{name} {v}" for name, v in here["versions"].items())
    text = [
        "# Memory of long series",
        "",
        f"Made by `python benchmarks/memory/study.py` with {used}, on",
        f"{here['machine']}. Peaks are resident memory over the idle process, in fresh",
        "processes; how each bound is made up is in the section's file.",
    ]
    for name, rows in record["sections"].items():
        section = import_module(name)
        text += ["", f"## {section.TITLE}", "", *section.lines(rows)]
    return "\n".join(text) + "\n"


def main() -> int:
    """Measure all sections, write the record, print it."""
    record = {
        "schema_version": 1,
        "circumstances": {
            "machine": machine(),
            "versions": versions("jax", "numpy"),
        },
        "sections": {name: import_module(name).rows() for name in SECTIONS},
    }
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / "memory.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "memory.md").write_text(markdown(record))
    print(markdown(record))
    rows = [row for section in record["sections"].values() for row in section]
    return int(any(row["peak_bytes"] > row["bound_bytes"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
