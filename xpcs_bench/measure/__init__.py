"""Measuring, inside a worker process: the clock, the cases, and the proofs beside them.

What is measured is named in :mod:`xpcs_bench.measure.registry`. Nothing here starts
processes, retries or judges: a measure takes a :class:`~xpcs_bench.measure.task.Task`
and returns an :class:`~xpcs_bench.records.Observation`. What the code under test
raises passes through.
"""

__all__: list[str] = []
