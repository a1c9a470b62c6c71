"""Sweeps: a few keys that stand for a list of values."""

from __future__ import annotations

import math

from xpcs_bench.config.written import WrittenSweep
from xpcs_bench.errors import ConfigError

__all__ = ["MAX_SWEEP", "swept"]

MAX_SWEEP = 200
"""Most values of one sweep."""


def swept(sweep: WrittenSweep) -> list[int | float]:
    """Return the values of a sweep.

    They are whole when ``from``, ``to`` and the ``step`` are; with a ``factor``, each
    is rounded to a whole number when ``from`` and ``to`` are whole, and is taken once.

    Raises
    ------
    ConfigError
        Not exactly one of factor and step, nothing between from and to, or too much.
    """
    start, stop, factor, step = sweep.start, sweep.stop, sweep.factor, sweep.step
    if (factor is None) == (step is None):
        msg = (
            "a sweep has either a 'factor' or a 'step'. Write for example "
            "{from: 16, to: 4096, factor: 4}."
        )
        raise ConfigError(msg)
    if start > stop:
        msg = f"goes from {start!r} down to {stop!r}. Write the smaller value first."
        raise ConfigError(msg)
    if factor is not None and start <= 0:
        msg = f"multiplies {start!r}, which never grows. Begin above 0, or use a step."
        raise ConfigError(msg)
    values: dict[int | float, None] = {}
    whole = all(isinstance(number, int) for number in (start, stop))
    for count in range(MAX_SWEEP + 1):
        # from the start each time, so that errors of rounding do not add up
        if step is not None:
            value = start + count * step
        else:
            value = start * (factor or 1) ** count
        if isinstance(value, float) and count:
            # 0.1 + 2 * 0.1 is 0.3 in a case id, and does not miss 0.3 as the last one
            value = float(f"{value:.12g}")
            value = stop if math.isclose(value, stop, rel_tol=1e-12) else value
        if value > stop:
            return list(values)
        values[round(value) if whole and step is None else value] = None
    msg = (
        f"has more than {MAX_SWEEP} values. Use a larger "
        f"{'factor' if step is None else 'step'}."
    )
    raise ConfigError(msg)
