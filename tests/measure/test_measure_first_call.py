import json
import subprocess
import sys

import numpy as np
from measure_scripts import Backend, Clock, caching, right, task

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.measure import first_call, parity
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.executable import Executable
from xpcs_bench.records import Status


def test_the_first_call_is_one_undivided_time_from_jit_to_ready_outputs():
    backend = Backend(Clock(), trace_ns=5_000_000, dispatch_ns=100, compute_ns=900)
    observation = first_call.measure(task(backend), backend.clock)
    assert observation.value == 5_001_000e-9
    assert (observation.unit, observation.n_traces) == ("s", 1)
    assert observation.spent_ns == 5_001_000
    assert observation.status is Status.OK
    assert len(observation.checks) == 3
    assert backend.events == [
        *["device_put cpu", "block"],
        *["clock", "jit", "dispatch", "block", "clock"],
    ]


def test_nothing_else_is_computed_before_the_first_call():
    seen = []
    kernel_task = task(
        Backend(Clock(), lambda x, _: seen.append(kernel.computed) or right(x))
    )
    kernel = kernel_task.kernel
    first_call.measure(kernel_task, Clock())
    assert seen == [1]  # the trace alone; the reference comes after


def test_wrong_values_of_the_first_call_are_found():
    backend = Backend(Clock(), lambda x, _: right(x + 1))
    observation = first_call.measure(task(backend), backend.clock)
    assert observation.status is Status.PARITY_FAILED
    assert observation.value is not None  # kept as evidence, judged by nobody


def test_the_first_call_without_a_compiler():
    observation = first_call.measure(task(NumPyBackend()), now_ns)
    assert (observation.status, observation.n_traces) == (Status.OK, None)
    assert observation.value > 0


def test_nothing_is_counted_in_calls_that_no_compiler_traces():
    executable = Executable(task(NumPyBackend()))
    for _ in range(3):
        executable.call({"x": np.ones(8)})
    assert executable.n_traces is None
    assert executable._traces == 0  # a counter would cost every call


def test_parity_checks_all_outputs_and_yields_no_number():
    backend = Backend(Clock())
    observation = parity.measure(task(backend), backend.clock)
    assert (observation.status, observation.value) == (Status.OK, None)
    assert len(observation.checks) == 3
    assert observation.n_traces == 1


def test_parity_names_output_place_actual_and_desired():
    def off(x, _):
        outputs = right(x)
        outputs["square"][4] = 100.0
        return outputs

    backend = Backend(Clock(), off)
    the_task = task(backend)
    observation = parity.measure(the_task, backend.clock)
    assert observation.status is Status.PARITY_FAILED
    assert "output 'square' against the reference" in observation.reason
    assert "(4,)" in observation.reason
    assert "100.0" in observation.reason


def test_a_first_call_with_a_warm_cache_found_its_program_there(tmp_path):
    script = """
import making, measure_scripts
from xpcs_bench.backends import create_backend
from xpcs_bench.measure import first_call
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.records import Variant

for cache in ("warm", "off", "cold"):
    variant = Variant(
        backend="jax", device="cpu", dtype="float64", compilation_cache=cache
    )
    case = making.case("jax", "first_call", variant=variant)
    task = measure_scripts.task(lambda: create_backend("jax"), case=case)
    print(first_call.measure(task, now_ns).model_dump_json())
"""
    variables = caching(tmp_path)
    for reason in ("1 of 1 programs were not found in the persistent", ""):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=variables,
        )
        warm, *others = map(json.loads, done.stdout.splitlines())
        assert warm["status"] == ("invalid" if reason else "ok")
        assert reason in warm["reason"]
        # what finds it by chance, or does not, is nobody's business
        assert [row["status"] for row in others] == ["ok", "ok"]
