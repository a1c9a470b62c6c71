import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from measure_scripts import Backend, Clock, Square, on, right, task

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.config import ToleranceOverride
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.kernels.kernel import Output, Truth
from xpcs_bench.measure import values
from xpcs_bench.measure.task import Inputs, make_inputs
from xpcs_bench.measure.values import check_values, digest, reference_outputs
from xpcs_bench.records import Status, Verified


def check(kernel=None, answer=right, **changes):
    the_task = task(NumPyBackend(), kernel, **changes)
    host = make_inputs(the_task)
    inputs = Inputs(host, host)
    return check_values(the_task, inputs, answer(host["x"])).observation(input_bytes=0)


def test_right_values_pass():
    observation = check()
    assert observation.status is Status.OK
    assert all(one.passed for one in observation.checks)


@pytest.mark.parametrize(
    ("answer", "computed", "status"),
    [
        (right, 0, Status.OK),
        # anything else is compared as if nothing had been verified
        (lambda x: right(x) | {"square": x * x * (1 + 1e-15)}, 1, Status.OK),
        (lambda x: right(x) | {"square": x}, 1, Status.PARITY_FAILED),
        (lambda x: {"square": x * x}, 1, Status.PARITY_FAILED),
    ],
    ids=["the same bits", "within tolerance", "wrong", "one missing"],
)
def test_outputs_that_were_verified_bit_by_bit_are_not_compared_again(
    answer, computed, status
):
    before = check()
    verified = Verified(checks=before.checks, outputs=before.outputs)
    kernel = Square()
    the_task = task(NumPyBackend(), kernel)
    host = make_inputs(the_task)
    values._last_reference.clear()
    found = check_values(the_task, Inputs(host, host), answer(host["x"]), verified)
    observation = found.observation(input_bytes=0)
    assert kernel.computed == computed
    assert observation.status is status
    assert observation.checks


def test_the_reference_is_computed_once_for_one_problem():
    kernel = Square()
    first = task(NumPyBackend(), kernel)
    inputs = Inputs(make_inputs(first), {})
    outputs = reference_outputs(first, inputs)
    assert reference_outputs(first, inputs) is outputs
    assert kernel.computed == 1
    other = on(first, seed=8)
    assert reference_outputs(other, Inputs(make_inputs(other), {})) is not outputs
    assert kernel.computed == 2
    assert len(values._last_reference) == 1  # outputs may be gigabytes


def test_a_kernel_may_have_another_reference_than_what_numpy_computes():
    class Known(Square):
        def compute(self, backend, problem, inputs):
            raise AssertionError

        def reference(self, problem, inputs):
            return right(inputs["x"])

    assert check(Known()).status is Status.OK
    wrong = check(Known(), lambda x: right(x) | {"square": x})
    assert wrong.status is Status.PARITY_FAILED


def test_the_reference_has_the_dtype_of_the_case():
    single = task(NumPyBackend(), dtype="float32")
    outputs = reference_outputs(single, Inputs(make_inputs(single), {}))
    assert outputs["square"].dtype == np.float32


def test_the_truth_is_checked_even_where_the_reference_agrees():
    class Biased(Square):
        def compute(self, backend, problem, inputs):
            outputs = super().compute(backend, problem, inputs)
            return outputs | {"square": outputs["square"] * 1.001}

    observation = check(
        Biased(), lambda x: right(x) | {"square": x * x * 1.001}, case=None
    )
    assert observation.status is Status.PARITY_FAILED
    assert observation.reason.startswith("output 'square' against the truth")


def test_an_output_that_must_be_finite_fails_although_the_reference_is_not():
    class Broken(Square):
        version = "broken"

        def compute(self, backend, problem, inputs):
            outputs = super().compute(backend, problem, inputs)
            outputs["square"][1] = np.nan
            return outputs

        def truth(self, problem, inputs):
            return {}

    def broken(x):
        outputs = right(x)
        outputs["square"][1] = np.nan
        return outputs

    the_task = task(NumPyBackend(), Broken())
    the_task = on(
        the_task, case=the_task.case.model_copy(update={"kernel_version": "broken"})
    )
    host = make_inputs(the_task)
    result = check_values(the_task, Inputs(host, host), broken(host["x"]))
    assert [(one.output, one.against, one.passed) for one in result.checks] == [
        ("square", "reference", True),
        ("sign", "reference", True),
        ("square", "finite", False),
    ]


def near(x):
    return right(x) | {"square": x * x * (1 + 1e-5)}


def override(**fields):
    values = {"kernel": "toy", "rtol": 1e-4, "atol": 0.0, "reason": "enough here"}
    return ToleranceOverride(**(values | fields))


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ((), Status.PARITY_FAILED),
        ((override(),), Status.OK),
        ((override(output="square", dtype="float64"),), Status.OK),
        ((override(output="sign"),), Status.PARITY_FAILED),
        ((override(dtype="float32"),), Status.PARITY_FAILED),
        ((override(kernel="other"),), Status.PARITY_FAILED),
        ((override(), override(rtol=1e-7)), Status.PARITY_FAILED),
        ((override(rtol=1e-7), override()), Status.OK),
    ],
)
def test_the_last_tolerance_that_matches_counts(rows, status):
    observation = check(answer=near, tolerances=rows)
    assert observation.status is status
    used = {
        one.tolerance_reason for one in observation.checks if one.output == "square"
    }
    assert len(used) == 1


def test_several_failures_are_counted_and_the_first_is_told():
    observation = check(answer=lambda x: right(x + 1) | {"sign": np.zeros(8, np.int64)})
    assert observation.reason.startswith("output 'square' against the reference")
    assert observation.reason.endswith("2 more of 3 checks failed.")


def test_a_kernel_that_keeps_its_results_is_invalid():
    class Keeping(Square):
        kept = None

        def compute(self, backend, problem, inputs):
            self.kept = self.kept or super().compute(backend, problem, inputs)
            return self.kept

    kernel = Keeping()
    the_task = task(NumPyBackend(), kernel)
    the_task = on(the_task, seed=99)  # its own reference
    inputs = Inputs(make_inputs(the_task), {})
    outputs = kernel.compute(NumPyBackend(), the_task.problem, inputs.host)
    observation = check_values(the_task, inputs, outputs).observation(input_bytes=0)
    assert observation.status is Status.INVALID
    assert "keeps its results between calls" in observation.reason


def test_a_reference_that_is_not_as_declared_stops_the_case():
    class Undeclared(Square):
        def outputs(self, problem):
            return (Output("square", ("element",), "1", dtype="float32"),)

    the_task = on(task(NumPyBackend(), Undeclared()), seed=100)
    with pytest.raises(CannotMeasure, match=r"declares square: float32\. Correct"):
        reference_outputs(the_task, Inputs(make_inputs(the_task), {}))


def test_the_truth_may_be_exact_beyond_double_precision():
    import mpmath

    class Precise(Square):
        def truth(self, problem, inputs):
            return {"square": [Truth((0,), mpmath.mpf(float(inputs["x"][0])) ** 2)]}

    assert check(Precise()).status is Status.OK


@given(
    npst.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0),
    )
)
def test_a_digest_is_of_the_values_in_c_order_whatever_the_layout(values):
    expected = hashlib.sha256(values.tobytes("C")).hexdigest()
    for layout in (
        values,
        np.array(values, order="F"),
        np.repeat(values[..., None], 2, -1)[..., 0],
    ):
        found = digest("q", layout)
        assert found.sha256 == expected
        assert (found.shape, found.dtype) == (values.shape, str(values.dtype))


def test_values_are_not_taken_before_they_are_ready():
    backend = Backend(Clock())
    the_task = task(backend)
    pending = backend.device_put({"square": np.ones(8)})
    with pytest.raises(AssertionError, match="before they were there"):
        check_values(the_task, Inputs(make_inputs(the_task), {}), pending)
