import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xpcs_bench.config.sweep import MAX_SWEEP, swept
from xpcs_bench.config.written import WrittenSweep
from xpcs_bench.errors import ConfigError


def values_of(**keys):
    return swept(
        WrittenSweep.model_validate({k.strip("_"): v for k, v in keys.items()})
    )


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        ({"from_": 16, "to": 4096, "factor": 4}, [16, 64, 256, 1024, 4096]),
        ({"from_": 16, "to": 4095, "factor": 4}, [16, 64, 256, 1024]),
        ({"from_": 1, "to": 7, "factor": 1.5}, [1, 2, 3, 5]),
        ({"from_": 1.0, "to": 4, "factor": 1.5}, [1.0, 1.5, 2.25, 3.375]),
        ({"from_": 2, "to": 10, "step": 4}, [2, 6, 10]),
        ({"from_": 0, "to": 1, "step": 0.5}, [0, 0.5, 1.0]),
        ({"from_": 0.1, "to": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"from_": -2, "to": 2, "step": 2}, [-2, 0, 2]),
        ({"from_": 5, "to": 5, "factor": 2}, [5]),
    ],
)
def test_a_sweep_stands_for_its_values(keys, values):
    assert values_of(**keys) == values


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"from_": 1, "to": 2}, "either a 'factor' or a 'step'"),
        (
            {"from_": 1, "to": 2, "step": 1, "factor": 2},
            "either a 'factor' or a 'step'",
        ),
        ({"from_": 3, "to": 2, "step": 1}, "from 3 down to 2"),
        ({"from_": 0, "to": 2, "factor": 2}, "never grows"),
        ({"from_": 1, "to": 10**9, "step": 1}, f"more than {MAX_SWEEP} values"),
        ({"from_": 1, "to": 10**9, "factor": 1.000001}, f"more than {MAX_SWEEP}"),
    ],
)
def test_what_is_no_sweep_is_refused(keys, says):
    with pytest.raises(ConfigError, match=says):
        values_of(**keys)


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**9),
    st.floats(1.1, 1e6) | st.integers(2, 100),
)
def test_whole_sweeps_rise_and_stay_within_their_ends(start, more, factor):
    # longer ones are refused
    assume(math.log1p(more / start) < 190 * math.log(factor))
    values = values_of(from_=start, to=start + more, factor=factor)
    assert values == sorted(set(values))
    assert values[0] == start
    assert all(isinstance(v, int) for v in values)
    # a whole value may be rounded up to, and never past, the last one
    assert values[-1] <= start + more
    assert round(values[-1] * factor) + math.ceil(factor) >= start + more


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.integers(0, 100))
def test_steps_are_even(start, step, count):
    values = values_of(from_=start, to=start + step * count, step=step)
    assert values[0] == pytest.approx(start, rel=1e-11)
    assert values[-1] <= start + step * count
    # the sum may round to less than the last value
    assert len(values) in {max(count, 1), count + 1}
