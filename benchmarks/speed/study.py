"""How fast the kernels are beside their rivals: ``python benchmarks/speed/study.py``.

Each contest has a fresh process. There both sides are called once, their results are
compared, and then they take turns of cached calls in a row, as cases of the harness do:
the ratio rival / candidate is formed within a turn, so that what else the machine does
hits both. Printed is the median of the ratios with
the middle half of them, beside what is asked; and the candidate's least time as a part
of what this machine can do, its bandwidth and its matrix product measured in the same
process. Nothing here is asserted: a busy machine moves every figure.

Writes ``reports/kernels/speed.json`` and ``speed.md`` after each contest. Names on the
command line choose contests, and leave the records of the others as they are.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from contests import all_contests

from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.environment import capture

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


def least_s(call: Callable[[], object], rounds: int = 5) -> float:
    """Return the least time of some calls, after one that is not counted (s)."""
    return min(times_s(call, rounds))


def times_s(call: Callable[[], object], rounds: int) -> list[float]:
    """Return the times of some calls, after one that is not counted (s)."""
    call()
    return [time_s(call)[0] for _ in range(rounds)]


def time_s(call: Callable[[], Any]) -> tuple[float, Any]:
    """Time one call; return the time (s) and the result."""
    started = now_ns()
    result = call()
    return (now_ns() - started) / 1e9, result


def in_a_row(call: Callable[[], object]) -> int:
    """Return how many calls make a turn.

    A lone short one would be timed with the caches as the other side has left them.
    """
    return max(1, math.ceil(TURN_S / min(time_s(call)[0] for _ in range(3))))


def turn_s(call: Callable[[], object], calls: int) -> float:
    """Time a turn; return the time of one call (s)."""
    started = now_ns()
    for _ in range(calls):
        call()
    return (now_ns() - started) / 1e9 / calls


def ceilings() -> dict[str, float]:
    """Measure what this machine can do at most: bytes and flops per second."""
    rng = np.random.default_rng(0)
    source = np.ones(1 << 24)
    target = np.empty_like(source)
    moved = 2 * source.nbytes / least_s(lambda: np.copyto(target, source))
    found = {"bytes_per_s": moved}
    n = 1536
    for name, dtype in (("flops_double", np.float64), ("flops_single", np.float32)):
        matrix = rng.standard_normal((n, n)).astype(dtype)
        found[f"{name}_per_s"] = 2 * n**3 / least_s(lambda m=matrix: m @ m)
    return found


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
    limits = ceilings()
    least = min(candidate)
    peak = limits["flops_single_per_s" if match.single else "flops_double_per_s"]
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
        "bandwidth_part": match.bytes and match.bytes / least / limits["bytes_per_s"],
        "flops_part": match.flops and match.flops / least / peak,
        "ceilings": limits,
    }


def circumstances() -> dict[str, Any]:
    """Return what the figures hold for."""
    here = capture(None)
    return {
        "machine": f"{here.cpu}, {here.cores} cores, {platform.machine()}",
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
        "variables": VARIABLES,
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


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
    versions = ", ".join(f"{name} {v}" for name, v in here["versions"].items())
    lines = [
        "# Kernels beside their rivals",
        "",
        f"Made by `python benchmarks/speed/study.py` with {versions}, on",
        f"{here['machine']}. Cached calls in turns of 50 ms or one call; ratio is",
        "rival / candidate, the median of the turns with their middle half. Both sides",
        "use freed memory again",
        "(`MALLOC_MMAP_THRESHOLD_` and its like, in the record). The parts are of the",
        "bandwidth of a copy and of the flops of a matrix product, measured beside.",
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
            "circumstances": circumstances(),
            "contests": {name: kept[name] for name in names if name in kept},
        }
        path.write_text(json.dumps(record, indent=1) + "\n")
        (RECORD / "speed.md").write_text(markdown(record))
        print(_row(name, kept[name]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
