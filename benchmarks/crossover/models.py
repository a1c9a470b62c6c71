"""Two variants whose costs are known, and where their order truly turns.

A cost is a + b n, which may change to another a + b n from some size on (a library that
switches its algorithm), times steps (a cache that overflows), at sizes rounded up to a
tile (padding). The truth is that of every whole number of the range.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["FORMS", "KINDS", "Cost", "Model", "draw", "merged_turns", "turns_of"]

KINDS = ("once", "never", "always", "three", "border")
FORMS = ("linear", "stepped")
RANGES = ((16, 4096), (8, 1024), (64, 2048))
CLEAR = 0.05
"""By what part the two differ at both ends of the range at least, where no turn is."""
NEARLY_TIED = 0.02
"""By what part they differ anywhere at least, where there is no turn."""


@dataclass(frozen=True)
class Cost:
    """What a call takes (us)."""

    parts: tuple[tuple[int, float, float], ...]
    """From which size on, and its a and b."""
    steps: tuple[tuple[int, float], ...] = ()
    """From which size on everything takes how many times as long."""
    tile: int = 1
    """Sizes are rounded up to a multiple of it."""

    def __call__(self, size: int) -> float:
        """Return the time of a call at a size."""
        padded = -(-size // self.tile) * self.tile
        a, b = next((a, b) for at, a, b in reversed(self.parts) if size >= at)
        cost = a + b * padded
        for at, factor in self.steps:
            if size >= at:
                cost *= factor
        return cost


@dataclass(frozen=True)
class Model:
    """A pair of costs over a range."""

    kind: str
    form: str
    first: int
    last: int
    baseline: Cost
    candidate: Cost

    def logs(self) -> list[float]:
        """Return log(candidate / baseline) of every whole number of the range."""
        sizes = range(self.first, self.last + 1)
        return [math.log(self.candidate(n) / self.baseline(n)) for n in sizes]


def turns_of(first: int, logs: Sequence[float]) -> list[tuple[int, int]]:
    """Return all neighbouring sizes whose signs differ."""
    return [
        (first + at, first + at + 1)
        for at, (low, high) in enumerate(pairwise(logs))
        if (low < 0) != (high < 0)
    ]


def merged_turns(
    turns: Sequence[tuple[int, int]], width: float
) -> list[tuple[int, int]]:
    """Return the turns between runs of one order that are at least as wide as asked.

    What turns back within the width cannot be seen by a grid of that width either: such
    turns are one, from the first of them to the last, or none where their number is
    even.
    """
    clusters: list[list[tuple[int, int]]] = []
    for turn in turns:
        if clusters and turn[0] < clusters[-1][-1][1] * (1 + width):
            clusters[-1].append(turn)
        else:
            clusters.append([turn])
    return [(c[0][0], c[-1][1]) for c in clusters if len(c) % 2]


def _drawn(form: str, rng: random.Random, kind: str) -> Model:
    first, last = rng.choice(RANGES)

    def size(low: float = 0.0, high: float = 1.0) -> int:
        way = rng.uniform(low, high)
        return round(first * (last / first) ** way)

    def level() -> tuple[float, float]:
        a = math.exp(rng.uniform(math.log(1), math.log(300)))
        return a, math.exp(rng.uniform(math.log(0.01), math.log(1)))

    def meeting(at: int, baseline: tuple[float, float]) -> tuple[float, float]:
        """Return an a and b that cost at a size what the baseline does."""
        total = baseline[0] + baseline[1] * at
        a = total * rng.uniform(0.05, 0.98)
        return a, (total - a) / at

    base = level()
    parts: list[tuple[int, float, float]]
    if kind == "three":
        # wins, loses again behind a switch, wins for good; or the other way round
        at = size(0.1, 0.4)
        a, b = meeting(at, base)
        switch = size(0.4, 0.65)
        a2, b2 = meeting(size(0.65, 0.95), base)
        parts = [(first, a, b), (switch, a2, b2)]
    else:
        ways = {"once": (0.05, 0.95), "border": (0.0, 0.02)}
        low, high = ways.get(kind, (-0.5, 1.5))
        if kind == "border" and rng.random() < 0.5:
            low, high = 1 - high, 1 - low
        a, b = meeting(size(low, high), base)
        scale = rng.choice((0.3, 0.6, 0.9, 1.1, 1.6)) if kind in KINDS[1:3] else 1.0
        parts = [(first, a * scale, b * scale)]
    costs = []
    for rows in ([(first, *base)], parts):
        steps: list[tuple[int, float]] = []
        tile = 1
        if form == "stepped":
            for _ in range(rng.randint(1, 4)):
                factor = math.exp(rng.choice((-1, 1)) * rng.uniform(0.02, 0.25))
                steps.append((size(), factor))
            tile = rng.choice((1, 1, 8, 32))
        costs.append(Cost(tuple(rows), tuple(steps), tile))
    return Model(kind, form, first, last, *costs)


def draw(kind: str, form: str, rng: random.Random, width: float) -> Model:
    """Draw pairs of costs until one is of the kind."""
    while True:
        model = _drawn(form, rng, kind)
        logs = model.logs()
        turns = turns_of(model.first, logs)
        merged = merged_turns(turns, width)
        clear = min(abs(logs[0]), abs(logs[-1])) >= CLEAR
        tied = min(map(abs, logs)) < NEARLY_TIED
        border = (model.first * (1 + 2 * width), model.last / (1 + 2 * width))
        near = [t for t in merged if t[1] <= border[0] or t[0] >= border[1]]
        right = {
            "once": len(merged) == 1 and clear and not near,
            "three": len(merged) == 3 and clear and not near,
            "border": len(merged) == 1 and len(near) == 1,
            "never": not turns and logs[0] > 0 and clear and not tied,
            "always": not turns and logs[0] < 0 and clear and not tied,
        }
        if right[kind]:
            return model
