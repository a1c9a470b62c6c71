"""Which backend pays for a kernel, a size and a number of calls: a file of evidence.

``xpcs-bench advise`` writes it from a run; a program that has many sizes and kernels
reads it and asks. The file holds measured times and nothing else: what to choose is
worked out when it is asked, for the calls that are expected and the devices that are
visible. Size is what goes into a call and comes out of it (bytes), since that is what
a caller knows of a kernel without knowing it.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import json
import math
import platform
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from xpcs_bench.backends.choice import Choice, Expected, Place
from xpcs_bench.backends.cost_curve import CostCurve, Seconds
from xpcs_bench.backends.processor import processor_name, usable_cores
from xpcs_bench.backends.visibility import is_visible
from xpcs_bench.config import Converts
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError

__all__ = [
    "POLICY_VERSION",
    "Candidate",
    "Circumstances",
    "Lost",
    "Point",
    "Policy",
    "Series",
    "Visible",
    "load_policy",
]

POLICY_VERSION = 1
"""Raised when a reader of the version before could misread a policy."""
_COMPARED = ("numpy", "jax", "jaxlib")
"""Libraries whose version decides the times; the record of a policy may name more."""

_Kind = tuple[str, Converts, str | None]
"""Type, what calls convert, and the kind of geometry, where one is named."""


class Candidate(ConfinedModel):
    """What one backend on one device took (s)."""

    backend: str
    device: str
    compiles: bool
    """Whether a first call holds a compilation; else a program that goes on pays for
    it no more than for any other call."""
    first_call_s: Seconds | None
    """First call of a fresh process, the start of the compiler in it; None: not
    measured."""
    recompile_s: Seconds | None
    """First call of a further shape in a program that has compiled before; None: not
    measured, or nothing is compiled."""
    cached_s: Seconds
    """Every further call."""
    judgement: Literal["baseline", "faster", "same", "slower", "inconclusive"]
    """Its cached call against that of the baseline, in the run that it is from."""

    @property
    def place(self) -> Place:
        """Backend and device."""
        return self.backend, self.device


class Point(ConfinedModel):
    """One problem that was measured."""

    size_bytes: int
    """Inputs and outputs of a call together."""
    numbers: dict[str, int | float]
    """Its parameters that are numbers: they say how much is computed."""
    detector: str | None
    shape: tuple[int, int] | None
    """Of the detector: rows, columns."""
    candidates: tuple[Candidate, ...]


class Series(ConfinedModel):
    """One computation over sizes, the smallest first."""

    kernel: str
    params: dict[str, Any]
    """Its parameters that are no numbers: they say what is computed."""
    geometry: str | None
    """Kind: ``transmission``, ``reflection``."""
    dtype: str
    converts: Converts = "nothing"
    """What every call carries between NumPy's arrays and the backend's."""
    points: tuple[Point, ...]


class Visible(ConfinedModel):
    """A device that a backend saw when it was measured."""

    backend: str
    platform: str
    name: str


class Circumstances(ConfinedModel):
    """Of what machine and software the times are."""

    cpu: str
    cores: int
    """That a process could use."""
    python: str
    packages: dict[str, str]
    """Distribution to version."""
    devices: tuple[Visible, ...]


class Lost(ConfinedModel):
    """What was asked for and has no time here."""

    backend: str
    device: str
    dtype: str
    reason: str
    problems: int
    """Of how many problems."""


class Policy(ConfinedModel):
    """Measured times by kernel and size, and of what machine they are."""

    schema_version: Literal[1]
    run_id: str
    """Run that it was made of."""
    xpcs_bench: str
    """Version of this package that measured."""
    circumstances: Circumstances
    series: tuple[Series, ...]
    lost: tuple[Lost, ...] = ()

    @cached_property
    def places(self) -> frozenset[Place]:
        """All backends and devices that have a time."""
        return frozenset(
            candidate.place
            for row in self.series
            for point in row.points
            for candidate in point.candidates
        )

    def choose(
        self,
        kernel: str,
        size: int,
        *,
        calls: int = 1,
        params: Mapping[str, Any] | None = None,
        geometry: str | None = None,
        dtype: str = "float64",
        converts: Converts = "nothing",
        devices: Collection[Place] | None = None,
        compiled: Collection[str] = (),
        fresh: bool = False,
    ) -> Choice | None:
        """Choose what takes the least time for so many calls of one shape.

        n calls cost what the first costs and n - 1 cached calls. Between sizes that
        were measured, times are interpolated in the logarithms of both; a size below
        the smallest has its times; above the largest a cached call grows in proportion
        to the size, and what the first call costs beyond it stays. Where several
        series fit what is asked, the geometric mean of theirs counts.

        Parameters
        ----------
        kernel
            Name as in a configuration.
        size
            What goes into a call and comes out of it (bytes).
        calls
            How many are expected, of this one shape and type.
        params
            Parameters of the kernel that are known. Series with another word or switch
            are left out; points with the same numbers are preferred.
        geometry
            ``transmission`` or ``reflection``; None: either.
        converts
            Whether every call is given NumPy's arrays (``input``), returns them
            (``output``), or ``both``: a run measures what ``matrix.converts`` names.
        devices
            Pairs of backend and device that may be chosen; None: all that are visible
            to this process.
        compiled
            Backends that have compiled this kernel for this shape in this process: all
            their calls are cached ones.
        fresh
            Whether the process ends after these calls. The first call then holds the
            start of the compiler too; a program that goes on pays for that once.

        Returns
        -------
        Choice or None
            None: the policy says nothing of it.

        Raises
        ------
        ConfigError
            Calls or size are no positive number, or the kernel has no such parameter.
        """
        if not (calls >= 1 and size >= 1):
            msg = (
                f"calls={calls!r}, size={size!r}: both are counted, calls of one shape "
                "and bytes that go in and come out. Give 1 or more of each."
            )
            raise ConfigError(msg)
        at = math.log(size)
        found = []
        for place, curves in self._curves(
            kernel, (dtype, converts, geometry), params or {}
        ):
            backend, device = place
            if is_visible(backend, device) if devices is None else place in devices:
                ready = backend in compiled
                seconds, measured = _mean(curves, at, calls, ready=ready, fresh=fresh)
                found.append(Expected(backend, device, seconds, measured))
        if not found:
            return None
        found.sort(key=_cheapest)
        return Choice(kernel, size, calls, fresh, tuple(found))

    def differences(self) -> tuple[str, ...]:
        """Say in what this machine and its software differ from those of the policy."""
        made = self.circumstances
        here = {"processor": processor_name(), "cores": str(len(usable_cores()))}
        there = {"processor": made.cpu, "cores": str(made.cores)}
        here["python"] = ".".join(platform.python_version_tuple()[:2])
        there["python"] = ".".join(made.python.split(".")[:2])
        for name in _COMPARED:
            if name in made.packages:
                here[name] = _version(name)
                there[name] = made.packages[name]
        return tuple(
            f"{name}: {there[name]!r} there, {here[name]!r} here"
            for name in there
            if there[name] != here[name]
        )

    @cached_property
    def _known(self) -> dict[Any, tuple[tuple[Place, tuple[CostCurve, ...]], ...]]:
        """Curves by what was asked, as it is asked: an answer takes microseconds."""
        return {}

    def _curves(
        self,
        kernel: str,
        kind: _Kind,
        params: Mapping[str, Any],
    ) -> tuple[tuple[Place, tuple[CostCurve, ...]], ...]:
        asked = (kernel, kind, repr(params) if params else "")
        known = self._known.get(asked)
        if known is None:
            fitting = list(self._fitting(kernel, kind, params))
            by_place: dict[Place, list[CostCurve]] = {}
            for points in fitting:
                for place in dict.fromkeys(
                    candidate.place
                    for point in points
                    for candidate in point.candidates
                ):
                    by_place.setdefault(place, []).append(_curve(points, place))
            known = tuple((place, tuple(rows)) for place, rows in by_place.items())
            self._known[asked] = known
        return known

    def _fitting(
        self,
        kernel: str,
        kind: _Kind,
        params: Mapping[str, Any],
    ) -> Iterator[list[Point]]:
        """Yield the points of every series that fits."""
        own = [row for row in self.series if row.kernel == kernel]
        if own:
            _refuse_unknown(kernel, own, params)
        for row in own:
            if (row.dtype, row.converts) != kind[:2] or kind[2] not in {
                None,
                row.geometry,
            }:
                continue
            if any(
                row.params.get(key, value) != value for key, value in params.items()
            ):
                continue
            same = [
                point
                for point in row.points
                if all(
                    point.numbers.get(key, value) == value
                    for key, value in params.items()
                )
            ]
            yield same or list(row.points)


def _cheapest(expected: Expected) -> float:
    return expected.seconds.point


def _refuse_unknown(
    kernel: str, series: list[Series], params: Mapping[str, Any]
) -> None:
    known = {key for row in series for key in (*row.params, *row.points[0].numbers)}
    for key in params:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            msg = (
                f"params: the kernel {kernel!r} has no parameter {key!r}.{hint} "
                f"Allowed: {', '.join(sorted(known))}."
            )
            raise ConfigError(msg)


def _curve(points: list[Point], place: Place) -> CostCurve:
    return CostCurve(
        (point.size_bytes, *_times(candidate))
        for point in points
        for candidate in point.candidates
        if candidate.place == place
    )


def _times(candidate: Candidate) -> tuple[Seconds, Seconds, Seconds]:
    """Return the first call in a fresh process and in one that goes on, and cached.

    What was not measured is taken from what was: a first call of a fresh process is
    the most that one of a later shape can be.
    """
    cached = candidate.cached_s
    first = candidate.first_call_s or candidate.recompile_s or cached
    again = (candidate.recompile_s or first) if candidate.compiles else cached
    return first, again, cached


def _mean(
    curves: tuple[CostCurve, ...], at: float, calls: int, *, ready: bool, fresh: bool
) -> tuple[Seconds, bool]:
    if len(curves) == 1:
        return curves[0].total(at, calls, ready=ready, fresh=fresh)
    totals = [curve.total(at, calls, ready=ready, fresh=fresh) for curve in curves]
    ends = zip(*(seconds for seconds, _ in totals), strict=True)
    means = (math.exp(math.fsum(map(math.log, end)) / len(end)) for end in ends)
    return Seconds(*means), all(measured for _, measured in totals)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def load_policy(path: str | Path) -> Policy:
    """Read a policy that ``xpcs-bench advise`` wrote.

    Raises
    ------
    ConfigError
        There is none, it is damaged, or another version wrote it.
    """
    again = "Write one with 'xpcs-bench advise RUN --policy FILE'."
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        version = content["schema_version"]
    except OSError as error:
        msg = f"{path}: the policy cannot be read ({error.strerror}). {again}"
        raise ConfigError(msg) from error
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: is no policy ({type(error).__name__}: {error}). {again}"
        raise ConfigError(msg) from error
    if version != POLICY_VERSION:
        msg = (
            f"{path}: schema version {version!r}; this program reads {POLICY_VERSION}. "
            f"Use the xpcs_bench that wrote it. {again}"
        )
        raise ConfigError(msg)
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        msg = (
            f"{path}: /{where}: {first['msg']}. A policy holds what was measured and "
            f"is not edited. {again}"
        )
        raise ConfigError(msg) from error
