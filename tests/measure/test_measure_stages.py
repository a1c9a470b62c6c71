import json
import subprocess
import sys

import pytest
from measure_scripts import Backend, Clock, caching, right, task

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure import stages
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.records import Status

COSTS = {
    "import": 300,
    "backend_init": 6,
    "trace": 9,
    "lower": 20,
    "compile": 100,
    "execute": 40,
}


class Staged:
    """A compiled callable that can be taken apart, each part at a known cost."""

    def __init__(self, clock, func, answer):
        self.clock, self.func, self.answer = clock, func, answer

    def trace(self, inputs):
        self.func({name: x.values for name, x in inputs.items()})
        self.clock.spend(COSTS["trace"])
        return self

    def lower(self):
        self.clock.spend(COSTS["lower"])
        return self

    def compile(self):
        self.clock.spend(COSTS["compile"])
        return self.answer


class StagedBackend(Backend):
    def devices(self):
        self.clock.spend(COSTS["backend_init"])
        return super().devices()

    def device_put(self, tree, /, device=None):
        self.clock.spend(7777)  # belongs to no stage
        return super().device_put(tree, device=device)

    def jit(self, func, /, static_argnums=None, static_argnames=None):
        return Staged(self.clock, func, super().jit(lambda inputs: None))


def staged_task(clock, answer=right):
    def make():
        clock.spend(COSTS["import"])
        return StagedBackend(
            clock,
            lambda x, _: answer(x),
            trace_ns=0,
            dispatch_ns=4,
            compute_ns=COSTS["execute"] - 4,
        )

    return task(make)


def test_the_stages_are_timed_one_by_one_in_order():
    clock = Clock()
    observation = stages.measure(staged_task(clock), clock)
    assert observation.stages_ns == COSTS
    assert tuple(observation.stages_ns) == stages.STAGES
    assert observation.spent_ns == sum(COSTS.values())
    assert (observation.status, observation.n_traces) == (Status.OK, 1)
    assert len(observation.checks) == 3


def test_the_executable_that_was_taken_apart_is_the_one_that_is_checked():
    clock = Clock()
    observation = stages.measure(staged_task(clock, lambda x: right(x + 1)), clock)
    assert observation.status is Status.PARITY_FAILED


@pytest.mark.parametrize("library", ["jax", "jaxlib"])
def test_stages_after_the_import_are_invalid(monkeypatch, library):
    for name in ("jax", "jaxlib"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, library, sys)

    def never():
        pytest.fail("the backend was made all the same")

    the_task = task(never)
    variant = the_task.case.variant.model_copy(update={"backend": "jax"})
    object.__setattr__(
        the_task, "case", the_task.case.model_copy(update={"variant": variant})
    )
    observation = stages.measure(the_task, Clock())
    assert observation.status is Status.INVALID
    assert observation.reason.startswith(f"{library} had been imported before")
    assert observation.stages_ns is None


def test_a_backend_without_stages_cannot_be_taken_apart():
    with pytest.raises(CannotMeasure, match="has no 'trace'"):
        stages.measure(task(NumPyBackend()), now_ns)


def test_the_plan_is_told_why_numpy_has_none():
    assert "does not trace" in stages.skip_reason(None, "numpy", "cpu")
    assert stages.skip_reason(None, "jax", "gpu") is None


def test_jax_goes_through_all_stages_in_a_fresh_process():
    script = """
import measure_scripts, making, sys
from xpcs_bench.backends import create_backend
from xpcs_bench.measure import stages
from xpcs_bench.measure.clock import now_ns
case = making.case("jax", "stages")
task = measure_scripts.task(lambda: create_backend("jax"), case=case)
assert "jax" not in sys.modules
print(stages.measure(task, now_ns).model_dump_json())
print(stages.measure(task, now_ns).reason)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    first, second = done.stdout.splitlines()
    observation = json.loads(first)
    assert observation["status"] == "ok"
    assert tuple(observation["stages_ns"]) == stages.STAGES
    assert observation["n_traces"] == 1
    assert "had been imported before the stages began" in second


def test_stages_with_a_warm_cache_found_their_program_there(tmp_path):
    script = """
import making, measure_scripts
from xpcs_bench.backends import create_backend
from xpcs_bench.measure import stages
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.records import Variant

variant = Variant(
    backend="jax", device="cpu", dtype="float64", compilation_cache="warm"
)
case = making.case("jax", "stages", variant=variant)
task = measure_scripts.task(lambda: create_backend("jax"), case=case)
print(stages.measure(task, now_ns).model_dump_json())
"""
    variables = caching(tmp_path)
    for status, reason in (("invalid", "were not found in the persistent"), ("ok", "")):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=variables,
        )
        found = json.loads(done.stdout)
        assert found["status"] == status, found["reason"]
        assert reason in found["reason"]
