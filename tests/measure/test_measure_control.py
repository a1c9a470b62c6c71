"""A control is sampled as any case is; slowed, it does more than it says."""

import making
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure_scripts import Backend, Clock, task

from xpcs_bench.measure.control import calls_of_a_sample, whole_loops
from xpcs_bench.measure.steady_state import SteadyState
from xpcs_bench.records import Status, Variant

CALL_NS = 100
PARTS = ("", "first", "again", "slowed")


def variant(control):
    return Variant(backend="scripted", device="cpu", dtype="float64", control=control)


@given(st.integers(1, 10**7))
def test_a_control_has_loops_of_which_15_percent_are_a_whole_number(loops):
    assert whole_loops(variant(""), loops) == loops
    for control in PARTS[1:]:
        whole = whole_loops(variant(control), loops)
        assert whole % 20 == 0
        assert max(loops, 20) <= whole < loops + 20
        more = calls_of_a_sample(variant(control), whole) - whole
        assert 100 * more == (15 * whole if control == "slowed" else 0)


@pytest.mark.parametrize("control", PARTS)
def test_slowed_code_really_is_called_more_often_than_is_recorded(control):
    backend = Backend(Clock())
    of = making.case("scripted", variant=variant(control))
    state = SteadyState(
        task(backend, case=of, min_sample_s=21 * CALL_NS * 1e-9), backend.clock
    )
    loops = state.prepare().inner_loops
    assert loops == (40 if control else 26)
    before = backend.calls
    per_call_ns = state.sample(3)
    calls = 46 if control == "slowed" else loops
    assert backend.calls - before == 3 * calls
    assert per_call_ns == (calls * CALL_NS / loops,) * 3
    observation = state.finish()
    assert observation.status is Status.OK
    assert observation.samples.inner_loops == (loops,) * 3
    assert observation.samples.elapsed_ns == (calls * CALL_NS,) * 3
    # the loops that were settled on were warmed up as well
    assert observation.warmups.inner_loops[-1] == loops
