"""What runs of one code differ by: ``python benchmarks/engine/apart.py``.

Measures nothing. The runs of ``reports/engine/identical.json`` measured the same cases
again and again, one after the other. Here every two of them that had the same profile
are compared as ``xpcs-bench compare`` compares stored runs: the first of one against
the first of the other, which never took turns. Of the intervals 95 in 100 should hold
1, and none should be called faster or slower. Times of the later run are then
multiplied, to see from which slowdown on it is found.

Writes ``reports/engine/apart.json`` and ``apart.md``.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from xpcs_bench.analysis.between_runs import DRIFTS
from xpcs_bench.analysis.estimate import (
    Prior,
    Sides,
    estimate_unpaired_ratio,
    prior_for,
)
from xpcs_bench.analysis.judgement import judge_stored_ratio
from xpcs_bench.records import Judgement

RECORD = Path(__file__).resolve().parents[2] / "reports" / "engine"
SLOWER = (1.1, 1.2, 1.25, 1.3, 1.5, 2.0)
"""Factors that the later run is multiplied by."""
_UNTOLD = 0.02
"""Doubt of a process that does not tell one, as in every run."""
_NO_DRIFT = Prior(0.0)
_DRIFT = {"cpu": "cpu", "wall": "wall", "disturbed": "unlabelled"}
"""Which drift pairs of a clock are given."""

Process = Mapping[str, Any]
Row = Mapping[str, Any]


def runs_by_case(
    runs: Sequence[Row],
) -> dict[tuple[str, str], list[list[Process]]]:
    """Return what the first side of every run told, by profile and case."""
    found: dict[tuple[str, str], list[list[Process]]] = defaultdict(list)
    for run in runs:
        for interval in run["intervals"]:
            first = [pair[0] for pair in interval["processes"]]
            found[run["profile"], interval["case"]].append(first)
    return found


def clock(run: Sequence[Process]) -> str:
    """Return what a run is told by: ``cpu``, ``wall``, or ``disturbed`` wall time."""
    timings = [process["timing"] for process in run]
    if 2 * timings.count("cpu") > len(run):
        return "cpu"
    return "disturbed" if "least_disturbed" in timings else "wall"


def _prior(run: Sequence[Process]) -> Prior:
    doubts = [
        process["half_width"] / 1.96
        if math.isfinite(process["half_width"])
        else _UNTOLD
        for process in run
    ]
    return prior_for("steady_state", doubts)


def pairs(runs: Sequence[Sequence[Process]]) -> Iterator[tuple[str, Sides]]:
    """Yield every two runs of a case, with the clock that both are told by.

    The record holds one time of each process: where one run has CPU time alone and the
    other wall time alone, the two are left out. A disturbed one disturbs both.
    """
    for one, other in combinations(runs, 2):
        both = sorted({clock(one), clock(other)})
        if len(both) == 1 or "cpu" not in both:
            name = both[0]
            values = [[process["value_s"] for process in run] for run in (one, other)]
            priors = (_prior(one), _prior(other))
            yield name, Sides(values[0], values[1], priors, DRIFTS[_DRIFT[name]].prior)


def between(runs: Sequence[Sequence[Process]]) -> tuple[float, float]:
    """Return the sd between runs beyond that of their processes, and that within.

    Of logarithms, from the mean squares; a component below nothing is nothing.
    """
    logs = [[math.log(process["value_s"]) for process in run] for run in runs]
    within = statistics.fmean(statistics.variance(run) for run in logs)
    means = statistics.variance([statistics.fmean(run) for run in logs])
    size = statistics.fmean(map(len, logs))
    return math.sqrt(max(0.0, means - within / size)), math.sqrt(within)


def judged(sides: Sides, name: str) -> dict[str, float]:
    """Return what is said of one pair: what holds 1, how it is called, what is found.

    Both directions count: of the two one is slower by chance.
    """
    margin = DRIFTS[_DRIFT[name]].margin
    ratio = estimate_unpaired_ratio(sides, 0)
    bare = estimate_unpaired_ratio(replace(sides, drift=_NO_DRIFT), 0)
    judgement = judge_stored_ratio(ratio, margin)
    row = {
        "holds": float(ratio.lower <= 1 <= ratio.upper),
        "holds_without": float(bare.lower <= 1 <= bare.upper),
        "same": float(judgement is Judgement.SAME),
        "false": float(judgement in {Judgement.FASTER, Judgement.SLOWER}),
    }
    turned = replace(
        sides,
        baseline=sides.candidate,
        candidate=sides.baseline,
        priors=(sides.priors[1], sides.priors[0]),
    )
    for factor in SLOWER:
        found = 0
        for way in (sides, turned):
            slowed = replace(way, candidate=[v * factor for v in way.candidate])
            said = judge_stored_ratio(estimate_unpaired_ratio(slowed, 0), margin)
            found += said is Judgement.SLOWER
        row[f"found_{factor:g}"] = found / 2
    return row


def condense(runs: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return the sd of every case, and what is said of pairs by profile and clock."""
    scatter = []
    said: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for (profile, case), own in sorted(runs_by_case(runs).items()):
        by_clock: dict[str, list[list[Process]]] = defaultdict(list)
        for run in own:
            by_clock[clock(run)].append(run)
        for name, alike in sorted(by_clock.items()):
            if len(alike) > 1:
                sd, within = between(alike)
                scatter.append(
                    {
                        "profile": profile,
                        "case": case,
                        "clock": name,
                        "n_runs": len(alike),
                        "between": sd,
                        "within": within,
                    }
                )
        for name, sides in pairs(own):
            said[profile, name].append(judged(sides, name))
    verdicts = [
        {"profile": profile, "clock": name, "n_pairs": len(rows)}
        | {key: statistics.fmean(row[key] for row in rows) for key in rows[0]}
        for (profile, name), rows in sorted(said.items())
    ]
    return {"scatter": scatter, "verdicts": verdicts}


def _share(name: str) -> str:
    return f"{DRIFTS[_DRIFT[name]].prior.sd:.0%}"


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    circumstances = record["circumstances"]
    factors = [f"{factor:g}" for factor in SLOWER]
    lines = [
        "# Runs of one code apart from each other",
        "",
        "Made by `python benchmarks/engine/apart.py` from the runs of",
        "[identical cases](identical.md), which were measured with",
        f"{circumstances['versions']}, on {circumstances['machine']}, one after the",
        "other. Between: the standard deviation of the logarithm between runs beyond",
        "what their three processes explain; within: between processes of one run.",
        "",
        "| profile | case | clock | runs | between | within |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['profile']} | {row['case']} | {row['clock']} | {row['n_runs']} "
            f"| {row['between']:.1%} | {row['within']:.1%} |"
            for row in record["scatter"]
        ),
        "",
        "Every two runs of a case, compared as stored runs are, with a drift of",
        f"{_share('cpu')} of CPU time, {_share('wall')} of undisturbed wall time and",
        f"{_share('disturbed')} of disturbed: how many intervals hold 1, how many",
        "would without it; how many are called the same, and how many faster or",
        "slower, which all are wrong; and how many are found slower once the later run",
        "is so many times slower. Disturbed ones are not judged by `compare`: here is",
        "what would be said of them. Pairs share runs, and are not independent.",
        "",
        "| profile | clock | pairs | hold 1 | without drift | same | wrong | "
        + " | ".join(f"{factor}x found" for factor in factors)
        + " |",
        "|" + "---|" * (7 + len(factors)),
    ]
    for row in record["verdicts"]:
        shares = ("holds", "holds_without", "same", "false")
        cells = [f"{row[key]:.1%}" for key in shares]
        cells += [f"{row[f'found_{factor}']:.0%}" for factor in factors]
        lines.append(
            f"| {row['profile']} | {row['clock']} | {row['n_pairs']} | "
            f"{' | '.join(cells)} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Read the runs, and write what they differ by."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    source = json.loads((RECORD / "identical.json").read_text())
    record = {"circumstances": source["circumstances"], **condense(source["runs"])}
    path = options.out / "apart.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    path.with_suffix(".md").write_text(markdown(record))


if __name__ == "__main__":
    main()
