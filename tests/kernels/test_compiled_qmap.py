"""One call, one program a kind of geometry: never stale, never more than stated."""

import gc
import threading
import warnings
import weakref

import jax
import numpy as np
import pytest
from kernel_problems import DETECTOR, REFLECTION, TRANSMISSION, run

from xpcs_bench.backends import (
    JAXBackend,
    NumPyBackend,
    create_backend,
    reset_backend,
    set_backend,
    use_backend,
)
from xpcs_bench.config import Detector
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, compiled_qmap, create_kernel
from xpcs_bench.kernels.compiled_qmap import (
    JIT_CACHE_SIZE,
    clear_jit_cache,
    compute_qmap,
)

QMAP = create_kernel("qmap")


class CountingBackend(NumPyBackend):
    """Counts what it is asked to compile, and how often that runs."""

    def __init__(self):
        self.compiled, self.calls = 0, []  # appending is safe between threads

    @property
    def runs(self):
        return len(self.calls)

    def jit(self, func, /, static_argnums=None, static_argnames=None):
        self.compiled += 1

        def call(beam):
            self.calls.append(func)
            return func(beam)

        return call


class TracingBackend(JAXBackend):
    """Counts how often JAX traces."""

    def __init__(self):
        super().__init__()
        self.traces = 0

    def jit(self, func, /, static_argnums=None, static_argnames=None):
        def traced(beam):
            self.traces += 1
            return func(beam)

        return super().jit(traced)


@pytest.fixture(autouse=True)
def _empty():
    clear_jit_cache()
    yield
    clear_jit_cache()


def varied(geometry, **changes):
    return geometry.model_copy(update=changes)


@pytest.mark.parametrize("name", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("maps", ["all", "vectors"])
@pytest.mark.parametrize("geometry", [TRANSMISSION, REFLECTION])
def test_it_is_what_the_kernel_computes(name, dtype, maps, geometry):
    problem = Problem(QMAP.Params(maps=maps), DETECTOR, geometry, dtype)
    desired = run(QMAP, problem, name)
    backend = create_backend(name)
    # the second geometry runs the function that was made for the first
    compute_qmap(
        DETECTOR,
        varied(geometry, energy_kev=8.0, distance_mm=77.0),
        backend=backend,
        maps=maps,
        dtype=dtype,
    )
    actual = compute_qmap(DETECTOR, geometry, backend=backend, maps=maps, dtype=dtype)
    assert list(actual) == list(desired)
    for output, array in desired.items():
        found = np.asarray(actual[output])
        assert found.dtype == dtype
        assert found.tobytes() == array.tobytes()


def test_what_is_an_argument_does_not_retrace():
    backend = TracingBackend()
    found = [
        np.asarray(
            compute_qmap(
                DETECTOR.model_copy(update={"pixel_size_um": pixel}),
                varied(TRANSMISSION, **changes),
                backend=backend,
            )["q"]
        )
        for pixel, changes in (
            (172.0, {}),
            (172.0, {"energy_kev": 12.0}),
            (172.0, {"distance_mm": 900.0}),
            (172.0, {"beam_centre_px": (3.5, -4.0)}),
            (55.0, {"name": "other"}),
        )
    ]
    assert backend.traces == 1
    assert len({array.tobytes() for array in found}) == len(found)


@pytest.mark.parametrize(
    ("detector", "geometry", "options"),
    [
        ((24, 21), {}, {}),
        ((24, 20), {}, {"dtype": "float32"}),
        ((24, 20), {}, {"convention": "k_sin_2theta"}),
        ((24, 20), {}, {"formulation": "trigonometric"}),
        ((24, 20), {}, {"maps": "vectors"}),
        ((24, 20), {"kind": "reflection", "incidence_deg": 0.3}, {}),
    ],
)
def test_what_is_part_of_the_program_makes_another(detector, geometry, options):
    backend = TracingBackend()
    compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    other = Detector(name="other", shape=detector, pixel_size_um=172.0)
    for _ in range(2):
        compute_qmap(
            other, varied(TRANSMISSION, **geometry), backend=backend, **options
        )
    assert backend.traces == 2


def test_orientations_are_programs_of_their_own():
    backend = create_backend("numpy")
    found = {
        orientation: compute_qmap(
            DETECTOR, varied(REFLECTION, orientation=orientation), backend=backend
        )["qz"].tobytes()
        for orientation in ("north", "east", "south", "west")
    }
    assert len(set(found.values())) == 4
    assert len(compiled_qmap._JIT_CACHE) == 4


def test_every_backend_has_its_own():
    first, second = CountingBackend(), CountingBackend()
    for backend in (first, second, first, second):
        compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    assert (first.compiled, first.runs) == (1, 2)
    assert (second.compiled, second.runs) == (1, 2)


def test_the_active_backend_is_asked_for_every_time():
    kinds = []
    try:
        for name in ("jax", "numpy"):
            set_backend(name)
            kinds.append(type(compute_qmap(DETECTOR, TRANSMISSION)["q"]))
        reset_backend()
        with use_backend(CountingBackend()) as backend:
            compute_qmap(DETECTOR, TRANSMISSION)
            assert backend.runs == 1
    finally:
        reset_backend()
    assert issubclass(kinds[0], jax.Array)
    assert kinds[1] is np.ndarray


def test_a_backend_that_is_gone_leaves_no_function_to_its_successor():
    # what takes its place in memory would have its identity
    for _ in range(3 * JIT_CACHE_SIZE):
        backend = CountingBackend()
        compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
        assert (backend.compiled, backend.runs) == (1, 1)
        del backend


def test_other_widths_of_numbers_are_not_mixed_up():
    backend = create_backend("jax")
    before = compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    try:
        jax.config.update("jax_enable_x64", False)  # noqa: FBT003
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # says that it takes single precision
            narrow = compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    finally:
        jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    after = compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    assert narrow["q"].dtype == np.float32
    for name, array in before.items():
        assert np.asarray(after[name]).tobytes() == np.asarray(array).tobytes()


def test_it_keeps_as_many_as_stated_and_those_used_last():
    backend = CountingBackend()

    def ask(columns):
        shape = Detector(name="x", shape=(2, columns), pixel_size_um=75.0)
        compute_qmap(shape, TRANSMISSION, backend=backend)

    for columns in range(1, JIT_CACHE_SIZE + 1):
        ask(columns)
    ask(1)
    assert (backend.compiled, len(compiled_qmap._JIT_CACHE)) == (JIT_CACHE_SIZE,) * 2
    ask(1000)  # in the place of the one that was used longest ago: not the first
    assert len(compiled_qmap._JIT_CACHE) == JIT_CACHE_SIZE
    ask(1)
    assert backend.compiled == JIT_CACHE_SIZE + 1
    ask(2)
    assert backend.compiled == JIT_CACHE_SIZE + 2


def test_what_is_cleared_is_let_go():
    backend = CountingBackend()
    compute_qmap(DETECTOR, TRANSMISSION, backend=backend)
    alive = weakref.ref(backend)
    del backend
    gc.collect()
    assert alive() is not None
    clear_jit_cache()
    gc.collect()
    assert alive() is None


def test_threads_share_one_function_each():
    backend = CountingBackend()
    widths = [1 + i % (2 * JIT_CACHE_SIZE) for i in range(400)]
    problems, start = [], threading.Barrier(4)

    def work(part):
        start.wait()
        for columns in part:
            shape = Detector(name="x", shape=(2, columns), pixel_size_um=75.0)
            q = compute_qmap(shape, TRANSMISSION, backend=backend)["q"]
            if (
                q.shape != (2, columns)
                or len(compiled_qmap._JIT_CACHE) > JIT_CACHE_SIZE
            ):
                problems.append((q.shape, columns))

    threads = [threading.Thread(target=work, args=(widths[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert backend.runs == len(widths)
    assert len(compiled_qmap._JIT_CACHE) == JIT_CACHE_SIZE


def test_a_convention_without_meaning_is_refused_before_anything_is_compiled():
    backend = CountingBackend()
    with pytest.raises(ConfigError, match="'exact', 'k_sin_2theta'"):
        compute_qmap(DETECTOR, TRANSMISSION, backend=backend, convention="flat")
    assert backend.compiled == 0
