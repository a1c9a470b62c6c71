"""How far the kernels are from the truth: ``python benchmarks/accuracy/study.py``.

Prints the largest error of each quantity beside what is allowed, and writes
``reports/kernels/accuracy.json`` and ``accuracy.md``. Exits with 1 when one is larger.
No clock is involved: a smaller version is a test.
"""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sections import all_sections

from xpcs_bench.measure.environment import versions

RECORD = Path(__file__).resolve().parents[2] / "reports" / "kernels"
PACKAGES = ("numpy", "jax", "mpmath")


def look(file: str, *, few: bool = False) -> dict[str, Any]:
    """Measure what one file is about."""
    section = all_sections()[file]
    return {
        "title": section.title,
        "text": section.text,
        "readings": [
            asdict(one) | {"holds": one.holds} for one in section.measure(few)
        ],
    }


def markdown(record: dict[str, Any]) -> str:
    """Write the record for a reader."""
    lines = [
        "# Kernels beside the truth",
        "",
        "Made by `python benchmarks/accuracy/study.py` with "
        + ", ".join(f"{name} {v}" for name, v in record["versions"].items())
        + ".",
    ]
    for section in record["sections"].values():
        lines += [
            "",
            f"## {section['title']}",
            "",
            section["text"],
            "",
            "| quantity | largest | allowed | | numbers | where |",
            "|---|---|---|---|---|---|",
            *map(_row, section["readings"]),
        ]
    return "\n".join(lines) + "\n"


def _row(one: dict[str, Any]) -> str:
    allowed = "" if one["bound"] is None else f"{one['bound']:g}"
    verdict = {True: "holds", False: "DOES NOT HOLD", None: ""}[one["holds"]]
    cells = (
        one["what"],
        f"{one['measured']:.3g} {one['unit']}",
        allowed,
        verdict,
        one["n_points"],
        one["where"],
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    """Measure all sections, write the record, print it."""
    record = {
        "schema_version": 1,
        "versions": versions(*PACKAGES) | {"machine": platform.machine()},
        "sections": {file: look(file) for file in all_sections()},
    }
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / "accuracy.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "accuracy.md").write_text(markdown(record))
    print(markdown(record))
    holds = [
        one["holds"]
        for section in record["sections"].values()
        for one in section["readings"]
    ]
    return 1 if False in holds else 0


if __name__ == "__main__":
    sys.exit(main())
