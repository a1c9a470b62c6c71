"""What every registered kernel promises, whoever wrote it."""

import json
import tracemalloc

import numpy as np
import pytest
from kernel_problems import (
    DETECTOR,
    REFLECTION,
    able,
    computed,
    expected,
    problems,
)

from xpcs_bench.analysis.agreement import compare_outputs, compare_truth
from xpcs_bench.config import Detector
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel, kernel_names

CASES = [
    pytest.param(name, problem, id=case)
    for name in kernel_names()
    for case, problem in problems(name)
]


@pytest.mark.parametrize("name", kernel_names())
def test_a_kernel_says_what_it_is(name):
    kernel = create_kernel(name)
    assert kernel.name == name
    for sentence in (kernel.summary, kernel.source):
        assert sentence.endswith(".")
    assert kernel.version
    assert kernel.needs <= {"detector", "geometry"}


@pytest.mark.parametrize("name", kernel_names())
def test_every_parameter_has_a_default_and_a_docstring(name):
    kernel = create_kernel(name)
    for field in kernel.Params.model_fields.values():
        assert not field.is_required()
        assert field.description
    # a case stores them as JSON and makes them again from there
    params = kernel.Params()
    assert kernel.Params(**json.loads(params.model_dump_json())) == params


@pytest.mark.parametrize("name", kernel_names())
def test_a_problem_without_what_is_needed_is_refused(name):
    kernel = create_kernel(name)
    problem = Problem(kernel.Params(), None, None, "float64")
    if kernel.needs:
        with pytest.raises(ConfigError, match=f"needs a .*{min(kernel.needs)}"):
            kernel.check(problem)
    else:
        kernel.check(problem)


@pytest.mark.parametrize(
    ("backend", "name", "problem"),
    [
        pytest.param(backend, *case.values, id=f"{backend}-{case.id}")
        for case in CASES
        for backend in able(case.values[0])
    ],
)
def test_outputs_are_as_declared_and_right(name, problem, backend):
    kernel = create_kernel(name)
    inputs = kernel.make_inputs(problem, np.random.default_rng(1))
    outputs = computed(name, problem, backend)
    declared = kernel.outputs(problem)
    assert list(outputs) == [output.name for output in declared]
    lengths = {}
    for output in declared:
        array = outputs[output.name]
        assert array.dtype == (output.dtype or problem.dtype)
        assert array.ndim == len(output.dims)
        for axis, length in zip(output.dims, array.shape, strict=True):
            assert lengths.setdefault(axis, length) == length
        if output.finite:
            assert np.isfinite(array).all()
    truths = kernel.truth(problem, inputs)
    assert truths.keys() <= outputs.keys()
    for output, values in truths.items():
        found = compare_truth(
            output,
            outputs[output],
            values,
            kernel.tolerance(problem, output),
            outputs[output].dtype,
        )
        assert found.passed, found.reason


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_the_compiled_kernel_agrees_with_the_reference(name, problem):
    kernel = create_kernel(name)
    desired = expected(name, problem)
    actual = computed(name, problem, "jax")
    tolerances = {output: kernel.tolerance(problem, output) for output in desired}
    for found in compare_outputs(actual, desired, tolerances):
        assert found.passed, f"{found.output}: {found.reason}"


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_a_wrong_element_is_not_tolerated(name, problem):
    kernel = create_kernel(name)
    desired = expected(name, problem)
    tolerances = {output: kernel.tolerance(problem, output) for output in desired}
    scattered = {out.name for out in kernel.outputs(problem) if out.statistical}
    for output, array in desired.items():
        wrong = {key: value.copy() for key, value in desired.items()}
        place = np.unravel_index(np.nanargmax(np.abs(array)), array.shape)
        # by one per cent, twice itself where it scatters, or to the next label
        part = array[place] * (2 if output in scattered else 0.01)
        wrong[output][place] += 1 if array.dtype.kind in "iu" else part
        found = compare_outputs(wrong, desired, tolerances)
        assert [a.output for a in found if not a.passed] == [output]


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_inputs_have_the_type_and_follow_the_seed(name, problem):
    kernel = create_kernel(name)
    first, again = (
        kernel.make_inputs(problem, np.random.default_rng(5)) for _ in range(2)
    )
    assert first.keys() == again.keys()
    for key, array in first.items():
        assert array.tobytes() == again[key].tobytes()
        if array.dtype.kind == "f":
            assert array.dtype == problem.dtype


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_tolerances_have_reasons_and_stay_tight(name, problem):
    kernel = create_kernel(name)
    eps = np.finfo(problem.dtype).eps
    for output in kernel.outputs(problem):
        tolerance = kernel.tolerance(problem, output.name)
        assert len(tolerance.reason) > 40
        if output.statistical:
            assert tolerance.rtol < 1
        else:
            # what solves equations multiplies rounding errors by their condition
            assert tolerance.rtol <= (512 if output.solved else 8) * eps


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_the_least_work_is_at_least_inputs_and_outputs(name, problem):
    kernel = create_kernel(name)
    inputs = kernel.make_inputs(problem, np.random.default_rng(1))
    outputs = expected(name, problem)
    arrays = [*inputs.values(), *outputs.values()]
    work = kernel.work(problem)
    # what is not compiled may move bytes and compute nothing
    assert work.flops > 0 or not kernel.compiled
    assert work.bytes == sum(array.nbytes for array in arrays)


@pytest.mark.parametrize("name", kernel_names())
def test_asking_for_the_work_allocates_nothing(name):
    kernel = create_kernel(name)
    huge = Detector(name="huge", shape=(20_000, 20_000), pixel_size_um=75)
    problem = Problem(
        kernel.Params(),
        huge if "detector" in kernel.needs else None,
        REFLECTION if "geometry" in kernel.needs else None,
        "float64",
    )
    tracemalloc.start()
    kernel.work(problem)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_the_problems_here_reach_masked_pixels_and_both_kinds():
    assert DETECTOR.mask.rectangles
    assert any("reflection" in case.id for case in CASES)
    assert len(CASES) > 30
