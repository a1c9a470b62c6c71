"""Parity of outputs: structure, shape, type, non-finite pattern, and only then values.

Arrays of 16 million elements are compared piece by piece, so that a check needs no
memory to speak of. What is found is an `Agreement`, whether it passed or not: nothing
in here raises because values differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from xpcs_bench.analysis.ulp import ulp_distance, ulp_error
from xpcs_bench.records import Agreement

__all__ = [
    "SampledTruth",
    "Tolerance",
    "compare",
    "compare_outputs",
    "compare_truth",
    "require_finite",
]

_PIECE = 1 << 17
"""Elements compared at once: the temporaries of a piece stay in the cache."""

_TINIEST = float(np.finfo(np.float64).smallest_subnormal)

Index = tuple[int, ...]


@dataclass(frozen=True)
class Tolerance:
    """How far an output may be from its reference: ``atol + rtol * |desired|``.

    Where ``per`` names another output, atol is counted in the desired values of that
    one: a mean of random draws in standard deviations.
    """

    rtol: float
    atol: float
    reason: str
    """Why this much and no more."""
    per: str | None = None
    """An output of the same shape."""

    def __post_init__(self) -> None:
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if not (math.isfinite(value) and value >= 0):
                msg = (
                    f"{name}={value!r} is not a tolerance. Allowed: a finite number, "
                    "zero or more. A check that cannot fail checks nothing."
                )
                raise ValueError(msg)


class SampledTruth(Protocol):
    """The right value of one element."""

    @property
    def index(self) -> Index:
        """Where it is."""
        ...

    @property
    def value(self) -> Any:
        """An ``mpmath.mpf``, or a Python number that is exact."""
        ...


_EXACT = Tolerance(0.0, 0.0, "Nothing but equality is right.")


def compare(
    output: str,
    actual: ArrayLike,
    desired: ArrayLike,
    tolerance: Tolerance,
    against: str = "reference",
    unit: ArrayLike | None = None,
) -> Agreement:
    """Compare one output with its reference.

    Shape and type must be the same; NaN must meet NaN and an infinity one of its sign;
    signed zeros are equal. Where the type differs the values are still compared, after
    promotion and without ULP, but the check has failed. Differences of integers are
    formed exactly. Where nothing finite was compared ``max_abs`` is None, and the
    reason says so.

    Parameters
    ----------
    unit : array, optional
        What atol is counted in, of the shape of the output, where the tolerance is
        ``per`` another one.

    Raises
    ------
    TypeError
        When an output is neither boolean nor integer nor a real float.
    ValueError
        When the tolerance is per another output and that is not given, or of another
        shape.
    """
    a, d = _comparable(output, actual), _comparable(output, desired)
    units = _units(output, d, tolerance, unit)
    if a.shape != d.shape:
        failure = f"The shape is {a.shape}, expected {d.shape}."
        return _failed(output, against, failure, tolerance, a)
    tally = _Tally()
    for start, piece_a, piece_d in _pieces(a, d):
        part = 1.0 if units is None else units[start : start + piece_a.size]
        tally.add(start, piece_a, piece_d, tolerance, unit=part)
    wrong_type = f"The type is {a.dtype}, expected {d.dtype}." * (a.dtype != d.dtype)
    return tally.verdict(output, against, wrong_type, tolerance, a)


def compare_outputs(
    actual: Mapping[str, ArrayLike],
    desired: Mapping[str, ArrayLike],
    tolerances: Mapping[str, Tolerance],
    against: str = "reference",
) -> tuple[Agreement, ...]:
    """Compare all outputs; one that is missing or not expected fails by name."""
    agreements = []
    for name, right in desired.items():
        if name in actual:
            tolerance = tolerances[name]
            unit = None if tolerance.per is None else desired.get(tolerance.per)
            found = compare(name, actual[name], right, tolerance, against, unit)
        else:
            present = ", ".join(map(repr, actual)) or "none"
            failure = f"The output {name!r} is missing; there are: {present}."
            found = _failed(name, against, failure, tolerances[name])
        agreements.append(found)
    for name in actual:
        if name not in desired:
            failure = f"The output {name!r} is not expected."
            extra = np.asarray(actual[name])
            agreements.append(_failed(name, against, failure, _EXACT, extra))
    return tuple(agreements)


def compare_truth(
    output: str,
    actual: ArrayLike,
    truths: Sequence[SampledTruth],
    tolerance: Tolerance,
    dtype: DTypeLike,
) -> Agreement:
    """Compare sampled elements of one output with the truth.

    Parameters
    ----------
    truths : sequence
        Right values with their index, such as ``xpcs_bench.kernels.Truth``.
    dtype : dtype
        The type that the output must have.

    Raises
    ------
    ValueError
        When the tolerance is per another output, whose truth is not known here.
    """
    _units(output, np.empty(0), tolerance, None)
    a, dtype = _comparable(output, actual), np.dtype(dtype)
    indices = [truth.index for truth in truths]
    values = [truth.value for truth in truths]
    for index in indices:
        inside = len(index) == a.ndim and all(
            0 <= i < n for i, n in zip(index, a.shape, strict=True)
        )
        if not inside:
            failure = f"There is no element {index} in the shape {a.shape}."
            return _failed(output, "truth", failure, tolerance, a)
    found = np.array([a[index] for index in indices], a.dtype)
    right = np.array([float(value) for value in values], np.float64)
    # differences from the truth itself, not from the float nearest to it
    gap = np.array(
        [
            abs(float(value - element.item()))
            if math.isfinite(element) and math.isfinite(float(value))
            else math.nan
            for element, value in zip(found, values, strict=True)
        ]
    )
    ulp = None
    if a.dtype.kind == "f":
        pairs = zip(found, values, strict=True)
        ulp = np.array([ulp_error(element, value, a.dtype) for element, value in pairs])
    tally = _Tally()
    tally.add(0, found, right, tolerance, gap, ulp)
    wrong_type = f"The type is {a.dtype}, expected {dtype}." * (a.dtype != dtype)
    return tally.verdict(output, "truth", wrong_type, tolerance, a, indices)


def require_finite(output: str, actual: ArrayLike) -> Agreement:
    """Check that every element is finite; the worst index is the first that is not."""
    a = _comparable(output, actual)
    n_beyond, first = 0, None
    for start, piece, _ in _pieces(a, a):
        finite = np.isfinite(piece)
        if not finite.all():
            n_beyond += int(np.count_nonzero(~finite))
            first = start + int(finite.argmin()) if first is None else first
    index = None if first is None else _unravel(first, a.shape)
    reason = f"All {a.size} elements are finite."
    if index is not None:
        reason = (
            f"{n_beyond} of {a.size} elements are not finite, "
            f"the first at {index}: {a[index]}."
        )
    return _failed(output, "finite", reason, _EXACT, a).model_copy(
        update={
            "passed": index is None,
            "n_compared": a.size,
            "n_beyond": n_beyond,
            "worst_index": index,
            "actual": None if index is None else float(a[index]),
        }
    )


@dataclass
class _Tally:
    """What has been seen of one output so far."""

    n_compared: int = 0
    """Pairs of finite elements."""
    n_beyond: int = 0
    n_unlike: int = 0
    """Pairs with a non-finite element and another that is not the same."""
    max_abs: float | None = None
    max_rel: float | None = None
    max_ulp: float | None = None
    worst: tuple[int, float, float] | None = None
    """Place, actual and desired of the pair that uses most of what it is allowed."""
    worst_score: float = -1.0
    first_unlike: tuple[int, float, float] | None = None

    def add(
        self,
        start: int,
        actual: NDArray[Any],
        desired: NDArray[Any],
        tolerance: Tolerance,
        gap: NDArray[np.float64] | None = None,
        ulp: NDArray[Any] | None = None,
        unit: NDArray[np.float64] | float = 1.0,
    ) -> None:
        """Take in pairs, the first of which stands at the place `start`."""
        places = np.arange(start, start + actual.size)
        finite = np.isfinite(actual) & np.isfinite(desired)
        if not finite.all():
            self._add_unlike(places, actual, desired, finite)
            places, actual, desired = places[finite], actual[finite], desired[finite]
            gap = None if gap is None else gap[finite]
            ulp = None if ulp is None else ulp[finite]
            unit = unit if isinstance(unit, float) else unit[finite]
        if not actual.size:
            return
        if gap is None:
            gap = _gap(actual, desired)
            if actual.dtype == desired.dtype and actual.dtype.kind == "f":
                ulp = ulp_distance(actual, desired)
        scale = np.abs(desired.astype(np.float64))
        allowed = tolerance.atol * unit + tolerance.rtol * scale
        self.n_compared += gap.size
        self.n_beyond += int(np.count_nonzero(gap > allowed))
        self.max_abs = max(self.max_abs or 0.0, float(gap.max()))
        if ulp is not None:
            self.max_ulp = max(self.max_ulp or 0.0, float(ulp.max()))
        # a quotient may overflow, and then infinity is the right answer
        with np.errstate(over="ignore"):
            nonzero = scale > 0
            if nonzero.any():
                largest = float((gap[nonzero] / scale[nonzero]).max())
                self.max_rel = max(self.max_rel or 0.0, largest)
            exact = tolerance.rtol == tolerance.atol == 0
            score = gap if exact else gap / np.maximum(allowed, _TINIEST)
        i = int(score.argmax())
        if score[i] > self.worst_score:
            self.worst_score = float(score[i])
            self.worst = int(places[i]), float(actual[i]), float(desired[i])

    def _add_unlike(
        self,
        places: NDArray[Any],
        actual: NDArray[Any],
        desired: NDArray[Any],
        finite: NDArray[np.bool_],
    ) -> None:
        alike = (actual == desired) | (np.isnan(actual) & np.isnan(desired))
        unlike = np.flatnonzero(~finite & ~alike)
        self.n_unlike += unlike.size
        self.n_beyond += unlike.size
        if unlike.size and self.first_unlike is None:
            i = unlike[0]
            self.first_unlike = int(places[i]), float(actual[i]), float(desired[i])

    def verdict(
        self,
        output: str,
        against: str,
        wrong_type: str,
        tolerance: Tolerance,
        array: NDArray[Any],
        indices: Sequence[Index] | None = None,
    ) -> Agreement:
        """Conclude; `indices` gives the index of each place where they were sampled."""
        place = self.first_unlike or self.worst
        index = actual = desired = None
        if place is not None:
            at, actual, desired = place
            index = indices[at] if indices is not None else _unravel(at, array.shape)
        sentences = [wrong_type] if wrong_type else []
        limits = f"rtol {tolerance.rtol:g}, atol {tolerance.atol:g}"
        if tolerance.per:
            limits += f" {tolerance.per}"
        if self.n_unlike:
            sentences.append(
                f"{self.n_unlike} elements are not finite where the {against} is, or "
                f"the reverse, the first at {index}: {actual}, expected {desired}."
            )
        elif self.n_beyond:
            sentences.append(
                f"{self.n_beyond} of {self.n_compared} elements are beyond {limits}, "
                f"the worst at {index}: {actual!r}, expected {desired!r}."
            )
        elif not self.n_compared:
            sentences.append("No finite element was there to compare.")
        else:
            sentences.append(
                f"All {self.n_compared} elements are within {limits}; "
                f"the largest error is {self.max_abs:.3g}."
            )
        return Agreement(
            output=output,
            against=against,
            passed=not (wrong_type or self.n_beyond),
            reason=" ".join(sentences),
            shape=array.shape,
            dtype=str(array.dtype),
            n_compared=self.n_compared,
            n_beyond=self.n_beyond,
            max_abs=self.max_abs,
            max_rel=self.max_rel,
            max_ulp=self.max_ulp,
            worst_index=index,
            actual=actual,
            desired=desired,
            rtol=tolerance.rtol,
            atol=tolerance.atol,
            tolerance_reason=tolerance.reason,
        )


def _failed(
    output: str,
    against: str,
    reason: str,
    tolerance: Tolerance,
    array: NDArray[Any] | None = None,
) -> Agreement:
    """Make the agreement of an output whose values were not compared."""
    return Agreement(
        output=output,
        against=against,
        passed=False,
        reason=reason,
        shape=() if array is None else array.shape,
        dtype="none" if array is None else str(array.dtype),
        n_compared=0,
        n_beyond=0,
        max_abs=None,
        max_rel=None,
        max_ulp=None,
        worst_index=None,
        actual=None,
        desired=None,
        rtol=tolerance.rtol,
        atol=tolerance.atol,
        tolerance_reason=tolerance.reason,
    )


def _comparable(output: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        msg = (
            f"output {output!r} has the type {array.dtype}, which cannot be compared. "
            "Allowed: booleans, integers and real floats. Convert it before the check."
        )
        raise TypeError(msg)
    return array


def _pieces(
    a: NDArray[Any], d: NDArray[Any]
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Walk two arrays of one shape in C order; yields the first place of each piece."""
    walk = np.nditer(
        [a, d],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly"], ["readonly"]],
        order="C",
        buffersize=_PIECE,
    )
    start = 0
    for piece_a, piece_d in walk:
        yield start, piece_a, piece_d
        start += piece_a.size


def _units(
    output: str, desired: NDArray[Any], tolerance: Tolerance, unit: ArrayLike | None
) -> NDArray[np.float64] | None:
    """Return what atol is counted in, in C order; None where it is a number."""
    if tolerance.per is None:
        return None
    units = None if unit is None else np.asarray(unit, np.float64)
    if units is None or units.shape != desired.shape or not (units >= 0).all():
        found = "nothing" if units is None else f"{units.shape}"
        msg = (
            f"the tolerance of {output!r} is per {tolerance.per!r}, which must be "
            f"there, of the shape {desired.shape} and not negative; there is: {found}. "
            "Correct the kernel's tolerance() or reference()."
        )
        raise ValueError(msg)
    return units.ravel()


def _gap(a: NDArray[Any], d: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``|a - d|``: exact for integers, infinite where floats overflow."""
    if a.dtype == d.dtype and a.dtype.kind in "iu":
        unsigned = np.dtype(f"u{a.dtype.itemsize}")
        # modulo 2**bits, which no difference of two integers of that type exceeds
        high = np.maximum(a, d).astype(unsigned)
        return np.asarray(high - np.minimum(a, d).astype(unsigned), np.float64)
    with np.errstate(over="ignore"):
        return np.abs(a.astype(np.float64) - d.astype(np.float64))


def _unravel(place: int, shape: Index) -> Index:
    return tuple(map(int, np.unravel_index(place, shape)))
