"""Whether the variants compute the same, and if not, who is off and by how much."""

from __future__ import annotations

import math
from collections import defaultdict

from xpcs_bench.config import MEASURES
from xpcs_bench.records import Agreement, Case
from xpcs_bench.report.cells import (
    Cell,
    Line,
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    count,
    joined,
    line,
    number,
    problem_id,
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]

Key = tuple[str, str, str]
"""Variant id, output, and what it was compared with."""


def describe(evidence: Evidence) -> Section:
    """List per output the worst agreement that any process saw."""
    groups = []
    worst: list[Place[Agreement]] = []
    for cases in evidence.by_problem(*MEASURES).values():
        checks = {
            where: found
            for where, found in _worst(evidence, cases).items()
            if not _is_itself(evidence, *found)
        }
        worst += [check for check, _ in checks.values()]
        if checks:
            groups.append(
                RowGroup(
                    problem_id(cases[0]),
                    tuple(
                        _row(evidence, check, case, checks)
                        for check, case in checks.values()
                    ),
                )
            )
    return Section(
        "parity",
        "Parity",
        _lead(worst),
        tables=(
            Table(
                "parity",
                "Outputs against reference and truth",
                (
                    column("Variant"),
                    column("Output"),
                    column("Against"),
                    column("Parity"),
                    column("Max abs", numeric=True),
                    column("Max rel", numeric=True),
                    column("Max ULP", numeric=True),
                    column("Worst at"),
                    column("Beyond", numeric=True),
                    column("Nearer the truth"),
                    column("Tolerance"),
                ),
                tuple(groups),
                group_title="Problem",
                note=line(
                    "The reference are the NumPy values; the truth is known at sampled "
                    "points. Each row is the worst of all processes and measures."
                ),
            ),
            _tolerances(worst),
        ),
    )


def _is_itself(evidence: Evidence, check: Place[Agreement], case: Place[Case]) -> bool:
    """Whether it only says that the reference agrees with itself."""
    reference = evidence.reference(case)
    return (
        check.value.passed
        and check.value.against == "reference"
        and reference is not None
        and reference.value.variant == case.value.variant
    )


def _tolerances(worst: list[Place[Agreement]]) -> Table:
    """Give each tolerance once, with its reason and the outputs it is for."""
    alike: dict[tuple[float, float, str], list[Place[Agreement]]] = defaultdict(list)
    for check in worst:
        seen: Agreement = check.value
        alike[seen.rtol, seen.atol, seen.tolerance_reason].append(check)
    rows = []
    for checks in alike.values():
        outputs = {check.value.output: check["output"] for check in checks}
        rows.append(
            Row(
                (
                    joined(text(output) for output in outputs.values()),
                    number(checks[0]["rtol"], "value"),
                    number(checks[0]["atol"], "value"),
                    text(checks[0]["tolerance_reason"]),
                )
            )
        )
    return Table(
        "tolerances",
        "Why these tolerances",
        (
            column("Outputs"),
            column("rtol", numeric=True),
            column("atol", numeric=True),
            column("Reason"),
        ),
        (RowGroup(None, tuple(rows)),),
        note=line("An element may be off by atol + rtol times what is desired."),
    )


def _lead(worst: list[Place[Agreement]]) -> Line:
    if not worst:
        return line("No values were compared.")
    failed = [check for check in worst if not check.value.passed]
    if not failed:
        return line("Every output agrees within its tolerance.")
    return line(
        "Outputs beyond tolerance: ",
        count(failed),
        " of ",
        count(worst),
        ". Their variants get no time.",
    )


def _worst(
    evidence: Evidence, cases: list[Place[Case]]
) -> dict[Key, tuple[Place[Agreement], Place[Case]]]:
    worst: dict[Key, tuple[Place[Agreement], Place[Case]]] = {}
    for case in cases:
        for measurement in evidence.measurements.get(case.value.id, ()):
            for check in measurement["observation"]["checks"]:
                seen: Agreement = check.value
                where = (case.value.variant.id, seen.output, seen.against)
                if where not in worst or _badness(seen) > _badness(
                    worst[where][0].value
                ):
                    worst[where] = (check, case)
    return worst


def _badness(check: Agreement) -> tuple[bool, float]:
    """Order agreements; what could not be compared is the worst of its kind."""
    deviation = check.max_abs
    if deviation is None or math.isnan(deviation):
        deviation = math.inf
    return (not check.passed, deviation)


def _row(
    evidence: Evidence,
    check: Place[Agreement],
    case: Place[Case],
    checks: dict[Key, tuple[Place[Agreement], Place[Case]]],
) -> Row:
    seen = check.value
    return Row(
        (
            variant_id(case),
            text(check["output"]),
            text(check["against"]),
            Words("passed", "good")
            if seen.passed
            else line(Words("failed", "bad"), ": ", text(check["reason"])),
            number(check["max_abs"], "value"),
            number(check["max_rel"], "value"),
            number(check["max_ulp"], "value"),
            _worst_at(check),
            line(
                number(check["n_beyond"], "1"),
                " of ",
                number(check["n_compared"], "1"),
            ),
            _nearer(evidence, check, case, checks),
            line(
                "rtol ",
                number(check["rtol"], "value"),
                ", atol ",
                number(check["atol"], "value"),
            ),
        ),
        tone="" if seen.passed else "bad",
    )


def _worst_at(check: Place[Agreement]) -> Cell:
    seen = check.value
    if seen.worst_index is None:
        return Words("not known", "muted")
    place = line(
        "[", joined(number(axis, "index") for axis in check["worst_index"]), "]"
    )
    if seen.actual is None or seen.desired is None:
        return place
    return line(
        place,
        ": ",
        number(check["actual"], "value"),
        " for ",
        number(check["desired"], "value"),
    )


def _nearer(
    evidence: Evidence,
    check: Place[Agreement],
    case: Place[Case],
    checks: dict[Key, tuple[Place[Agreement], Place[Case]]],
) -> Cell:
    """Say whether the variant or its reference is nearer the truth of this output."""
    reference = evidence.reference(case)
    if reference is None or reference.value.variant == case.value.variant:
        return Words("is the reference" if reference else "not known", "muted")
    output = check.value.output
    own = checks.get((case.value.variant.id, output, "truth"))
    other = checks.get((reference.value.variant.id, output, "truth"))
    if own is None or other is None:
        return Words("not known", "muted")
    mine, theirs = own[0].value.max_abs, other[0].value.max_abs
    if mine is None or theirs is None or math.isnan(mine) or math.isnan(theirs):
        return Words("not known", "muted")
    if mine == theirs:
        return Words("equally near")
    return variant_id(case if mine < theirs else reference)
