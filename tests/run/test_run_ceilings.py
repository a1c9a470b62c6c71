"""Ceilings of a run: asked of workers like its own, once, and never lost."""

import json

import pytest
from making import environment, experiment, header, sampling

from xpcs_bench.config import PROFILES, KernelChoice, Matrix
from xpcs_bench.errors import WorkerCrashed, WorkerOutOfMemory
from xpcs_bench.records import Ceiling, Device, Diagnosis, Outcome
from xpcs_bench.run.ceilings import ceiling_checks, measure_ceilings
from xpcs_bench.run.journal import JOURNAL, Evidence, Journal, read_journal
from xpcs_bench.run.plan import make_plan
from xpcs_bench.run.store import compose, load, save
from xpcs_bench.run.wire import Availability, Examined
from xpcs_bench.run.worker import Limits, cores

LIMITS = Limits(timeout_s=60.0, memory_bytes=2 * 2**30)
ALL = ["bandwidth_all_threads", "blas_all_threads", "xla_all_threads"]


def planned(
    *,
    asked=True,
    backends=("numpy", "jax"),
    devices=("cpu",),
    profile=PROFILES["as_user"],
    measure=("steady_state",),
):
    here = Availability(
        available=True,
        reason="",
        version="1",
        devices=tuple(
            Device(platform=name, index=0, name=name, memory_bytes=None)
            for name in ("cpu", "gpu")
        ),
    )
    return make_plan(
        experiment(
            kernels=(KernelChoice(name="g2_model", params={}),),
            matrix=Matrix(backend=backends, device=devices, dtype=("float64",)),
            measure=measure,
            sampling=sampling(processes=1),
            profile=profile,
            efficiency=asked,
        ),
        {"numpy": here, "jax": here},
        LIMITS.memory_bytes,
    )


def ceiling(check):
    return Ceiling(
        resource="bytes",
        per_second=1e9 + len(check),
        operation=check,
        library="numpy",
        platform="cpu",
        dtype="int64",
        threads="all",
        level="memory",
        working_set_bytes=2**28,
        cache_bytes=2**20,
        cores_used=1.5,
        method="Stated by the test.",
    )


class Workers:
    """Makes workers that answer as told: an outcome, or a failure."""

    def __init__(self, **answers):
        self.answers = answers
        self.started = []
        self.asked = []
        self.closed = 0

    def __call__(self, name, limits, variables, core):
        assert limits is LIMITS
        self.started.append((variables, core))
        return Scripted(self)


class Scripted:
    def __init__(self, workers):
        self.workers = workers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.workers.closed += 1

    def greet(self):
        if failure := self.workers.answers.get("greet"):
            raise failure

    def ask(self, request, answer):
        assert answer is Examined
        self.workers.asked.append((request.check, request.threads))
        told = self.workers.answers.get(request.check, Outcome.PASS)
        if isinstance(told, BaseException):
            raise told
        measured = told in {Outcome.PASS, Outcome.INCONCLUSIVE}
        return Examined(
            diagnosis=Diagnosis(
                check=request.check,
                outcome=told,
                found="a number",
                advice="Do it.",
                ceilings=(ceiling(request.check),) if measured else (),
            )
        )


class Hearer:
    """Notes which checks are on disk whenever it hears of one."""

    def __init__(self, folder):
        self.folder = folder
        self.heard = []

    def examined(self, diagnosis):
        on_disk = list(read_journal(self.folder).ceiling_checks)
        assert diagnosis.check in on_disk
        self.heard.append((diagnosis.check, len(on_disk)))


@pytest.fixture
def measured(tmp_path):
    """Measure as one session of a run does; return what its journal then holds."""

    def session(plan, workers, monotonic=lambda: 0.0, hearer=None):
        if not (tmp_path / JOURNAL).exists():
            with Journal(tmp_path) as journal:
                journal.header(header(*plan.cases, experiment=plan.experiment))
        evidence = read_journal(tmp_path)
        evidence.wall_s = 0.0
        hearer = hearer or Hearer(tmp_path)
        try:
            with Journal(tmp_path) as journal:
                measure_ceilings(
                    *(plan, evidence, journal, LIMITS, hearer),
                    start=workers,
                    monotonic=monotonic,
                )
        finally:
            again = read_journal(tmp_path)
            assert again.ceiling_checks == evidence.ceiling_checks
        return evidence

    return session


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ALL),
        ({"asked": False}, []),
        ({"measure": ("first_call", "parity")}, []),
        ({"backends": ("numpy",)}, ALL[:2]),
        ({"backends": ("jax",)}, ALL),
        ({"backends": ("jax",), "devices": ("gpu",)}, ["gpu_rates"]),
        ({"devices": ("cpu", "gpu")}, [*ALL, "gpu_rates"]),
        (
            {"profile": PROFILES["controlled"]},
            [name.replace("all_threads", "one_thread") for name in ALL],
        ),
    ],
)
def test_what_is_measured_is_what_cached_calls_are_parts_of(changes, names):
    assert list(ceiling_checks(planned(**changes))) == names


def test_workers_are_set_up_like_those_of_the_cases(measured, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "")
    monkeypatch.delenv("NPROC", raising=False)
    workers = Workers()
    measured(planned(devices=("cpu", "gpu")), workers)
    (cpu, core), (gpu, other) = workers.started
    assert core is other is None
    assert (cpu["JAX_PLATFORMS"], gpu["JAX_PLATFORMS"]) == ("cpu", "")
    assert cpu["JAX_ENABLE_X64"] == "true"
    assert "NPROC" not in cpu
    assert workers.asked == [(name, None) for name in [*ALL, "gpu_rates"]]
    assert workers.closed == 2


def test_a_controlled_worker_has_one_thread_and_one_core(measured):
    workers = Workers()
    measured(planned(profile=PROFILES["controlled"]), workers)
    ((variables, core),) = workers.started
    assert (variables["NPROC"], variables["OPENBLAS_NUM_THREADS"]) == ("1", "1")
    assert variables["MALLOC_MMAP_MAX_"] == "0"
    assert core == (cores()[0] if cores() else None)
    assert {threads for _, threads in workers.asked} == {1}


def test_some_threads_are_as_many_in_a_check(measured):
    profile = PROFILES["controlled"].model_copy(update={"threads": 3, "pinned": False})
    workers = Workers()
    measured(planned(profile=profile), workers)
    ((variables, core),) = workers.started
    assert (variables["NPROC"], core) == ("3", None)
    assert workers.asked == [(name, 3) for name in ALL]


def test_a_resumed_run_measures_only_what_it_does_not_have(measured):
    plan = planned()
    measured(plan, Workers(blas_all_threads=Outcome.FAIL, xla_all_threads=Outcome.SKIP))
    again = Workers()
    measured(plan, again)
    assert again.asked == again.started == []


def test_a_check_that_was_lost_costs_itself_and_is_tried_again(measured):
    plan = planned()
    lost = WorkerOutOfMemory("the worker held 3 GiB.", "")
    evidence = measured(plan, Workers(bandwidth_all_threads=lost))
    outcomes = [row.outcome for row in evidence.ceiling_checks.values()]
    assert outcomes == [Outcome.ERROR, Outcome.PASS, Outcome.PASS]
    again = Workers()
    evidence = measured(plan, again)
    assert [name for name, _ in again.asked] == ["bandwidth_all_threads"]
    assert evidence.ceiling_checks["bandwidth_all_threads"].ceilings


def test_without_a_worker_there_is_a_reason_and_a_run_all_the_same(measured):
    evidence = measured(planned(), Workers(greet=WorkerCrashed("no python")))
    for name in ALL:
        check = evidence.ceiling_checks[name]
        assert check.outcome is Outcome.ERROR
        assert check.found == "no worker came up: no python"


def test_a_run_that_is_ended_meanwhile_keeps_what_it_has(measured):
    plan = planned()
    workers = Workers(blas_all_threads=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        measured(plan, workers)
    assert workers.closed == 1
    again = Workers()
    evidence = measured(plan, again)
    assert [name for name, _ in again.asked] == ALL[1:]
    assert list(evidence.ceiling_checks) == ALL


def test_a_line_that_was_cut_short_is_measured_again(measured, tmp_path):
    plan = planned()
    measured(plan, Workers())
    path = tmp_path / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    (last,) = [at for at, line in enumerate(lines) if b"xla_all_threads" in line]
    path.write_bytes(b"".join(lines[:last]) + lines[last][:50])
    again = Workers()
    measured(plan, again)
    assert [name for name, _ in again.asked] == ["xla_all_threads"]


def test_every_check_is_on_disk_before_anybody_hears_of_it(measured, tmp_path):
    hearer = Hearer(tmp_path)
    measured(planned(), Workers(), hearer=hearer)
    assert hearer.heard == [(name, at) for at, name in enumerate(ALL, start=1)]


def test_the_time_is_spent_of_the_budget(measured):
    times = iter([10.0, 13.5])
    assert measured(planned(), Workers(), lambda: next(times)).wall_s == 3.5


def test_a_record_holds_ceilings_and_how_each_check_ended(measured, tmp_path):
    plan = planned()
    workers = Workers(blas_all_threads=Outcome.INCONCLUSIVE)
    evidence = measured(plan, workers)
    record = compose(evidence, interrupted=False)
    assert record.ceilings == tuple(map(ceiling, ALL))
    assert [
        (row.check, row.outcome, row.ceilings) for row in record.ceiling_checks
    ] == [
        ("bandwidth_all_threads", Outcome.PASS, ()),
        ("blas_all_threads", Outcome.INCONCLUSIVE, ()),
        ("xla_all_threads", Outcome.PASS, ()),
    ]
    save(record, tmp_path)
    assert load(tmp_path)[1].ceilings == record.ceilings


def test_an_older_record_has_none(tmp_path):
    record = compose(Evidence(header()), interrupted=False)
    path = save(record, tmp_path)
    content = json.loads(path.read_text())
    for key in ("ceilings", "ceiling_checks"):
        del content[key]
    del (
        content["summary"]["efficiencies"],
        content["header"]["experiment"]["efficiency"],
    )
    path.write_text(json.dumps(content))
    _, again = load(path)
    assert again.ceilings == again.ceiling_checks == again.summary.efficiencies == ()
    assert environment() == again.header.parent
