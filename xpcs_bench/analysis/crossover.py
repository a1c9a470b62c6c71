"""Which sizes to measure next to find where the order turns, and where it does.

The ratio of two variants along an axis is not monotone: a bisection between two ends
finds one turn of three, and not the last one. So a coarse scan comes first; every pair
of neighbours that differ in sign is bisected; and neighbours that agree are looked
between where the ratio moves so fast along the axis that it could turn and turn back.

No model of the costs is fitted: what counts is the sign of each size, where it is
certain (:mod:`~xpcs_bench.analysis.course`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from xpcs_bench.analysis.course import LEAST_PAIRS, Course, Line
from xpcs_bench.config import CrossoverSearch
from xpcs_bench.records import Crossover, LostSize, Turn

__all__ = ["conclude", "wanted"]

_FEWEST = 6
"""Sizes that may be measured, however short the range."""
_RESERVE = 4
"""Sizes that are kept for the turns that a look between neighbours may find."""


def wanted(
    search: CrossoverSearch, courses: Sequence[Course], processes: int
) -> dict[int, int]:
    """Return the sizes to be measured next, and in how many processes altogether.

    Parameters
    ----------
    courses : sequence of Course
        Of all candidates that are measured together: what one of them needs is
        measured for all.
    processes : int
        The first look at a size.

    Returns
    -------
    dict
        Nothing: the search has ended. It never takes more processes than one look at
        each size of the fixed grid.
    """
    lines = [Line(search, course, processes) for course in courses]
    found: dict[int, int] = {}
    taken = {size: n for course in courses for size, n in course.taken.items()}
    spare = search.n_grid * max(processes, LEAST_PAIRS) - sum(taken.values())

    def ask(wishes: Mapping[int, int], line: Line, spare: float = math.inf) -> None:
        for index, count in wishes.items():
            size = search.sizes[index]
            more = count - max(line.taken(index), found.get(size, 0))
            spent = sum(n - taken.get(other, 0) for other, n in found.items())
            if 0 < more <= spare - spent:
                found[size] = count

    for line in lines:
        ask(line.scan(), line)
    if found:
        return found
    room = _most_sizes(search, len(courses)) - len(taken)
    for line in lines:
        ask(line.narrowed(room - len(found.keys() - taken.keys())), line, spare)
    if found:
        return found
    for line in lines:
        # a few at a time: what they show says where to look next
        few = max(0, min(room - _RESERVE - len(found), 2))
        ask(dict(itertools.islice(line.between(), few)), line, spare)
    return found


def _most_sizes(search: CrossoverSearch, n_candidates: int) -> int:
    """Return how many sizes may be measured: half of a fixed grid for one candidate.

    Every further one, whose turns may lie elsewhere, has half of what is left.
    """
    return max(_FEWEST, math.floor(search.n_grid * (1 - 0.5**n_candidates)))


def conclude(
    search: CrossoverSearch,
    course: Course,
    names: tuple[str, str, str, str],
    processes: int,
    doubt: str = "",
) -> Crossover:
    """Say where the order turns, as far as the course tells.

    Parameters
    ----------
    names : tuple of str
        Problem without the axis, metric, and the variants of baseline and candidate.
    doubt : str
        Why nothing of this can be told, however certain it is by itself; a sentence.
    """
    problem, metric, baseline, candidate = names
    line = Line(search, course, processes)
    turns = line.turns()
    unclear = line.unclear()
    signs = {point.sign for point in line.points()} - {"unknown"}
    answer: Literal["crosses", "always", "never", "cannot_tell"]
    if doubt or not signs:
        answer, turns, unclear = "cannot_tell", (), ()
    elif turns:
        answer = "crosses"
    else:
        answer = "always" if signs == {"faster"} else "never"
    wins_above = None
    if not doubt and line.last_sign() < 0:
        edges = [turn.upper for turn in turns] + [span.upper for span in unclear]
        wins_above = max((e for e in edges if e is not None), default=None)
        if wins_above is None:
            wins_above = line.points()[0].size
    found = Crossover(
        axis=search.axis,
        problem=problem,
        metric=metric,
        baseline=baseline,
        candidate=candidate,
        answer=answer,
        turns=turns,
        unclear=unclear,
        wins_above=wins_above,
        points=line.points(),
        lost=tuple(
            LostSize(size=size, reason=reason)
            for size, reason in sorted(course.lost.items())
        ),
        n_measured=sum(count > 0 for count in course.taken.values()),
        n_grid=search.n_grid,
        widest_gap=line.widest_gap(),
        width=search.width,
        confidence=search.confidence,
        reason="",
    )
    return found.model_copy(update={"reason": doubt or _reason(found)})


def _reason(found: Crossover) -> str:
    """Say in a sentence what was found."""
    if found.answer == "cannot_tell":
        if not found.points:
            return "no size was compared."
        return "at no size is the order certain."
    if found.answer == "crosses":
        ways = [_way(turn) for turn in found.turns]
        sentence = "; ".join(ways)
    else:
        word = "faster" if found.answer == "always" else "slower"
        ends = (found.points[0].size, found.points[-1].size)
        sentence = f"{word} from {ends[0]} to {ends[1]}"
    if found.unclear:
        spans = ", ".join(f"{span.lower} to {span.upper}" for span in found.unclear)
        sentence += f"; not certain between {spans}"
    return f"{sentence}."


def _way(turn: Turn) -> str:
    doubt = "" if turn.resolved else ", which is wider than asked for"
    if turn.lower is None:
        return f"{turn.becomes} from {turn.upper} on, not certain below{doubt}"
    if turn.upper is None:
        before = "slower" if turn.becomes == "faster" else "faster"
        return f"{before} up to {turn.lower}, not certain above{doubt}"
    return f"becomes {turn.becomes} between {turn.lower} and {turn.upper}{doubt}"
