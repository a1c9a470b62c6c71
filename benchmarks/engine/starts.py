"""Forks beside new interpreters: ``python benchmarks/engine/starts.py``.

In every round the same cases are measured twice, in random order of the two: once by
workers that are new interpreters, once by forks of an interpreter that has imported
what they need (a new one every round). Ratios are formed within a round, and the
interval is Student's over rounds. Only what takes the same time in both is left to
forks.

Writes ``reports/engine/starts.json`` and ``starts.md``; rounds are kept as they end,
and a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rounds import keep_rounds
from scipy.stats import t as student
from trial import carry_out, plan_of

from xpcs_bench.config import MEASURES, PROFILES
from xpcs_bench.run.stock import FORKED, Stock

RECORD = Path(__file__).resolve().parents[2] / "reports" / "engine"
ROUNDS = 8
SAME = 0.02
"""By what part two times may differ and be called the same, as in comparisons."""
EXPERIMENT = """\
name: starts
kernels:
  - qmap
  - partition: {q_bins: 36, phi_bins: 10}
  - g2_model
detectors: [{name: 1024x1024, shape: [1024, 1024], pixel_size_um: 75}]
geometries: [{kind: transmission, energy_kev: 10, distance_mm: 5000}]
matrix:
  backend: [numpy, jax]
  exclude:
    - {kernel: [partition, g2_model], measure: conversion}
measure: [first_call, steady_state, conversion]
boundaries: [to_host_view, to_host_copy, host_to_device]
sampling: {precision: 1%, max_time_s: 0.4, processes: 2}
controls: false
profile: controlled
"""

Row = Mapping[str, Any]


def measure_round(seed: int) -> Row:
    """Measure all cases with both starts; return times by case (s)."""
    plan = plan_of(EXPERIMENT + f"seed: {seed}\n")
    times: dict[str, dict[str, float]] = {}
    starts = ["spawned", "forked"]
    random.Random(seed).shuffle(starts)  # noqa: S311 (an order)
    for start in starts:
        profile = PROFILES["controlled"].model_copy(update={"start": start})
        record = carry_out(
            plan, partial(Stock, profile=profile, forked=frozenset(MEASURES))
        )
        assert {row.start for row in record.measurements} == {start}  # noqa: S101
        times[start] = {
            row.case: row.estimate.point for row in record.summary.estimates
        }
    return {"seed": seed, "times": times}


def condense(rounds: Sequence[Row]) -> list[dict[str, Any]]:
    """Return for every case the ratio forked / spawned with its 95 % interval."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for row in rounds:
        spawned, forked = row["times"]["spawned"], row["times"]["forked"]
        for case in spawned.keys() & forked.keys():
            ratios[case].append(math.log(forked[case] / spawned[case]))
    found = []
    for case, logs in sorted(ratios.items()):
        n = len(logs)
        mean = statistics.fmean(logs)
        half = math.inf
        if n > 1:
            half = student.ppf(0.975, n - 1) * statistics.stdev(logs) / math.sqrt(n)
        found.append(
            {
                "case": case,
                "n_rounds": n,
                "ratio": math.exp(mean),
                "lower": math.exp(mean - half),
                "upper": math.exp(mean + half),
            }
        )
    return found


def verdict(row: Row) -> str:
    """Say whether a fork tells the same: yes, no, or that it cannot be told."""
    if row["lower"] > 1 + SAME or row["upper"] < 1 / (1 + SAME):
        return "no"
    if row["lower"] >= 1 / (1 + SAME) and row["upper"] <= 1 + SAME:
        return "same"
    return "cannot tell"


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    circumstances = record["circumstances"]
    lines = [
        "# Forks beside new interpreters",
        "",
        "Made by `python benchmarks/engine/starts.py` with",
        f"{circumstances['versions']}, on {circumstances['machine']}, in the profile",
        "`controlled`. The ratio is the time in a fork over the time in a new",
        "interpreter, measured in turn; the interval is Student's over rounds. Same:",
        f"all of it within {SAME:.0%} of 1.",
        "",
        "| case | rounds | forked / spawned | the same? |",
        "|---|---|---|---|",
    ]
    for row in condense(record["rounds"]):
        ratio = f"{row['ratio']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})"
        lines.append(
            f"| {row['case']} | {row['n_rounds']} | {ratio} | {verdict(row)} |"
        )
    lines += [
        "",
        f"Left to forks: {', '.join(sorted(FORKED))}. First calls are not: the memory",
        "of a fork is shared until it is written to, and a first call writes to it.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure the rounds that are missing, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    keep_rounds(
        options.out / "starts.json",
        "rounds",
        options.rounds,
        measure_round,
        markdown,
    )


if __name__ == "__main__":
    main()
