"""From an experiment to evidence: plan, schedule, worker processes, store.

The parent side of this package imports no array library; only the process that
:mod:`xpcs_bench.run.serve` runs in does.
"""

__all__: list[str] = []
