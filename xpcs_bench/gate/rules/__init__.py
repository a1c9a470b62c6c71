"""The rules, one file each; a new rule is one file and one line here."""

from collections.abc import Callable, Iterable

from xpcs_bench.gate.rules import (
    claims,
    controls,
    crossover,
    measured,
    parity,
    regression,
)
from xpcs_bench.records import RunRecord, Verdict

__all__ = ["RULES", "Rule"]

Rule = Callable[[RunRecord], Iterable[Verdict]]

RULES: dict[str, Rule] = {
    "measured": measured.verdicts,
    "parity": parity.verdicts,
    "controls": controls.verdicts,
    "claims": claims.verdicts,
    "crossover": crossover.verdicts,
    "regression": regression.verdicts,
}
