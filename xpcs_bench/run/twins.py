"""Two revisions of the code under test, as two variants of one group.

Every case that yields a number to compare becomes two, the baseline and the candidate,
which take turns as the members of any group do. Values are those of the candidate
alone: the truth that they are held against does not depend on a revision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpcs_bench.config import MeasureName
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.records import Case, Group, Revision, Variant
from xpcs_bench.run.plan import Plan, with_controls

__all__ = ["against_baseline"]

_VALUES: frozenset[MeasureName] = frozenset({"parity"})
"""Measures whose result is right or wrong by itself."""


def against_baseline(plan: Plan) -> Plan:
    """Return the plan that compares two revisions in every case of a plan.

    Raises
    ------
    CannotMeasure
        It holds nothing that could be compared.
    """
    cases: dict[str, Case] = {}
    groups: dict[str, list[Case]] = {}
    memory: dict[str, int] = {}
    for case in plan.cases:
        if case.variant.control:
            continue
        for made in _twins(case):
            cases[made.id] = made
            memory[made.id] = plan.memory_bytes[case.id]
            groups.setdefault(made.group_id, []).append(made)
    if not any(len(members) == 2 for members in groups.values()):
        msg = (
            f"experiment {plan.experiment.name!r}: nothing of it can be compared "
            "between revisions: no case is left that is timed or counted. 'xpcs-bench "
            "plan' shows what is skipped, and why."
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
        memory_bytes=memory,
    )
    return with_controls(compared) if plan.experiment.controls else compared


def _twins(case: Case) -> Iterator[Case]:
    """Yield the baseline and the candidate of a case, or the candidate alone."""
    revisions: tuple[Revision, ...] = ("baseline", "candidate")
    for revision in revisions[1:] if case.measure in _VALUES else revisions:
        # made anew: a copy would bring its cached ids along
        variant = Variant(**case.variant.model_dump() | {"revision": revision})
        yield Case(**case.model_dump() | {"variant": variant})
