import json
import subprocess
import sys
import tracemalloc

import jax
import jax.numpy as jnp
import making
import numpy as np
import pytest
from jax import monitoring
from measure_scripts import Backend, Clock, Square, right, task

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels.registry import create_kernel, kernel_names
from xpcs_bench.measure import compilations, counters
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.counters import COUNTERS, measure
from xpcs_bench.measure.task import build_task
from xpcs_bench.records import Status

PROGRAM = {
    *("jaxpr_equations", "hlo_instructions", "flops", "transcendentals"),
    *("bytes_accessed", "argument_bytes", "output_bytes", "temporary_bytes"),
}


def on_jax(kernel=None, **changes):
    case = making.case("jax", "counters")
    return task(lambda: create_backend("jax"), kernel, case=case, **changes)


def on_numpy(kernel=None, **changes):
    case = making.case("numpy", "counters")
    return task(lambda: create_backend("numpy"), kernel, case=case, **changes)


def count(a_task, clock=now_ns):
    observation = measure(a_task, clock)
    assert set(observation.counters) | set(observation.uncounted) == set(COUNTERS)
    assert not set(observation.counters) & set(observation.uncounted)
    assert all(reason.endswith(".") for reason in observation.uncounted.values())
    return observation


class Affine(Square):
    """One output whose program is known: three products and a sum for every element."""

    def outputs(self, problem):
        return super().outputs(problem)[:1]

    def compute(self, backend, problem, inputs):
        x = inputs["x"]
        return {"square": x * x + 0.0 * x * inputs["weight"]}

    def make_inputs(self, problem, rng):
        inputs = super().make_inputs(problem, rng)
        return inputs | {"weight": np.arange(8.0)}


def test_a_program_that_is_known_is_counted_exactly():
    clock = Clock(reading_ns=5)
    found = count(on_jax(Affine()), clock)
    assert (found.status, found.reason) == (Status.OK, "")
    counted = found.counters
    assert counted["flops"] == 4 * 8
    assert counted["transcendentals"] == 0
    assert counted["jaxpr_equations"] == 4
    # both inputs are read and the output is written once
    assert counted["bytes_accessed"] == 3 * 64
    assert counted["argument_bytes"] == found.input_bytes == 128
    assert counted["output_bytes"] == found.output_bytes == 64
    assert (counted["compilations"], counted["recompilations"]) == (1, 0)
    assert counted["traces"] == found.n_traces == 1
    assert (counted["least_flops"], counted["least_bytes"]) == (8, 128)
    assert found.uncounted == {}
    assert found.checks
    # one call is accounted for, between two readings of this clock
    assert (found.spent_ns, clock.events) == (5, ["clock", "clock"])


def test_transcendentals_are_told_apart_from_flops():
    class Exponential(Affine):
        def compute(self, backend, problem, inputs):
            y = backend.exp(inputs["x"]) * inputs["weight"]
            return {"square": y}

        def truth(self, problem, inputs):
            return {}

    counted = count(on_jax(Exponential())).counters
    assert counted["transcendentals"] == 8
    assert counted["flops"] == 8


def test_equations_of_inner_programs_are_counted():
    class Looping(Affine):
        def compute(self, backend, problem, inputs):
            x, weight = inputs["x"], inputs["weight"]
            if backend.name == "jax":
                y = jax.lax.cond(weight[0] > 1, lambda z: z + z - z, lambda z: z * z, x)
                return {"square": y}
            return {"square": x * x}

    looping = count(on_jax(Looping())).counters["jaxpr_equations"]
    program = jax.make_jaxpr(
        lambda x, w: Looping().compute(
            create_backend("jax"), None, {"x": x, "weight": w}
        )
    )(jnp.ones(8), jnp.ones(8))
    at_top = len(program.eqns)
    # two in one branch, one in the other
    assert looping == at_top + 3


def test_numpy_has_what_was_allocated_and_says_why_not_the_rest():
    found = count(on_numpy(Affine()))
    assert found.status is Status.OK
    assert set(found.counters) == {
        *("allocated_peak_bytes", "least_flops", "least_bytes")
    }
    assert set(found.uncounted.values()) == {"backend 'numpy' compiles nothing."}


def test_what_numpy_allocates_at_most_is_seen():
    class Hungry(Square):
        def make_inputs(self, problem, rng):
            return {"x": rng.uniform(1, 2, 2**16).astype(problem.dtype)}

    found = count(on_numpy(Hungry()))
    array = 2**19
    # square, sign as floats, sign as integers; nothing else is large
    assert 3 * array <= found.counters["allocated_peak_bytes"] < 3.1 * array
    assert found.output_bytes == 2 * array
    assert not tracemalloc.is_tracing()


def test_somebody_elses_tracing_goes_on():
    tracemalloc.start()
    try:
        ballast = np.ones(2**20)
        found = count(on_numpy())
        assert tracemalloc.is_tracing()
        assert found.counters["allocated_peak_bytes"] < ballast.nbytes
    finally:
        tracemalloc.stop()


def test_a_kernel_that_is_not_compiled_has_no_program():
    class Plain(Square):
        compiled = False

    found = count(on_jax(Plain()))
    assert found.status is Status.OK
    assert {*PROGRAM, "traces"} == set(found.uncounted)
    assert set(found.uncounted.values()) == {"the kernel is not compiled."}
    assert "compilations" in found.counters


def test_a_program_that_cannot_be_looked_into_is_no_program_of_zeros():
    backend = Backend(Clock(reading_ns=5), trace_ns=1000, dispatch_ns=10, compute_ns=90)
    found = count(task(backend), backend.clock)
    assert found.status is Status.OK
    assert "no 'trace'" in found.uncounted["flops"]
    assert found.uncounted["compilations"] == (
        "backend 'scripted' does not say when it compiles."
    )
    assert found.counters["traces"] == 1
    assert found.spent_ns == 1000 + 10 + 90 + 5


class Mute:
    """A program on a platform that tells nothing, or nonsense."""

    def __init__(self, text=None, costs=None, sizes=None):
        self.text, self.costs, self.sizes = text, costs, sizes
        self.jaxpr = jax.make_jaxpr(lambda x: x + 1)(1.0)

    def lower(self):
        return self

    def compile(self):
        return self

    def as_text(self):
        return self.text

    def cost_analysis(self):
        return self.costs

    def memory_analysis(self):
        return self.sizes


@pytest.mark.parametrize(
    ("mute", "told"),
    [
        (Mute(), set()),
        (Mute(text="", costs={}), set()),
        (Mute(text="no program"), set()),
        # negative: XLA met a call into a library; not finite: it gave up
        (
            Mute(costs={"flops": -1.0, "bytes accessed": float("nan")}),
            {"transcendentals"},
        ),
        # what it counted as zero it leaves out
        (
            Mute(costs={"bytes accessed": 16.0}),
            {"bytes_accessed", "flops", "transcendentals"},
        ),
    ],
)
def test_what_a_platform_does_not_tell_is_absent_and_never_zero(mute, told):
    tally = counters._Tally()
    counters._count_program(tally, mute)
    assert set(tally.counted) == {"jaxpr_equations"} | told
    assert set(tally.uncounted) == PROGRAM - {"jaxpr_equations"} - told


def test_a_library_that_stops_reporting_compilations_has_compiled_an_unknown_number(
    monkeypatch,
):
    monkeypatch.setattr(compilations, "COMPILATION", "renamed")
    found = count(on_jax())
    assert {"compilations", "recompilations"} <= set(found.uncounted)


def test_others_who_listen_still_hear():
    heard = []

    def hear(event, duration, **details):
        heard.append(event)

    monitoring.register_event_duration_secs_listener(hear)
    try:
        assert count(on_jax()).counters["compilations"] == 1
    finally:
        monitoring.unregister_event_duration_listener(hear)
    assert compilations.COMPILATION in heard


def test_a_kernel_that_compiles_in_every_call_is_seen():
    class Recompiling(Square):
        compiled = False

        def compute(self, backend, problem, inputs):
            if backend.name != "jax":
                return super().compute(backend, problem, inputs)
            return jax.jit(lambda x: right_of(x, backend))(inputs["x"])

    def right_of(x, backend):
        return {"square": x * x, "sign": backend.sign(x).astype("int64")}

    found = count(on_jax(Recompiling()))
    assert found.counters["recompilations"] >= 1
    assert "compiled again" in found.uncounted["allocated_peak_bytes"]


class ClosedOver(Affine):
    """Keeps its inputs, and does not take them as arguments."""

    closed = ("x", "weight")

    def make_inputs(self, problem, rng):
        self.kept = super().make_inputs(problem, rng)
        return self.kept

    def compute(self, backend, problem, inputs):
        kept = {name: backend.array(self.kept[name]) for name in self.closed}
        return super().compute(backend, problem, {**inputs, **kept})


def test_inputs_that_were_closed_over_make_a_case_invalid():
    found = count(on_jax(ClosedOver()))
    assert found.status is Status.INVALID
    assert "none of its 128 bytes of inputs (weight, x)" in found.reason
    assert "closed over" in found.reason
    assert all(check.passed for check in found.checks)
    # the compiler computed what it could: that is what the guard is for
    assert found.counters["argument_bytes"] == 0
    assert found.counters["flops"] < count(on_jax(Affine())).counters["flops"]


@pytest.mark.parametrize(
    ("name", "kept_by"), [("x", "jax"), ("weight", "jax"), ("weight", "numpy")]
)
def test_one_input_that_was_closed_over_is_named(name, kept_by):
    class Partly(ClosedOver):
        closed = (name,)

        def compute(self, backend, problem, inputs):
            if kept_by == "jax":
                return super().compute(backend, problem, inputs)
            return Affine.compute(
                self, backend, problem, {**inputs, name: self.kept[name]}
            )

    found = count(on_jax(Partly()))
    assert found.status is Status.INVALID
    assert found.reason.startswith(f"input {name!r} is a constant of the compiled")


def test_an_input_without_a_use_is_no_proof():
    class Unused(Affine):
        def compute(self, backend, problem, inputs):
            return {"square": inputs["x"] * inputs["x"]}

    found = count(on_jax(Unused()))
    assert (found.status, found.reason) == (Status.OK, "")
    assert found.counters["argument_bytes"] == 64 < found.input_bytes


def test_a_constant_that_equals_an_argument_is_no_proof():
    class Alike(Affine):
        def compute(self, backend, problem, inputs):
            x = inputs["x"]
            return {"square": x * x + 0.0 * inputs["weight"] * np.arange(8.0)}

    found = count(on_jax(Alike()))
    assert (found.status, found.reason) == (Status.OK, "")


def test_what_was_made_of_an_input_before_is_no_proof():
    class Beforehand(ClosedOver):
        def compute(self, backend, problem, inputs):
            doubled = 2 * self.kept["weight"]
            return {"square": inputs["x"] * inputs["x"] + 0.0 * doubled}

    found = count(on_jax(Beforehand()))
    assert (found.status, found.reason) == (Status.OK, "")
    # it can be seen, though
    assert found.counters["argument_bytes"] == 64 < found.input_bytes


def test_wrong_values_outweigh_it():
    class Wrong(ClosedOver):
        def compute(self, backend, problem, inputs):
            outputs = super().compute(backend, problem, inputs)
            if backend.name == "jax":
                outputs["square"] = outputs["square"] + 1
            return outputs

    assert count(on_jax(Wrong())).status is Status.PARITY_FAILED


def test_the_values_of_the_second_call_are_the_ones_that_are_checked():
    backend = Backend(Clock(), lambda x, call: right(x + (call == 2)))
    assert count(task(backend)).status is Status.PARITY_FAILED


@pytest.mark.parametrize("name", kernel_names())
def test_no_registered_kernel_closes_over_its_inputs(name):
    kernel = create_kernel(name)
    problem = {
        "detector": making.DETECTOR if "detector" in kernel.needs else None,
        "geometry": making.GEOMETRY if "geometry" in kernel.needs else None,
    }
    case = making.case(
        "jax",
        "counters",
        kernel=name,
        kernel_version=kernel.version,
        params=kernel.Params().model_dump(mode="json"),
        **problem,
    )
    found = count(build_task(case, making.sampling(), 5, ()))
    assert (found.status, found.reason) == (Status.OK, "")
    if kernel.compiled:
        assert found.counters["argument_bytes"] == found.input_bytes


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_counters_are_the_same_in_every_process(backend):
    script = f"""
import making
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.counters import measure
from xpcs_bench.measure.task import build_task

kernel = create_kernel("g2_model")
case = making.case(
    {backend!r}, "counters", kernel="g2_model", kernel_version=kernel.version,
    params=kernel.Params().model_dump(mode="json"), detector=None,
)
print(measure(build_task(case, making.sampling(), 5, ()), now_ns).model_dump_json())
"""
    found = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    assert found[0]["status"] == "ok"
    # but for small objects that Python keeps for a while
    peaks = [each["counters"].pop("allocated_peak_bytes") for each in found]
    assert peaks[0] == pytest.approx(peaks[1], rel=0.01)
    assert found[0]["counters"] == found[1]["counters"]
