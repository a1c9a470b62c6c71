"""Large plans and records: what is done once stays done once. Nothing is timed."""

import gc
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import case, environment, experiment, group, header, measurement, samples
from pydantic import TypeAdapter, ValidationError

from xpcs_bench.config import KernelChoice, Matrix
from xpcs_bench.errors import RecordError
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.records import Device, Samples
from xpcs_bench.records import measurement as measurement_module
from xpcs_bench.records.measurement import Column
from xpcs_bench.run import obstacles, store
from xpcs_bench.run import plan as plan_module
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.plan import Plan, make_plan
from xpcs_bench.run.wire import Availability

CPU = (Device(platform="cpu", index=0, name="cpu", memory_bytes=None),)
BOTH = dict.fromkeys(
    ("numpy", "jax"),
    Availability(available=True, reason="", version="1", devices=CPU),
)
MEASURES = ("first_call", "stages", "steady_state", "parity", "peak_memory", "counters")


def outcome(adapter, value, *, json=False):
    """What an adapter makes of a value, with the types; or that it refuses."""
    try:
        found = adapter.validate_json(value) if json else adapter.validate_python(value)
    except ValidationError as error:
        return [(row["type"], row["loc"]) for row in error.errors()]
    return found, [*map(type, found)]


OURS, THEIRS = TypeAdapter(Column), TypeAdapter(tuple[int, ...])
ITEMS = st.one_of(
    *(st.integers(), st.booleans(), st.floats(), st.none()),
    *(st.sampled_from(["1", " 2", "x"]), st.just([1])),
)


@given(
    st.one_of(
        *(st.lists(st.integers()), st.lists(ITEMS), st.tuples(ITEMS, ITEMS)),
        *(st.none(), st.just("12"), st.just({1, 2}), st.just({1: 2})),
    )
)
def test_a_column_takes_and_refuses_what_pydantic_does(value):
    assert outcome(OURS, value) == outcome(THEIRS, value)


@pytest.mark.parametrize(
    "text", ["[]", "[1, 2]", "[1.0]", "[1.5]", '["3"]', "[true]", "{}", "[1, null]"]
)
def test_a_column_of_json_does_too(text):
    assert outcome(OURS, text, json=True) == outcome(THEIRS, text, json=True)


def test_plain_integers_are_not_looked_at_one_by_one():
    def one_by_one(value):
        raise AssertionError

    for value in ([1, 2, 3], (1, 2, 3)):
        assert measurement_module._at_once(value, one_by_one) == (1, 2, 3)
    with pytest.raises(AssertionError):
        measurement_module._at_once([1, True], one_by_one)


def test_every_field_of_many_samples_is_a_column():
    for field in Samples.model_fields.values():
        (validator,) = field.metadata
        assert validator == Annotated[Column, None].__metadata__[0]


def planned(**changes):
    matrix = Matrix(
        backend=("numpy", "jax"), device=("cpu",), dtype=("float64", "float32")
    )
    choice = KernelChoice(
        name="g2_model", params={"q_bins": (2, 3, 4), "delays": (4, 8)}
    )
    values = {"kernels": (choice,), "matrix": matrix, "measure": MEASURES} | changes
    return make_plan(experiment(**values), BOTH, 2**40)


def test_the_work_of_a_problem_is_asked_once_a_type(monkeypatch):
    asked = []
    kernel = type(create_kernel("g2_model"))
    work = kernel.work

    def counting(self, problem):
        asked.append((problem.params, problem.dtype))
        return work(self, problem)

    monkeypatch.setattr(kernel, "work", counting)
    plan = planned()
    # numpy has no stages
    assert (len(plan.cases), len(plan.skipped)) == (6 * 4 * 6 - 6 * 2, 6 * 2)
    assert len(asked) == len(set(asked)) == 6 * 2


def test_whether_a_measure_applies_is_asked_once_a_variant(monkeypatch):
    asked = []
    ask = obstacles.skip_reason

    def counting(*where, compiled):
        asked.append(where)
        return ask(*where, compiled=compiled)

    monkeypatch.setattr(obstacles, "skip_reason", counting)
    planned()
    # for every variant, of which two share a backend and a device
    assert len(asked) == 4 * len(MEASURES)


def test_a_plan_is_digested_once(monkeypatch):
    plan = planned()
    digest = plan.digest
    monkeypatch.setattr(plan_module, "json", None)
    assert plan.digest == digest
    assert Plan.digest.attrname == "digest"


def recorded():
    cases = [case(backend) for backend in ("numpy", "jax")]
    rows = {
        (each.id, process): measurement(each, process, samples=samples(3, 4, 5))
        for each in cases
        for process in range(3)
    }
    assert group(*cases).reference == cases[0].id
    return Evidence(header(*cases), {"a": environment()}, rows, 1.0)


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_waits_while_a_record_is_read(tmp_path, monkeypatch, collecting):
    record = store.compose(recorded(), interrupted=False)
    store.save(record, tmp_path)
    summarise, seen = store.summarise, []

    def watched(*args):
        seen.append(gc.isenabled())
        return summarise(*args)

    monkeypatch.setattr(store, "summarise", watched)
    if not collecting:
        gc.disable()
    try:
        assert store.load(tmp_path)[1] == record
        assert gc.isenabled() is collecting
        (tmp_path / "run.json").write_text("{")
        with pytest.raises(RecordError):
            store.load(tmp_path)
        assert gc.isenabled() is collecting
    finally:
        gc.enable()
    assert seen == [False]
