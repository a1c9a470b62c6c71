"""The groups of a plan that differ in the size alone, and what is known along it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpcs_bench.analysis.controls import failing_controls, why_not
from xpcs_bench.analysis.course import Course
from xpcs_bench.analysis.crossover import conclude, wanted
from xpcs_bench.analysis.pairs import Pairs, paired
from xpcs_bench.analysis.readings import sound_readings
from xpcs_bench.config import CrossoverSearch, Experiment
from xpcs_bench.config.crossover import DETECTOR
from xpcs_bench.records import (
    Case,
    Control,
    Crossover,
    Group,
    Measurement,
    Skip,
    Status,
    Variant,
)

__all__ = ["Families", "Family", "processes_taken", "size_of"]

METRIC = "steady_state"
"""Of the cached calls, which alone come often enough to be measured at many sizes."""
_ABSENT = "it is not in the plan: -k or 'exclude' left it out."


def size_of(case: Case, axis: str) -> int | None:
    """Return where a case lies on an axis; None: it does not."""
    if axis == DETECTOR:
        return case.detector.shape[0] if case.detector else None
    size = case.params.get(axis)
    return size if isinstance(size, int) else None


def processes_taken(group: Group, rows: Mapping[str, Sequence[Measurement]]) -> int:
    """Return how many processes a group has had.

    One that was cut short before all its cases had their say is done again: a ratio
    needs both sides. A case that has failed is not waited for.

    Parameters
    ----------
    rows : mapping
        Measurements by case.
    """
    seen = {
        name: {row.process: row.observation.status for row in rows.get(name, ())}
        for name in group.cases
    }

    def over(name: str, process: int) -> bool:
        mine = seen[name]
        failed = [p for p, status in mine.items() if status is not Status.OK]
        return process in mine or min(failed, default=process) < process

    last = max((p for mine in seen.values() for p in mine), default=-1)
    for process in range(last + 1):
        if not all(over(name, process) for name in group.cases):
            return process
    return last + 1


@dataclass(frozen=True)
class Family:
    """Groups of cached calls that differ in the size alone."""

    problem: str
    """Problem id without the axis."""
    groups: Mapping[int, Group]
    """By size, rising."""
    baseline: Variant
    candidates: Mapping[str, Variant]
    """By id."""


class Families:
    """The families of a plan, and what its measurements tell of them so far.

    Parameters
    ----------
    experiment : Experiment
        With a search.
    cases, groups, skipped
        Of the plan, or of the header of a run.
    """

    def __init__(
        self,
        experiment: Experiment,
        cases: Sequence[Case],
        groups: Sequence[Group],
        skipped: Sequence[Skip],
    ) -> None:
        if experiment.crossover is None:
            msg = f"experiment {experiment.name!r} searches no crossover"
            raise ValueError(msg)
        self._search: CrossoverSearch = experiment.crossover
        self._processes = experiment.sampling.processes
        self._limited = experiment.sampling.budget_s is not None
        self._cases = {case.id: case for case in cases}
        self._skips = {skip.case: skip.reason for skip in skipped}
        self._all = list(self._found(groups))
        self._told: dict[tuple[str, int, int], dict[str, Pairs]] = {}
        self._skipped_sizes: dict[tuple[str, str], Mapping[int, str]] = {}

    def __iter__(self) -> Iterator[Family]:
        return iter(self._all)

    def _found(self, groups: Sequence[Group]) -> Iterator[Family]:
        axis = self._search.axis
        by_problem: dict[str, dict[int, Group]] = {}
        for group in groups:
            case = self._cases[group.reference]
            size = size_of(case, axis)
            if case.measure != METRIC or case.variant.control or size is None:
                continue
            by_problem.setdefault(case.problem_without(axis), {})[size] = group
        for problem, by_size in by_problem.items():
            rising = dict(sorted(by_size.items()))
            # where several sizes have no baseline, the others still have one
            references = [self._cases[group.reference] for group in rising.values()]
            compared = [
                self._cases[group.reference]
                for group in rising.values()
                if len(group.cases) > 1
            ]
            baseline = (compared or references)[0].variant
            members = (
                self._cases[member].variant
                for group in rising.values()
                for member in group.cases
            )
            candidates = {
                variant.id: variant for variant in members if variant.id != baseline.id
            }
            yield Family(problem, rising, baseline, candidates)

    def courses(
        self, family: Family, measurements: Iterable[Measurement]
    ) -> dict[str, Course]:
        """Return what is known of every candidate of a family."""
        rows: dict[str, list[Measurement]] = {}
        wrong = []
        for row in measurements:
            rows.setdefault(row.case, []).append(row)
            if row.observation.status is Status.PARITY_FAILED:
                wrong.append(row)
        taken = {
            size: count
            for size, group in family.groups.items()
            if (count := processes_taken(group, rows))
        }
        found = {size: self._pairs(family, size, rows, wrong) for size in taken}
        courses = {}
        for name in family.candidates:
            pairs = {size: by[name] for size, by in found.items() if name in by}
            skipped = self._skips_of(family, name)
            failed = {
                size: self._failed(family, size, name, rows)
                for size in taken
                if size not in pairs and size not in skipped
            }
            courses[name] = Course(
                pairs, {**skipped, **failed}, frozenset(skipped), taken
            )
        return courses

    def _skips_of(self, family: Family, candidate: str) -> Mapping[int, str]:
        key = (family.problem, candidate)
        if key not in self._skipped_sizes:
            self._skipped_sizes[key] = {
                size: reason
                for size in self._search.sizes
                if (reason := self._skipped(family, size, candidate))
            }
        return self._skipped_sizes[key]

    def _pairs(
        self,
        family: Family,
        size: int,
        rows: Mapping[str, Sequence[Measurement]],
        wrong: Sequence[Measurement],
    ) -> dict[str, Pairs]:
        """Return what is known at one size by candidate; it is read once."""
        group = family.groups[size]
        seen = [row for name in group.cases for row in rows.get(name, ())]
        # readings of a size change with its own measurements, and where one is wrong
        key = (group.id, len(seen), len(wrong))
        if key not in self._told:
            others = [row for row in wrong if row.case not in group.cases]
            readings = sound_readings(self._cases, [*seen, *others])
            baseline = self._member(family, size, family.baseline.id)
            told = {}
            for member in group.cases:
                case = self._cases[member]
                if baseline is None or member == baseline:
                    continue
                pairs = paired(readings, baseline, case, METRIC)
                if pairs is not None:
                    told[case.variant.id] = pairs
            self._told[key] = told
        return self._told[key]

    def _member(self, family: Family, size: int, variant: str) -> str | None:
        group = family.groups.get(size)
        for name in group.cases if group else ():
            if self._cases[name].variant.id == variant:
                return name
        return None

    def _skipped(self, family: Family, size: int, candidate: str) -> str:
        """Return why a side of a comparison is not in the plan; empty: both are."""
        for variant in (family.baseline, family.candidates[candidate]):
            if self._member(family, size, variant.id) is None:
                ids = (
                    f"{problem}/{variant.id}/{METRIC}"
                    for problem in self._problems(family, size)
                )
                reasons = (self._skips[name] for name in ids if name in self._skips)
                return f"{variant.id}: {next(reasons, _ABSENT)}"
        return ""

    def _problems(self, family: Family, size: int) -> Iterator[str]:
        """Yield what the problem at a size may be called, told by another size."""
        case = self._cases[next(iter(family.groups.values())).reference]
        axis, fields = self._search.axis, case.model_dump()
        if axis == DETECTOR:
            named = {"name": f"{size}x{size}", "shape": (size, size)}
            yield Case(**fields | {"detector": fields["detector"] | named}).problem_id
            return
        yield Case(**fields | {"labels": case.labels | {axis: size}}).problem_id
        # what has its default has no label
        yield case.problem_without(axis)

    def _failed(
        self,
        family: Family,
        size: int,
        candidate: str,
        rows: Mapping[str, Sequence[Measurement]],
    ) -> str:
        """Return why two that were tried cannot be compared."""
        for variant in (family.baseline.id, candidate):
            name = self._member(family, size, variant)
            for row in rows.get(name or "", ()):
                if row.observation.status is not Status.OK:
                    seen = row.observation
                    return f"{variant}: {seen.status.value}: {seen.reason}"
        return "no process measured both."

    def wanted(
        self, family: Family, measurements: Iterable[Measurement]
    ) -> dict[int, int]:
        """Return the sizes to be measured next, and in how many processes."""
        courses = list(self.courses(family, measurements).values())
        return wanted(self._search, courses, self._processes)

    def conclusions(
        self, measurements: Sequence[Measurement], controls: Iterable[Control]
    ) -> Iterator[Crossover]:
        """Yield where the order turns, for every candidate of every family."""
        failing = failing_controls(controls, self._cases)
        for family in self:
            for name, course in self.courses(family, measurements).items():
                names = (family.problem, METRIC, family.baseline.id, name)
                sides = (family.baseline, family.candidates[name])
                doubt = why_not(failing, sides)
                yield conclude(self._search, course, names, self._processes, doubt)

    def unneeded(self, measurements: Sequence[Measurement]) -> tuple[str, ...]:
        """Return the ids of cases at sizes that the search does not ask for so far.

        Where time is limited, what the search would still ask for is not needed either:
        its brackets say how wide they stayed.
        """
        axis = self._search.axis
        tried = {row.case for row in measurements}
        needed = {}
        for family in self:
            groups = family.groups.items()
            sizes = {size for size, group in groups if tried.intersection(group.cases)}
            if not self._limited:
                sizes |= self.wanted(family, measurements).keys()
            needed[family.problem] = sizes
        return tuple(
            case.id
            for case in self._cases.values()
            if not case.variant.control
            and case.id not in tried
            and size_of(case, axis) not in needed.get(case.problem_without(axis), set())
        )
