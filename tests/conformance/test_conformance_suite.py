"""The real libraries pass the real suite."""

import pytest

from xpcs_bench.conformance import PROBES, examine
from xpcs_bench.conformance.hard_inputs import PRINCIPAL


@pytest.mark.parametrize("category", PROBES)
def test_numpy_and_jax_differ_in_nothing_unknown(pair, category):
    """In the types that kernels compute with; the command examines all of them."""
    methods = [probe.method for probe in PROBES[category]]
    examination = examine(*pair, methods, dtypes=(*PRINCIPAL, "bool"))
    assert {found.method for found in examination.findings} <= set(methods)
    assert not [(f.method, f.dtype, f.reason) for f in examination.failures]
    compared = {found.method for found in examination.findings if found.n_inputs}
    assert compared == {found.method for found in examination.findings}
