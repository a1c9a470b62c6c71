"""Random inputs keep the limits that the hard ones keep."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_backend import PROBE

from xpcs_bench.conformance import PROBES, Call, examine_calls
from xpcs_bench.conformance.hard_inputs import FLOATS

ELEMENTWISE = ("trigonometry", "rounding", "mathematics", "masking")
N_ARGUMENTS = {
    "arctan2": 2, "hypot": 2, "mod": 2, "power": 2, "maximum": 2, "minimum": 2,
    "logical_and": 2, "logical_or": 2, "isclose": 2, "where": 3,
}  # fmt: skip
METHODS = [
    probe.method
    for category in ELEMENTWISE
    for probe in PROBES[category]
    if probe.method not in {"nonzero", "any", "all"}
]
N = 16
"""One length for all: JAX compiles anew for every shape."""


def arrays(dtype):
    """Floats of any size, and of the sizes that angles and exponents have."""
    width = np.dtype(dtype).itemsize * 8
    kinds = {"width": width, "allow_subnormal": False}
    far = st.floats(allow_nan=False, allow_infinity=False, **kinds)
    near = st.floats(-100, 100, **kinds)
    special = st.sampled_from(
        [0.0, -0.0, 0.5, 1.0, -1.0, math.inf, -math.inf, math.nan]
    )
    # one kind to an array: a library may choose its formula by the largest element
    return st.one_of(
        hnp.arrays(dtype, N, elements=kind) for kind in (near, far, special)
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("method", METHODS)
def test_random_inputs_are_met_alike(pair, method, dtype):
    probe = PROBE[method]
    drawn = [arrays(dtype)] * N_ARGUMENTS.get(method, 1)

    @settings(max_examples=15)
    @given(st.tuples(*drawn))
    def law(args):
        # two zeros of unlike sign are what the class of this name is about, and what
        # comes near the smallest normal number may be flushed on the way
        least = np.float64(np.finfo(dtype).tiny) * 1e4
        args = tuple(np.where(np.abs(a) < least, np.copysign(0, a), a) for a in args)
        finding = examine_calls(
            pair, "any", probe, dtype, [Call("special pairs", args)]
        )
        assert finding.verdict in {"pass", "known"}, finding.reason

    law()
