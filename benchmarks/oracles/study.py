"""The kernels beside independent programs: ``python benchmarks/oracles/study.py``.

Every oracle is another program, or another method, for a quantity of ours. Prints the
largest difference of each quantity beside what is allowed, and writes
``reports/kernels/oracles.json`` and ``oracles.md``. Exits with 1 when one is larger. No
clock is involved: the same comparisons are tests.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oracles import all_oracles

from xpcs_bench.measure.environment import versions

RECORD = Path(__file__).resolve().parents[2] / "reports" / "kernels"
PACKAGES = ("numpy", "jax", "scipy", "mpmath", "pyFAI", "scikit-beam", "numpyro")


def ask(name: str) -> dict[str, Any]:
    """Compare with one oracle, or say what is missing for it."""
    oracle = all_oracles()[name]
    if oracle.package and importlib.util.find_spec(oracle.package) is None:
        return {"source": oracle.source, "absent": oracle.package, "findings": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's programs
        findings = oracle.compare()
    return {
        "source": oracle.source,
        "findings": [
            # what is found with NumPy may be one of its numbers
            asdict(one) | {"measured": float(one.measured), "holds": one.holds}
            for one in findings
        ],
    }


def markdown(record: dict[str, Any]) -> str:
    """Write the record for a reader."""
    lines = [
        "# Kernels beside independent programs",
        "",
        "Made by `python benchmarks/oracles/study.py` with "
        + ", ".join(f"{name} {v}" for name, v in record["versions"].items())
        + ".",
        "",
        "| oracle | compared with | quantity | largest difference | allowed | |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in record["oracles"].items():
        if "absent" in found:
            lines.append(
                f"| {name} | {found['source']} | {found['absent']} is not installed "
                "| | | skipped |"
            )
        lines += [
            f"| {name} | {found['source']} | {one['what']} | {one['measured']:.3g} "
            f"{one['unit']} | {one['bound']:.3g} | "
            f"{'holds' if one['holds'] else 'DOES NOT HOLD'} |"
            for one in found["findings"]
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Ask all oracles, write the record, print it."""
    record = {
        "schema_version": 1,
        "versions": versions(*PACKAGES),
        "oracles": {name: ask(name) for name in all_oracles()},
    }
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / "oracles.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "oracles.md").write_text(markdown(record))
    print(markdown(record))
    holds = [
        one["holds"]
        for found in record["oracles"].values()
        for one in found["findings"]
    ]
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
