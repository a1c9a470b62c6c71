"""Ratios while one core is busy in bursts, taking turns and one after the other.

    python benchmarks/engine/loaded.py

JAX against NumPy on three kernels, three ways: quiet and in turn, which gives the ratio
that is taken for true; loaded and in turn; loaded, one case after the other, which is
what the engine does where memory does not allow turns. The load is a process that keeps
the first core busy for 0.2 to 2 s and rests as long, at random.

Writes ``reports/engine/loaded.json`` and ``loaded.md``; rounds are kept as they end,
and a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from rounds import keep_rounds
from trial import MEMORY, carry_out, plan_of

from xpcs_bench.run.plan import Plan

RECORD = Path(__file__).resolve().parents[2] / "reports" / "engine"
PROFILES = ("as_user", "controlled")
CONDITIONS = ("quiet, in turn", "loaded, in turn", "loaded, one after the other")
ROUNDS = 5
EXPERIMENT = """\
name: loaded
kernels:
  - qmap
  - partition: {q_bins: 36, phi_bins: 10}
  - two_time: {frames: 200, pixels: 4000, relaxation_frames: 30}
detectors: [{name: 1024x1024, shape: [1024, 1024], pixel_size_um: 75}]
geometries: [{kind: transmission, energy_kev: 10, distance_mm: 5000}]
matrix: {backend: [numpy, jax]}
measure: steady_state
sampling: {precision: 1%, max_time_s: 0.6, processes: 3}
controls: false
"""

Row = Mapping[str, Any]


def _burst(seed: int) -> None:
    """Keep the first core busy in bursts, until killed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rng = random.Random(seed)  # noqa: S311 (a load)
    while True:
        end = time.monotonic() + rng.uniform(0.2, 2)
        while time.monotonic() < end:
            math.sqrt(2.0)
        time.sleep(rng.uniform(0.2, 2))


@contextmanager
def load(seed: int) -> Iterator[None]:
    """Load the machine meanwhile."""
    process = multiprocessing.get_context("spawn").Process(target=_burst, args=(seed,))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def without_turns(plan: Plan) -> Plan:
    """Return the plan of a machine on which no two cases fit together."""
    return replace(plan, memory_bytes=dict.fromkeys(plan.memory_bytes, MEMORY - 1))


def measure_round(profile: str, seed: int) -> Row:
    """Measure the ratios in all three ways, in random order."""
    plan = plan_of(EXPERIMENT + f"profile: {profile}\nseed: {seed}\n")
    order = random.Random(seed).sample(CONDITIONS, len(CONDITIONS))  # noqa: S311
    found = {}
    for condition in order:
        loaded = condition.startswith("loaded")
        turns = condition.endswith("in turn")
        with load(seed) if loaded else nullcontext():
            record = carry_out(plan if turns else without_turns(plan))
        assert {row.interleaved for row in record.measurements} == {turns}  # noqa: S101
        found[condition] = {
            row.group: [row.ratio.point, row.ratio.lower, row.ratio.upper]
            for row in record.summary.comparisons
        }
    return {"profile": profile, "seed": seed, "ratios": found}


def condense(rounds: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield by profile, kernel and condition: how the ratios stand to the quiet one.

    The quiet ratio of a kernel is the median over the rounds.
    """
    by: dict[tuple[str, str], dict[str, list[list[float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rounds:
        for condition, ratios in row["ratios"].items():
            for group, ratio in ratios.items():
                by[row["profile"], group][condition].append(ratio)
    for (profile, group), conditions in by.items():
        quiet = statistics.median(point for point, _, _ in conditions[CONDITIONS[0]])
        for condition in CONDITIONS:
            ratios = conditions[condition]
            off = [abs(math.log(point / quiet)) for point, _, _ in ratios]
            yield {
                "profile": profile,
                "group": group,
                "condition": condition,
                "n": len(ratios),
                "hold": sum(low <= quiet <= high for _, low, high in ratios),
                "ratio": statistics.median(point for point, _, _ in ratios),
                "median_off": statistics.median(off),
                "most_off": max(off),
                "half_width": statistics.median(
                    math.log(high / low) / 2 for _, low, high in ratios
                ),
            }


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    made = record["circumstances"]
    lines = [
        "# Ratios while one core is busy in bursts",
        "",
        f"Made by `python benchmarks/engine/loaded.py` with {made['versions']},",
        f"on {made['machine']}. JAX / NumPy, 3 pairs of processes a ratio. Hold:",
        "how many intervals of 95 % hold the median of the quiet ratios. Off, most:",
        "how far a ratio is from that median, in the median and at most.",
        "",
        "| profile | kernel | condition | hold | ratio | half-width | off | most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    total: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in condense(record["rounds"]):
        lines.append(
            f"| {row['profile']} | {row['group'].split('/')[0]} | {row['condition']} "
            f"| {row['hold']} of {row['n']} | {row['ratio']:.3f} "
            f"| {row['half_width']:.1%} | {row['median_off']:.1%} "
            f"| {row['most_off']:.1%} |"
        )
        sums = total[row["profile"], row["condition"]]
        sums[0] += row["hold"]
        sums[1] += row["n"]
    for (profile, condition), (hold, n) in total.items():
        lines.append(f"| {profile} | **all** | {condition} | {hold} of {n} | | | | |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure the rounds that are missing, profiles in turn, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each profile")
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    keep_rounds(
        options.out / "loaded.json",
        "rounds",
        len(PROFILES) * options.rounds,
        lambda seed: measure_round(PROFILES[seed % len(PROFILES)], seed),
        markdown,
    )


if __name__ == "__main__":
    main()
