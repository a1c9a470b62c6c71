"""What share of a warm run is spent measuring: ``python benchmarks/engine/warm.py``.

Carries out ``configs/warm.yaml``, cached calls of two variants for a minute, and
asks its record how much of the wall time was inside warm-ups, samples and first calls.

Writes ``reports/engine/warm.json`` and ``warm.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from circumstances import circumstances
from trial import carry_out

from xpcs_bench.run.prepare import prepare

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "warm.yaml"
RECORD = ROOT / "reports" / "engine"
ASKED = 0.9


def measure(config: Path, overrides: tuple[str, ...] = ()) -> dict[str, Any]:
    """Carry out an experiment; return where its wall time went."""
    _, plan, _ = prepare(config, None, overrides)
    return carry_out(plan).accounting.model_dump()


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    made, spent = record["circumstances"], record["accounting"]
    met = "met" if spent["measuring_share"] >= ASKED else "NOT met"
    return "\n".join(
        [
            "# The share of a warm run that is spent measuring",
            "",
            f"Made by `python benchmarks/engine/warm.py` with {made['versions']},",
            f"on {made['machine']}: `configs/warm.yaml`.",
            "",
            "| | |",
            "|---|---|",
            f"| wall time | {spent['wall_s']:.1f} s |",
            f"| warm-ups, samples and first calls | {spent['measuring_s']:.1f} s |",
            f"| share | {spent['measuring_share']:.1%}, {met}: {ASKED:.0%} |",
            f"| waiting for workers to come up | {spent['startup_s']:.2f} s |",
            (
                "| of one sample beyond its clock readings "
                f"| {spent['overhead_ns_per_sample'] / 1000:.0f} us |"
            ),
            "",
        ]
    )


def main() -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    record = {"circumstances": circumstances(), "accounting": measure(CONFIG)}
    text = json.dumps(record, indent=1)
    (options.out / "warm.json").write_text(text + "\n")
    (options.out / "warm.md").write_text(markdown(record))
    print(markdown(record))


if __name__ == "__main__":
    main()
