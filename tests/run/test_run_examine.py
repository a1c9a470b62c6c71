"""Workers, scripted and real: a check that ends one costs itself alone."""

import pytest

from xpcs_bench.errors import WorkerCrashed, WorkerTimedOut
from xpcs_bench.measure.examination import registry
from xpcs_bench.measure.examination.registry import Entry
from xpcs_bench.records import Diagnosis, Outcome
from xpcs_bench.run import serve
from xpcs_bench.run.examine import examine_with
from xpcs_bench.run.wire import PROTOCOL, Examine, Examined, decode, encode
from xpcs_bench.run.worker import Limits

LIMITS = Limits(timeout_s=60.0, memory_bytes=2 * 2**30)

CHECKS = {
    "first": Entry("a:b"),
    "second": Entry("a:b", remedy="Do this."),
    "third": Entry("a:b", after="second"),
    "fourth": Entry("a:b", process="one_thread"),
    "fifth": Entry("a:b"),
}


class Workers:
    """Makes workers that answer as told: an outcome, or a failure."""

    def __init__(self, **answers):
        self.answers = answers
        self.variables = []
        self.events = []

    def __call__(self, name, limits, variables):
        self.variables.append(variables)
        return Scripted(self, len(self.variables))


class Scripted:
    def __init__(self, workers, number):
        self.workers = workers
        self.number = number

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def greet(self):
        self.workers.events.append((self.number, "greet"))
        failure = self.workers.answers.get("greet")
        if failure:
            raise failure

    def ask(self, request, answer):
        assert answer is Examined
        self.workers.events.append((self.number, request.check))
        told = self.workers.answers.get(request.check, Outcome.PASS)
        if isinstance(told, Exception):
            raise told
        return Examined(
            diagnosis=Diagnosis(
                check=request.check, outcome=told, found="a number", advice="Do it."
            )
        )

    def close(self):
        self.workers.events.append((self.number, "close"))


def examined(workers, *names):
    found = list(examine_with(LIMITS, names or list(CHECKS), CHECKS, workers))
    return {row.check: row for row in found}


def test_checks_of_one_kind_share_a_worker_and_keep_their_order():
    workers = Workers()
    found = examined(workers, "fifth", "fourth", "first")
    assert list(found) == ["first", "fourth", "fifth"]
    assert workers.events == [
        (1, "greet"),
        (1, "first"),
        (2, "greet"),
        (2, "fourth"),
        (1, "fifth"),
        (2, "close"),
        (1, "close"),
    ]


def test_a_worker_sees_what_the_user_set_and_what_its_kind_adds(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--a")
    monkeypatch.setenv("NPROC", "7")
    workers = Workers()
    examined(workers, "first", "fourth")
    user, one = workers.variables
    assert (user["XLA_FLAGS"], user["NPROC"]) == ("--a", "7")
    assert (one["XLA_FLAGS"], one["NPROC"]) == ("--a", "1")
    assert one["OPENBLAS_NUM_THREADS"] == "1"


LOG = """\
loading
F1128 12:00:00 1 parse_flags.cc:234] Unknown flag in XLA_FLAGS: --xla_a
    @ 0x7f00 frame
    @ 0x7f01 frame
"""


def test_a_worker_that_dies_is_one_error_and_the_next_check_gets_another():
    workers = Workers(second=WorkerCrashed("ended by SIGABRT.", LOG))
    found = examined(workers)
    assert found["second"].outcome is Outcome.ERROR
    assert found["second"].found == (
        "ended by SIGABRT. It said: F1128 12:00:00 1 parse_flags.cc:234] Unknown flag "
        "in XLA_FLAGS: --xla_a"
    )
    assert found["second"].advice == "Do this."
    assert found["fifth"].outcome is Outcome.PASS
    assert (1, "close") in workers.events
    assert (3, "fifth") in workers.events


def test_without_a_fatal_line_the_last_one_is_told():
    workers = Workers(first=WorkerTimedOut("no answer.", "one\ntwo\n\n"))
    assert examined(workers)["first"].found == "no answer. It said: two"
    silent = Workers(first=WorkerTimedOut("no answer."))
    assert examined(silent)["first"].found == "no answer."


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (Outcome.ERROR, Outcome.SKIP),
        (Outcome.SKIP, Outcome.SKIP),
        (Outcome.FAIL, Outcome.PASS),
        (Outcome.INCONCLUSIVE, Outcome.PASS),
    ],
)
def test_what_needs_a_check_that_came_to_no_end_is_skipped(told, outcome):
    workers = Workers(second=told)
    found = examined(workers)
    assert found["third"].outcome is outcome
    assert ((1, "third") in workers.events) is (outcome is Outcome.PASS)
    if outcome is Outcome.SKIP:
        assert "second came to no end" in found["third"].found


def test_a_check_that_was_not_asked_for_is_not_waited_for():
    assert examined(Workers(), "third")["third"].outcome is Outcome.PASS


def test_a_worker_that_does_not_come_up_ends_the_examination():
    with pytest.raises(WorkerCrashed, match="no python"):
        examined(Workers(greet=WorkerCrashed("no python")))


def test_the_messages_are_those_of_the_protocol():
    assert PROTOCOL >= (1, 3)
    request = decode(encode(Examine(check="clock")))
    assert isinstance(request, Examine)
    assert request.threads is None
    assert decode(encode(Examine(check="clock", threads=2))).threads == 2
    # of protocol 1.2
    assert decode(b'{"type": "examine", "check": "clock"}') == request
    answer = Examined(
        diagnosis=Diagnosis(check="a", outcome=Outcome.PASS, found="b", advice="")
    )
    assert decode(encode(answer)) == answer


@pytest.mark.parametrize("threads", [None, 1, 2, 10_000])
def test_a_worker_takes_as_many_threads_as_it_is_told_and_has_cores(
    monkeypatch, threads
):
    seen = []

    def examine(check, surroundings):
        seen.append(surroundings.cores)
        return Diagnosis(check=check, outcome=Outcome.PASS, found="b", advice="")

    monkeypatch.setattr(registry, "examine", examine)
    monkeypatch.setattr(serve, "core_count", lambda: 4)
    answers = []
    request = encode(Examine(check="clock", threads=threads))
    serve.serve([request], answers.append)
    assert isinstance(answers[0], Examined)
    assert seen == [min(4, threads or 4)]


def test_real_workers_survive_a_flag_that_ends_them(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_no_such_flag=1")
    names = ["xla_values", "x64", "clock", "cores"]
    found = {row.check: row for row in examine_with(LIMITS, names)}
    assert set(found) == set(names)
    assert found["xla_values"].outcome is Outcome.ERROR
    assert "--xla_cpu_no_such_flag=1" in found["xla_values"].found
    assert "XLA_FLAGS" in found["xla_values"].advice
    assert found["x64"].outcome is Outcome.SKIP
    assert found["clock"].quantities
