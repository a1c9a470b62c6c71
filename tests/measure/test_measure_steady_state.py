import gc
import itertools
from fractions import Fraction

import making
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_scripts import (
    Backend,
    Clock,
    Pending,
    Square,
    right,
    task,
)

from xpcs_bench.backends.jax_backend import JAXBackend
from xpcs_bench.kernels.kernel import Output, Work
from xpcs_bench.measure.circumstances import UNKNOWN, Counters, Instruments
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.steady_state import SteadyState, overhead_ns_per_sample
from xpcs_bench.records import Status, Variant

CALL_NS = 100
"""Of the scripted backend: 10 to dispatch, 90 until the outputs are there."""


class Running(Instruments):
    """All time is CPU time; between two readings a thread waits 100 ns for a core."""

    def __init__(self, clock, reading_ns=0):
        readings = itertools.count()

        def counters():
            clock.spend(reading_ns)
            row = next(readings)
            return Counters(100 * row, 2 * row, 3 * row)

        super().__init__(cpu_ns=lambda: clock.now, counters=counters)


def steady(backend, **changes):
    return SteadyState(task(backend, **changes), backend.clock)


def test_every_call_before_the_samples_is_recorded_the_first_one_first():
    backend = Backend(Clock())
    state = steady(backend, warmup_calls=3)
    prepared = state.prepare()
    warmups = state.finish().warmups
    assert warmups.elapsed_ns == (1_000_000 + CALL_NS, CALL_NS, CALL_NS, CALL_NS)
    assert warmups.inner_loops == (1, 1, 1, 1)
    assert backend.calls == 4
    assert (prepared.inner_loops, prepared.call_ns) == (1, CALL_NS)


def test_the_first_call_starts_with_jit_and_after_the_inputs_are_ready():
    backend = Backend(Clock())
    steady(backend, warmup_calls=1).prepare()
    call = ["dispatch", "block", "clock"]
    assert backend.events == [
        *["device_put cpu", "block"],
        *["clock", "jit", *call],
        *["clock", *call],
    ]


def test_what_is_not_compiled_is_called_as_it_is_and_never_traced():
    class Plain(Square):
        compiled = False

        def compute(self, backend, problem, inputs):
            backend.clock.spend(7)
            x = inputs["x"].values
            return {name: Pending(y) for name, y in right(x).items()}

        def reference(self, problem, inputs):
            return right(inputs["x"])

    backend = Backend(Clock())
    state = steady(backend, kernel=Plain(), warmup_calls=1)
    prepared = state.prepare()
    observation = state.finish()
    assert "jit" not in backend.events
    assert prepared.call_ns == 97  # and the wait for the outputs
    assert observation.n_traces is None
    assert observation.status is Status.OK


@settings(max_examples=40)
@given(
    call_ns=st.integers(1, 10**7),
    min_sample_ns=st.integers(1, 10**8),
    reading_ns=st.integers(0, 100),
)
def test_calibration_ends_with_a_reading_that_is_long_enough(
    call_ns, min_sample_ns, reading_ns
):
    backend = Backend(Clock(reading_ns=reading_ns), dispatch_ns=0, compute_ns=call_ns)
    min_sample_ns = min(min_sample_ns, 100 * call_ns)  # the scripted loop is slow
    state = steady(backend, warmup_calls=1, min_sample_s=min_sample_ns * 1e-9)
    prepared = state.prepare()
    warmups = state.finish().warmups
    assert warmups.inner_loops[-1] == prepared.inner_loops
    # the clock and the backend are scripted: what a reading shows is known
    assert warmups.elapsed_ns[1:] == tuple(
        loops * call_ns + reading_ns for loops in warmups.inner_loops[1:]
    )
    enough = Fraction(min_sample_ns - reading_ns, call_ns)
    assert prepared.inner_loops >= enough
    # with all loops before it a reading was too short; no step was more than tenfold
    assert all(loops < enough for loops in warmups.inner_loops[1:-1])
    for before, after in itertools.pairwise(warmups.inner_loops[1:]):
        assert before < after <= 10 * before
    # no more than a fifth too many, but for one, and what a nanosecond is rounded to
    fifth_more = Fraction(12 * min_sample_ns, 10 * call_ns)
    assert prepared.inner_loops <= fifth_more + 1 + Fraction(1, call_ns)
    assert prepared.call_ns == round(warmups.elapsed_ns[-1] / prepared.inner_loops)


def on_device(backend, device):
    variant = Variant(backend="scripted", device=device, dtype="float64")
    return steady(backend, case=making.case("scripted", variant=variant))


class Rising(Backend):
    """Each call of the first fifty takes 2 % less than the one before."""

    def block_until_ready(self, tree, /):
        self.compute_ns = round(1e6 * 0.98 ** min(self.calls, 50))
        return super().block_until_ready(tree)


def test_a_device_works_until_its_clocks_have_settled():
    backend = Rising(Clock())
    state = on_device(backend, "gpu")
    state.prepare()
    first = state.sample(1)
    assert backend.calls > 50
    assert first[0] == pytest.approx(1e6 * 0.98**50, rel=1e-3)
    # all that was spent on it is recorded
    assert len(state.finish().warmups) == backend.calls - 1


def test_the_cpu_is_not_waited_for():
    backend = Rising(Clock())
    state = on_device(backend, "cpu")
    state.prepare()
    assert backend.calls == 1 + state._task.sampling.warmup_calls


def test_a_device_that_never_settles_is_not_waited_for_for_ever():
    class Swinging(Backend):
        def block_until_ready(self, tree, /):
            # 10 and 20 ms in turn, window by window
            self.compute_ns = 10_000_000 * (1 + self.calls // 5 % 2)
            return super().block_until_ready(tree)

    backend = Swinging(Clock())
    on_device(backend, "gpu").prepare()
    assert 3e9 < backend.clock.now < 3.3e9


def test_calibration_gives_up_on_a_clock_that_stands_still(monkeypatch):
    monkeypatch.setattr("xpcs_bench.measure.steady_state._MOST_LOOPS", 1000)
    backend = Backend(Clock(), dispatch_ns=0, compute_ns=0)
    assert steady(backend).prepare().inner_loops == 1000


def test_a_sample_is_two_readings_with_nothing_but_blocked_calls_between():
    backend = Backend(Clock())
    state = steady(backend, min_sample_s=2.5e-7, warmup_calls=1)
    assert state.prepare().inner_loops == 3
    backend.events.clear()
    assert state.sample(2) == (CALL_NS, CALL_NS)
    sample = ["clock", *["dispatch", "block"] * 3, "clock"]
    assert backend.events == ["clock", *sample * 2, "clock"]


def test_the_clock_stops_after_the_outputs_are_there():
    backend = Backend(Clock(), dispatch_ns=1, compute_ns=99_999)
    state = steady(backend)
    state.prepare()
    assert state.sample(3) == (100_000,) * 3


def test_samples_keep_their_order_and_their_block():
    clock = Clock()
    backend = Backend(clock)
    read = Running(clock)
    state = SteadyState(task(backend, warmup_calls=1), clock, read)
    state.prepare()
    for block_ns, count in ((100, 2), (200, 3)):
        backend.compute_ns = block_ns - backend.dispatch_ns
        state.sample(count)
    observation = state.finish()
    assert observation.samples.elapsed_ns == (100, 100, 200, 200, 200)
    assert observation.samples.inner_loops == (1,) * 5
    assert observation.samples.block == (0, 0, 1, 1, 1)
    assert [block.wall_ns for block in observation.blocks] == [200, 600]
    assert [block.cpu_ns for block in observation.blocks] == [200, 600]
    assert [block.run_delay_ns for block in observation.blocks] == [400, 500]
    assert observation.spent_ns == sum(observation.warmups.elapsed_ns) + 800


def test_every_sample_has_its_own_labels_and_the_readings_cost_nobody_anything():
    clock = Clock()
    backend = Backend(clock)
    read = Running(clock, reading_ns=1_000_000)
    state = SteadyState(task(backend, warmup_calls=1), clock, read)
    state.prepare()
    state.sample(3)
    observation = state.finish()
    samples = observation.samples
    assert samples.elapsed_ns == (CALL_NS,) * 3
    assert samples.cpu_ns == (CALL_NS,) * 3
    assert samples.run_delay_ns == (100, 100, 100)
    assert samples.involuntary_switches == (2, 2, 2)
    assert samples.minor_faults == (3, 3, 3)
    # nor do warm-ups have labels that nobody asked for
    assert observation.warmups.cpu_ns == ()


def test_a_label_that_the_platform_lacks_is_missing_and_not_zero():
    clock = Clock()
    read = Instruments(cpu_ns=clock, counters=lambda: UNKNOWN)
    state = SteadyState(task(Backend(clock), warmup_calls=1), clock, read)
    state.prepare()
    state.sample(2)
    samples = state.finish().samples
    assert samples.cpu_ns == (CALL_NS, CALL_NS)
    assert samples.run_delay_ns == samples.minor_faults == ()


def test_a_good_case_is_ok_with_checks_digests_and_sizes():
    state = steady(Backend(Clock()))
    state.prepare()
    state.sample(5)
    observation = state.finish()
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert observation.n_traces == 1
    assert {(check.output, check.against) for check in observation.checks} == {
        ("square", "reference"),
        ("sign", "reference"),
        ("square", "truth"),
    }
    assert [output.name for output in observation.outputs] == ["square", "sign"]
    assert observation.input_bytes == 64
    assert observation.output_bytes == 128


def test_a_trace_while_sampling_makes_the_case_invalid():
    state = steady(Backend(Clock(), traces_at={1, 6}), warmup_calls=2)
    state.prepare()
    state.sample(5)
    observation = state.finish()
    assert observation.status is Status.INVALID
    assert observation.reason.startswith("the kernel was traced 2 times, 1 of them")
    assert observation.n_traces == 2
    assert len(observation.samples) == 5  # kept: evidence is never thrown away


def test_a_trace_during_warm_up_is_no_harm():
    state = steady(Backend(Clock(), traces_at={1, 3}), warmup_calls=2)
    state.prepare()
    state.sample(5)
    observation = state.finish()
    assert (observation.status, observation.n_traces) == (Status.OK, 2)


def test_a_backend_that_answers_without_tracing_is_invalid():
    state = steady(Backend(Clock(), traces_at=set()))
    state.prepare()
    state.sample(1)
    observation = state.finish()
    assert observation.status is Status.INVALID
    assert "without ever tracing" in observation.reason


def one_off(x):
    outputs = right(x)
    outputs["square"][3] *= 1 + 1e-5
    return outputs


def not_a_number(x):
    outputs = right(x)
    outputs["square"][5] = np.nan
    return outputs


@pytest.mark.parametrize(
    ("wrong", "output", "says"),
    [
        (one_off, "square", "(3,)"),
        (not_a_number, "square", "(5,)"),
        (lambda x: right(x) | {"square": np.zeros_like(x)}, "square", "8 of 8"),
        (lambda x: right(x) | {"sign": np.ones_like(x)}, "sign", "float64"),
        (lambda x: {"sign": right(x)["sign"]}, "square", "missing"),
        (lambda x: right(x) | {"more": x}, "more", "not expected"),
        (lambda x: right(x[:-1]), "square", "(7,)"),
    ],
)
def test_fast_and_wrong_is_parity_failed(wrong, output, says):
    state = steady(Backend(Clock(), lambda x, _: wrong(x)))
    state.prepare()
    state.sample(3)
    observation = state.finish()
    assert observation.status is Status.PARITY_FAILED
    assert observation.reason.startswith(f"output {output!r} against the ")
    assert says in observation.reason


def test_it_is_the_last_timed_call_whose_values_are_checked():
    calls = 1 + 2 + 4  # first, warm-up, samples

    def answer(x, number):
        return one_off(x) if number == calls else right(x)

    backend = Backend(Clock(), answer)
    state = steady(backend, warmup_calls=2)
    state.prepare()
    state.sample(4)
    assert state.finish().status is Status.PARITY_FAILED
    assert backend.calls == calls  # and none was made for the check


def test_wrong_values_outweigh_a_retrace():
    state = steady(Backend(Clock(), lambda x, _: one_off(x), traces_at={1, 4}))
    state.prepare()
    state.sample(3)
    assert state.finish().status is Status.PARITY_FAILED


def test_outputs_live_until_the_next_ones_are_there_and_no_longer():
    backend = Backend(Clock())
    state = steady(backend, min_sample_s=2.5e-7)
    Pending.alive.clear()
    state.prepare()
    state.sample(4)
    state.sample(4)
    # one input, and the two outputs of one call before
    assert backend.most_alive == 1 + 2


def test_nothing_is_collected_while_sampling():
    seen = []

    def answer(x, _):
        seen.append(gc.isenabled())
        return right(x)

    state = steady(Backend(Clock(), answer), warmup_calls=1)
    state.prepare()
    state.sample(2)
    assert seen == [True, True, False, False]
    assert gc.isenabled()


def test_what_the_code_under_test_raises_passes_through():
    def answer(x, number):
        if number == 5:
            msg = "the fifth call fails"
            raise ArithmeticError(msg)
        return right(x)

    state = steady(Backend(Clock(), answer))
    state.prepare()
    with pytest.raises(ArithmeticError, match="the fifth call fails"):
        state.sample(10)
    assert gc.isenabled()


class Large(Square):
    """States so much work that what is copied beside it takes a known time."""

    def __init__(self, nbytes=2**17, flops=0):
        super().__init__()
        self.stated = Work(flops=flops, bytes=nbytes)

    def work(self, problem):
        return self.stated


COPYING_NS = 16_000
"""Of each reading around copies, on a clock that moves when it is read. 16 passes of
64 KiB are in one: 1000 ns a copy, and 62.5 ns for the least call of one core."""
LEAST_NS = COPYING_NS / 16 / 16


def on_one_core(backend, kernel, **changes):
    read = Instruments(cpu_ns=lambda: 0, counters=lambda: UNKNOWN, cores=1)
    return SteadyState(task(backend, kernel, **changes), backend.clock, read)


def observed_with(call_ns, kernel, **changes):
    """Finish a case whose calls take a known time, between two known readings."""
    backend = Backend(Clock(), dispatch_ns=0, compute_ns=call_ns)
    state = on_one_core(backend, kernel, warmup_calls=1, **changes)
    state.prepare()
    state.sample(3)
    backend.clock.reading_ns = COPYING_NS
    return state.finish()


@pytest.mark.parametrize(
    ("call_ns", "status"),
    [(62, Status.INVALID), (63, Status.OK), (1000, Status.OK)],
)
def test_a_call_below_what_its_bytes_allow_is_refused(call_ns, status):
    observation = observed_with(call_ns, Large(2**16))
    assert observation.least_call_ns == LEAST_NS
    assert observation.status is status
    if status is Status.INVALID:
        assert observation.reason.startswith("a call took 62.0 ns, and its 64.0 KiB")
        assert "Its outputs were not waited for" in observation.reason
        assert len(observation.samples) == 3  # evidence is never thrown away


def test_operations_that_no_core_does_are_refused():
    kernel = Large(0, flops=10**9)  # 100 us at 1e13 a second
    assert observed_with(99_999, kernel).status is Status.INVALID
    assert observed_with(100_000, kernel).status is Status.OK


@pytest.mark.parametrize("nbytes", [0, 2**16 - 1])
def test_little_work_cannot_tell(nbytes):
    observation = observed_with(0, Large(nbytes), min_sample_s=1e-12)
    assert observation.status is Status.OK
    assert observation.least_call_ns is None


def test_one_reading_that_is_too_short_is_the_clocks_fault_and_two_are_not():
    for count, status in ((1, Status.OK), (2, Status.INVALID)):
        backend = Backend(Clock(), dispatch_ns=0, compute_ns=1_000_000)
        state = on_one_core(backend, Large(2**16), warmup_calls=1)
        state.prepare()
        backend.compute_ns = 1
        state.sample(count)
        backend.compute_ns = 1_000_000
        state.sample(5)
        backend.clock.reading_ns = COPYING_NS
        assert state.finish().status is status


def test_warm_ups_tell_too_where_later_calls_wait_in_a_queue():
    backend = Backend(Clock(), dispatch_ns=0, compute_ns=1)
    state = on_one_core(backend, Large(2**16), warmup_calls=2)
    state.prepare()
    backend.compute_ns = 1_000_000
    state.sample(5)
    backend.clock.reading_ns = COPYING_NS
    assert state.finish().status is Status.INVALID


def test_wrong_values_and_a_retrace_outweigh_a_time_that_is_too_short():
    backend = Backend(Clock(), lambda x, _: one_off(x), dispatch_ns=0, compute_ns=1)
    state = on_one_core(backend, Large(2**31))
    state.prepare()
    state.sample(3)
    backend.clock.reading_ns = COPYING_NS
    assert state.finish().status is Status.PARITY_FAILED
    backend = Backend(Clock(), traces_at={1, 5}, dispatch_ns=0, compute_ns=1)
    state = on_one_core(backend, Large(2**31))
    state.prepare()
    state.sample(3)
    backend.clock.reading_ns = COPYING_NS
    assert "was traced 2 times" in state.finish().reason


class Hasty(JAXBackend):
    """Waits for inputs, and for no output."""

    def block_until_ready(self, tree, /):
        return tree if "y" in tree else super().block_until_ready(tree)


class Sines(Square):
    """Some 50 ms of work: 32 MiB in, and as many out."""

    size = 2**22

    def outputs(self, problem):
        return (Output("y", ("element",), "1"),)

    def make_inputs(self, problem, rng):
        return {"x": rng.uniform(1, 2, self.size)}

    def compute(self, backend, problem, inputs):
        # XLA computes a sine alone at once: by its count it costs no flops
        return {"y": inputs["x"] * backend.sin(inputs["x"])}

    def truth(self, problem, inputs):
        return {}

    def work(self, problem):
        return Work(flops=self.size, bytes=16 * self.size)


@pytest.mark.parametrize("backend", [JAXBackend, Hasty])
def test_real_outputs_that_nobody_waits_for_are_refused(backend):
    # as if on one core: with many the bound of this much work is below a dispatch
    read = Instruments(cores=1)
    state = SteadyState(task(backend, Sines(), warmup_calls=2), now_ns, read)
    state.prepare()
    state.sample(3)
    observation = state.finish()
    # the values are right either way: they are waited for when they are looked at
    assert all(check.passed for check in observation.checks)
    if backend is JAXBackend:
        assert (observation.status, observation.reason) == (Status.OK, "")
    else:
        assert observation.status is Status.INVALID
        assert "64.0 MiB" in observation.reason


@pytest.mark.parametrize("count", [0, -1])
def test_a_block_without_samples_is_refused(count):
    state = steady(Backend(Clock()))
    state.prepare()
    with pytest.raises(ValueError, match="one sample or more"):
        state.sample(count)


def test_sampling_and_finishing_need_preparation():
    state = steady(Backend(Clock()))
    with pytest.raises(ValueError, match="after prepare"):
        state.sample(1)
    with pytest.raises(ValueError, match="after prepare"):
        state.finish()


@pytest.mark.parametrize("reading_ns", [0, 40])
def test_the_overhead_is_what_a_sample_costs_beyond_two_readings(reading_ns):
    assert overhead_ns_per_sample(Clock(reading_ns=reading_ns)) == pytest.approx(
        # one reading closes each trial of two hundred samples
        reading_ns / 200
    )


def test_the_overhead_holds_what_the_labels_cost():
    clock = Clock()
    read = Running(clock, reading_ns=70)
    # a block of n samples reads the counters n + 1 times
    assert overhead_ns_per_sample(clock, read) == pytest.approx(70 * 201 / 200)


def test_the_overhead_is_reported_with_the_real_clock():
    assert overhead_ns_per_sample(now_ns) >= 0
    state = SteadyState(task(Backend(Clock())), now_ns)
    state.prepare()
    assert state.finish().overhead_ns_per_sample >= 0
