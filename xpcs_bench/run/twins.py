"""Two revisions of the code under test, as two variants of one group.

Every case that yields a number to compare becomes two, the baseline and the candidate,
which take turns as the members of any group do. Values are those of the candidate
alone: the truth that they are held against does not depend on a revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from xpcs_bench.config import MeasureName
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.records import Case, Group, Revision, Skip, Variant
from xpcs_bench.run.plan import Plan, with_controls

__all__ = ["against_baseline"]

_VALUES: frozenset[MeasureName] = frozenset({"parity"})
"""Measures whose result is right or wrong by itself."""
_SHOWN = 3


def against_baseline(plan: Plan, baseline: str, kernels: Mapping[str, str]) -> Plan:
    """Return the plan that compares two revisions in every case of a plan.

    Parameters
    ----------
    baseline : str
        The commit that the candidate is held against, in full.
    kernels : mapping
        Those that the baseline has, each with its version. What it lacks, or means
        otherwise, is skipped with the reason; its values are still checked.

    Raises
    ------
    CannotMeasure
        It holds nothing that could be compared.
    """
    skipped = {skip.case: skip for skip in plan.skipped}
    known = frozenset(skipped)
    cases: dict[str, Case] = {}
    groups: dict[str, list[Case]] = {}
    memory: dict[str, int] = {}
    for case in plan.cases:
        if case.variant.control:
            continue
        for made in _twins(case):
            reason = _one_sided(case, kernels)
            if reason and made.measure not in _VALUES:
                skipped.setdefault(made.id, Skip(case=made.id, reason=reason))
                continue
            cases[made.id] = made
            memory[made.id] = plan.memory_bytes[case.id]
            groups.setdefault(made.group_id, []).append(made)
    if not any(len(members) == 2 for members in groups.values()):
        reasons = dict.fromkeys(
            skip.reason for name, skip in skipped.items() if name not in known
        )
        why = " ".join(list(reasons)[:_SHOWN]) or "no case of it is timed or counted."
        msg = (
            f"experiment {plan.experiment.name!r}: nothing of it can be compared "
            f"between revisions: {why} 'xpcs-bench plan' shows what else is skipped."
        )
        raise CannotMeasure(msg)
    compared = replace(
        plan,
        cases=tuple(cases.values()),
        groups=tuple(
            # the baseline comes first of two
            Group(
                id=name,
                reference=members[0].id,
                cases=tuple(case.id for case in members),
            )
            for name, members in groups.items()
        ),
        skipped=tuple(skipped.values()),
        memory_bytes=memory,
        baseline=baseline,
    )
    return with_controls(compared) if plan.experiment.controls else compared


def _one_sided(case: Case, kernels: Mapping[str, str]) -> str:
    """Say why the baseline has nothing to compare a case with."""
    version = kernels.get(case.kernel)
    if version is None:
        return f"the kernel {case.kernel} is new: the baseline has none of that name."
    if version != case.kernel_version:
        return (
            f"the kernel {case.kernel} means something else: its version is "
            f"{case.kernel_version!r}, and {version!r} in the baseline."
        )
    return ""


def _twins(case: Case) -> Iterator[Case]:
    """Yield the baseline and the candidate of a case, or the candidate alone."""
    revisions: tuple[Revision, ...] = ("baseline", "candidate")
    for revision in revisions[1:] if case.measure in _VALUES else revisions:
        # made anew: a copy would bring its cached ids along
        variant = Variant(**case.variant.model_dump() | {"revision": revision})
        yield Case(**case.model_dump() | {"variant": variant})
