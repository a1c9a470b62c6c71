"""Behaviours of a run: each in a process of its own, once, and never lost."""

import os
import signal

import pytest
from making import experiment, header

from xpcs_bench.config import Claim, Expectation
from xpcs_bench.errors import WorkerCrashed, WorkerOutOfMemory, WorkerTimedOut
from xpcs_bench.measure.behaviours.registry import Entry
from xpcs_bench.records import BehaviourSeen, ClaimCases
from xpcs_bench.run.behaviours import (
    TIMEOUT_S,
    behaviour_variables,
    see_behaviours,
    try_all,
)
from xpcs_bench.run.journal import JOURNAL, Journal, read_journal
from xpcs_bench.run.plan import Plan
from xpcs_bench.run.store import compose, load, save
from xpcs_bench.run.wire import Tried
from xpcs_bench.run.worker import Limits

LIMITS = Limits(timeout_s=60.0, memory_bytes=2 * 2**30)
NAMES = ["numpy_jit", "numpy_grad", "numpy_vmap"]


class Workers:
    """Makes workers that answer as told: what is seen, or a failure."""

    def __init__(self, **answers):
        self.answers = answers
        self.started = []
        self.asked = []
        self.alive = 0
        self.most = 0

    def __call__(self, name, limits, variables):
        self.started.append((name, limits, variables))
        self.alive += 1
        self.most = max(self.most, self.alive)
        return Scripted(self, name)


class Scripted:
    def __init__(self, workers, name):
        self.workers = workers
        self.name = name
        self.closed = False

    def ask(self, request, answer):
        assert answer is Tried
        assert request.behaviour == self.name, "each has the variables of its own"
        self.workers.asked.append(request.behaviour)
        told = self.workers.answers.get(self.name)
        if isinstance(told, BaseException):
            raise told
        return Tried(seen=BehaviourSeen(behaviour=self.name, kind="returned"))

    def close(self):
        if not self.closed:
            self.closed = True
            self.workers.alive -= 1


class Watcher:
    """Notes what is on disk whenever it hears of something."""

    def __init__(self, folder):
        self.folder = folder
        self.heard = []

    def tried(self, seen):
        on_disk = list(read_journal(self.folder).behaviours)
        assert seen.behaviour in on_disk
        self.heard.append((seen.behaviour, len(on_disk)))


def plan(names=NAMES):
    claims = tuple(
        Claim(
            id=name,
            says="s",
            source="d",
            behaviour=name,
            expect=Expectation(fails=True),
        )
        for name in names
    )
    rows = tuple(ClaimCases(claim=name) for name in names)
    return Plan(experiment(claims=claims), (), (), (), {}, rows)


@pytest.fixture
def session(tmp_path):
    """Try as one session of a run does; return what its journal then holds."""

    def carry_out(made, workers):
        if not (tmp_path / JOURNAL).exists():
            with Journal(tmp_path) as journal:
                journal.header(header(experiment=made.experiment, claims=made.claims))
        watcher = Watcher(tmp_path)
        with Journal(tmp_path) as journal:
            evidence = read_journal(tmp_path)
            see_behaviours(made, evidence, journal, LIMITS, watcher, start=workers)
        return read_journal(tmp_path), watcher

    return carry_out


def test_each_is_tried_in_a_process_of_its_own_and_is_on_disk(session):
    workers = Workers()
    evidence, watcher = session(plan(), workers)
    assert [name for name, _, _ in workers.started] == NAMES
    assert list(evidence.behaviours) == NAMES
    assert watcher.heard == [(name, i + 1) for i, name in enumerate(NAMES)]
    assert workers.alive == 0
    # the next one comes up meanwhile, and no more than that
    assert workers.most == 2


def test_a_process_that_dies_is_what_was_seen(session):
    workers = Workers(numpy_grad=WorkerCrashed("ended by SIGSEGV", ""))
    evidence, _ = session(plan(), workers)
    seen = evidence.behaviours["numpy_grad"]
    assert (seen.kind, seen.message) == ("died", "ended by SIGSEGV")
    assert seen.text == "ended by SIGSEGV"
    assert evidence.behaviours["numpy_vmap"].kind == "returned"
    again = Workers()
    session(plan(), again)
    assert again.asked == []


@pytest.mark.parametrize("failure", [WorkerTimedOut("slow"), WorkerOutOfMemory("big")])
def test_what_was_lost_is_tried_again_when_the_run_is_resumed(session, failure):
    evidence, _ = session(plan(), Workers(numpy_grad=failure))
    assert evidence.behaviours["numpy_grad"].kind == "lost"
    assert compose(evidence, interrupted=False).summary.claims[1].outcome == "error"
    again = Workers()
    evidence, _ = session(plan(), again)
    assert again.asked == ["numpy_grad"]
    assert evidence.behaviours["numpy_grad"].kind == "returned"


def test_a_run_that_was_ended_goes_on_with_what_is_left(session):
    with pytest.raises(KeyboardInterrupt):
        session(plan(), Workers(numpy_grad=KeyboardInterrupt()))
    again = Workers()
    evidence, _ = session(plan(), again)
    assert again.asked == ["numpy_grad", "numpy_vmap"]
    assert compose(evidence, interrupted=False).status == "complete"


def test_a_run_without_all_of_them_is_incomplete(session):
    workers = Workers(numpy_grad=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        session(plan(), workers)
    assert workers.alive == 0
    evidence, _ = session(plan(["numpy_jit"]), Workers())
    assert compose(evidence, interrupted=False).status == "incomplete"


def test_the_record_holds_what_was_seen(session, tmp_path):
    evidence, _ = session(plan(), Workers())
    record = compose(evidence, interrupted=False)
    assert [seen.behaviour for seen in record.behaviours] == NAMES
    save(record, tmp_path)
    assert load(tmp_path)[1] == record


def test_a_process_has_the_users_variables_but_those_that_decide(monkeypatch):
    monkeypatch.setenv("JAX_ENABLE_X64", "true")
    monkeypatch.setenv("XPCS_USE_JAX", "false")
    monkeypatch.setenv("OWN", "kept")
    found = behaviour_variables(Entry("a:b", variables={"XPCS_USE_GPU": "true"}))
    assert "JAX_ENABLE_X64" not in found
    assert "XPCS_USE_JAX" not in found
    assert (found["OWN"], found["XPCS_USE_GPU"]) == ("kept", "true")
    assert found["QT_QPA_PLATFORM"] == "offscreen"


def test_nothing_waits_longer_than_what_is_tried_can_take():
    workers = Workers()
    list(try_all(["numpy_jit"], Limits(1e6, 1), start=workers))
    list(try_all(["numpy_jit"], Limits(1.0, 1), start=workers))
    assert [limits.timeout_s for _, limits, _ in workers.started] == [TIMEOUT_S, 1.0]


def test_real_processes_answer():
    names = ["numpy_jit", "numpy_grad", "jit_branch_by_value"]
    seen = {row.behaviour: row for row in try_all(names, LIMITS)}
    assert seen["numpy_jit"].observed == {"the same object": True}
    assert seen["numpy_grad"].exceptions[0] == "NotImplementedError"
    assert "ConcretizationTypeError" in seen["jit_branch_by_value"].exceptions


def test_a_real_process_that_is_killed_is_seen_to_die():
    class Killed:
        """A worker whose process is ended while it is asked."""

        def __init__(self, name, limits, variables):
            from xpcs_bench.run.worker import Worker

            self.worker = Worker(name, limits, variables)

        def ask(self, request, answer):
            self.worker.greet()
            os.kill(self.worker.pid, signal.SIGKILL)
            return self.worker.ask(request, answer)

        def close(self):
            self.worker.close()

    (seen,) = try_all(["numpy_jit"], LIMITS, start=Killed)
    assert seen.kind == "died"
    assert "SIGKILL" in seen.message
