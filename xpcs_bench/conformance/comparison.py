"""Two answers and the truth side by side, and in which aspects they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.analysis.ulp import NOT_COMPARABLE, ulp_distance, ulp_size
from xpcs_bench.conformance.findings import Aspect, Worst
from xpcs_bench.conformance.probe import Call
from xpcs_bench.conformance.truth import error_ulp, nearest

__all__ = ["LIMIT_ULP", "Answer", "Comparison", "Gap", "Refusal", "compare"]

LIMIT_ULP = {"float16": 6.0, "float32": 6.0, "float64": 4.0}
"""ULP that two implementations may lie apart, or from the truth, without a reason."""

TRUTH = "truth"


@dataclass(frozen=True)
class Refusal:
    """What a backend raised instead of answering."""

    error: Exception


@dataclass(frozen=True)
class Answer:
    """What a backend returned, taken apart."""

    structure: str
    """Nesting of the leaves: ``(*, (*, *))``."""
    leaves: tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Gap:
    """One aspect in which two of the three differ."""

    aspect: Aspect
    between: tuple[str, str]
    detail: str
    ulp: float | None = None


@dataclass
class Comparison:
    """What was seen in one call."""

    n_inputs: int = 0
    max_ulp: float | None = None
    errors_ulp: dict[str, float] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    worst: Worst | None = None
    worst_ulp: float = -1.0

    def note(self, ulp: float, worst: Worst) -> None:
        """Keep the element that is furthest off."""
        if ulp > self.worst_ulp:
            self.worst_ulp, self.worst = ulp, worst


def compare(
    call: Call,
    answers: Mapping[str, Answer | Refusal],
    truth: Any = None,
    scale: Any = None,
) -> Comparison:
    """Compare the answers of two backends to one call, and each with the truth.

    Parameters
    ----------
    answers : mapping
        Backend to answer, the reference first.
    truth : object array, tuple of them, or None
        Exact numbers; None where they are not known.
    scale : object array or None
        Magnitude of the terms of each element, in whose ULP errors are counted.
    """
    seen = Comparison()
    seen.gaps += _refusal_gaps(call, answers)
    given = {name: a for name, a in answers.items() if isinstance(a, Answer)}
    if call.refused is not None:
        # a refusal is the answer that was compared
        seen.n_inputs = len(answers) - len(given)
        return seen
    truths = truth if isinstance(truth, tuple) else (truth,)
    for name, answer in given.items():
        seen.n_inputs = max(seen.n_inputs, sum(leaf.size for leaf in answer.leaves))
        for leaf, right in zip(answer.leaves, truths, strict=False):
            if right is not None:
                _against_truth(seen, call, name, leaf, right, scale)
    if len(given) == 2:
        (first, one), (second, other) = given.items()
        between = (first, second)
        if one.structure != other.structure:
            detail = f"{one.structure} and {other.structure}"
            seen.gaps.append(Gap("structure", between, detail))
            return seen
        for left, right in zip(one.leaves, other.leaves, strict=True):
            _against_each_other(seen, call, between, left, right, scale)
    return seen


def _refusal_gaps(call: Call, answers: Mapping[str, Answer | Refusal]) -> Iterator[Gap]:
    wanted = call.refused
    expected = f"raise {wanted.__name__}" if wanted else "answer"
    for name, answer in answers.items():
        if isinstance(answer, Refusal):
            if wanted is None or not isinstance(answer.error, wanted):
                first = str(answer.error).partition("\n")[0][:100]
                detail = f"{name}: {type(answer.error).__name__}: {first}"
                yield Gap("raises", (name, f"must {expected}"), detail)
        elif wanted is not None:
            detail = f"{name} answered {_shown(answer.leaves)}"
            yield Gap("raises", (name, f"must {expected}"), detail)


def _against_truth(
    seen: Comparison,
    call: Call,
    name: str,
    leaf: NDArray[Any],
    truth: NDArray[Any],
    scale: NDArray[Any] | None,
) -> None:
    between = (name, TRUTH)
    if leaf.shape != truth.shape:
        detail = f"shape {leaf.shape}, expected {truth.shape}"
        seen.gaps.append(Gap("structure", between, detail))
        return
    known = [i for i in np.ndindex(truth.shape) if truth[i] is not None]
    if leaf.dtype.kind != "f":
        wrong = [i for i in known if leaf[i] != truth[i]]
        if wrong:
            where = _place(
                call, wrong[0], {name: leaf[wrong[0]], TRUTH: truth[wrong[0]]}
            )
            seen.note(np.inf, where)
            seen.gaps.append(Gap("value", between, _counted(wrong, truth, where)))
        return
    flushed = [i for i in known if _is_flushed(leaf[i], truth[i], leaf.dtype)]
    if flushed:
        where = _place(
            call, flushed[0], {name: leaf[flushed[0]], TRUTH: truth[flushed[0]]}
        )
        seen.gaps.append(Gap("subnormal", between, _counted(flushed, truth, where)))
    errors = {
        i: _relaxed(
            error_ulp(leaf[i], truth[i], leaf.dtype), truth, scale, i, leaf.dtype
        )
        for i in known
        if i not in set(flushed)
    }
    unlike = [i for i, error in errors.items() if not np.isfinite(error)]
    if unlike:
        where = _place(
            call, unlike[0], {name: leaf[unlike[0]], TRUTH: truth[unlike[0]]}
        )
        seen.note(np.inf, where)
        seen.gaps.append(Gap("pattern", between, _counted(unlike, truth, where)))
    finite = {i: error for i, error in errors.items() if np.isfinite(error)}
    if not finite:
        return
    worst = max(finite, key=lambda i: finite[i])
    where = _place(call, worst, {name: leaf[worst], TRUTH: truth[worst]})
    seen.note(finite[worst], where)
    seen.errors_ulp[name] = max(seen.errors_ulp.get(name, 0.0), finite[worst])
    if finite[worst] > LIMIT_ULP[leaf.dtype.name]:
        beyond = [i for i, e in finite.items() if e > LIMIT_ULP[leaf.dtype.name]]
        detail = _counted(beyond, truth, where)
        seen.gaps.append(Gap("value", between, detail, finite[worst]))


def _against_each_other(
    seen: Comparison,
    call: Call,
    between: tuple[str, str],
    one: NDArray[Any],
    other: NDArray[Any],
    scale: NDArray[Any] | None,
) -> None:
    if one.shape != other.shape:
        detail = f"shapes {one.shape} and {other.shape}"
        seen.gaps.append(Gap("structure", between, detail))
        return
    if one.dtype != other.dtype:
        seen.gaps.append(Gap("dtype", between, f"{one.dtype} and {other.dtype}"))
        one, other = _commonly_typed(one, other)

    def place(index: tuple[int, ...]) -> Worst:
        values = dict(zip(between, (one[index], other[index]), strict=True))
        return _place(call, index, values)

    if one.dtype.kind != "f":
        wrong = _indices(one != other)
        if wrong:
            seen.note(np.inf, place(wrong[0]))
            detail = _counted(wrong, one, place(wrong[0]))
            seen.gaps.append(Gap("value", between, detail))
        return
    distance = ulp_distance(one, other)
    unlike = _indices(distance == NOT_COMPARABLE)
    if unlike:
        seen.note(np.inf, place(unlike[0]))
        detail = _counted(unlike, one, place(unlike[0]))
        seen.gaps.append(Gap("pattern", between, detail))
    zeros = (one == 0) & (other == 0)
    signs = _indices(zeros & (np.signbit(one) != np.signbit(other)))
    if signs:
        detail = _counted(signs, one, place(signs[0]))
        seen.gaps.append(Gap("zero sign", between, detail))
    flushed = _flushed(one, other)
    if flushed.any():
        places = _indices(flushed)
        detail = _counted(places, one, place(places[0]))
        seen.gaps.append(Gap("subnormal", between, detail))
    distance = np.where((distance == NOT_COMPARABLE) | flushed, 0.0, distance)
    if not distance.size:
        return
    if scale is not None and scale.shape == one.shape:
        for i in _indices(distance > 0):
            distance[i] = _relaxed(distance[i], one, scale, i, one.dtype)
    worst = tuple(map(int, np.unravel_index(int(distance.argmax()), distance.shape)))
    largest = float(distance[worst])
    seen.max_ulp = max(seen.max_ulp or 0.0, largest)
    seen.note(largest, place(worst))
    limit = LIMIT_ULP[one.dtype.name]
    if largest > limit:
        detail = _counted(_indices(distance > limit), one, place(worst))
        seen.gaps.append(Gap("value", between, detail, largest))


def _is_flushed(actual: Any, truth: Any, dtype: np.dtype[Any]) -> bool:
    """Whether it is zero where a subnormal number is right."""
    right = abs(nearest(truth, dtype))
    return bool(actual == 0) and 0 < right < float(np.finfo(dtype).tiny)


def _flushed(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Where one is zero and the other subnormal."""
    tiny = np.finfo(one.dtype).tiny
    small = (np.abs(one) < tiny) & (np.abs(other) < tiny)
    return np.asarray(small & ((one == 0) != (other == 0)))


def _relaxed(
    ulp: float, right: Any, scale: Any, index: tuple[int, ...], dtype: np.dtype[Any]
) -> float:
    """Count an error in ULP of the terms instead of ULP of their sum."""
    if scale is None or scale.shape != np.shape(right) or scale[index] is None:
        return float(ulp)
    terms, total = float(scale[index]), float(right[index])
    if not (np.isfinite(terms) and np.isfinite(total)):
        return float(ulp)
    return (
        float(ulp)
        * ulp_size(total, dtype)
        / max(ulp_size(terms, dtype), ulp_size(total, dtype))
    )


def _commonly_typed(
    one: NDArray[Any], other: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bring both to the narrower float type, or two whole numbers to one type."""
    kinds = one.dtype.kind + other.dtype.kind
    if kinds == "ff":
        common = min(one.dtype, other.dtype, key=lambda dtype: dtype.itemsize)
    else:
        common = np.result_type(one, other)
    with np.errstate(over="ignore"):
        return one.astype(common), other.astype(common)


def _indices(where: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    return [tuple(map(int, index)) for index in np.argwhere(where)]


def _counted(indices: list[Any], array: NDArray[Any], example: Worst) -> str:
    answers = ", ".join(f"{name} {value}" for name, value in example.answers.items())
    of = f"{len(indices)} of {array.size}"
    return f"{of}, such as {example.arguments}: {answers}"


def _place(call: Call, index: tuple[int, ...], answers: Mapping[str, Any]) -> Worst:
    """Describe one element; the arguments beside it where they have its shape."""
    given = [arg for arg in call.args if not callable(arg)]  # a program has no value
    shape_known = [arg for arg in given if np.ndim(arg) and hasattr(arg, "shape")]
    same = [arg for arg in shape_known if len(index) == arg.ndim]
    if shape_known and len(same) == len(shape_known) and _inside(index, same):
        arguments = ", ".join(
            _number(arg[index]) if np.ndim(arg) else _number(arg) for arg in given
        )
    elif len(given) == 1 and np.ndim(given[0]) == 0:
        arguments = _number(given[0])
    else:
        arguments = f"element {index}"
    return Worst(
        inputs=call.inputs,
        arguments=arguments,
        answers={name: _number(value) for name, value in answers.items()},
    )


def _inside(index: tuple[int, ...], arrays: list[Any]) -> bool:
    return all(
        all(i < n for i, n in zip(index, array.shape, strict=True)) for array in arrays
    )


def _number(value: Any) -> str:
    """Write a number with as many digits as tell it from its neighbours."""
    if hasattr(value, "_mpf_"):
        return str(float(value))
    return str(value) if np.ndim(value) == 0 else f"array {np.shape(value)}"


def _shown(leaves: tuple[NDArray[Any], ...]) -> str:
    return ", ".join(f"{leaf.dtype} {leaf.shape}" for leaf in leaves)
