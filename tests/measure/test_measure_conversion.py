import subprocess
import sys

import making
import numpy as np
import pytest
from measure_scripts import Clock, Square, task

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.errors import CannotMeasure
from xpcs_bench.kernels.kernel import Output
from xpcs_bench.measure import boundary, conversion
from xpcs_bench.measure.boundaries import host_memory
from xpcs_bench.measure.boundaries.crossing import Boundary
from xpcs_bench.measure.boundary import BOUNDARIES
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.records import Status


class Keeping(np.ndarray):
    """Keeps the host copy that it was once asked for, as an array on a device does."""

    kept = False


class Device(NumPyBackend):
    """Fetching costs 1000 ns, and nothing the second time."""

    name = "device"

    def __init__(self, clock):
        self.clock = clock
        self.copies = 0

    def copy(self, x, /):
        self.copies += 1
        self.clock.spend(50_000)  # never inside a reading
        return np.array(x).view(Keeping)

    def to_numpy(self, x, /):
        if isinstance(x, Keeping) and not x.kept:
            x.kept = True
            self.clock.spend(1000)
        return np.array(x)


def convert(backend, name, clock, kernel=None, **sampling):
    case = making.case("scripted", "conversion", boundary=name)
    return conversion.measure(task(backend, kernel, case=case, **sampling), clock)


def test_every_crossing_has_a_fresh_input():
    clock = Clock()
    backend = Device(clock)
    observation = convert(
        backend, "device_to_host", clock, min_sample_s=5e-6, warmup_calls=2
    )
    assert observation.status is Status.OK
    assert observation.warmups.elapsed_ns == (1000, 1000, 1000, 5000)
    assert observation.warmups.inner_loops == (1, 1, 1, 5)
    assert set(observation.samples.elapsed_ns) == {5000}
    assert set(observation.samples.inner_loops) == {5}
    crossings = sum(observation.warmups.inner_loops) + sum(
        observation.samples.inner_loops
    )
    readings = len(observation.warmups) + len(observation.samples)
    # before each reading one crosses that nobody times
    assert backend.copies == crossings + readings


def test_every_sample_is_a_block_of_its_own():
    clock = Clock()
    observation = convert(Device(clock), "device_to_host", clock)
    count = len(observation.samples)
    assert count == conversion.MOST_SAMPLES == len(observation.blocks)
    assert observation.samples.block == tuple(range(count))
    assert {block.wall_ns for block in observation.blocks} == {1000}


def test_a_backend_whose_copies_are_not_new_is_refused():
    class Reusing(Device):
        def copy(self, x, /):
            return x

    clock = Clock()
    observation = convert(Reusing(clock), "device_to_host", clock)
    assert observation.status is Status.INVALID
    assert "fresh arrays only" in observation.reason
    assert len(observation.samples) == 0


def test_copies_that_are_one_array_are_refused():
    class Sharing(Device):
        def copy(self, x, /):
            self.one = getattr(self, "one", None)
            self.one = np.array(x) if self.one is None else self.one
            return self.one

    clock = Clock()
    observation = convert(Sharing(clock), "device_to_host", clock, min_sample_s=5e-6)
    assert observation.status is Status.INVALID


@pytest.mark.parametrize(
    ("max_time_s", "count"),
    [
        (1e-9, conversion.LEAST_SAMPLES),
        # 51 us for a copy and its crossing, two for a reading, in a third of the time
        (3 * 102e-6 * 9.5, 10),
        (10.0, conversion.MOST_SAMPLES),
    ],
)
def test_sampling_ends_when_the_share_of_the_case_is_spent(max_time_s, count):
    clock = Clock()
    observation = convert(
        Device(clock), "device_to_host", clock, max_time_s=max_time_s, processes=3
    )
    assert len(observation.samples) == count


def test_the_pool_of_fresh_inputs_is_bounded(monkeypatch):
    clock = Clock()
    long = {"min_sample_s": 1.0}
    observation = convert(Device(clock), "device_to_host", clock, **long)
    assert set(observation.samples.inner_loops) == {conversion.POOL_COUNT}
    monkeypatch.setattr(conversion, "POOL_BYTES", 3 * 64)
    observation = convert(Device(clock), "device_to_host", clock, **long)
    assert set(observation.samples.inner_loops) == {3}
    monkeypatch.setattr(conversion, "POOL_BYTES", 1)
    observation = convert(Device(clock), "device_to_host", clock, **long)
    assert set(observation.samples.inner_loops) == {1}


class Changing(Boundary):
    summary = "Changes what crosses."
    change = staticmethod(lambda values: values)

    def cross(self, item):
        return self.change(np.array(item))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda values: values + 1e-12, "(0,)"),
        (lambda values: values.astype(np.float32), "float32"),
        (lambda values: values[:-1], "(7,)"),
        (lambda values: np.where(np.arange(8) == 2, np.nan, values), "(2,)"),
    ],
)
def test_what_arrives_changed_is_parity_failed(monkeypatch, change, says):
    monkeypatch.setattr(Changing, "change", staticmethod(change))
    monkeypatch.setitem(BOUNDARIES, "changing", Changing)
    observation = convert(NumPyBackend(), "changing", Clock())
    assert observation.status is Status.PARITY_FAILED
    assert "output 'square' against the input" in observation.reason
    assert says in observation.reason


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [
        ("to_host_view", np.array, "a copy was timed as a view"),
        ("to_host_copy", np.asarray, "a view was timed as a copy"),
    ],
)
def test_a_view_is_not_a_copy(monkeypatch, name, function, says):
    monkeypatch.setattr(host_memory, name, function)
    observation = convert(NumPyBackend(), name, Clock())
    assert observation.status is Status.INVALID
    assert says in observation.reason


def test_the_boundaries_of_a_variant_share_one_computation():
    class Counting(Square):
        calls = 0

        def compute(self, backend, problem, inputs):
            Counting.calls += 1
            return super().compute(backend, problem, inputs)

    for name in ("to_host_view", "to_host_copy", "hdf5_write"):
        assert convert(NumPyBackend(), name, now_ns, Counting()).status is Status.OK
    assert Counting.calls == 1
    case = making.case("scripted", "conversion", boundary="to_host_view")
    other = task(NumPyBackend(), Counting(), case=case, dtype="float32")
    assert conversion.measure(other, now_ns).status is Status.OK
    assert Counting.calls == 2
    assert len(conversion._last_output) == 1  # outputs may be gigabytes


class Plane(Square):
    """A matrix, with a NaN, for what draws images."""

    def outputs(self, problem):
        return (Output("plane", ("row", "column"), "1", finite=False),)

    def compute(self, backend, problem, inputs):
        x = inputs["x"]
        plane = backend.reshape(x, (2, 4))
        return {"plane": backend.where(plane > backend.min(plane), plane, np.nan)}


class Labels(Square):
    """Integers in three dimensions."""

    def outputs(self, problem):
        return (Output("labels", ("a", "b", "c"), "1", dtype="int64"),)

    def compute(self, backend, problem, inputs):
        return {
            "labels": backend.reshape(
                backend.astype(inputs["x"] * 10, "int64"), (2, 2, 2)
            )
        }


@pytest.mark.parametrize("kernel", [Square, Plane, Labels])
@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("name", BOUNDARIES)
def test_real_boundaries_bring_the_values_across(name, backend, kernel, monkeypatch):
    reason = boundary.skip_reason(name, backend, "cpu")
    if reason:
        pytest.skip(reason)
    monkeypatch.setattr(conversion, "MOST_SAMPLES", 4)
    observation = convert(
        create_backend(backend), name, now_ns, kernel(), min_sample_s=1e-5
    )
    assert (observation.status, observation.reason) == (Status.OK, "")
    # how many it takes within max_time_s depends on the machine
    assert conversion.LEAST_SAMPLES <= len(observation.samples) <= 4
    assert len(observation.warmups) >= 3
    (check,) = observation.checks
    assert (check.against, check.n_beyond) == ("input", 0)
    assert check.n_compared > 0
    assert observation.input_bytes == observation.output_bytes == 64


@pytest.mark.parametrize(
    ("name", "backend", "device", "says"),
    [
        ("to_host_view", "jax", "gpu", "cannot view the memory"),
        ("host_to_device", "numpy", "cpu", "no device memory"),
        ("device_to_host", "numpy", "cpu", "no device memory"),
    ],
)
def test_the_plan_is_told_what_cannot_be_crossed(name, backend, device, says):
    assert says in boundary.skip_reason(name, backend, device)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("teleport", "'teleport' is no boundary. Allowed: to_host_view"),
        (None, "None is no boundary"),
        ("device_to_host", "no device memory"),
    ],
)
def test_what_cannot_be_crossed_is_not_measured(name, says):
    case = making.case("numpy", "conversion", boundary=name)
    with pytest.raises(CannotMeasure, match=says):
        conversion.measure(task(NumPyBackend(), case=case), Clock())


@pytest.mark.parametrize(
    ("present", "skipped"),
    [
        ({"pyqtgraph", "PySide6"}, False),
        ({"pyqtgraph", "PyQt5"}, False),
        ({"pyqtgraph"}, True),
        ({"PySide6"}, True),
        (set(), True),
    ],
)
def test_pyqtgraph_needs_itself_and_a_qt(monkeypatch, present, skipped):
    monkeypatch.setattr(
        "xpcs_bench.measure.boundaries.screen.find_spec",
        lambda name: name if name in present else None,
    )
    reason = boundary.skip_reason("pyqtgraph_image", "jax", "cpu")
    assert (reason is not None) is skipped
    if skipped:
        assert "xpcs_bench[qt]" in reason


def test_every_boundary_says_what_is_inside_the_clock():
    summaries = [crossing.summary for crossing in BOUNDARIES.values()]
    assert all(summary.endswith(".") for summary in summaries)
    assert len(set(summaries)) == len(BOUNDARIES)


def test_reading_the_registry_imports_no_library():
    script = """
import sys
from xpcs_bench.measure.boundary import BOUNDARIES, skip_reason
for name in BOUNDARIES:
    skip_reason(name, "jax", "cpu")
assert not {"jax", "h5py", "matplotlib", "pyqtgraph", "PySide6"} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
