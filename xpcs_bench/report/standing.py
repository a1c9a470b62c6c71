"""How each case of a record ended, and which of its numbers may be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from xpcs_bench.analysis.standing import standing as worst
from xpcs_bench.records import (
    Case,
    CaseEstimate,
    Comparison,
    Effort,
    Estimate,
    Group,
    Measurement,
    RunRecord,
    Standing,
    Status,
)
from xpcs_bench.report.cells import Tone, Words
from xpcs_bench.report.place import Place

__all__ = ["Evidence", "standing_words"]

_WRONG = (Status.PARITY_FAILED, Status.INVALID)
"""Standings that take away every time of a case, whatever its other processes saw."""
_WORDS: dict[Standing, tuple[str, Tone]] = {
    Status.OK: ("ok", "good"),
    Status.PARITY_FAILED: ("parity failed", "bad"),
    Status.INVALID: ("invalid", "bad"),
    Status.CRASHED: ("crashed", "bad"),
    Status.OUT_OF_MEMORY: ("out of memory", "bad"),
    Status.TIMED_OUT: ("timed out", "bad"),
    Status.RAISED: ("raised", "bad"),
    "not_measured": ("not measured", "doubt"),
}


def standing_words(standing: Standing) -> Words:
    """Say how a case ended."""
    return Words(*_WORDS[standing])


def _identity(case: Place[Case]) -> tuple[str, str]:
    return case.value.problem_id, case.value.variant.id


class Evidence:
    """A record, by case.

    Attributes
    ----------
    root : Place[RunRecord]
        Where every walk begins.
    cases : dict[str, Place[Case]]
        By id, in the order of the plan; without those that were skipped, or that a
        search could do without.
    under_test : dict[str, Place[Case]]
        The same without the parts of controls, which answer no question of their own.
    measurements : dict[str, list[Place[Measurement]]]
        By case id.
    """

    def __init__(self, record: RunRecord) -> None:
        self.root: Place[RunRecord] = Place(record)
        header, summary = self.root["header"], self.root["summary"]
        skipped = {skip.case for skip in record.header.skipped}
        # what a search could do without was not lost, and is no question any more
        skipped.update(record.summary.unneeded)
        self.cases: dict[str, Place[Case]] = {
            case.value.id: case
            for case in header["cases"]
            if case.value.id not in skipped
        }
        self.under_test = {
            name: case
            for name, case in self.cases.items()
            if not case.value.variant.control
        }
        self.measurements: dict[str, list[Place[Measurement]]] = defaultdict(list)
        for measurement in self.root["measurements"]:
            self.measurements[measurement.value.case].append(measurement)
        self._estimates: dict[str, dict[str, Place[Estimate]]] = defaultdict(dict)
        self._metrics: dict[str, dict[str, Place[str]]] = defaultdict(dict)
        for estimate in summary["estimates"]:
            found: CaseEstimate = estimate.value
            self._estimates[found.case][found.metric] = estimate["estimate"]
            self._metrics[found.case][found.metric] = estimate["metric"]
        self._efforts: dict[str, Place[Effort]] = {
            effort.value.case: effort for effort in summary["efforts"]
        }
        self._groups: dict[str, Place[Group]] = {
            group.value.id: group for group in header["groups"]
        }
        self._wrong = {
            (*_identity(case), case.value.boundary)
            for case in self.cases.values()
            if self.standing(case.value.id) is Status.PARITY_FAILED
        }

    def standing(self, case: str) -> Standing:
        """Return how a case ended."""
        return worst(seen.value.observation for seen in self.measurements.get(case, ()))

    def withheld(self, case: Place[Case]) -> Words | None:
        """Say why no time of a case is shown; None: times are shown.

        Wrong values in any measure of a variant discredit all its numbers on the same
        work; those of one conversion discredit that conversion.
        """
        standing = self.standing(case.value.id)
        if standing in _WRONG:
            return standing_words(standing)
        identity = _identity(case)
        if {(*identity, case.value.boundary), (*identity, None)} & self._wrong:
            return standing_words(Status.PARITY_FAILED)
        return None

    def estimate(self, case: Place[Case], metric: str) -> Place[Estimate] | Words:
        """Return the estimate of a case, or say why none is shown."""
        if withheld := self.withheld(case):
            return withheld
        if found := self._estimates.get(case.value.id, {}).get(metric):
            return found
        standing = self.standing(case.value.id)
        if standing is Status.OK:
            return Words("no estimate", "doubt")
        return standing_words(standing)

    def effort(self, case: Place[Case]) -> Place[Effort] | None:
        """Return how well a case is known; None for measures that take one process."""
        return self._efforts.get(case.value.id)

    def metrics(self, case: Place[Case]) -> dict[str, Place[str]]:
        """Return the metrics that a case has estimates of, and where each is named."""
        return self._metrics.get(case.value.id, {})

    def by_problem(self, *measures: str) -> dict[str, list[Place[Case]]]:
        """Return the cases of some measures by problem id, in the plan's order."""
        problems: dict[str, list[Place[Case]]] = {}
        for case in self.under_test.values():
            if case.value.measure in measures:
                problems.setdefault(case.value.problem_id, []).append(case)
        return problems

    def reference(self, case: Place[Case]) -> Place[Case] | None:
        """Return the case that a case is compared with; None if it is in no group."""
        group = self._groups.get(case.value.group_id)
        return self.cases.get(group.value.reference) if group else None

    def comparisons(
        self,
    ) -> Iterator[tuple[Place[Comparison], Place[Case], Place[Case]]]:
        """Yield every comparison with its baseline and its candidate."""
        for comparison in self.root["summary"]["comparisons"]:
            baseline = self.cases.get(comparison.value.baseline)
            candidate = self.cases.get(comparison.value.candidate)
            if baseline is not None and candidate is not None:
                yield comparison, baseline, candidate
