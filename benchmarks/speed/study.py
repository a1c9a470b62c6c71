"""How fast the kernels are beside their rivals: ``python benchmarks/speed/study.py``.

Each contest has a fresh process. There both sides are called once, their results are
compared, and then they take turns of cached calls in a row, as cases of the harness do:
the ratio rival / candidate is formed within a turn, so that what else the machine does
hits both. Printed is the median of the ratios with the middle half of them, beside what
is asked; and the rates of the candidate's least time as parts of this machine's
ceilings (:mod:`xpcs_bench.measure.ceilings`), measured in the same process with all
cores. Nothing here is asserted: a busy machine moves every figure.

Writes ``reports/kernels/speed.json`` and ``speed.md`` after each contest. Names on the
command line choose contests, and leave the records of the others as they are.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import Match
from contests import all_contests

from xpcs_bench.measure.ceilings import bandwidth, device_flops, flops, level_of
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.environment import machine, versions
from xpcs_bench.records import Ceiling
from xpcs_bench.records.ceiling import best

RECORD = Path(__file__).resolve().parents[2] / "reports" / "kernels"
TIMEOUT_S = 1200
TURN_S = 0.05
"""How long a turn takes at least, as in the harness (s)."""
VARIABLES = {
    # memory that was freed is used again: fresh pages cost more than many kernels
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_X64": "true",
    "JAX_ENABLE_COMPILATION_CACHE": "false",
}
"""Of every contest's process, for both sides alike."""
PACKAGES = ("jax", "numpy", "scipy", "numpyro", "scikit-beam")


def in_a_row(call: Callable[[], object]) -> int:
    """Return how many calls make a turn.

    A lone short one would be timed with the caches as the other side has left them.
    """
    return max(1, math.ceil(TURN_S / min(turn_s(call, 1) for _ in range(3))))


def turn_s(call: Callable[[], object], calls: int) -> float:
    """Time a turn; return the time of one call (s)."""
    started = now_ns()
    for _ in range(calls):
        call()
    return (now_ns() - started) / 1e9 / calls


def ceilings(match: Match) -> dict[str, Ceiling | None]:
    """Measure what limits a match: a ceiling of bytes, of operations, or neither."""
    dtype = "float32" if match.single else "float64"
    found: list[Ceiling] = []
    if match.bytes:
        found += bandwidth("all", level_of(int(match.bytes)))
    if match.flops:
        found += flops("all", dtype) + device_flops("cpu", "all", dtype)
    return {of: best(found, of) for of in ("bytes", "flops")}


def part(work: float | None, least: float, ceiling: Ceiling | None) -> float | None:
    """Return a rate as a part of its ceiling; None where neither has a meaning."""
    return work / least / ceiling.per_second if work and ceiling else None


def play(name: str) -> dict[str, Any]:
    """Time one contest in this process."""
    contest = all_contests()[name]
    match = contest.prepare()
    first, second = match.candidate(), match.rival()
    apart = match.same(first, second) if match.same else ""
    del first, second
    candidate, rival = [], []
    calls = {side: in_a_row(side) for side in (match.candidate, match.rival)}
    for turn in range(contest.rounds):
        sides = [(candidate, match.candidate), (rival, match.rival)]
        for times, call in sides if turn % 2 else reversed(sides):
            times.append(turn_s(call, calls[call]))
    ratios = sorted(r / c for r, c in zip(rival, candidate, strict=True))
    limits = ceilings(match)
    least = min(candidate)
    return {
        "candidate": contest.candidate,
        "rival": contest.rival,
        "least_ratio": contest.least_ratio,
        "rounds": contest.rounds,
        "calls_in_a_row": [calls[match.candidate], calls[match.rival]],
        "candidate_s": {"least": least, "median": statistics.median(candidate)},
        "rival_s": {"least": min(rival), "median": statistics.median(rival)},
        "ratio": statistics.median(ratios),
        "ratio_middle_half": [
            ratios[len(ratios) // 4],
            ratios[-1 - len(ratios) // 4],
        ],
        "apart": apart,
        "bandwidth_part": part(match.bytes, least, limits["bytes"]),
        "flops_part": part(match.flops, least, limits["flops"]),
        "ceilings": [one.model_dump() for one in limits.values() if one],
    }


def in_fresh_process(name: str) -> dict[str, Any]:
    """Play a contest in a process of its own; say what kept it from ending."""
    try:
        done = subprocess.run(  # noqa: S603 (this very file)
            [sys.executable, __file__, "--play", name],
            env=os.environ | VARIABLES,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"lost": f"took longer than {TIMEOUT_S} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"lost": lines[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def markdown(record: dict[str, Any]) -> str:
    """Write the record for a reader."""
    here = record["circumstances"]
    used = ", ".join(f"{name} {v}" for name, v in here["versions"].items())
    lines = [
        "# Kernels beside their rivals",
        "",
        f"Made by `python benchmarks/speed/study.py` with {used}, on",
        f"{here['machine']}. Cached calls in turns of 50 ms or one call; ratio is",
        "rival / candidate, the median of the turns with their middle half. Both",
        "sides use freed memory again (`MALLOC_MMAP_THRESHOLD_` and its like, in the",
        "record). The parts are of the highest bandwidth, of the cache where the",
        "bytes fit into it, and of a matrix product, measured beside with all cores.",
        "",
        "| contest | candidate | ms | rival | ms | ratio | asked | bandwidth | flops |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(name, found) for name, found in record["contests"].items()]
    apart = [
        f"- {name}: {found['apart']}"
        for name, found in record["contests"].items()
        if found.get("apart")
    ]
    if apart:
        lines += ["", "How far the two results are apart:", "", *apart]
    return "\n".join(lines) + "\n"


def _row(name: str, found: dict[str, Any]) -> str:
    if "lost" in found:
        return f"| {name} | not measured: {found['lost']} | | | | | | | |"
    low, high = found["ratio_middle_half"]
    asked = found["least_ratio"]
    met = "" if asked is None else " met" if found["ratio"] >= asked else " NOT met"
    parts = [
        "" if found[key] is None else f"{found[key]:.1%}"
        for key in ("bandwidth_part", "flops_part")
    ]
    return (
        f"| {name} | {found['candidate']} | {found['candidate_s']['median'] * 1e3:.3g} "
        f"| {found['rival']} | {found['rival_s']['median'] * 1e3:.3g} "
        f"| {found['ratio']:.3g} ({low:.3g} to {high:.3g}) "
        f"| {'' if asked is None else f'{asked:g}'}{met} | {' | '.join(parts)} |"
    )


def main() -> int:
    """Play contests one after the other, and keep what was found after each."""
    if sys.argv[1:2] == ["--play"]:
        print(json.dumps(play(sys.argv[2])))
        return 0
    names = list(all_contests())
    unknown = sorted(set(sys.argv[1:]) - set(names))
    if unknown:
        print(f"unknown contests {unknown}. Allowed: {', '.join(names)}.")
        return 2
    path = RECORD / "speed.json"
    kept = json.loads(path.read_text())["contests"] if path.exists() else {}
    RECORD.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or names:
        kept[name] = in_fresh_process(name)
        record = {
            "schema_version": 1,
            "circumstances": {
                "machine": machine(),
                "versions": versions(*PACKAGES),
                "variables": VARIABLES,
            },
            "contests": {name: kept[name] for name in names if name in kept},
        }
        path.write_text(json.dumps(record, indent=1) + "\n")
        (RECORD / "speed.md").write_text(markdown(record))
        print(_row(name, kept[name]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
