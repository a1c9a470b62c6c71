"""What a policy is worth to a program: ``python benchmarks/policy/study.py``.

``configs/policy.yaml`` is measured with ``xpcs-bench run`` and made into a policy with
``xpcs-bench advise``. Then a program with small and large detectors, few and many
calls (``workload.py``) is run in rounds. In a round three fresh processes of it are
alive: one loads the policy, one always takes NumPy, one always JAX. Item by item they
take turns in random order, so that a drift of the machine hits all alike. The best
choice with hindsight is, item by item, the shorter time of the two that always take
one backend, in the same round. Ratios are formed within a round, and the interval is
Student's over rounds. What the choices alone cost is told beside: the times of the
backends that were chosen, as the two others measured them, over the same.

Writes ``reports/policy/policy.json`` (made once, and again where it is deleted),
``study.json`` and ``study.md``; rounds are kept as they end, and a study that was
stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

from scipy.stats import t as student
from workload import WORKLOAD, Item

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# the loop of studies that go on is the engine's
sys.path.insert(0, str(HERE.parent / "engine"))

from rounds import keep_rounds  # noqa: E402

CONFIG = ROOT / "configs" / "policy.yaml"
RECORD = ROOT / "reports" / "policy"
ROUNDS = 8
MOST = 1.05
"""Of the time of the best choices with hindsight, asked of the policy."""
HINDSIGHT = "hindsight"
CHOICES = "choices"
"""What the policy chose, in the times of those that always take one backend."""
ENVIRON = {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "true"}
"""Of every process, as workers have it for cases on the CPU."""
STRATEGIES: Mapping[str, Mapping[str, str]] = {
    "policy": {"XPCS_USE_JAX": "auto"},
    "numpy": {"XPCS_USE_JAX": "false"},
    "jax": {"XPCS_USE_JAX": "true"},
}

Row = Mapping[str, Any]


def make_policy(config: Path, path: Path, overrides: Sequence[str] = ()) -> None:
    """Measure an experiment, and write the policy that is made of it."""
    with tempfile.TemporaryDirectory() as runs:
        _bench("run", config, "--out", runs, "--quiet", "--no-report", *overrides)
        (run,) = Path(runs).iterdir()
        _bench("advise", run, "--policy", path)


def _bench(*arguments: object) -> None:
    command = [sys.executable, "-m", "xpcs_bench", *map(str, arguments)]
    subprocess.run(command, check=True)  # noqa: S603 (this program)


class Program:
    """A process of ``program.py`` that chooses in one way."""

    def __init__(self, strategy: str, policy: Path) -> None:
        environ = os.environ | ENVIRON | STRATEGIES[strategy]
        environ["XPCS_BACKEND_POLICY"] = str(policy)
        self._process = subprocess.Popen(  # noqa: S603 (this program)
            [sys.executable, str(HERE / "program.py")],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def work_on(self, item: Item) -> Row:
        """Have it work on an item; return what it answers."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 (made so)
        pipe.write(json.dumps(item.as_json()) + "\n")
        pipe.flush()
        answer: Row = json.loads(self._read())
        return answer

    def _read(self) -> str:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 (made so)
        line = pipe.readline()
        if not line:
            msg = f"the program ended with {self._process.wait()}; its words are above."
            raise RuntimeError(msg)
        return line


def measure_round(workload: Sequence[Item], policy: Path, seed: int) -> Row:
    """Have every strategy work on every item; return what each took (s)."""
    order = random.Random(seed)  # noqa: S311 (an order)
    answers: dict[str, list[Row]] = {name: [] for name in STRATEGIES}
    with ExitStack() as alive:
        programs = {
            name: alive.enter_context(Program(name, policy)) for name in STRATEGIES
        }
        for item in workload:
            for name in order.sample(list(programs), len(programs)):
                answers[name].append(programs[name].work_on(item))
    return {
        "seed": seed,
        "items": [{"name": item.name, "calls": item.calls} for item in workload],
        "answers": answers,
    }


def total_s(row: Row, strategy: str) -> float:
    """Return what a strategy, hindsight or the choices took in a round (s)."""
    if strategy == HINDSIGHT:
        return math.fsum(best_s(row))
    if strategy == CHOICES:
        chosen = enumerate(row["answers"]["policy"])
        return math.fsum(
            row["answers"][each["backend"]][at]["seconds"] for at, each in chosen
        )
    return math.fsum(answer["seconds"] for answer in row["answers"][strategy])


def best_s(row: Row) -> list[float]:
    """Return by item the shorter time of the backends (s)."""
    both = (row["answers"][name] for name in ("numpy", "jax"))
    return [min(a["seconds"], b["seconds"]) for a, b in zip(*both, strict=True)]


def ratio(
    rounds: Sequence[Row], baseline: str, candidate: str = "policy"
) -> tuple[float, float, float]:
    """Return candidate / baseline over rounds, with its 95 % interval."""
    logs = [
        math.log(total_s(row, candidate) / total_s(row, baseline)) for row in rounds
    ]
    mean, n = statistics.fmean(logs), len(logs)
    half = math.inf
    if n > 1:
        half = student.ppf(0.975, n - 1) * statistics.stdev(logs) / math.sqrt(n)
    low = mean - half
    return math.exp(mean), math.exp(low), math.exp(min(mean + half, 700))


def verdict(found: tuple[float, float, float], most: float) -> str:
    """Say whether a ratio is known to be at most what is asked."""
    _, lower, upper = found
    if upper <= most:
        return "met"
    return "NOT met" if lower > most else "cannot tell"


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    made, rounds = record["circumstances"], record["rounds"]
    lines = [
        "# What a policy is worth to a program",
        "",
        "Made by `python benchmarks/policy/study.py` with",
        f"{made['versions']}, on {made['machine']}: {len(rounds)} rounds of",
        "the items below, three processes taking turns item by item. The",
        "[policy](policy.json) is made by `xpcs-bench advise` of",
        "`configs/policy.yaml`; no size of an item is in it. Hindsight takes of every",
        "item the shorter time of the two that always take one backend, in the same",
        "round. All processes have started both libraries before the first item;",
        "choosing, compiling and all calls are in the times, placing of inputs is not.",
        "The interval is Student's over rounds.",
        "",
        "| the program with the policy, over | ratio | asked |",
        "|---|---|---|",
    ]
    for baseline, most, asked in (
        (HINDSIGHT, MOST, f"at most {MOST:.2f}"),
        ("numpy", 1.0, "below 1"),
        ("jax", 1.0, "below 1"),
    ):
        found = ratio(rounds, baseline)
        name = "the best choices with hindsight"
        if baseline != HINDSIGHT:
            name = f"always {baseline}"
        lines.append(
            f"| {name} | {found[0]:.3f} ({found[1]:.3f} to {found[2]:.3f}) "
            f"| {asked}: {verdict(found, most)} |"
        )
    alone = ratio(rounds, HINDSIGHT, CHOICES)
    lines += [
        "",
        "Its choices alone, in the times of those that always take one backend, took",
        f"{alone[0]:.3f} ({alone[1]:.3f} to {alone[2]:.3f}) of hindsight. What the",
        "first line has beyond that is what the machine did to two processes that",
        "computed the same, and the time of choosing.",
        "",
        "| item | calls | chosen | policy (ms) | always numpy (ms) | always jax (ms) |",
        "|---|---|---|---|---|---|",
    ]
    for at, item in enumerate(rounds[0]["items"]):
        answers = {
            name: [row["answers"][name][at] for row in rounds] for name in STRATEGIES
        }
        chosen = dict.fromkeys(each["backend"] for each in answers["policy"])
        times = (
            f"{1e3 * statistics.median(each['seconds'] for each in answers[name]):.1f}"
            for name in STRATEGIES
        )
        lines.append(
            f"| {item['name']} | {item['calls']} | {', '.join(chosen)} | "
            + " | ".join(times)
            + " |"
        )
    totals = (
        f"{1e3 * statistics.median(total_s(row, name) for row in rounds):.0f}"
        for name in STRATEGIES
    )
    choosing = [
        each["choosing_s"]
        for row in rounds
        # the first choice of a process reads the policy
        for each in row["answers"]["policy"][1:]
    ]
    lines += [
        f"| all | | | {' | '.join(totals)} |",
        "",
        "Times are medians over rounds. Choosing took",
        f"{1e6 * statistics.median(choosing or [0.0]):.0f} us in the median.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Make the policy if there is none, and measure the rounds that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    policy = options.out / "policy.json"
    if not policy.exists():
        make_policy(CONFIG, policy)
    keep_rounds(
        options.out / "study.json",
        "rounds",
        options.rounds,
        partial(measure_round, WORKLOAD, policy),
        markdown,
    )


if __name__ == "__main__":
    main()
