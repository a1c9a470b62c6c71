"""The claims of an experiment, with their names and amounts checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from xpcs_bench.config.catalogue import Catalogue
from xpcs_bench.config.claim import (
    ABOUT,
    Bounds,
    Claim,
    ClaimSide,
    Expectation,
    Selection,
)
from xpcs_bench.config.document import KeyPath
from xpcs_bench.config.problem import Problems, did_you_mean, one_of, shown
from xpcs_bench.config.translate import translated
from xpcs_bench.config.written_claim import (
    WrittenBounds,
    WrittenClaim,
    WrittenRatio,
    WrittenSelection,
    WrittenSide,
)
from xpcs_bench.errors import ConfigError
from xpcs_bench.units import format_quantity, parse_bytes, parse_duration

__all__ = ["ClaimNames", "choose_claims"]

STAGES = ("import", "backend_init", "trace", "lower", "compile", "execute")
_KINDS = ("metric", "ratio", "behaviour")
_NUMBERS: tuple[str, ...] = ("about", "at_most", "at_least", "between")
_OF_BEHAVIOURS: tuple[str, ...] = ("raises", "fails", "shows")
_LARGEST = 1e15


@dataclass(frozen=True)
class ClaimNames:
    """What the claims of an experiment may name."""

    kernels: tuple[str, ...]
    detectors: tuple[str, ...]
    geometries: tuple[str, ...]
    boundaries: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is measured of the cases of the experiment, as claims name it."""
        return tuple(
            metric
            for measure in self.measures
            if measure != "counters"
            for metric in (
                [f"stages.{stage}" for stage in STAGES]
                if measure == "stages"
                else [measure]
            )
        )


def choose_claims(
    rows: Sequence[tuple[KeyPath, WrittenClaim]],
    names: ClaimNames,
    catalogue: Catalogue,
    problems: Problems,
) -> tuple[Claim, ...]:
    """Check every claim, and note what is wrong with it."""
    reader = _Reader(names, catalogue, problems)
    taken: dict[str, KeyPath] = {}
    for path, row in rows:
        if taken.setdefault(row.id, path) != path:
            sentence = f"{row.id!r} is the id of another claim. Give it one of its own."
            problems.add((*path, "id"), sentence)
    found = [reader.claim(path, row) for path, row in rows]
    return tuple(claim for claim in found if claim is not None)


class _Reader:
    def __init__(
        self, names: ClaimNames, catalogue: Catalogue, problems: Problems
    ) -> None:
        self._names = names
        self._catalogue = catalogue
        self._problems = problems

    def claim(self, path: KeyPath, row: WrittenClaim) -> Claim | None:
        given = [kind for kind in _KINDS if getattr(row, kind) is not None]
        if len(given) != 1:
            found = " and ".join(map(repr, given)) or "none of them"
            self._problems.add(
                path,
                f"a claim says one of 'metric', 'ratio' and 'behaviour', and this one "
                f"says {found}. Write one.",
            )
            return None
        of = over = None
        where = _given(row.where)
        if row.behaviour is not None:
            self._behaviour(path, row)
        else:
            self._check(path, ("where",), where)
        if row.metric is not None:
            of = self._side((*path, "metric"), row.metric, where)
        if row.ratio is not None:
            of, over = self._ratio((*path, "ratio"), row.ratio, where)
        return Claim(
            id=row.id,
            says=row.says,
            source=row.source,
            of=of,
            over=over,
            behaviour=row.behaviour,
            expect=self._expectation((*path, "expect"), row, of),
        )

    def _behaviour(self, path: KeyPath, row: WrittenClaim) -> None:
        known = tuple(self._catalogue.behaviours)
        if row.behaviour not in known:
            sentence = one_of(row.behaviour, known, "behaviour")
            self._problems.add((*path, "behaviour"), sentence)
        if row.where is not None:
            sentence = "a behaviour is of no case. Remove it."
            self._problems.add((*path, "where"), sentence, key=True)

    def _ratio(
        self, path: KeyPath, ratio: WrittenRatio, where: Mapping[str, Any]
    ) -> tuple[ClaimSide | None, ClaimSide | None]:
        of, over = (self._ratio_side(path, key, ratio, where) for key in ("of", "over"))
        if of is not None and of == over:
            sentence = "both sides are the same, so it is always 1. Change one of them."
            self._problems.add(path, sentence)
        if "parity" in {side.metric for side in (of, over) if side is not None}:
            self._problems.add(path, "parity has no number. Write metric: parity.")
        return of, over

    def _ratio_side(
        self, path: KeyPath, key: str, ratio: WrittenRatio, where: Mapping[str, Any]
    ) -> ClaimSide | None:
        side = getattr(ratio, key)
        if isinstance(side, str):
            return self._side((*path, key), side, where)
        self._check(path, (key,), _given(side))
        at = (*path, key, "metric") if side.metric else (*path, "metric")
        metric = side.metric or ratio.metric
        if metric is None:
            self._problems.add(
                (*path, key),
                "nothing says what is measured. Add 'metric' to the ratio or here.",
            )
            return None
        return self._side(at, metric, {**where, **_given(side)})

    def _side(
        self, path: KeyPath, metric: str, where: Mapping[str, Any]
    ) -> ClaimSide | None:
        if metric not in self._names.metrics:
            sentence = one_of(metric, self._names.metrics, "metric")
            if metric.partition(".")[0] not in self._names.measures:
                sentence += " What it may be follows from the key 'measure'."
            self._problems.add(path, sentence)
            return None
        return ClaimSide(metric=metric, where=Selection(**where))

    def _check(self, path: KeyPath, below: KeyPath, where: Mapping[str, Any]) -> None:
        """Note names that nothing of this experiment has."""
        allowed = {
            "kernel": self._names.kernels,
            "detector": self._names.detectors,
            "geometry": self._names.geometries,
            "backend": self._catalogue.backends,
            "boundary": self._names.boundaries,
        }
        for key, names in allowed.items():
            if key in where and where[key] not in names:
                sentence = one_of(where[key], names, key)
                self._problems.add((*path, *below, key), sentence)
        entry = self._catalogue.kernels.get(where.get("kernel", ""))
        known = tuple(entry.params.model_fields) if entry else ()
        for name in where.get("params", {}):
            if entry is None:
                sentence = "are those of a kernel, and none is named. Add 'kernel'."
                self._problems.add((*path, *below, "params"), sentence, key=True)
                return
            if name not in known:
                sentence = one_of(name, known, "parameter")
                self._problems.add((*path, *below, "params", name), sentence, key=True)

    def _expectation(
        self, path: KeyPath, row: WrittenClaim, of: ClaimSide | None
    ) -> Expectation:
        expect = row.expect
        keys = (*_NUMBERS, "agrees", *_OF_BEHAVIOURS)
        given = [key for key in keys if getattr(expect, key) is not None]
        if row.behaviour is not None:
            allowed, what = _OF_BEHAVIOURS, "a behaviour"
        elif of is not None and of.metric == "parity":
            allowed, what = ("agrees",), "parity"
        else:
            allowed, what = _NUMBERS, "a number"
        for key in given:
            if key not in allowed:
                sentence = (
                    f"{key!r} is nothing that {what} can be held against. Allowed: "
                    f"{', '.join(map(repr, allowed))}."
                )
                self._problems.add((*path, key), sentence, key=True)
        if not given or (allowed is not _NUMBERS and len(given) > 1):
            names = ", ".join(map(repr, allowed))
            self._problems.add(
                path, f"says nothing, or too much. Write one of {names}."
            )
        if allowed is _NUMBERS:
            unit = "x"
            if row.ratio is None:
                unit = "bytes" if of and of.measure == "peak_memory" else "s"
            return Expectation(bounds=self._bounds(path, expect, unit))
        return Expectation(
            agrees=expect.agrees,
            raises=expect.raises,
            fails=bool(expect.fails),
            shows={
                name: self._shown((*path, "shows", name), name, value, row.behaviour)
                for name, value in (expect.shows or {}).items()
            },
        )

    def _shown(
        self, path: KeyPath, name: str, value: Any, behaviour: str | None
    ) -> Any:
        known = self._catalogue.behaviours.get(behaviour or "")
        if known is not None and name not in known:
            sentence = f"{behaviour} does not observe {name!r}. It observes: "
            sentence += f"{', '.join(map(repr, known)) or 'nothing'}."
            self._problems.add(path, sentence + did_you_mean(name, known), key=True)
        if isinstance(value, (bool, int, float, str)):
            return value
        try:
            bounds = WrittenBounds.model_validate(value)
        except ValidationError as error:
            for where, sentence, about_key in translated(error.errors(), value):
                self._problems.add((*path, *where), sentence, key=about_key)
            return ""
        # text in the place of what was refused
        return self._bounds(path, bounds, "value") or ""

    def _bounds(self, path: KeyPath, row: WrittenBounds, unit: str) -> Bounds | None:
        """Read numbers; ``value`` is a plain number without a unit."""

        def read(key: str, written: Any) -> float:
            return self._amount((*path, key), written, unit)

        def told(number: float) -> str:
            return f"{number:.6g}" if unit == "value" else format_quantity(number, unit)

        if row.within is not None and row.about is None:
            sentence = "belongs to 'about'. Add that, or remove it."
            self._problems.add((*path, "within"), sentence, key=True)
        given = [key for key in _NUMBERS if getattr(row, key) is not None]
        lower: float | None
        upper: float | None
        if given == ["about"]:
            number, factor = read("about", row.about), row.within or ABOUT
            lower, upper = number / factor, number * factor
            text = f"about {told(number)} ({told(lower)} to {told(upper)})"
            return Bounds(lower=lower, upper=upper, text=text)
        if given == ["between"] and row.between is not None:
            lower, upper = (read("between", end) for end in row.between)
            text = f"{told(lower)} to {told(upper)}"
        elif given and set(given) <= {"at_most", "at_least"}:
            lower = read("at_least", row.at_least) if row.at_least is not None else None
            upper = read("at_most", row.at_most) if row.at_most is not None else None
            words = [] if lower is None else [f"at least {told(lower)}"]
            words += [] if upper is None else [f"at most {told(upper)}"]
            text = " and ".join(words)
        else:
            sentence = (
                "numbers are claimed with 'about', with 'at_most' or 'at_least' or "
                "both, or with 'between'. Write one of these."
            )
            self._problems.add(path, sentence)
            return None
        if lower is not None and upper is not None and lower > upper:
            sentence = f"no number is at least {told(lower)} and at most {told(upper)}."
            self._problems.add(path, f"{sentence} Exchange them.")
        return Bounds(lower=lower, upper=upper, text=text)

    def _amount(self, path: KeyPath, written: Any, unit: str) -> float:
        try:
            number = _parsed(written, unit)
        except (ConfigError, OverflowError) as error:
            self._problems.add(path, str(error))
            return 1.0
        if not 0 <= number <= _LARGEST:
            sentence = f"{shown(written)} is out of range. Allowed: 0 to {_LARGEST:g}."
            self._problems.add(path, sentence)
            return 1.0
        return number


def _parsed(written: Any, unit: str) -> float:
    if unit == "s":
        return parse_duration(written)
    if unit == "bytes":
        return parse_bytes(written)
    if isinstance(written, bool) or not isinstance(written, (int, float)):
        msg = f"{shown(written)} is not a number. Write one, without quotes or unit."
        raise ConfigError(msg)
    return float(written)


def _given(row: WrittenSelection | None) -> dict[str, Any]:
    """Return what a selection says, without the metric of a side."""
    if row is None:
        return {}
    exclude = {"metric"} if isinstance(row, WrittenSide) else None
    return row.model_dump(exclude_none=True, exclude=exclude)
