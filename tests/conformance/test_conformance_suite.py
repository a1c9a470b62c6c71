"""The real libraries pass the real suite."""

import pytest

from xpcs_bench.conformance import PROBES, examine
from xpcs_bench.conformance.hard_inputs import FLOATS

OTHERS = {"binning": ("int64",), "placement": ("bool",)}
"""Types of the methods that take no floats."""


@pytest.mark.parametrize("category", PROBES)
def test_numpy_and_jax_differ_in_nothing_unknown(pair, category):
    """In the types that kernels compute with; the command examines all of them."""
    dtypes = (*FLOATS, *OTHERS.get(category, ()))
    methods = [probe.method for probe in PROBES[category]]
    examination = examine(*pair, methods, dtypes=dtypes)
    assert not [(f.method, f.dtype, f.reason) for f in examination.failures]
    compared = {found.method for found in examination.findings if found.n_inputs}
    assert compared == set(methods)
