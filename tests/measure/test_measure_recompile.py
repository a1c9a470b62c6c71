import json
import subprocess
import sys

import making
import pytest
from measure_scripts import Backend, Clock, Square, right, task

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.measure import recompile
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.compilations import Programs
from xpcs_bench.measure.recompile import skip_reason
from xpcs_bench.records import Status, Variant

START_NS = 40_000_000
"""What the first call of a process pays once."""
COMPILED, FOUND, NOTHING = Programs(1, 0), Programs(1, 1), Programs(0, 0)


class Compiler:
    """Tells what it is told to: of the witness at first and again, and of the call."""

    def __init__(self, events, *, first=COMPILED, called=COMPILED, again=COMPILED):
        self.events = events
        self.witnessed = [first, again]
        # what the first call of the process made ready is nobody's business
        self.called = [Programs(7, 5), called]
        self.total = Programs(0, 0)

    def _add(self, programs):
        ready, found = programs
        self.total = Programs(self.total.ready + ready, self.total.found + found)

    def told(self):
        return self.total

    def compile(self):
        self._add(self.called.pop(0))

    def witness(self):
        self.events.append("witness")
        self._add(self.witnessed.pop(0))

    def forget(self):
        self.events.append("forget")


def scripted(
    answer=lambda x, _: right(x), *, cache="off", traces_at=frozenset({1, 2}), **told
):
    """Measure a scripted case; return the observation and the backend."""
    clock = Clock()
    compiler = Compiler(clock.events, **told)

    def compute(x, call):
        compiler.compile()
        clock.spend(START_NS if call == 1 else 0)
        return answer(x, call)

    backend = Backend(
        clock,
        compute,
        traces_at=traces_at,
        trace_ns=5_000_000,
        dispatch_ns=100,
        compute_ns=900,
    )
    variant = Variant(
        backend="jax", device="cpu", dtype="float64", compilation_cache=cache
    )
    case = making.case("jax", "recompile", variant=variant)
    return recompile.measure(task(backend, case=case), clock, compiler), backend


def test_it_is_the_call_after_all_was_forgotten_timed_as_a_first_call_is():
    observation, backend = scripted()
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert observation.value == 5_001_000e-9
    assert (observation.unit, observation.n_traces) == ("s", 1)
    assert len(observation.checks) == 3
    assert backend.events == [
        *["device_put cpu", "block"],
        *["clock", "jit", "dispatch", "block", "clock"],
        *["witness", "forget"],
        *["clock", "jit", "dispatch", "block", "clock"],
        *["witness"],
    ]


def test_the_first_call_of_the_process_is_a_warm_up_and_accounted_for():
    observation, _ = scripted()
    assert observation.warmups.elapsed_ns == (START_NS + 5_001_000,)
    assert observation.warmups.inner_loops == (1,)
    assert observation.spent_ns == START_NS + 2 * 5_001_000


def test_what_the_first_call_returned_is_released_before_the_second():
    _, backend = scripted()
    assert backend.most_alive == 1  # the input


@pytest.mark.parametrize(
    ("wrong_call", "status"), [(1, Status.OK), (2, Status.PARITY_FAILED)]
)
def test_the_values_of_the_call_that_was_timed_are_checked(wrong_call, status):
    observation, _ = scripted(lambda x, call: right(x + (call == wrong_call)))
    assert observation.status is status
    assert observation.value is not None  # kept as evidence, judged by nobody


def test_wrong_values_outweigh_what_else_is_wrong():
    observation, _ = scripted(lambda x, _: right(x + 1), called=NOTHING)
    assert observation.status is Status.PARITY_FAILED


def test_a_call_that_was_not_traced_anew_is_no_recompilation():
    observation, _ = scripted(traces_at=frozenset({1}))
    assert observation.status is Status.INVALID
    assert "traced 0 times" in observation.reason


@pytest.mark.parametrize(
    ("cache", "told", "reason"),
    [
        ("off", {}, ""),
        ("off", {"called": Programs(3, 0)}, ""),
        ("off", {"called": NOTHING}, "traced and no program was compiled"),
        ("off", {"again": NOTHING}, "they were not cleared"),
        ("off", {"called": FOUND}, "1 of 1 programs were found in the persistent"),
        # the first call of the process has filled it
        ("cold", {"called": FOUND}, "1 of 1 programs were found in the persistent"),
        ("warm", {"called": FOUND, "again": FOUND}, ""),
        ("warm", {"called": Programs(3, 3), "again": FOUND}, ""),
        (
            "warm",
            {"called": Programs(3, 1), "again": FOUND},
            "2 of 3 programs were not",
        ),
        # whoever is never told of a find has no proof that there was one
        ("warm", {"called": COMPILED}, "1 of 1 programs were not found"),
        ("warm", {"called": NOTHING, "again": FOUND}, "no program was compiled"),
    ],
)
def test_what_the_compiler_tells_makes_it_valid_or_invalid(cache, told, reason):
    observation, _ = scripted(cache=cache, **told)
    assert observation.status is (Status.INVALID if reason else Status.OK)
    assert reason in observation.reason
    ready, found = told.get("called", COMPILED)
    assert f"of {ready} programs {ready - found} were compiled" in observation.method


def test_a_compiler_that_tells_nothing_leaves_the_trace_as_the_proof():
    mute = {"first": NOTHING, "called": NOTHING, "again": NOTHING}
    observation, _ = scripted(**mute)
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert "does not tell" in observation.method
    observation, _ = scripted(traces_at=frozenset({1}), **mute)
    assert observation.status is Status.INVALID


def test_what_does_not_compile_is_refused_and_the_plan_is_told_why():
    with pytest.raises(CannotMeasure, match="'recompile' out of 'measure'"):
        recompile.measure(task(NumPyBackend()), now_ns)
    assert "does not compile" in skip_reason(None, "numpy", "cpu")
    assert "of jax alone" in skip_reason(None, "other", "cpu")
    assert "not compiled" in skip_reason(None, "jax", "cpu", compiled=False)
    assert skip_reason(None, "jax", "gpu") is None


REAL = """
import jax
import making, measure_scripts
from xpcs_bench.backends import create_backend
from xpcs_bench.measure import compilations, recompile
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.records import Variant

def measured(cache="off"):
    variant = Variant(
        backend="jax", device="cpu", dtype="float64", compilation_cache=cache
    )
    case = making.case("jax", "recompile", variant=variant)
    task = measure_scripts.task(lambda: create_backend("jax"), case=case)
    print(recompile.measure(task, now_ns).model_dump_json())

"""


def real(script, **variables):
    """Measure on jax in a fresh process; return the observations."""
    done = subprocess.run(
        [sys.executable, "-c", REAL + script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "JAX_ENABLE_X64": "true", **variables},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_jax_compiles_anew_each_time_and_who_does_not_is_found_out():
    first, second, kept, mute = real("""
measured()
measured()

clear, jax.clear_caches = jax.clear_caches, lambda: None
measured()
jax.clear_caches = clear

compilations.COMPILATION = "renamed"
measured()
""")
    for observation in (first, second):
        assert (observation["status"], observation["reason"]) == ("ok", "")
        assert observation["n_traces"] == 1
        assert "of 1 programs 1 were compiled and 0 found" in observation["method"]
        assert 0 < observation["value"] < observation["spent_ns"] * 1e-9
        assert len(observation["checks"]) == 3
    assert kept["status"] == "invalid"
    assert "they were not cleared" in kept["reason"]
    assert mute["status"] == "ok"
    assert "does not tell" in mute["method"]


def test_a_persistent_cache_is_seen_whoever_filled_it(tmp_path):
    off, cold, warm = real(
        "measured()\nmeasured('cold')\nmeasured('warm')\n",
        JAX_ENABLE_COMPILATION_CACHE="true",
        JAX_COMPILATION_CACHE_DIR=str(tmp_path),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
    )
    # the first call of the first process has left it there
    for observation in (off, cold):
        assert observation["status"] == "invalid"
        assert "1 of 1 programs were found in the persistent" in observation["reason"]
    assert (warm["status"], warm["reason"]) == ("ok", "")
    assert "0 were compiled and 1 found" in warm["method"]
    (none,) = real("measured('warm')\n", JAX_ENABLE_COMPILATION_CACHE="false")
    assert none["status"] == "invalid"
    assert "1 of 1 programs were not found" in none["reason"]


def test_jax_too_compiles_no_kernel_that_is_not_to_be():
    class Plain(Square):
        compiled = False

    case = making.case("jax", "recompile")
    plain = task(lambda: create_backend("jax"), Plain(), case=case)
    with pytest.raises(CannotMeasure, match="the kernel has no recompilation"):
        recompile.measure(plain, now_ns)
