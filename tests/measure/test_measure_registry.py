import subprocess
import sys

import making
import pytest

from xpcs_bench.config import MEASURES as NAMES
from xpcs_bench.kernels.registry import create_kernel
from xpcs_bench.measure.boundary import BOUNDARIES
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.registry import MEASURES, SKIP_REASONS, one_shot, skip_reason
from xpcs_bench.measure.steady_state import SteadyState
from xpcs_bench.measure.task import build_task
from xpcs_bench.records import Case, Status, Variant

ONE_SHOT = [name for name in MEASURES if name != "steady_state"]


def test_every_measure_that_can_be_configured_is_registered():
    assert set(MEASURES) == set(NAMES)
    assert set(SKIP_REASONS) <= set(MEASURES)


@pytest.mark.parametrize("name", ONE_SHOT)
def test_every_measure_is_found(name):
    assert one_shot(name).__module__ == f"xpcs_bench.measure.{name}"


@pytest.mark.parametrize("name", ["steady_state", "steady", ""])
def test_what_is_not_measured_in_one_go_is_refused(name):
    with pytest.raises(ValueError, match=r"not measured in one go\. Allowed"):
        one_shot(name)


def test_reasons_to_skip_are_known_before_anything_is_imported():
    assert "does not trace" in skip_reason("stages", None, "numpy", "cpu")
    assert skip_reason("stages", None, "jax", "cpu") is None
    assert "does not compile" in skip_reason("recompile", None, "numpy", "cpu")
    assert skip_reason("recompile", None, "jax", "cpu") is None
    assert skip_reason("first_call", None, "numpy", "cpu") is None
    assert "no device memory" in skip_reason(
        "conversion", "device_to_host", "numpy", "cpu"
    )
    script = """
import sys
from xpcs_bench.measure.registry import MEASURES, skip_reason
for measure in MEASURES:
    boundary = "hdf5_write" if measure == "conversion" else None
    skip_reason(measure, boundary, "jax", "gpu")
assert not {"jax", "jaxlib", "h5py", "matplotlib"} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def real_task(backend, measure, boundary=None):
    kernel = create_kernel("g2_model")
    case = Case(
        kernel="g2_model",
        kernel_version=kernel.version,
        params=kernel.Params().model_dump(mode="json"),
        labels={},
        detector=None,
        geometry=None,
        variant=Variant(backend=backend, device="cpu", dtype="float64"),
        measure=measure,
        boundary=boundary,
    )
    return build_task(case, making.sampling(min_sample_s=1e-4), 5, ())


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        (name, backend)
        # stages need a process in which nothing has imported jax
        for name in ONE_SHOT
        if name != "stages"
        for backend in ("numpy", "jax")
        if not skip_reason(name, next(iter(BOUNDARIES)), backend, "cpu")
    ],
)
def test_a_real_kernel_is_measured(name, backend):
    boundary = next(iter(BOUNDARIES)) if name == "conversion" else None
    observation = one_shot(name)(real_task(backend, name, boundary), now_ns)
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert observation.checks
    assert observation.outputs
    assert observation.output_bytes > 0


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_real_kernel_is_sampled(backend):
    state = SteadyState(real_task(backend, "steady_state"), now_ns)
    prepared = state.prepare()
    assert prepared.inner_loops >= 1
    per_call_ns = state.sample(4) + state.sample(3)
    observation = state.finish()
    assert (observation.status, observation.reason) == (Status.OK, "")
    assert observation.n_traces == (1 if backend == "jax" else None)
    assert observation.samples.block == (0,) * 4 + (1,) * 3
    assert set(observation.samples.inner_loops) == {prepared.inner_loops}
    assert per_call_ns == tuple(
        elapsed / prepared.inner_loops for elapsed in observation.samples.elapsed_ns
    )
    first, *others = observation.warmups.inner_loops
    assert first == 1
    assert others[:2] == [1, 1]
    assert observation.overhead_ns_per_sample >= 0
    assert len(observation.blocks) == 2
