"""What a machine is for a measurement: one function a check, registered by a line.

A check takes its :class:`~xpcs_bench.measure.examination.finding.Surroundings` and
returns a :class:`~xpcs_bench.measure.examination.finding.Finding`. It runs in a worker
process and may import what it examines. What it raises is told as an error of that
check; a package that is not installed skips it.
"""

__all__: list[str] = []
