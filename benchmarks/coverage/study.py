"""Do 95 % intervals hold the truth?  ``python benchmarks/coverage/study.py [NAME...]``.

Simulates series whose true parameters are known, makes intervals as an experimenter
would, and counts how many hold the truth: 93 to 97 % are asked for. Beside each part
stands its own 95 % interval (Clopper and Pearson), which says what so many series can
tell. Every draw is seeded, and no clock is involved. Exits with 1 where a part is
beyond what is asked.

Writes ``reports/kernels/coverage.json`` and ``coverage.md`` after each section. Names
on the command line choose sections, and leave the records of the others as they are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from section import Section, binomial_interval
from sections import all_sections

from xpcs_bench.measure.environment import versions

RECORD = Path(__file__).resolve().parents[2] / "reports" / "kernels"
PACKAGES = ("numpy", "scipy", "jax", "numpyro")


def count(section: Section) -> dict[str, Any]:
    """Simulate one section, and put the intervals beside what was counted."""
    rows = [
        asdict(one)
        | {
            "fraction": one.fraction,
            "interval": binomial_interval(one.covered, one.of),
            "holds": one.holds,
        }
        for one in section.count()
    ]
    return {"says": section.says, "rows": rows}


def markdown(record: dict[str, Any]) -> str:
    """Write the record for a reader."""
    used = ", ".join(f"{name} {v}" for name, v in record["versions"].items())
    lines = [
        "# How often 95 % intervals hold the truth",
        "",
        f"Made by `python benchmarks/coverage/study.py` with {used}. The interval is",
        "that of the counted part itself (Clopper and Pearson, 95 %).",
    ]
    for name, found in record["sections"].items():
        lines += [
            "",
            f"## {name}",
            "",
            found["says"],
            "",
            "| quantity | held | of | part | interval | 93 to 97 % |",
            "|---|---|---|---|---|---|",
            *map(_row, found["rows"]),
        ]
    return "\n".join(lines) + "\n"


def _row(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    verdict = "" if not one["asked"] else "holds" if one["holds"] else "DOES NOT HOLD"
    return (
        f"| {one['what']} | {one['covered']} | {one['of']} | {one['fraction']:.1%} "
        f"| {low:.1%} to {high:.1%} | {verdict} |"
    )


def main() -> int:
    """Count section after section, and keep what was found after each."""
    sections = all_sections()
    names = list(sections)
    unknown = sorted(set(sys.argv[1:]) - set(names))
    if unknown:
        print(f"unknown sections {unknown}. Allowed: {', '.join(names)}.")
        return 2
    path = RECORD / "coverage.json"
    kept = json.loads(path.read_text())["sections"] if path.exists() else {}
    RECORD.mkdir(parents=True, exist_ok=True)
    good = True
    for name in sys.argv[1:] or names:
        kept[name] = count(sections[name])
        record = {
            "schema_version": 1,
            "versions": versions(*PACKAGES),
            "sections": {name: kept[name] for name in names if name in kept},
        }
        path.write_text(json.dumps(record, indent=1) + "\n")
        (RECORD / "coverage.md").write_text(markdown(record))
        for row in kept[name]["rows"]:
            print(f"{name:8}{_row(row)}", flush=True)
            good = good and (row["holds"] or not row["asked"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
