"""What a call carries across between the host's arrays and the backend's."""

import os
import subprocess
import sys

import making
import numpy as np
import pytest
from measure_scripts import Backend, Clock, Pending, Square, right, task

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.backends.jax_backend import JAXBackend
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.kernels.kernel import Work
from xpcs_bench.measure import first_call
from xpcs_bench.measure.executable import Executable
from xpcs_bench.measure.steady_state import SteadyState
from xpcs_bench.measure.task import make_inputs
from xpcs_bench.records import Status, Variant

CALL_NS, IN_NS, OUT_NS = 100, 1_000, 500
"""Of the scripted backend: one input goes in, two outputs come out."""
WAYS = ("nothing", "input", "output", "both")
COST_NS = {
    "nothing": CALL_NS,
    "input": IN_NS + CALL_NS,
    "output": CALL_NS + 2 * OUT_NS,
    "both": IN_NS + CALL_NS + 2 * OUT_NS,
}
CALL = ["dispatch", "block"]
EVENTS = {
    "nothing": CALL,
    "input": ["device_put cpu", *CALL],
    "output": [*CALL, "to_numpy", "to_numpy"],
    "both": ["device_put cpu", *CALL, "to_numpy", "to_numpy"],
}


class Carrying(Backend):
    """Takes its time on the way in and on the way out."""

    def device_put(self, tree, /, device=None):
        self.clock.spend(IN_NS)
        placed = super().device_put(tree, device)
        for array in placed.values():
            array.ready = True
        return placed

    def to_numpy(self, x, /):
        self.events.append("to_numpy")
        self.clock.spend(OUT_NS)
        return super().to_numpy(x)


def converting(converts, backend="scripted", measure="steady_state", device="cpu"):
    variant = Variant(
        backend=backend, device=device, dtype="float64", converts=converts
    )
    return making.case(backend, measure, variant=variant)


def carrying(backend, converts, **changes):
    a_task = task(backend, case=converting(converts), warmup_calls=1, **changes)
    return SteadyState(a_task, backend.clock)


@pytest.mark.parametrize("converts", WAYS)
def test_a_cached_call_holds_what_it_carries_across_and_nothing_else(converts):
    backend = Carrying(Clock())
    state = carrying(backend, converts)
    assert state.prepare().call_ns == COST_NS[converts]
    backend.events.clear()
    assert state.sample(2) == (COST_NS[converts],) * 2
    sample = ["clock", *EVENTS[converts], "clock"]
    assert backend.events == ["clock", *sample * 2, "clock"]
    observation = state.finish()
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert observation.n_traces == 1
    assert len(observation.checks) == 3
    # as if it had not been converted: sizes and digests are those of the values
    assert (observation.input_bytes, observation.output_bytes) == (64, 128)
    plain = carrying(Carrying(Clock()), "nothing")
    plain.prepare()
    assert observation.outputs == plain.finish().outputs


@pytest.mark.parametrize("converts", WAYS)
def test_a_first_call_holds_the_first_way_in_and_out(converts):
    backend = Carrying(Clock())
    a_task = task(backend, case=converting(converts, measure="first_call"))
    observation = first_call.measure(a_task, backend.clock)
    assert observation.status is Status.OK
    assert observation.spent_ns == backend.trace_ns + COST_NS[converts]
    begun = backend.events.index("clock")
    # no transfer of this process came before it
    before = [] if converts in {"input", "both"} else ["device_put cpu", "block"]
    assert backend.events[:begun] == before
    end = backend.events.index("clock", begun + 1)
    own = [event for event in backend.events[begun:end] if event != "jit"]
    assert own == ["clock", *EVENTS[converts]]


@pytest.mark.parametrize("converts", ["output", "both"])
def test_the_values_that_are_checked_are_those_that_came_out_last(converts):
    class Losing(Carrying):
        """Its seventh array and what comes after arrive as zeros."""

        def to_numpy(self, x, /):
            values = super().to_numpy(x)
            late = self.events.count("to_numpy") > 6
            return np.zeros_like(values) if late else values

    backend = Losing(Clock())
    state = carrying(backend, converts)
    state.prepare()
    state.sample(3)
    observation = state.finish()
    assert observation.status is Status.PARITY_FAILED
    # what was fetched by the calls was checked, and nothing fetched again for it
    assert backend.events.count("to_numpy") == 2 * backend.calls


def test_wrong_values_on_the_way_in_are_found():
    class Bent(Carrying):
        def device_put(self, tree, /, device=None):
            return super().device_put({n: x + 1 for n, x in tree.items()}, device)

    state = carrying(Bent(Clock()), "input")
    state.prepare()
    state.sample(1)
    assert state.finish().status is Status.PARITY_FAILED


def test_inputs_that_change_their_type_on_the_way_in_are_refused():
    class Narrow(Carrying):
        def device_put(self, tree, /, device=None):
            narrow = {name: x.astype("float32") for name, x in tree.items()}
            return super().device_put(narrow, device)

    # what comes out has the right type, and values within the tolerance
    backend = Narrow(Clock(), lambda x, _: right(x.astype("float64")))
    state = carrying(backend, "both")
    state.prepare()
    state.sample(1)
    with pytest.raises(CannotMeasure, match=r"'x' is float64 on the host and float32"):
        state.finish()


@pytest.mark.parametrize("converts", ["input", "output", "both"])
def test_a_trace_while_sampling_makes_a_converting_case_invalid(converts):
    state = carrying(Carrying(Clock(), traces_at={1, 4}), converts)
    state.prepare()
    state.sample(3)
    observation = state.finish()
    assert observation.status is Status.INVALID
    assert observation.reason.startswith("the kernel was traced 2 times")


@pytest.mark.parametrize("converts", ["input", "output", "both"])
def test_a_converting_call_takes_no_less_than_its_least_work(converts):
    class Heavy(Square):
        def work(self, problem):
            return Work(flops=0, bytes=10**9)  # 10 us on any device

    backend, case = Carrying(Clock()), converting(converts, device="gpu")
    state = SteadyState(task(backend, Heavy(), case=case), backend.clock)
    state.prepare()
    state.sample(1)
    observation = state.finish()
    assert observation.status is Status.INVALID
    assert "what was timed is not the call" in observation.reason


@pytest.mark.parametrize("converts", ["output", "both"])
def test_outputs_that_are_the_references_own_stay_invalid(converts):
    class Keeping(Square):
        compiled = False

        def compute(self, backend, problem, inputs):
            self.__dict__.setdefault("kept", right(np.asarray(inputs["x"])))
            return self.kept

        def reference(self, problem, inputs):
            return self.kept

    class Host(NumPyBackend):
        name = "host"

    a_task = task(Host(), Keeping(), case=converting(converts), warmup_calls=1)
    ticking = iter(range(0, 10**9, 1000))
    state = SteadyState(a_task, lambda: next(ticking))
    state.prepare()
    state.sample(1)
    observation = state.finish()
    assert observation.status is Status.INVALID
    assert "keeps its results between calls" in observation.reason


@pytest.mark.parametrize("converts", WAYS)
def test_jax_starts_from_the_hosts_memory_and_ends_there(converts):
    library = JAXBackend()
    a_task = task(library, case=converting(converts, "jax"))
    executable = Executable(a_task)
    host = make_inputs(a_task)
    given = host if converts in {"input", "both"} else a_task.place(host)
    first, second = executable.call(given), executable.call(given)
    assert executable.n_traces == 1
    for name, values in right(host["x"]).items():
        for outputs in (first, second):
            on_host = isinstance(outputs[name], np.ndarray)
            assert on_host is (converts in {"output", "both"})
            np.testing.assert_allclose(np.asarray(outputs[name]), values)
        # a new array every time: none that was converted before is converted again
        assert first[name] is not second[name]
        assert not np.may_share_memory(*map(np.asarray, (first[name], second[name])))


def test_the_way_in_reads_what_the_host_holds_at_the_call():
    library = JAXBackend()
    a_task = task(library, case=converting("both", "jax"))
    executable = Executable(a_task)
    memory = np.zeros(8 * 8 + 64, np.uint8)
    start = -memory.ctypes.data % 64  # jax shares what lies so, unless it is copied
    x = memory[start : start + 64].view("float64")
    for value in (2.0, 3.0):
        x[:] = value
        outputs = executable.call({"x": x})
        x[:] = -1.0
        assert set(outputs["square"]) == {value**2}
        assert set(outputs["sign"]) == {1}


FOUR = """
import jax, making
from measure_scripts import task
from xpcs_bench.backends import create_backend
from xpcs_bench.measure.executable import Executable
from xpcs_bench.measure.task import make_inputs
from xpcs_bench.records import Variant

library = create_backend("jax")
jax.config.update("jax_default_device", jax.devices()[3])
for converts in ("input", "both"):
    variant = Variant(backend="jax", device="cpu", dtype="float64", converts=converts)
    a_task = task(library, case=making.case("jax", variant=variant))
    lies = []
    jit = library.jit
    def watched(func):
        compiled = jit(func)
        return lambda x: lies.extend(x["x"].devices()) or compiled(x)
    library.jit = watched
    outputs = Executable(a_task).call(make_inputs(a_task))
    library.jit = jit
    print(converts, [device.id for device in lies], type(outputs["sign"]).__module__)
"""


def test_of_four_emulated_devices_inputs_go_to_that_of_the_case():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOUR],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
            "JAX_PLATFORMS": "cpu",
            "JAX_ENABLE_X64": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    into, both = done.stdout.splitlines() or [done.stderr, ""]
    assert into.startswith("input [0] jax")
    assert both == "both [0] numpy"


def test_nothing_of_what_a_call_converts_outlives_it():
    backend = Carrying(Clock())
    state = carrying(backend, "both")
    state.prepare()
    Pending.alive.clear()
    state.sample(5)
    # the input and two outputs of one call: those of the call before are NumPy's
    assert len(Pending.alive) == 0
    assert backend.most_alive <= 3
