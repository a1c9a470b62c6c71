"""Wall time to an interval of 1 %, and how often it is true: this and three others.

    python benchmarks/rivals/study.py

The same three NumPy functions are timed by this program, pyperf, pytest-benchmark and
asv, each with the least effort at which it states a 95 % interval of at most 1 % either
way. What a tool states is taken as its users take it: pyperf's and pytest-benchmark's
mean with Student's interval of all values (the sum of values is what both treat as one
sample), asv's median with its own interval, made one of 95 %.

Every tool measures each function twice in a row, again and again (A/A). The difference
of the two logarithms is within the root of the sum of squares of both half-widths in
95 of 100 such pairs, if the intervals are true. Wall time is that of the whole command.

Writes ``reports/engine/rivals.json`` and ``rivals.md``; pairs are kept as they end, and
a study that was stopped goes on. pyperf has to be installed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scipy.stats import beta
from scipy.stats import t as student

from xpcs_bench.measure.environment import machine, versions

HERE = Path(__file__).resolve().parent
RECORD = HERE.parents[1] / "reports" / "engine"
FUNCTIONS = ("qmap", "20us", "1us")
PAIRS = 5
PRECISION = 0.01
TRIES = 2
"""How often a setting is tried before it is said to reach the precision, or not."""
TIMEOUT_S = 300
OURS = "xpcs_bench"

Setting = Mapping[str, str]


class Stated(NamedTuple):
    """What one command said of one function."""

    wall_s: float
    """Of the whole command."""
    value_s: float
    half_width: float
    """Of its 95 % interval, as a part of the value."""


def _timed(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], code: int = 0
) -> float:
    already = filter(None, [os.environ.get("PYTHONPATH")])
    path = os.pathsep.join([str(HERE), *already])
    environment = os.environ | {"PYTHONPATH": path} | dict(variables)
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 (commands of this study)
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    wall_s = time.monotonic() - began
    if done.returncode != code:
        msg = f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        raise RuntimeError(msg)
    return wall_s


def _of_values(wall_s: float, values: Sequence[float]) -> Stated:
    n, mean = len(values), statistics.fmean(values)
    half = math.inf
    if n > 1:
        half = student.ppf(0.975, n - 1) * statistics.stdev(values) / math.sqrt(n)
    return Stated(wall_s, mean, half / mean)


def by_us(function: str, setting: Setting, folder: Path) -> Stated:
    """Let this program measure until it knows the function well enough."""
    config = folder / "rivals.yaml"
    config.write_text(
        f"name: rivals\nkernels: rival_{function}\nmatrix: {{backend: numpy}}\n"
        "measure: steady_state\nprofile: controlled\n"
        f"sampling: {{processes: {setting['processes']}, max_time_s: "
        f"{setting['max_time_s']}}}\n"
    )
    command = [sys.executable, "-m", "xpcs_bench", "run", config.name, "--no-report"]
    command += ["--precision", str(PRECISION), "--budget", "120", "--quiet"]
    wall_s = _timed([*command, "--out", "runs"], folder, {})
    (path,) = folder.glob("runs/*/run.json")
    (found,) = json.loads(path.read_text())["summary"]["estimates"]
    shutil.rmtree(folder / "runs")
    estimate = found["estimate"]
    half = (estimate["upper"] - estimate["lower"]) / 2 / estimate["point"]
    return Stated(wall_s, estimate["point"], half)


def by_pyperf(function: str, setting: Setting, folder: Path) -> Stated:
    """Let pyperf measure, values of all its processes taken as one sample."""
    out = folder / "pyperf.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "timed_by_pyperf.py"), "--quiet"]
    command += ["-o", str(out), "-p", setting["processes"]]
    wall_s = _timed(command, folder, {"FUNCTION": function})
    (benchmark,) = json.loads(out.read_text())["benchmarks"]
    runs = [run.get("values", ()) for run in benchmark["runs"]]
    return _of_values(wall_s, [value for values in runs for value in values])


def by_pytest_benchmark(function: str, setting: Setting, folder: Path) -> Stated:
    """Let pytest-benchmark measure; its rounds are the sample."""
    out = folder / "pytest.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, str(HERE / "timed_by_pytest.py"), "--benchmark-only"]
    command += [f"--benchmark-json={out}", "--benchmark-confidence=0.95"]
    command += [f"--benchmark-precision={PRECISION}"]
    command += [f"--benchmark-max-time={setting['max_time_s']}"]
    wall_s = _timed(command, folder, {"FUNCTION": function})
    (benchmark,) = json.loads(out.read_text())["benchmarks"]
    stats = benchmark["stats"]
    n = stats["rounds"]
    half = student.ppf(0.975, n - 1) * stats["stddev"] / math.sqrt(n)
    return Stated(wall_s, stats["mean"], half / stats["mean"])


def _asv_project(folder: Path) -> None:
    """Make the repository that asv wants, once."""
    if (folder / "asv.conf.json").exists():
        return
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "__init__.py").touch()
    for name in ("timed_by_asv.py", "functions.py"):
        shutil.copy(HERE / name, folder / "benchmarks" / name)
    conf = {"version": 1, "project": "rivals", "repo": ".", "branches": ["main"]}
    conf |= {"launch_method": "spawn", "environment_type": "existing"}
    (folder / "asv.conf.json").write_text(json.dumps(conf))
    git = ["git", "-c", "user.name=study", "-c", "user.email=study@localhost"]
    _timed([*git, "init", "-q", "-b", "main"], folder, {})
    _timed([*git, "add", "asv.conf.json", "benchmarks"], folder, {})
    _timed([*git, "commit", "-q", "-m", "rivals"], folder, {})
    _timed([sys.executable, "-m", "asv", "machine", "--yes"], folder, {})


def by_asv(function: str, setting: Setting, folder: Path) -> Stated:
    """Let asv measure; its interval is one of 99 %, and is narrowed to 95 %."""
    _asv_project(folder)
    shutil.rmtree(folder / "results", ignore_errors=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 (as a user has it)
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    command = [sys.executable, "-m", "asv", "run", "--python=same"]
    variables = {"FUNCTION": function, "ROUNDS": setting["rounds"]}
    variables["REPEAT"] = setting["repeat"]
    wall_s = _timed([*command, f"--set-commit-hash={head}"], folder, variables)
    (path,) = [p for p in folder.glob("results/*/*.json") if p.name != "machine.json"]
    content = json.loads(path.read_text())
    columns = content["result_columns"]
    (result,) = content["results"].values()
    row = dict(zip(columns, result, strict=False))
    (value,), (low,), (high,) = (
        row["result"],
        row["stats_ci_99_a"],
        row["stats_ci_99_b"],
    )
    narrowed = student.ppf(0.975, 1e9) / student.ppf(0.995, 1e9)
    return Stated(wall_s, value, (high - low) / 2 / value * narrowed)


Tool = Callable[[str, Setting, Path], Stated]
TOOLS: dict[str, Tool] = {
    OURS: by_us,
    "pyperf": by_pyperf,
    "pytest-benchmark": by_pytest_benchmark,
    "asv": by_asv,
}
SETTINGS: dict[str, list[Setting]] = {
    # ours needs no trying: it goes on until it is there
    OURS: [{"processes": "3", "max_time_s": "0.6"}],
    "pyperf": [{"processes": n} for n in ("5", "10", "20")],
    # it stops when it is there, if it has the time
    "pytest-benchmark": [{"max_time_s": n} for n in ("0.3", "1", "3", "10")],
    "asv": [
        {"rounds": rounds, "repeat": repeat}
        for rounds, repeat in (
            ("1", "10"),
            ("2", "10"),
            ("2", "30"),
            ("4", "30"),
            ("8", "30"),
            ("16", "30"),
        )
    ],
}
"""Of each tool, from the least effort up."""


def least_setting(tool: str, function: str, folder: Path) -> Setting:
    """Find the first setting whose interval is mostly narrow enough; else the last."""
    for setting in SETTINGS[tool][:-1]:
        tries = [TOOLS[tool](function, setting, folder) for _ in range(TRIES)]
        known = statistics.median(stated.half_width for stated in tries)
        # pytest-benchmark stops at 1 % of a normal distribution's interval
        if known <= 1.02 * PRECISION:
            return setting
    return SETTINGS[tool][-1]


Row = Mapping[str, Any]


def apart(pair: Row) -> float:
    """Return the distance of two measurements of one function, as a part of them."""
    first, second = (Stated(*stated) for stated in pair["stated"])
    return abs(math.log(first.value_s / second.value_s))


def holds(pair: Row) -> bool:
    """Whether two measurements of one function agree within what both state."""
    first, second = (Stated(*stated) for stated in pair["stated"])
    return apart(pair) <= math.hypot(first.half_width, second.half_width)


def condense(pairs: Sequence[Row]) -> dict[str, float]:
    """Return medians of what was stated, how often it was true, and what it would take.

    From the differences within pairs follows how far one measurement really is from
    the next: 1.96 standard deviations of one. Repeated as a whole, a measurement
    becomes as true as its stated interval with the square of the lack.
    """
    stated = [Stated(*one) for pair in pairs for one in pair["stated"]]
    n, hold = len(pairs), sum(map(holds, pairs))
    squares = statistics.fmean(apart(pair) ** 2 for pair in pairs)
    true_half_width = 1.96 * math.sqrt(squares / 2)
    wall_s = statistics.median(one.wall_s for one in stated)
    return {
        "n": n,
        "wall_s": wall_s,
        "half_width": statistics.median(one.half_width for one in stated),
        "share": hold / n,
        "lower": float(beta.ppf(0.025, hold, n - hold + 1)) if hold else 0.0,
        "upper": float(beta.ppf(0.975, hold + 1, n - hold)) if hold < n else 1.0,
        "true_half_width": true_half_width,
        "true_wall_s": wall_s * max(1.0, true_half_width / PRECISION) ** 2,
    }


def _row(function: str, tool: str, setting: Setting, found: Mapping[str, float]) -> str:
    cells = [
        function,
        tool,
        ", ".join(f"{key} {value}" for key, value in setting.items()),
        f"{found['n']:.0f}",
        f"{found['wall_s']:.2f} s",
        f"{found['half_width']:.2%}",
        f"{found['share']:.0%} ({found['lower']:.0%} to {found['upper']:.0%})",
        f"{found['true_half_width']:.2%}",
        f"{found['true_wall_s']:.1f} s",
    ]
    return f"| {' | '.join(cells)} |"


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    circumstances = record["circumstances"]
    lines = [
        "# Wall time to an interval of 1 %",
        "",
        "Made by `python benchmarks/rivals/study.py` with",
        f"{circumstances['versions']},",
        f"on {circumstances['machine']}.",
        "Every tool has the least effort at which the 95 % interval that it states is",
        "mostly at most 1 % either way. Agree: pairs of measurements in a row (A/A)",
        "whose difference is within what both state; it should be 95 %. True: 1.96",
        "standard deviations of one measurement, from those differences. All: the wall",
        "time of as many whole measurements as make their mean true to 1 %.",
        "",
        "| function | tool | setting | pairs | wall | stated | agree | true | all |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for function in FUNCTIONS:
        for tool in TOOLS:
            own = [
                pair
                for pair in record["pairs"]
                if (pair["tool"], pair["function"]) == (tool, function)
            ]
            if own:
                setting = record["settings"][tool][function]
                lines.append(_row(function, tool, setting, condense(own)))
    return "\n".join([*lines, ""])


def main() -> None:
    """Find the settings, measure the pairs that are missing, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of each tool")
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    path = options.out / "rivals.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    record.setdefault("settings", {tool: {} for tool in TOOLS})
    record.setdefault("pairs", [])
    record["circumstances"] = {
        "machine": machine(),
        "versions": ", ".join(
            f"{name} {found}"
            for name, found in versions(
                "numpy", "pyperf", "pytest-benchmark", "asv"
            ).items()
        ),
    }

    def keep() -> None:
        path.write_text(json.dumps(record, indent=1) + "\n")
        (options.out / "rivals.md").write_text(markdown(record))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool in TOOLS:
            for function in FUNCTIONS:
                if function not in record["settings"][tool]:
                    setting = least_setting(tool, function, folder)
                    record["settings"][tool][function] = setting
                    keep()
        done = len(record["pairs"])
        order = [(tool, function) for tool in TOOLS for function in FUNCTIONS]
        while done < options.pairs * len(order):
            tool, function = order[done % len(order)]
            setting = record["settings"][tool][function]
            stated = [TOOLS[tool](function, setting, folder) for _ in range(2)]
            record["pairs"].append(
                {"tool": tool, "function": function, "stated": stated}
            )
            keep()
            done += 1
            print(f"pair {done} of {options.pairs * len(order)}", flush=True)


if __name__ == "__main__":
    main()
