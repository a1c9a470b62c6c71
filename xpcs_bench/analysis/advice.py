"""Who is ahead, by how much, and from which call on: the answer of a whole record.

Everything follows from the summary. Variants are compared with the reference of their
group, and so with each other through it; an interval that goes through it combines the
ends of both, and promises less than a comparison of their own would.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from xpcs_bench.analysis.break_even import break_even
from xpcs_bench.analysis.judgement import judge_ratio
from xpcs_bench.config import Converts, Dtype, Matrix
from xpcs_bench.records import (
    Advice,
    Case,
    Estimate,
    Judgement,
    Measurement,
    NotRun,
    ProblemAdvice,
    Ranked,
    RunRecord,
    Status,
    Variant,
)
from xpcs_bench.records.advice import Standing

__all__ = ["advise"]

CACHED = "steady_state"
_IN_TURN = "the two were not sampled in turn, and what is between them is not known."

Key = tuple[str, Dtype, Converts]
"""Problem id, type, and what calls convert."""


def advise(record: RunRecord) -> Advice:
    """Rank the variants of every problem by their cached calls.

    Within each type, and for each way of converting that was asked for.

    Only this project's code as it stands, with the compilation cache off, is ranked: a
    program that asks for a backend gets that.
    """
    told = _Told(record)
    return Advice(
        run_id=record.header.run_id,
        problems=tuple(told.problem(*key) for key in told.asked),
        not_run=tuple(told.losses(told.skipped.keys() - told.cases.keys())),
    )


class _Told:
    """A record, by question and variant."""

    def __init__(self, record: RunRecord) -> None:
        header, summary = record.header, record.summary
        self.cases: dict[str, dict[str, dict[str, Case]]] = {}
        """By problem, variant and measure."""
        for case in header.cases:
            if _ours(case.variant):
                variants = self.cases.setdefault(case.problem_id, {})
                variants.setdefault(case.variant.id, {})[case.measure] = case
        self.estimates = {
            (row.case, row.metric): row.estimate for row in summary.estimates
        }
        self.compared = {
            row.candidate: row for row in summary.comparisons if row.metric == CACHED
        }
        self.references = {
            member: group.reference for group in header.groups for member in group.cases
        }
        self.seen: dict[str, list[Measurement]] = {}
        for row in record.measurements:
            self.seen.setdefault(row.case, []).append(row)
        self.skipped: dict[str, dict[Variant, str]] = {}
        """Reasons by problem and variant."""
        for problem, variant, reason in _skips(record):
            self.skipped.setdefault(problem, {})[variant] = reason

    @property
    def asked(self) -> Iterator[Key]:
        """Questions in the order of the plan, those of which all was skipped last."""
        keys: dict[Key, None] = {}
        for problem, variants in self.cases.items():
            for measures in variants.values():
                if CACHED in measures:
                    own = measures[CACHED].variant
                    keys[problem, own.dtype, own.converts] = None
        for problem in [each for each in self.cases if each in self.skipped]:
            keys |= dict.fromkeys(
                (problem, each.dtype, each.converts) for each in self.skipped[problem]
            )
        yield from keys

    def losses(self, problems: Iterable[str]) -> Iterator[NotRun]:
        """Yield what was skipped of some problems."""
        for problem in sorted(problems):
            for variant, reason in self.skipped.get(problem, {}).items():
                yield NotRun(problem=problem, variant=variant, reason=reason)

    def problem(self, problem: str, dtype: Dtype, converts: Converts) -> ProblemAdvice:
        """Answer one question."""

        def belongs(variant: Variant) -> bool:
            return variant.dtype == dtype and (
                variant.converts == converts or variant.backend == "numpy"
            )

        own = {
            name: measures
            for name, measures in self.cases[problem].items()
            if any(belongs(case.variant) for case in measures.values())
        }
        cached = [row[CACHED] for row in own.values() if CACHED in row]
        known = [case for case in cached if (case.id, CACHED) in self.estimates]
        not_run = [
            NotRun(
                problem=problem,
                variant=case.variant,
                reason=self._failure(own[case.variant.id]),
            )
            for case in cached
            if (case.id, CACHED) not in self.estimates
        ]
        not_run += [loss for loss in self.losses((problem,)) if belongs(loss.variant)]
        example = next(
            case
            for measures in (*own.values(), *self.cases[problem].values())
            for case in measures.values()
        )
        ranked = self._ranked(known, own)
        size = next((case.least_bytes for case in known), None)
        return ProblemAdvice(
            problem=problem,
            kernel=example.kernel,
            params=example.params,
            labels=example.labels,
            detector=example.detector,
            geometry=example.geometry,
            dtype=dtype,
            converts=converts,
            size_bytes=size,
            baseline=_baseline(known).variant.id if known else None,
            ranked=ranked,
            not_run=tuple(not_run),
        )

    def _ranked(
        self, known: Sequence[Case], own: Mapping[str, Mapping[str, Case]]
    ) -> tuple[Ranked, ...]:
        if not known:
            return ()
        baseline = _baseline(known)
        ratios = {
            case.id: self._ratio(case, baseline)[0]
            for case in known
            if case.id != baseline.id
        }

        def place(case: Case) -> float:
            return ratios[case.id].point if case.id in ratios else 1.0

        order = sorted(known, key=place)
        return tuple(
            self._stand(case, baseline, order[0], own[case.variant.id])
            for case in order
        )

    def _stand(
        self, case: Case, baseline: Case, first: Case, measures: Mapping[str, Case]
    ) -> Ranked:
        ratio = judgement = lead = None
        standing: Standing = "first"
        calls = again = None
        why = reason = ""
        if case.id != baseline.id:
            ratio, reason = self._ratio(case, baseline)
            judgement = Judgement.INCONCLUSIVE if reason else judge_ratio(ratio)
            calls, why = self._pays(case, baseline, ratio, reason)
            again, _ = self._pays(case, baseline, ratio, reason, goes_on=True)
        if case.id != first.id:
            lead, doubt = self._ratio(case, first)
            reason = reason or doubt
            standing = "cannot tell" if doubt else _STANDINGS[judge_ratio(lead)]
        return Ranked(
            variant=case.variant,
            compiles=self._compiles(measures),
            cached=self.estimates[case.id, CACHED],
            first_call=self._estimate(case, "first_call"),
            recompile=self._recompile(case),
            ratio=ratio,
            judgement=judgement,
            lead=lead,
            standing=standing,
            reason=reason,
            break_even=calls,
            break_even_reason=why,
            break_even_again=again,
        )

    def _ratio(self, case: Case, baseline: Case) -> tuple[Estimate, str]:
        """Return the ratio of cached calls, and why it may not be judged."""
        reference = self.references.get(case.id)
        above = self.compared.get(case.id)
        below = self.compared.get(baseline.id)
        if above and baseline.id == reference:
            return above.ratio, above.reason
        if below and case.id == reference:
            return _over(None, below.ratio), below.reason
        if above and below:
            reasons = dict.fromkeys(filter(None, (above.reason, below.reason)))
            return _over(above.ratio, below.ratio), " ".join(reasons)
        times = (self.estimates[row.id, CACHED] for row in (case, baseline))
        return _over(*times), _IN_TURN

    def _pays(
        self,
        case: Case,
        baseline: Case,
        ratio: Estimate,
        doubt: str,
        *,
        goes_on: bool = False,
    ) -> tuple[Estimate | None, str]:
        """Return from which call on a case is ahead of the baseline, with a sentence.

        As the break-even calls of the summary, and also for a program that goes on.
        """
        if doubt:
            return None, f"cannot tell: {doubt}"
        own, base = (self._first(row, goes_on=goes_on) for row in (case, baseline))
        if own is None or base is None:
            return None, "not known: first calls were not measured."
        return break_even(base, own, self.estimates[baseline.id, CACHED], ratio)

    def _first(self, case: Case, *, goes_on: bool) -> Estimate | None:
        if not goes_on:
            return self._estimate(case, "first_call")
        if self._compiles(self.cases[case.problem_id][case.variant.id]):
            return self._recompile(case)
        return self.estimates[case.id, CACHED]

    def _recompile(self, case: Case) -> Estimate | None:
        """Return the recompile of its program, which converting does not change."""
        # made anew: a copy would bring its cached id along
        plain = Variant(**case.variant.model_dump() | {"converts": "nothing"})
        own = self.cases[case.problem_id].get(plain.id, {}).get("recompile")
        return self.estimates.get((own.id, "recompile")) if own else None

    def _estimate(self, case: Case, measure: str) -> Estimate | None:
        measures = self.cases[case.problem_id][case.variant.id]
        own = measures.get(measure)
        return self.estimates.get((own.id, measure)) if own else None

    def _compiles(self, measures: Mapping[str, Case]) -> bool:
        """Whether any process traced the kernel: what does not trace has no count."""
        return any(
            row.observation.n_traces is not None
            for case in measures.values()
            for row in self.seen.get(case.id, ())
            if row.observation.status is Status.OK
        )

    def _failure(self, measures: Mapping[str, Case]) -> str:
        """Say why a variant that was to be measured has no time."""
        rows = [
            row.observation
            for case in measures.values()
            for row in self.seen.get(case.id, ())
        ]
        # wrong values in any measure of a variant take its times
        rows.sort(key=lambda seen: seen.status is not Status.PARITY_FAILED)
        for seen in rows:
            if seen.status is not Status.OK:
                status = seen.status.value.replace("_", " ")
                return f"{status}: {seen.reason}"
        return "it was not measured: the run ended before."


_STANDINGS: Mapping[Judgement, Standing] = {
    Judgement.SAME: "same",
    Judgement.SLOWER: "behind",
    Judgement.INCONCLUSIVE: "cannot tell",
    # the first is so by its point: an interval that goes through another variant, or
    # samples of other pairs, may say otherwise
    Judgement.FASTER: "cannot tell",
}


def _ours(variant: Variant) -> bool:
    return (
        variant.implementation == "builtin"
        and not variant.control
        and not variant.revision
        and variant.compilation_cache == "off"
    )


def _baseline(known: Sequence[Case]) -> Case:
    """NumPy where it has a time, else the first of the plan."""
    return next((case for case in known if case.variant.backend == "numpy"), known[0])


def _skips(record: RunRecord) -> Iterator[tuple[str, Variant, str]]:
    """Yield problem, variant and reason of each cached call that was skipped.

    A skip has the id of its case alone: the variants that the matrix names tell where
    the problem in it ends.
    """
    variants = {f"/{each.id}/{CACHED}": each for each in _named(record)}
    for skip in record.header.skipped:
        for ending, variant in variants.items():
            if skip.case.endswith(ending):
                yield skip.case.removesuffix(ending), variant, skip.reason


def _named(record: RunRecord) -> Iterator[Variant]:
    matrix: Matrix = record.header.experiment.matrix
    crossed = itertools.product(
        matrix.backend, matrix.device, matrix.dtype, matrix.converts
    )
    included = (
        (row.backend, row.device, dtype, row.converts or "nothing")
        for row in matrix.include
        if row.backend and row.device
        for dtype in ((row.dtype,) if row.dtype else matrix.dtype)
    )
    for backend, device, dtype, converts in itertools.chain(crossed, included):
        if backend != "numpy" or converts == "nothing":
            yield Variant(
                backend=backend, device=device, dtype=dtype, converts=converts
            )


def _over(above: Estimate | None, below: Estimate) -> Estimate:
    """Divide two estimates, or 1 by one; the ends are the farthest that both allow."""
    top = (above.point, above.lower, above.upper) if above else (1.0, 1.0, 1.0)
    least = min((above or below).n_processes, below.n_processes)
    return Estimate(
        point=top[0] / below.point,
        lower=top[1] / below.upper,
        upper=top[2] / below.lower,
        confidence=below.confidence,
        statistic=f"quotient, ends combined; {below.statistic}",
        n_processes=least,
        n_samples=below.n_samples + (above.n_samples if above else 0),
        unit="x",
    )
