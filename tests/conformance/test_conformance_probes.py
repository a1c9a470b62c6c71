"""Every method of the protocol has a probe that really asks something."""

import inspect

import numpy as np
import pytest
from scripted_backend import NUMPY, PROBE

from xpcs_bench.backends.protocol import protocol_members
from xpcs_bench.conformance import DIFFERENCES, PROBES
from xpcs_bench.conformance.comparison import Refusal
from xpcs_bench.conformance.examine import ask
from xpcs_bench.conformance.hard_inputs import ALL, N_VALUES, classes, oddly_shaped

METHODS = {
    name for name, member in protocol_members().items() if inspect.isfunction(member)
}


def test_every_method_of_the_protocol_is_probed_once():
    rows = [probe.method for probes in PROBES.values() for probe in probes]
    unprobed, unknown = sorted(METHODS - set(rows)), sorted(set(rows) - METHODS)
    assert not unprobed, f"add a row in xpcs_bench/conformance/probes for {unprobed}"
    assert not unknown, f"these rows probe no method of the protocol: {unknown}"
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("method", sorted(PROBE))
def test_numpy_answers_its_probes_or_refuses_as_they_say(method):
    probe = PROBE[method]
    for dtype in probe.dtypes:
        calls = list(probe.calls(dtype))
        assert calls
        for call in calls:
            answer = ask(NUMPY, probe, call)
            if method in {"grad", "value_and_grad"}:
                assert isinstance(answer.error, NotImplementedError)
            elif call.refused is None:
                assert not isinstance(answer, Refusal), (call.inputs, answer)
            else:
                assert isinstance(answer, Refusal), call.inputs
                assert isinstance(answer.error, call.refused)


@pytest.mark.parametrize("method", [m for m in sorted(PROBE) if PROBE[m].truth])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_truth_has_the_shape_of_the_answer_and_knows_something(method, dtype):
    probe = PROBE[method]
    known = 0
    for call in probe.calls(dtype):
        if call.refused is None:
            truth = probe.truth(*call.args, **call.options)
            answer = ask(NUMPY, probe, call)
            for right in truth if isinstance(truth, tuple) else (truth,):
                if right is not None:
                    known += sum(value is not None for value in right.ravel())
            if isinstance(truth, np.ndarray) and not isinstance(answer, Refusal):
                assert truth.shape == answer.leaves[0].shape, call.inputs
    assert known > 10


@pytest.mark.parametrize("dtype", ALL)
def test_hard_inputs_have_their_type_and_one_length(dtype):
    for values in classes(dtype).values():
        assert (values.dtype, values.shape) == (np.dtype(dtype), (N_VALUES,))
    assert all(values.dtype == dtype for values in oddly_shaped(dtype).values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hard_inputs_are_hard(dtype):
    found, tiny = classes(dtype), np.finfo(dtype).tiny
    denormal = np.abs(found["denormal"])
    assert ((denormal > 0) & (denormal < tiny)).all()
    assert {False, True} == set(np.signbit(found["signed zero"]).tolist())
    assert np.isnan(found["not finite"]).any()
    assert np.isinf(found["not finite"]).any()
    assert np.finfo(dtype).max in found["huge"]
    assert np.isfinite(found["wide"]).all()
    assert (np.abs(found["tiny"]) >= tiny).all()
    assert {0.5, 1.5, 2.5, -2.5} <= set(found["ties"].tolist())
    odd = oddly_shaped(dtype)
    assert odd["0-d"].shape == ()
    assert not odd["empty"].size
    assert not odd["not contiguous"].flags.c_contiguous
    assert not odd["not contiguous"].flags.f_contiguous


def test_what_is_not_contiguous_reaches_numpy_so():
    call = next(
        c for c in PROBE["sin"].calls("float64") if c.inputs == "not contiguous"
    )
    seen = []

    class Witness(type(NUMPY)):
        def sin(self, x, /):
            seen.append(x)
            return super().sin(x)

    ask(Witness(), PROBE["sin"], call)
    assert not seen[0].flags.contiguous
    np.testing.assert_array_equal(seen[0], call.args[0])


def test_known_differences_name_what_is_probed_and_give_a_reason():
    names = [row.name for row in DIFFERENCES]
    assert len(names) == len(set(names))
    for row in DIFFERENCES:
        assert set(row.methods) <= set(PROBE), row.name
        assert set(row.dtypes) <= set(ALL), row.name
        assert row.reason.endswith("."), row.name
        assert row.source, row.name
