"""What becomes of JAX arrays at boundaries: ``python benchmarks/boundaries/study.py``.

Puts each statement of the architecture document about h5py, PyQtGraph and Matplotlib,
and each risk that remains, to the libraries that are installed: one behaviour, one
fresh process, in which Qt may crash. A statement holds, does not hold, or cannot be
tested here; the exact outcome and the versions stand beside it. Writes
``reports/boundaries/claims.json`` and ``claims.md``, and prints the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from claims import CLAIMS, judge

from xpcs_bench.measure.environment import versions
from xpcs_bench.run.behaviours import TIMEOUT_S, try_all
from xpcs_bench.run.worker import Limits

RECORD = Path(__file__).resolve().parents[2] / "reports" / "boundaries"
PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "h5py",
    "matplotlib",
    "pyqtgraph",
    "PySide6_Essentials",
)


def markdown(rows: Iterable[dict[str, Any]], of: dict[str, str]) -> str:
    """Write the record for a reader."""
    lines = ["# JAX arrays at the boundaries", ""]
    lines += ["Made by `python benchmarks/boundaries/study.py` with"]
    lines += [", ".join(f"{name} {version}" for name, version in of.items()) + "."]
    part = ""
    for row in rows:
        if row["part"] != part:
            part = row["part"]
            lines += ["", f"## {part}", "", "| statement | probe | verdict | outcome |"]
            lines += ["|---|---|---|---|"]
        outcome = row["outcome"].replace("|", "\\|")
        cells = (row["says"], f"`{row['id']}`", row["verdict"], outcome)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Try everything, write the record, print it."""
    limits = Limits(TIMEOUT_S, round(0.8 * psutil.virtual_memory().available))
    listed = [(part, claim) for part, members in CLAIMS.items() for claim in members]
    tried = try_all([claim.behaviour for _, claim in listed], limits)
    rows: list[dict[str, Any]] = []
    for (part, claim), seen in zip(listed, tried, strict=True):
        verdict = judge(claim, seen)
        rows.append(
            {
                "id": claim.id,
                "part": part,
                "says": claim.says,
                "verdict": verdict,
                "outcome": seen.text,
                "details": seen.model_dump(mode="json", exclude={"behaviour"}),
            }
        )
        print(f"{verdict:22} {claim.id:24} {seen.text}", flush=True)
    RECORD.mkdir(parents=True, exist_ok=True)
    record = {"schema_version": 1, "versions": versions(*PACKAGES), "claims": rows}
    (RECORD / "claims.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "claims.md").write_text(markdown(rows, record["versions"]))


if __name__ == "__main__":
    main()
