"""Real workers: what one of them does wrong costs its own case and nothing else."""

import contextlib
import threading
from itertools import pairwise

import psutil
import pytest
from making import environment, experiment, sampling

from xpcs_bench.config import PROFILES, KernelChoice, Matrix
from xpcs_bench.records import Device, Status
from xpcs_bench.run.compilation_cache import CacheFolders
from xpcs_bench.run.execute import execute
from xpcs_bench.run.journal import Journal, read_journal
from xpcs_bench.run.plan import make_plan
from xpcs_bench.run.probe import probe
from xpcs_bench.run.store import begin, compose
from xpcs_bench.run.wire import Availability
from xpcs_bench.run.worker import Limits, cores

LIMITS = Limits(timeout_s=60.0, memory_bytes=2 * 2**30)
HERE = Availability(
    available=True,
    reason="",
    version="1",
    devices=(Device(platform="cpu", index=0, name="cpu", memory_bytes=None),),
)
BACKENDS = (
    "numpy",
    "jax",
    "one_element_off",
    "zeros",
    "wrong_dtype",
    "nan_for_a_number",
)


class Watching:
    """A listener that notes what it hears, and may act on it."""

    def __init__(self, act=None):
        self.total = None
        self.heard = []
        self._act = act

    def started(self, total):
        self.total = total

    def extended(self, count):
        self.total += count

    def working(self, case, process):
        pass

    def measured(self, case, measurement):
        self.heard.append((case.id, measurement.observation.status))
        if self._act:
            self._act(case, measurement)


def planned(
    *kernels,
    backends=("numpy",),
    measure=("steady_state",),
    profile="as_user",
    caches=("off",),
    converts=("nothing",),
    **changes,
):
    values = {"max_time_s": 0.1, "processes": 1, "min_sample_s": 1e-4} | changes
    return make_plan(
        experiment(
            kernels=tuple(KernelChoice(name=name, params={}) for name in kernels),
            matrix=Matrix(
                backend=backends,
                device=("cpu",),
                dtype=("float64",),
                compilation_cache=caches,
                converts=converts,
            ),
            measure=measure,
            profile=PROFILES[profile],
            sampling=sampling(**values),
        ),
        dict.fromkeys(BACKENDS, HERE),
        LIMITS.memory_bytes,
    )


def started(plan, out):
    folder, header = begin(plan, out, ["test"], ("made.yaml", "0" * 64), environment())
    with Journal(folder) as journal:
        journal.header(header)
    return folder


def carried_out(plan, folder, *, listener=None, limits=LIMITS):
    evidence = read_journal(folder)
    with Journal(folder) as journal:
        execute(plan, evidence, journal, limits, listener or Watching())
    return evidence


def statuses(evidence):
    return {
        key[0].split("/")[0]: measurement.observation.status
        for key, measurement in evidence.measurements.items()
    }


@pytest.mark.parametrize(
    ("kernel", "status", "words"),
    [
        ("kills_itself", Status.CRASHED, "SIGKILL"),
        ("raises", Status.RAISED, "the sample fell off its stage"),
        ("never_returns", Status.TIMED_OUT, "no answer within"),
        ("hoards", Status.OUT_OF_MEMORY, "past its limit"),
        ("returns_nan", Status.PARITY_FAILED, "finite"),
    ],
)
def test_what_goes_wrong_costs_its_own_case(plugins, tmp_path, kernel, status, words):
    plan = planned(kernel, "sound")
    limits = Limits(
        timeout_s=2.0 if kernel == "never_returns" else 60.0,
        memory_bytes=350 * 2**20 if kernel == "hoards" else LIMITS.memory_bytes,
    )
    folder = started(plan, tmp_path)
    evidence = carried_out(plan, folder, limits=limits)
    assert statuses(evidence) == {kernel: status, "sound": Status.OK}, evidence
    lost = next(
        row for row in evidence.measurements.values() if row.case.startswith(kernel)
    )
    assert words in lost.observation.reason
    assert read_journal(folder).measurements == evidence.measurements


@pytest.mark.skipif(not cores(), reason="this platform binds no process to a core")
def test_controlled_workers_take_turns_on_one_core_and_the_next_on_another(
    plugins, tmp_path
):
    before = cores()
    plan = planned(
        "sound", backends=("numpy", "jax"), profile="controlled", processes=2
    )
    evidence = carried_out(plan, started(plan, tmp_path))
    used = {}
    for (_, process), row in evidence.measurements.items():
        worker = evidence.environments[row.environment]
        used.setdefault(process, set()).add(worker.affinity)
        assert worker.variables["NPROC"] == "1"
        assert worker.variables["MALLOC_MMAP_MAX_"] == "0"
        assert row.observation.cores == 1
    assert used == {process: {(before[process % len(before)],)} for process in range(2)}
    assert cores() == before  # and this process is where it was


def test_workers_as_the_user_has_them_are_left_alone(plugins, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("NPROC", raising=False)
    plan = planned("sound")
    evidence = carried_out(plan, started(plan, tmp_path))
    (worker,) = evidence.environments.values()
    assert worker.variables["OMP_NUM_THREADS"] == "2"
    assert "NPROC" not in worker.variables
    assert worker.affinity == cores()


def test_a_warm_cache_holds_what_a_process_before_has_compiled(plugins, tmp_path):
    """Counted by the files of a cold cache: jax writes one for every program."""
    states = ("off", "cold", "warm")
    plan = planned(
        "sound", backends=("jax",), measure=("first_call",), caches=states, processes=2
    )
    found = []
    real = CacheFolders.folder

    def folder(folders, case):
        cache = real(folders, case)
        if cache is not None:
            found.append((cache[0], len(list(cache[1].iterdir())), cache[1]))
        return cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CacheFolders, "folder", folder)
        evidence = carried_out(plan, started(plan, tmp_path))
    assert {row.observation.status for row in evidence.measurements.values()} == {
        Status.OK
    }
    full = {state: {n for name, n, _ in found if name == state} for state in states}
    assert full["cold"] == {0}
    assert min(full["warm"]) > 0
    # every process has a folder of its own, and none is left
    assert len({path for *_, path in found}) == len(found) == 4
    assert not any(path.exists() for *_, path in found)
    # two processes of one state are in the same circumstances
    assert len(evidence.environments) == len(states)
    told = {e.compilation_cache for e in evidence.environments.values()}
    assert told == {"off", "on: from 0 s and -1 bytes"}


def test_cases_that_convert_take_turns_with_those_that_do_not(plugins, tmp_path):
    plan = planned(
        "sound",
        backends=("numpy", "jax"),
        measure=("first_call", "steady_state"),
        converts=("nothing", "input", "output", "both"),
        processes=2,
    )
    evidence = carried_out(plan, started(plan, tmp_path))
    rows = evidence.measurements
    assert {case for case, _ in rows} == {case.id for case in plan.cases}
    assert len(rows) == 2 * 10
    seen = {(row.observation.status, row.observation.reason) for row in rows.values()}
    assert seen == {(Status.OK, "")}
    for (case, _), row in rows.items():
        if case.endswith("steady_state"):
            assert row.interleaved
        assert row.observation.n_traces == (None if "/numpy/" in case else 1)
        assert row.observation.checks
    of_jax = {
        row.observation.outputs for (case, _), row in rows.items() if "jax" in case
    }
    assert len(of_jax) == 1  # what is carried across comes over bit by bit


def test_a_recompile_compiles_or_finds_what_a_process_before_has_left(
    plugins, tmp_path
):
    plan = planned(
        "sound", backends=("jax",), measure=("recompile",), caches=("off", "warm")
    )
    evidence = carried_out(plan, started(plan, tmp_path))
    found = {
        case.split("/")[4]: row.observation
        for (case, _), row in evidence.measurements.items()
    }
    off, warm = found["recompile"], found["warm-cache"]
    for observation in (off, warm):
        assert (observation.status, observation.reason) == (Status.OK, "")
        assert observation.n_traces == 1
        assert len(observation.warmups) == 1
    assert "1 were compiled and 0 found" in off.method
    assert "0 were compiled and 1 found" in warm.method


def test_a_case_that_cannot_fill_its_cache_is_lost_and_nothing_else(plugins, tmp_path):
    plan = planned(
        "raises",
        "sound",
        backends=("jax",),
        measure=("first_call",),
        caches=("warm",),
    )
    evidence = carried_out(plan, started(plan, tmp_path))
    assert statuses(evidence) == {"raises": Status.RAISED, "sound": Status.OK}
    lost = next(r for r in evidence.measurements.values() if "raises" in r.case)
    assert "the sample fell off its stage" in lost.observation.reason
    assert "misbehaving.py" in lost.log


def test_another_profile_is_another_plan(plugins):
    assert planned("sound").digest != planned("sound", profile="controlled").digest


def test_a_raised_error_leaves_its_traceback_in_the_log(plugins, tmp_path):
    plan = planned("raises", measure=("first_call",))
    (row,) = carried_out(plan, started(plan, tmp_path)).measurements.values()
    assert "RuntimeError: the sample fell off its stage" in row.log
    assert "misbehaving.py" in row.log


@pytest.mark.parametrize(
    "backend", ["one_element_off", "zeros", "wrong_dtype", "nan_for_a_number"]
)
def test_fast_and_wrong_gets_no_timing_verdict(plugins, tmp_path, backend):
    plan = planned("sound", backends=("numpy", backend))
    folder = started(plan, tmp_path)
    carried_out(plan, folder)
    record = compose(read_journal(folder), interrupted=False)
    by_backend = {
        row.case.split("/")[1]: row.observation for row in record.measurements
    }
    assert by_backend["numpy"].status is Status.OK
    assert by_backend[backend].status is Status.PARITY_FAILED
    assert by_backend[backend].samples.elapsed_ns  # the evidence is kept
    assert all(backend not in row.case for row in record.summary.estimates)
    assert record.summary.comparisons == ()


def test_a_group_takes_turns(plugins, tmp_path):
    plan = planned("sound", backends=("numpy", "jax"), max_time_s=0.3)
    evidence = carried_out(plan, started(plan, tmp_path))
    rows = list(evidence.measurements.values())
    assert [row.observation.status for row in rows] == [Status.OK, Status.OK]
    assert all(row.interleaved for row in rows)
    first, second = (row.observation.blocks for row in rows)
    starts = sorted(
        [(block.started_ns, "a", block.wall_ns) for block in first]
        + [(block.started_ns, "b", block.wall_ns) for block in second]
    )
    # one at a time: no block starts before the one before it has ended
    for (start, _, wall), (later, _, _) in pairwise(starts):
        assert start + wall <= later
    assert {who for _, who, _ in starts[:2]} == {"a", "b"}


def test_jax_traces_once_and_says_so(plugins, tmp_path):
    plan = planned("sound", backends=("jax",))
    (row,) = carried_out(plan, started(plan, tmp_path)).measurements.values()
    assert row.observation.n_traces == 1
    assert row.environment is not None


def test_a_killed_worker_is_measured_again_on_resuming(plugins, tmp_path):
    plan = planned("kills_itself", "sound")
    folder = started(plan, tmp_path)
    before = carried_out(plan, folder)
    (kept,) = [row for row in before.measurements.values() if "sound" in row.case]
    listener = Watching()
    after = carried_out(plan, folder, listener=listener)
    assert listener.total == 1  # what went well is not done again
    assert kept in after.measurements.values()


def test_an_interrupted_run_is_completed(plugins, tmp_path):
    plan = planned("sound", measure=("steady_state", "first_call", "parity"))

    def interrupt(_case, _measurement):
        raise KeyboardInterrupt

    folder = started(plan, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        carried_out(plan, folder, listener=Watching(interrupt))
    partial = read_journal(folder)
    assert len(partial.measurements) == 1
    complete = carried_out(plan, folder)
    assert len(complete.measurements) == 3
    assert partial.measurements.items() <= complete.measurements.items()
    assert compose(complete, interrupted=False).status == "complete"


def test_a_worker_killed_from_outside_costs_one_measurement(plugins, tmp_path):
    plan = planned("sound", "never_returns", measure=("first_call",))
    killed = threading.Event()
    killers = []

    class Killing(Watching):
        def working(self, case, process):
            if case.kernel == "never_returns":
                killers.append(threading.Thread(target=_kill_workers, args=(killed,)))
                killers[-1].start()

        def measured(self, case, measurement):
            super().measured(case, measurement)
            if killers:
                killed.set()

    evidence = carried_out(plan, started(plan, tmp_path), listener=Killing())
    for killer in killers:
        killer.join()
    assert statuses(evidence) == {"sound": Status.OK, "never_returns": Status.CRASHED}


def _kill_workers(killed):
    """Kill each worker of this process, whatever it is doing, until one was missed.

    One that has done its work may still be there, and so may a child of another test.
    """
    while not killed.wait(0.05):
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if "xpcs_bench.run.serve" in child.cmdline():
                    child.kill()


def test_numpy_alone_is_seen_as_a_worker_sees_it():
    assert probe(LIMITS, ("numpy",))["numpy"] == probe(LIMITS)["numpy"]


def test_the_probe_sees_what_it_is_asked_for():
    assert set(probe(LIMITS, ("jax",))) == {"jax"}


def test_the_probe_sees_both_backends():
    found = probe(LIMITS)
    assert found["numpy"].available
    assert found["jax"].available
    assert {device.platform for device in found["jax"].devices} >= {"cpu"}
