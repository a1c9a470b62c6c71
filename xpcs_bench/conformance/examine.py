"""Ask two backends the same, and judge every difference by the list of known ones."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.conformance.comparison import (
    Answer,
    Comparison,
    Gap,
    Refusal,
    compare,
)
from xpcs_bench.conformance.differences import DIFFERENCES
from xpcs_bench.conformance.findings import (
    Difference,
    Discrepancy,
    Examination,
    Finding,
    Stale,
)
from xpcs_bench.conformance.hard_inputs import ALL
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.probes import PROBES

__all__ = ["ask", "examine", "examine_calls"]


def examine(
    reference: BackendProtocol,
    candidate: BackendProtocol,
    methods: Sequence[str] | None = None,
    dtypes: Sequence[str] = ALL,
    probes: Mapping[str, Sequence[Probe]] = PROBES,
    differences: Sequence[Difference] = DIFFERENCES,
) -> Examination:
    """Examine methods of two backends with every dtype of their probes.

    Parameters
    ----------
    methods : sequence, optional
        Names; all that have a probe when left out.
    dtypes : sequence, optional
        Types of inputs; of these, a method is examined with those of its probe.
    """
    findings = tuple(
        examine_calls(
            (reference, candidate),
            category,
            probe,
            dtype,
            probe.calls(dtype),
            differences,
        )
        for category, rows in probes.items()
        for probe in rows
        if methods is None or probe.method in methods
        for dtype in probe.dtypes
        if dtype in dtypes
    )
    return Examination(
        backends=(reference.name, candidate.name),
        findings=findings,
        stale=tuple(_stale(findings, differences)),
        differences=tuple(differences),
    )


def examine_calls(
    backends: tuple[BackendProtocol, BackendProtocol],
    category: str,
    probe: Probe,
    dtype: str,
    calls: Iterable[Call],
    differences: Sequence[Difference] = DIFFERENCES,
) -> Finding:
    """Examine one method with calls on inputs of one dtype."""
    names = tuple(backend.name for backend in backends)
    missing = [b.name for b in backends if not hasattr(b, probe.method)]
    tally = _Tally(probe.method, dtype, differences)
    for call in () if missing else calls:
        answers = {backend.name: ask(backend, probe, call) for backend in backends}
        truth = scale = None
        if probe.truth and call.refused is None:
            truth = probe.truth(*call.args, **call.options)
        if probe.scale and call.refused is None:
            scale = probe.scale(*call.args, **call.options)
        tally.add(call, compare(call, answers, truth, scale))
    if missing:
        gap = Gap("raises", (missing[0], "must answer"), f"{missing[0]} has no method")
        tally.discrepancies.append(tally.judge("none", gap))
    return tally.conclude(category, names)


def ask(backend: BackendProtocol, probe: Probe, call: Call) -> Answer | Refusal:
    """Let a backend answer a call; an exception is an answer too."""
    options = {name: _handed(backend, v, probe) for name, v in call.options.items()}
    args = [_handed(backend, arg, probe) for arg in call.args]
    # what a backend warns of besides answering is not part of the answer
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            if probe.perform is not None:
                result = probe.perform(backend, *args, **options)
            else:
                result = getattr(backend, probe.method)(*args, **options)
            return _taken_apart(backend, result)
        except Exception as error:  # noqa: BLE001 (which one it is, is the answer)
            return Refusal(error)


def _handed(backend: BackendProtocol, value: Any, probe: Probe) -> Any:
    """Make arrays in a tree the backend's own, and leave gaps where gaps were."""
    if isinstance(value, (list, tuple)):
        return type(value)(_handed(backend, item, probe) for item in value)
    if isinstance(value, dict):
        return {key: _handed(backend, item, probe) for key, item in value.items()}
    if not isinstance(value, np.ndarray) or probe.raw:
        return value
    if value.flags.c_contiguous:
        return backend.from_numpy(value)
    return backend.from_numpy(np.repeat(value, 2, axis=-1))[..., ::2]


def _taken_apart(backend: BackendProtocol, result: Any) -> Answer:
    leaves: list[Any] = []

    def structure(value: Any) -> str:
        if value is None:
            return "None"
        if isinstance(value, (list, tuple)):
            return f"({', '.join(map(structure, value))})"
        if isinstance(value, dict):
            parts = (f"{key}: {structure(value[key])}" for key in sorted(value))
            return f"{{{', '.join(parts)}}}"
        leaves.append(np.asarray(backend.to_numpy(value)))
        return "*"

    return Answer(structure(result), tuple(leaves))


class _Tally:
    """What has been seen of one method with one dtype so far."""

    def __init__(
        self, method: str, dtype: str, differences: Sequence[Difference]
    ) -> None:
        self.method, self.dtype = method, dtype
        self._known = [
            row for row in differences if method in row.methods and dtype in row.dtypes
        ]
        self.n_calls = 0
        self.seen = Comparison()
        self.discrepancies: list[Discrepancy] = []

    def judge(self, inputs: str, gap: Gap) -> Discrepancy:
        """Look a gap up in the list of known differences."""
        explained = next(
            (row.name for row in self._known if _explains(row, inputs, gap)), None
        )
        return Discrepancy(
            aspect=gap.aspect,
            between=gap.between,
            inputs=inputs,
            detail=gap.detail,
            ulp=gap.ulp,
            difference=explained,
        )

    def add(self, call: Call, found: Comparison) -> None:
        """Take in what was seen in one call."""
        self.n_calls += 1
        self.seen.n_inputs += found.n_inputs
        judged = [self.judge(call.inputs, gap) for gap in found.gaps]
        self.discrepancies += judged
        beyond = {
            row.name
            for row in self._known
            if "value" in row.aspects and not row.limit_ulp
        }
        if any(d.aspect == "value" and d.difference in beyond for d in judged):
            return  # such inputs would be all that the largest distance says
        if found.max_ulp is not None:
            self.seen.max_ulp = max(self.seen.max_ulp or 0.0, found.max_ulp)
        for name, error in found.errors_ulp.items():
            self.seen.errors_ulp[name] = max(self.seen.errors_ulp.get(name, 0.0), error)
        if found.worst is not None:
            self.seen.note(found.worst_ulp, found.worst)

    def conclude(self, category: str, names: Sequence[str]) -> Finding:
        """Return the finding."""
        found = self.discrepancies
        unexplained = [d for d in found if d.difference is None]
        explained = list(dict.fromkeys(d.difference for d in found if d.difference))
        if unexplained:
            first = unexplained[0]
            reason = (
                f"{len(unexplained)} unexplained, first in {first.aspect} on inputs "
                f"{first.inputs!r} between {' and '.join(first.between)}: "
                f"{first.detail}."
            )
        elif not self.seen.n_inputs:
            reason = "Nothing was compared."
        else:
            reason = f"Known: {', '.join(explained)}." if explained else ""
        verdict = (
            "fail"
            if unexplained
            else "skip"
            if not self.seen.n_inputs
            else "known"
            if explained
            else "pass"
        )
        same_dtype = all(d.aspect != "dtype" for d in found)
        # in ULP of unlike types, the narrower would always look nearer
        nearer = _nearer(self.seen.errors_ulp, names) if same_dtype else None
        return Finding(
            method=self.method,
            category=category,
            dtype=self.dtype,
            n_calls=self.n_calls,
            n_inputs=self.seen.n_inputs,
            max_ulp=self.seen.max_ulp,
            errors_ulp=self.seen.errors_ulp,
            nearer=nearer,
            same_dtype=same_dtype,
            same_structure=all(d.aspect != "structure" for d in found),
            verdict=verdict,
            reason=reason,
            worst=self.seen.worst,
            discrepancies=tuple(found),
        )


def _explains(row: Difference, inputs: str, gap: Gap) -> bool:
    if gap.aspect not in row.aspects:
        return False
    if row.inputs and not any(fnmatch.fnmatch(inputs, one) for one in row.inputs):
        return False
    return row.limit_ulp is None or gap.ulp is None or gap.ulp <= row.limit_ulp


def _nearer(errors: Mapping[str, float], names: Sequence[str]) -> str | None:
    if len(errors) < len(names):
        return None
    smallest = min(errors.values())
    nearest = [name for name in names if errors[name] == smallest]
    return nearest[0] if len(nearest) == 1 else "equal"


def _stale(
    findings: Sequence[Finding], differences: Sequence[Difference]
) -> Iterator[Stale]:
    """Find rows that no examined dtype of a method shows any more."""
    examined = {found.method for found in findings}
    shown = {
        (d.difference, found.method) for found in findings for d in found.discrepancies
    }
    for row in differences:
        for method in row.methods:
            if method in examined and (row.name, method) not in shown:
                yield Stale(difference=row.name, method=method)
