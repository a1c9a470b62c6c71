import subprocess
import sys
from types import SimpleNamespace

import making
import numpy as np
import pytest
from measure_scripts import Backend, Clock, Square, on, task

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.measure.task import build_task, make_inputs, place_inputs


def real_case(**changes):
    kernel = create_kernel("qmap")
    from xpcs_bench.config import Geometry

    values = {
        "kernel": "qmap",
        "kernel_version": kernel.version,
        "params": kernel.Params().model_dump(mode="json"),
        "geometry": Geometry(
            name="saxs", kind="transmission", energy_kev=10, distance_mm=5000
        ),
    }
    return making.case(**(values | changes))


def test_a_task_states_the_problem_of_its_case():
    case = real_case()
    built = build_task(case, making.sampling(), 3, ())
    assert built.kernel.name == "qmap"
    assert built.problem.detector == case.detector
    assert built.problem.geometry == case.geometry
    assert built.problem.dtype == "float64"
    assert built.problem.params == built.kernel.Params()
    assert built.backend.name == "numpy"


def test_another_version_of_the_kernel_is_not_measured():
    with pytest.raises(CannotMeasure, match=r"is version '.+' in the worker and '0'"):
        build_task(real_case(kernel_version="0"), making.sampling(), 3, ())


def test_building_a_task_for_jax_imports_no_jax():
    script = """
import sys, test_measure_task as tests
from xpcs_bench.measure.task import build_task
build_task(tests.real_case(backend="jax"), tests.making.sampling(), 3, ())
assert not {"jax", "jaxlib", "h5py", "matplotlib"} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_the_backend_is_made_once_and_only_when_asked_for():
    made = []
    the_task = task(lambda: made.append(1) or NumPyBackend())
    assert made == []
    assert the_task.backend is the_task.backend
    assert made == [1]


@pytest.mark.parametrize("x64", [True, False])
def test_jax_in_32_bits_is_refused(monkeypatch, x64):
    class Jax(NumPyBackend):
        name = "jax"

    config = SimpleNamespace(jax_enable_x64=x64)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config))
    the_task = task(Jax())
    if x64:
        assert the_task.backend.name == "jax"
    else:
        with pytest.raises(CannotMeasure, match="jax computes in 32 bits"):
            _ = the_task.backend


def test_a_type_that_changes_on_the_way_to_the_device_is_refused():
    class Narrow(Backend):
        def device_put(self, tree, /, device=None):
            narrow = {name: x.astype(np.float32) for name, x in tree.items()}
            return super().device_put(narrow, device=device)

    with pytest.raises(CannotMeasure, match="'x' is float64 on the host and float32"):
        place_inputs(task(Narrow(Clock())))


def test_inputs_are_the_same_for_one_seed_and_read_only():
    first = task(NumPyBackend())
    again = make_inputs(first)["x"]
    np.testing.assert_array_equal(again, make_inputs(first)["x"])
    assert not np.array_equal(again, make_inputs(on(first, seed=8))["x"])
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 0


def test_inputs_are_placed_on_the_device_of_the_case_and_waited_for():
    backend = Backend(Clock())
    inputs = place_inputs(task(backend))
    assert backend.events == ["device_put cpu", "block"]
    assert inputs.given["x"].ready
    assert inputs.nbytes == 64


def test_a_kernel_that_writes_to_its_inputs_is_found():
    class Writing(Square):
        def compute(self, backend, problem, inputs):
            inputs["x"][0] = 0
            return super().compute(backend, problem, inputs)

    from xpcs_bench.measure.values import reference_outputs

    the_task = on(task(NumPyBackend(), Writing()), seed=101)
    with pytest.raises(ValueError, match="read-only"):
        reference_outputs(the_task, place_inputs(the_task))
