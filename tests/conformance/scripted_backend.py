"""A backend that is NumPy, but for methods with a defect that is written down."""

import numpy as np

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.conformance.probes import PROBES

MISSING = object()
NUMPY = NumPyBackend()
PROBE = {probe.method: probe for rows in PROBES.values() for probe in rows}


class Scripted:
    """NumPy under another name, with some methods replaced or missing."""

    name = "scripted"

    def __init__(self, **replaced):
        self._replaced = replaced

    def __getattr__(self, name):
        method = self._replaced.get(name) or getattr(NUMPY, name)
        if method is MISSING:
            raise AttributeError(name)
        return method


def after(name, change):
    """Return the method of NumPy with its answer changed."""
    method = getattr(NUMPY, name)
    return lambda *args, **options: change(method(*args, **options))


def shifted(array, ulp):
    """Move finite numbers away from zero by so many ULP."""
    array = np.asarray(array)
    finite = np.isfinite(array) & (np.abs(array) > np.finfo(array.dtype).tiny)
    away = array + ulp * np.spacing(np.where(finite, array, 1))
    return np.where(finite, away, array).astype(array.dtype)
