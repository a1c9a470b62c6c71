"""How often an interval of two identical cases holds 1.

    python benchmarks/engine/identical.py

A run measures every case against the same case again (A/A), in pairs of fresh processes
that take turns, and states an interval of 95 % for each ratio. Runs are independent:
no process belongs to two. Of many such intervals 95 in 100 must hold 1; fewer, and the
engine claims what it does not know; more, and it wastes time.

Writes ``reports/engine/identical.json`` and ``identical.md``; runs are kept as they
end, with the time that every process told, and a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rounds import keep_rounds
from scipy.stats import beta
from trial import carry_out, paired, plan_of

from xpcs_bench.analysis.central import central, one_thread
from xpcs_bench.records import Observation, RunRecord

RECORD = Path(__file__).resolve().parents[2] / "reports" / "engine"
PROFILES = ("controlled", "as_user")
ORDER = ("controlled", "as_user", "controlled")
"""Profiles of three runs in a row."""
RUNS = 39
"""Eight intervals a run."""
ASKED = (0.92, 0.98)
EXPERIMENT = """\
name: identical
kernels:
  - qmap
  - partition: {q_bins: 36, phi_bins: 10}
  - g2_model
  - two_time: {frames: 200, pixels: 4000, relaxation_frames: 30}
detectors: [{name: 1024x1024, shape: [1024, 1024], pixel_size_um: 75}]
geometries: [{kind: transmission, energy_kev: 10, distance_mm: 5000}]
matrix: {backend: [numpy, jax]}
measure: steady_state
sampling: {precision: 1%, max_time_s: 0.6, processes: 3}
controls: false
"""

Row = Mapping[str, Any]


def told(observation: Observation) -> dict[str, float | str]:
    """Return what one process tells: its time, how well it knows it, by which clock."""
    by_cpu = one_thread(observation.samples, observation.cores)
    found = central(observation.samples, by_cpu=by_cpu)
    return {
        "value_s": found.value_s,
        "half_width": found.half_width,
        "timing": found.timing,
    }


def reduced(record: RunRecord) -> list[dict[str, Any]]:
    """Keep of a run its intervals, and of every process what it told."""
    rows = []
    for comparison in record.summary.comparisons:
        sides = [
            [told(m.observation) for m in record.measurements if m.case == case]
            for case in (comparison.baseline, comparison.candidate)
        ]
        rows.append(
            {
                "case": comparison.baseline,
                "ratio": comparison.ratio.point,
                "lower": comparison.ratio.lower,
                "upper": comparison.ratio.upper,
                "processes": [list(pair) for pair in zip(*sides, strict=True)],
            }
        )
    return rows


def measure_run(profile: str, seed: int) -> Row:
    """Measure every case against itself once."""
    text = EXPERIMENT + f"profile: {profile}\nseed: {seed}\n"
    record = carry_out(paired(plan_of(text)))
    return {
        "profile": profile,
        "seed": seed,
        "intervals": reduced(record),
    }


def coverage(intervals: Sequence[Row]) -> dict[str, float]:
    """Return how many intervals hold 1, their share with its own interval, and more.

    The interval of the share, of 95 %, is that of Clopper and Pearson (Biometrika 26,
    404 (1934)).
    """
    n = len(intervals)
    hold = sum(row["lower"] <= 1 <= row["upper"] for row in intervals)
    widths = sorted(math.log(row["upper"] / row["lower"]) / 2 for row in intervals)
    return {
        "n": n,
        "hold": hold,
        "share": hold / n,
        "lower": float(beta.ppf(0.025, hold, n - hold + 1)) if hold else 0.0,
        "upper": float(beta.ppf(0.975, hold + 1, n - hold)) if hold < n else 1.0,
        "half_width": widths[n // 2],
    }


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    circumstances = record["circumstances"]
    lines = [
        "# Identical cases beside each other",
        "",
        "Made by `python benchmarks/engine/identical.py` with",
        f"{circumstances['versions']}, on {circumstances['machine']}. Every",
        "interval of 95 % is of the ratio of a case to itself, from 3 pairs of fresh",
        "processes that took turns; the half-width is the median one, and the share of",
        "those that hold 1 has an interval of its own (Clopper and Pearson).",
        "",
        "| profile | case | intervals | hold 1 | share | half-width |",
        "|---|---|---|---|---|---|",
    ]
    for profile in PROFILES:
        by_case: dict[str, list[Row]] = defaultdict(list)
        for run in record["runs"]:
            if run["profile"] == profile:
                for row in run["intervals"]:
                    by_case[row["case"]].append(row)
        if not by_case:
            continue
        everything = [row for rows in by_case.values() for row in rows]
        for case, rows in [*sorted(by_case.items()), ("**all**", everything)]:
            found = coverage(rows)
            share = (
                f"{found['share']:.1%} ({found['lower']:.1%} to {found['upper']:.1%})"
            )
            if case == "**all**":
                met = ASKED[0] <= found["share"] <= ASKED[1]
                share += (
                    f", {'met' if met else 'NOT met'}: {ASKED[0]:.0%} to {ASKED[1]:.0%}"
                )
            lines.append(
                f"| {profile} | {case} | {found['n']} | {found['hold']} | {share} "
                f"| {found['half_width']:.2%} |"
            )
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure the runs that are missing, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    keep_rounds(
        options.out / "identical.json",
        "runs",
        options.runs,
        lambda seed: measure_run(ORDER[seed % len(ORDER)], seed),
        markdown,
    )


if __name__ == "__main__":
    main()
