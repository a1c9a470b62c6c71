"""Forks are workers like any other: real processes, which end as they should."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from making import case, experiment, sampling
from test_run_execute import LIMITS, Watching, carried_out, planned, started, statuses

from xpcs_bench.config import PROFILES, Matrix
from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.records import Status, Variant
from xpcs_bench.run import stock as stock_module
from xpcs_bench.run.schedule import Job
from xpcs_bench.run.start import ForkServer, can_fork
from xpcs_bench.run.stock import AHEAD, FORKED, Stock
from xpcs_bench.run.wire import Probe, Probed
from xpcs_bench.run.worker import Worker, cores, worker_variables

pytestmark = pytest.mark.skipif(not can_fork(), reason="this platform does not fork")


@pytest.fixture(scope="module")
def server():
    server = ForkServer(worker_variables("numpy", "cpu"))
    yield server
    server.close()


def forked(server, core=None):
    return Worker("w", LIMITS, worker_variables("numpy", "cpu"), core, server)


def expected(profile=PROFILES["as_user"], device="cpu", **changes):
    """Return an experiment of numpy alone."""
    matrix = Matrix(backend=("numpy",), device=(device,), dtype=("float64",))
    return experiment(matrix=matrix, profile=profile, **changes)


def children():
    return {child.pid for child in psutil.Process().children()}


@pytest.fixture
def begun():
    """Return the processes that have been started since, but for those that ended."""
    before = children()
    return lambda: children() - before


def test_a_fork_answers_as_a_new_interpreter_does(server):
    request = Probe(backends=("numpy",))
    with (
        forked(server) as fork,
        Worker("w", LIMITS, worker_variables("numpy", "cpu")) as new,
    ):
        assert fork.ask(request, Probed) == new.ask(request, Probed)
        assert fork.start == "forked"
        assert new.start == "spawned"
        assert psutil.Process(fork.pid).ppid() != os.getpid()


def test_forks_are_apart_from_each_other(server):
    with forked(server) as one, forked(server) as other:
        one.greet()
        other.greet()
        assert one.pid != other.pid
        os.kill(one.pid, signal.SIGKILL)
        with pytest.raises(WorkerCrashed, match="SIGKILL"):
            one.ask(Probe(), Probed)
        assert other.ask(Probe(backends=("numpy",)), Probed).backends
    with forked(server) as another:
        another.greet()


def test_closing_a_fork_ends_it(server):
    with forked(server) as worker:
        worker.greet()
        pid = worker.pid
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(not cores(), reason="this platform binds no process to a core")
def test_a_fork_stays_on_its_core_and_the_server_where_it_was(server):
    core = cores()[-1]
    with forked(server, core) as worker:
        worker.greet()
        assert psutil.Process(worker.pid).cpu_affinity() == [core]
    with forked(server) as worker:
        worker.greet()
        assert tuple(psutil.Process(worker.pid).cpu_affinity()) == cores()


def test_forks_end_with_their_server():
    server = ForkServer(worker_variables("numpy", "cpu"))
    with forked(server) as worker:
        worker.greet()
        process = psutil.Process(worker.pid)
        server.close()
        with pytest.raises(WorkerCrashed):
            worker.ask(Probe(), Probed)
        gone, _ = psutil.wait_procs([process], timeout=60)
        assert gone


def test_a_server_that_cannot_import_says_what_is_wrong():
    server = ForkServer(worker_variables("numpy", "cpu"), "no_such_module")
    with pytest.raises(WorkerCrashed, match="start: spawned") as caught:
        server.come_up()
    assert "No module named 'no_such_module'" in caught.value.log
    server.close()


@pytest.mark.parametrize("measure", sorted(FORKED))
def test_what_may_be_forked_is_forked(measure):
    member = case(measure=measure)
    job = Job(0, (member,), together=False)
    with Stock(LIMITS, PROFILES["as_user"]) as stock, stock.take(member, job) as worker:
        worker.greet()
        assert worker.start == "forked"


@pytest.mark.parametrize(
    ("member", "profile"),
    [
        (case(measure="first_call"), PROFILES["controlled"]),
        (case(measure="peak_memory"), PROFILES["controlled"]),
        (
            case(variant=Variant(backend="jax", device="gpu", dtype="float64")),
            PROFILES["as_user"],
        ),
        (
            case(variant=Variant(backend="another", device="cpu", dtype="float64")),
            PROFILES["as_user"],
        ),
        (case(), PROFILES["as_user"].model_copy(update={"start": "spawned"})),
    ],
    ids=["first call", "peak", "gpu", "unknown backend", "as the profile says"],
)
def test_the_rest_are_new_interpreters(member, profile):
    job = Job(0, (member,), together=False)
    with Stock(LIMITS, profile) as stock, stock.take(member, job) as worker:
        assert worker.start == "spawned"


def test_where_a_server_dies_workers_are_new_interpreters(monkeypatch):
    monkeypatch.setitem(stock_module._LIBRARIES, "numpy", ("no_such_module",))
    member = case()
    job = Job(0, (member,), together=False)
    with Stock(LIMITS, PROFILES["as_user"]) as stock:
        stock.lay_in(job)
        for _ in range(2):
            with stock.take(member, job) as worker:
                worker.greet()
                assert worker.start == "spawned"


def test_the_processes_of_an_index_have_a_server_of_their_own():
    """And no more are kept than may have a worker that is alive."""
    member = case()
    with Stock(LIMITS, PROFILES["as_user"]) as stock:
        parents = []
        for process in (0, 0, 1, 2, 3):
            job = Job(process, (member,), together=False)
            with stock.take(member, job) as worker:
                worker.greet()
                parents.append(psutil.Process(worker.pid).ppid())
            stock.lay_in(Job(process + 1, (member,), together=False))
            stock.settle()
        assert parents[0] == parents[1]
        assert len(set(parents)) == 4
        servers = [
            child
            for child in psutil.Process().children()
            if "fork_server" in " ".join(child.cmdline())
        ]
        assert parents[-1] in {server.pid for server in servers}
        assert not {parents[0], parents[2]} & {server.pid for server in servers}


def test_servers_that_are_started_ahead_end_none_that_is_still_to_fork(begun):
    member = case()
    jobs = [Job(process, (member,), together=False) for process in range(AHEAD)]
    with Stock(LIMITS, PROFILES["as_user"]) as stock:
        for job in jobs:
            stock.lay_in(job)
        ahead = begun()
        for job in jobs:
            with stock.take(member, job) as worker:
                worker.greet()
                assert psutil.Process(worker.pid).ppid() in ahead


@pytest.mark.parametrize(
    ("measure", "processes", "count"),
    [
        (("steady_state", "first_call"), 2, 2),
        (("steady_state",), 9, AHEAD),
        (("parity",), 9, 1),
    ],
)
def test_what_an_experiment_will_need_is_started_before_it_is_planned(
    begun, measure, processes, count
):
    asked = expected(measure=measure, sampling=sampling(processes=processes))
    member = case(measure=measure[0])
    with Stock(LIMITS, asked.profile, kernels=["qmap", "sound"]) as stock:
        stock.expect(asked)
        before = begun()
        assert len(before) == count
        job = Job(0, (member,), together=False)
        with stock.take(member, job) as worker:
            worker.greet()
            assert psutil.Process(worker.pid).ppid() in before
        assert begun() == before
    assert not begun()


@pytest.mark.parametrize(
    "asked",
    [
        expected(measure=("first_call",)),
        expected(device="gpu"),
        expected(PROFILES["as_user"].model_copy(update={"start": "spawned"})),
    ],
    ids=["first call", "gpu", "as the profile says"],
)
def test_nothing_is_started_for_what_is_not_forked(begun, asked):
    with Stock(LIMITS, asked.profile) as stock:
        stock.expect(asked)
        assert not begun()


def test_a_record_says_which_were_forked(plugins, tmp_path):
    plan = planned("sound", measure=("steady_state", "first_call", "parity"))
    evidence = carried_out(plan, started(plan, tmp_path))
    start = {
        row.case.split("/")[-1]: row.start for row in evidence.measurements.values()
    }
    assert start == {
        "steady_state": "forked",
        "first_call": "spawned",
        "parity": "forked",
    }
    # and both are in the same circumstances
    assert len(evidence.environments) == 1


def test_a_killed_fork_costs_one_measurement(plugins, tmp_path):
    plan = planned("never_returns", "sound")
    killers = []

    class Killing(Watching):
        def working(self, member, process):
            if member.kernel == "never_returns":
                killers.append(threading.Thread(target=_kill_the_fork))
                killers[-1].start()

    evidence = carried_out(plan, started(plan, tmp_path), listener=Killing())
    for killer in killers:
        killer.join()
    assert statuses(evidence) == {"sound": Status.OK, "never_returns": Status.CRASHED}
    assert {row.start for row in evidence.measurements.values()} == {"forked"}


def _kill_the_fork():
    def forks():
        return [
            process
            for process in psutil.Process().children(recursive=True)
            if process.ppid() != os.getpid()
        ]

    while not (found := forks()):
        threading.Event().wait(0.05)
    found[0].kill()


def test_the_second_process_is_told_what_was_checked_in_the_first(plugins, tmp_path):
    plan = planned("sound", processes=2)
    evidence = carried_out(plan, started(plan, tmp_path))
    first, second = (row.observation for row in evidence.measurements.values())
    assert first.status is second.status is Status.OK
    assert first.checks == second.checks
    assert first.checks
    assert first.outputs == second.outputs


def test_nothing_of_a_server_is_imported_that_starts_threads():
    script = (
        "import os, sys; sys.argv[1:] = []\n"
        "import xpcs_bench.run.fork_server as server, importlib\n"
        "from xpcs_bench.kernels.registry import KERNELS, own_modules\n"
        "own = (*own_modules(KERNELS), 'mpmath', 'xpcs_bench.run.serve')\n"
        "jax = ('jax', 'xpcs_bench.backends.jax_backend')\n"
        "for name in (*server._MODULES, *own, *jax):\n"
        "    importlib.import_module(name)\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env=worker_variables("jax", "cpu", PROFILES["controlled"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "1"
