"""Whether a search finds the turns that are there.

    python benchmarks/crossover/study.py

Pairs of costs are drawn whose order is known at every whole number of a range: it turns
once, never (the candidate is slower, or faster, everywhere), three times, or at the
border; costs are a + b n, or with steps and padding on top, which make near ties and
narrow turns of their own. Processes scatter by 0.2 to 2 %, and in some trials single
ones are slowed down by up to a factor of two. The search asks for sizes and is answered
from the costs; one trial in ten goes through the whole machinery of a run, with workers
that follow a script. Nothing is timed.

A trial *contains* the truth where every sign that is called certain is right, and every
turn lies in a bracket, or between sizes that the search calls not certain. Turns that
are taken back within the width of a bracket are one turn or none here: a fixed grid
does not see them either. Without that allowance it is *all turns*.

Writes ``reports/crossover/known.json`` and ``known.md``; trials are kept as they end,
and a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models import FORMS, KINDS, draw
from searches import CONFIDENCE, PROCESSES, WIDTH, Noise, judged, ran, searched

# the loop that all studies share which are kept as they go
sys.path.append(str(Path(__file__).resolve().parents[1] / "engine"))
from rounds import keep_rounds

RECORD = Path(__file__).resolve().parents[2] / "reports" / "crossover"
TRIALS = 300
FIRST_SEED = 1_000_000
"""Beyond the seeds on which the search was made what it is."""
ROUND = len(KINDS) * len(FORMS)
"""Trials that are kept together: one of each kind and form."""
ASKED = {"contains": 0.95, "right_answer": 0.99, "most_sizes": 0.5}

COLUMNS = (
    "trials",
    "n",
    "contains",
    "all turns",
    "answer",
    "wins above",
    "resolved",
    "sizes",
    "processes",
)

Row = Mapping[str, Any]


def measure_round(number: int) -> list[dict[str, Any]]:
    """Search in one pair of costs of each kind and form."""
    rows = []
    for place in range(ROUND):
        kind, form = KINDS[place % len(KINDS)], FORMS[place // len(KINDS)]
        seed = FIRST_SEED + number * ROUND + place
        rng = random.Random(seed)  # noqa: S311 (a script)
        model = draw(kind, form, rng, WIDTH)
        noise = Noise(rng)
        machinery = place == number % ROUND
        if machinery:
            found, n_processes = ran(model, noise, seed)
        else:
            found, n_processes = searched(model, noise)
        rows.append(
            {
                "seed": seed,
                "machinery": machinery,
                "between": round(noise.between, 5),
                "bursts": noise.bursts,
                **judged(model, found, n_processes),
            }
        )
    return rows


def right_answer(row: Row) -> bool:
    """Say whether the answer in a word is that of the kind."""
    kind = row["kind"]
    return bool(row["answer"] == (kind if kind in {"never", "always"} else "crosses"))


def condensed(rows: Sequence[Row]) -> dict[str, float]:
    """Return what is asked, and what it took, over some trials."""

    def share(key: str) -> float:
        return statistics.fmean(row[key] for row in rows)

    turns = sum(row["n_turns"] for row in rows)
    won = [
        row["wins_above_right"] for row in rows if row["wins_above_right"] is not None
    ]
    return {
        "n": len(rows),
        "contains": share("contains"),
        "all_turns": share("contains_all"),
        "right_answer": statistics.fmean(right_answer(row) for row in rows),
        "wins_right": statistics.fmean(won) if won else 1.0,
        "resolved": sum(r["n_resolved"] for r in rows) / turns if turns else 1.0,
        "sizes": statistics.fmean(row["n_measured"] / row["n_grid"] for row in rows),
        "most_sizes": max(row["n_measured"] / row["n_grid"] for row in rows),
        "processes": statistics.fmean(
            row["n_processes"] / (PROCESSES * row["n_grid"]) for row in rows
        ),
    }


def verdicts(rows: Sequence[Row]) -> list[tuple[str, float, bool]]:
    """Hold what was found against what is asked."""
    whole = condensed(rows)
    plain = condensed([row for row in rows if row["kind"] in {"never", "always"}])
    return [
        (
            f"brackets contain the truth, {ASKED['contains']:.0%} and more",
            whole["contains"],
            whole["contains"] >= ASKED["contains"],
        ),
        (
            f"'never' and 'always' are right, {ASKED['right_answer']:.0%} and more",
            plain["right_answer"],
            plain["right_answer"] >= ASKED["right_answer"],
        ),
        (
            f"sizes measured in any trial, {ASKED['most_sizes']:.0%} of a grid or less",
            whole["most_sizes"],
            whole["most_sizes"] <= ASKED["most_sizes"],
        ),
    ]


def _line(name: str, found: Mapping[str, float]) -> str:
    return (
        f"| {name} | {found['n']:.0f} | {found['contains']:.1%} "
        f"| {found['all_turns']:.1%} | {found['right_answer']:.1%} "
        f"| {found['wins_right']:.1%} | {found['resolved']:.0%} "
        f"| {found['sizes']:.0%} (at most {found['most_sizes']:.0%}) "
        f"| {found['processes']:.0%} |"
    )


def markdown(record: Mapping[str, Any]) -> str:
    """Lay the record out for a reader."""
    rows = [row for trials in record["rounds"] for row in trials]
    lines = [
        "# Crossovers of known costs",
        "",
        "Made by `python benchmarks/crossover/study.py` with",
        f"{record['circumstances']['versions']}. No time was measured: costs are",
        "known, and the truth is that of every whole number of a range. Brackets were",
        f"to be {WIDTH:.0%} wide, and everything said of a trial right with",
        f"{CONFIDENCE:.0%} confidence; its docstring says what counts as right.",
        "",
        "| asked | found | |",
        "|---|---|---|",
    ]
    lines += [
        f"| {asked} | {found:.1%} | {'met' if met else 'NOT met'} |"
        for asked, found, met in verdicts(rows)
    ]
    lines += [
        "",
        "Sizes are a share of those of the fixed grid whose brackets are as wide, and",
        f"processes of {PROCESSES} at each size of it. Resolved: brackets as narrow as",
        "asked; where processes scatter by 2 % and the ratio is flat, no sign is",
        "certain next to the turn, and the bracket is wider and says so.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for kind in KINDS:
        for form in FORMS:
            mine = [r for r in rows if r["kind"] == kind and r["form"] == form]
            if mine:
                lines.append(_line(f"{kind}, {form}", condensed(mine)))
    named = (
        ("scatter below 0.7 %, no bursts", lambda r: _quiet(r) and not r["bursts"]),
        ("scatter below 0.7 %, bursts", lambda r: _quiet(r) and r["bursts"]),
        ("scatter above 0.7 %, no bursts", lambda r: not (_quiet(r) or r["bursts"])),
        ("scatter above 0.7 %, bursts", lambda r: r["bursts"] and not _quiet(r)),
        ("through the machinery of a run", lambda r: r["machinery"]),
    )
    for name, chosen in named:
        mine = [row for row in rows if chosen(row)]
        if mine:
            lines.append(_line(name, condensed(mine)))
    lines.append(_line("**all**", condensed(rows)))
    return "\n".join([*lines, ""])


def _quiet(row: Row) -> bool:
    return bool(row["between"] < 0.007)


def main() -> None:
    """Search in the trials that are missing, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--out", type=Path, default=RECORD)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    keep_rounds(
        options.out / "known.json",
        "rounds",
        -(-options.trials // ROUND),
        measure_round,
        markdown,
    )


if __name__ == "__main__":
    main()
