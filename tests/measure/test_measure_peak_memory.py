import json
import subprocess
import sys

import numpy as np
import pytest
from measure_scripts import Backend, Clock, right, task

from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure import peak_memory
from xpcs_bench.measure.peak_memory import HostMemory, linux_memory, portable_memory
from xpcs_bench.records import Status


def scripted_memory(events, idle, peak):
    def log(name, value=None):
        events.append(name)
        return value

    return HostMemory(
        resident=lambda: log("resident", idle),
        peak=lambda: log("peak", peak),
        reset=lambda: log("reset"),
        method="stated by the test",
    )


def test_the_peak_is_over_the_idle_worker_and_of_the_call_alone():
    backend = Backend(Clock())
    memory = scripted_memory(backend.events, 100, 350)
    observation = peak_memory.measure(task(backend), backend.clock, memory)
    assert (observation.value, observation.unit) == (250.0, "bytes")
    assert observation.method == "stated by the test"
    assert observation.device_peak_bytes is None
    assert (observation.status, len(observation.checks)) == (Status.OK, 3)
    assert observation.input_bytes == 64
    assert backend.events == [
        *["devices", "resident", "device_put cpu", "block", "reset"],
        *["clock", "jit", "dispatch", "block", "clock", "peak"],
    ]


def test_a_case_that_needs_nothing_needs_no_less():
    backend = Backend(Clock())
    memory = scripted_memory([], 100, 90)
    assert peak_memory.measure(task(backend), Clock(), memory).value == 0


def test_wrong_values_are_found_here_too():
    backend = Backend(Clock(), lambda x, _: right(x + 1))
    observation = peak_memory.measure(
        task(backend), backend.clock, scripted_memory([], 1, 2)
    )
    assert observation.status is Status.PARITY_FAILED


@pytest.mark.skipif(linux_memory() is None, reason="the peak cannot be reset here")
def test_linux_resets_the_peak():
    memory = linux_memory()
    block = np.ones(64 * 2**20, np.uint8)
    high = memory.peak()
    assert block.size
    del block
    memory.reset()
    low = memory.peak()
    assert low < high - 32 * 2**20
    assert memory.resident() <= low + 2**20
    assert "VmHWM" in memory.method


def test_without_a_reset_the_method_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(peak_memory, "_CLEAR_REFS", tmp_path / "absent" / "clear_refs")
    assert linux_memory() is None
    memory = portable_memory()
    before = memory.resident()
    memory.reset()
    assert memory.peak() >= before > 2**20
    assert "cannot be reset" in memory.method


def test_a_status_without_the_field_is_a_sentence(monkeypatch, tmp_path):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmRSS:\t   12 kB\n")
    monkeypatch.setattr(peak_memory, "_STATUS", status)
    assert peak_memory._status_bytes("VmRSS") == 12 * 1024
    with pytest.raises(CannotMeasure, match="has no field 'VmHWM'"):
        peak_memory._status_bytes("VmHWM")


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_real_peak_holds_at_least_inputs_and_outputs(backend):
    script = f"""
import measure_scripts as scripts, making
from xpcs_bench.backends import create_backend
from xpcs_bench.measure import peak_memory
from xpcs_bench.measure.clock import now_ns

class Large(scripts.Square):
    def make_inputs(self, problem, rng):
        return {{"x": rng.uniform(1, 2, 2**22).astype(problem.dtype)}}

case = making.case({backend!r}, "peak_memory")
task = scripts.task(lambda: create_backend({backend!r}), Large(), case=case)
print(peak_memory.measure(task, now_ns).model_dump_json())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    observation = json.loads(done.stdout)
    assert observation["status"] == "ok"
    needed = observation["input_bytes"] + observation["output_bytes"]
    assert needed == 3 * 2**25
    assert needed <= observation["value"] < 20 * needed
