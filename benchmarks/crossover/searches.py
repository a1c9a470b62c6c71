"""One search on costs that are known, and whether what it says is true."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import Cost, Model, merged_turns, turns_of

from xpcs_bench.analysis.course import Course
from xpcs_bench.analysis.crossover import conclude, wanted
from xpcs_bench.analysis.estimate import prior_for
from xpcs_bench.analysis.pairs import Pairs
from xpcs_bench.config import CrossoverSearch
from xpcs_bench.config.crossover import lattice
from xpcs_bench.records import Crossover

__all__ = ["Noise", "judged", "ran", "search_for", "searched"]

TESTS = Path(__file__).resolve().parents[2] / "tests"
# the scripted workers of the tests
sys.path += [str(TESTS), str(TESTS / "run")]

WIDTH = 0.1
CONFIDENCE = 0.95
PROCESSES = 3
NAMES = ("made", "steady_state", "numpy/cpu/float64", "jax/cpu/float64")


class Noise:
    """What the time of a process is multiplied with."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.between = rng.uniform(0.002, 0.02)
        self.bursts = rng.choice((0.0, 0.02, 0.05))

    def __call__(self) -> float:
        """Return the factor of one more process."""
        factor = self._rng.lognormvariate(0, self.between)
        if self._rng.random() < self.bursts:
            factor *= self._rng.uniform(1.2, 2.0)
        return factor


def search_for(model: Model) -> CrossoverSearch:
    """Return the search over the range of a model."""
    return CrossoverSearch(
        axis="delays",
        sizes=lattice(model.first, model.last, WIDTH),
        width=WIDTH,
        confidence=CONFIDENCE,
    )


def searched(model: Model, noise: Noise) -> tuple[Crossover, int]:
    """Let the search ask, and answer it from the costs; return the processes too."""
    search = search_for(model)
    pairs: dict[int, list[tuple[float, float]]] = {}

    def course() -> Course:
        return Course(
            pairs={
                size: Pairs(
                    tuple(b for b, _ in rows),
                    tuple(c for _, c in rows),
                    prior_for("steady_state", [0.0] * len(rows)),
                    len(rows),
                )
                for size, rows in pairs.items()
            },
            lost={},
            taken={size: len(rows) for size, rows in pairs.items()},
        )

    while asked := wanted(search, [course()], PROCESSES):
        for size, count in asked.items():
            rows = pairs.setdefault(size, [])
            while len(rows) < count:
                sides = model.baseline(size), model.candidate(size)
                rows.append((sides[0] * noise(), sides[1] * noise()))
    found = conclude(search, course(), NAMES, PROCESSES)
    return found, sum(map(len, pairs.values()))


def ran(model: Model, noise: Noise, seed: int) -> tuple[Crossover, int]:
    """Let the whole machinery of a run search, with workers that follow a script.

    Everything is that of a real run but the workers: plan, jobs, journal, record. A
    script says what a call takes, on a clock that only it moves.
    """
    from run_scripts import Sized, carry_out

    search = search_for(model)

    def sized(cost: Cost) -> Sized:
        def of_size(size: int) -> Callable[..., float]:
            factors: dict[int, float] = {}

            def call_ns(process: int, _calls: int, _rng: random.Random) -> float:
                if process not in factors:
                    factors[process] = noise()
                return 1e3 * cost(size) * factors[process]

            return call_ns

        return Sized(search.axis, of_size)

    costs = {
        ("g2_model", "numpy"): sized(model.baseline),
        ("g2_model", "jax"): sized(model.candidate),
    }
    with tempfile.TemporaryDirectory() as folder:
        record, _, _ = carry_out(
            costs, Path(folder), search=search, seed=seed, processes=PROCESSES
        )
    (found,) = record.summary.crossovers
    return found, len(record.measurements) // 2


def judged(model: Model, found: Crossover, n_processes: int) -> dict[str, Any]:
    """Hold what was found against the truth."""
    logs = model.logs()
    turns = turns_of(model.first, logs)
    told = [
        (
            model.first if turn.lower is None else turn.lower,
            model.last if turn.upper is None else turn.upper,
        )
        for turn in found.turns
    ]
    spans = [(span.lower, span.upper) for span in found.unclear]

    def inside(turn: tuple[int, int]) -> bool:
        return any(low <= turn[0] and turn[1] <= high for low, high in told + spans)

    def log(size: int) -> float:
        return logs[size - model.first]

    signs = all(
        (log(point.size) < 0) == (point.sign == "faster")
        for point in found.points
        if point.sign != "unknown"
    )
    seen = all(
        any(low < turn[1] and turn[0] < high for low, high in told + spans)
        for turn in merged_turns(turns, WIDTH)
    )
    wins = None
    if found.wins_above is not None:
        after = [t for t in turns if t[0] >= found.wins_above]
        wins = not merged_turns(after, WIDTH) and logs[-1] < 0
    closed = [t for t in found.turns if t.lower is not None and t.upper is not None]
    return {
        "kind": model.kind,
        "form": model.form,
        "answer": found.answer,
        "right_signs": signs,
        "contains": signs and seen,
        "contains_all": signs and all(map(inside, turns)),
        "n_true": len(turns),
        "n_turns": len(found.turns),
        "n_resolved": sum(turn.resolved for turn in found.turns),
        "widths": [round(t.upper / t.lower - 1, 4) for t in closed],
        "n_unclear": len(spans),
        "wins_above_right": wins,
        "n_measured": found.n_measured,
        "n_grid": found.n_grid,
        "n_processes": n_processes,
    }
