"""Rules applied to a record: each gives verdicts, and the worst decides the exit."""

from xpcs_bench.gate.judge import exit_code, judge

__all__ = ["exit_code", "judge"]
