"""Small problems that reach every branch of every kernel."""

from functools import cache
from itertools import product
from typing import get_args

import numpy as np

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry, Mask, MaskedRectangle
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel

DETECTOR = Detector(
    name="tiny",
    shape=(24, 20),
    pixel_size_um=172.0,
    mask=Mask(rectangles=(MaskedRectangle(rows=(3, 5), columns=(0, 20)),)),
)
TRANSMISSION = Geometry(
    name="saxs",
    kind="transmission",
    energy_kev=10.0,
    distance_mm=300.0,
    beam_centre_px=(11.0, 8.0),
)
REFLECTION = Geometry(
    name="gisaxs",
    kind="reflection",
    energy_kev=10.0,
    distance_mm=300.0,
    beam_centre_px=(15.25, 9.0),
    incidence_deg=0.3,
    orientation="east",
)
GEOMETRIES = (TRANSMISSION, REFLECTION)
DTYPES = ("float64", "float32")


def variants(kernel):
    """Cross every parameter that is a choice; numbers keep their small defaults."""
    choices = {
        name: get_args(field.annotation)
        for name, field in kernel.Params.model_fields.items()
        if get_args(field.annotation) and isinstance(field.default, str)
    }
    for values in product(*choices.values()):
        yield kernel.Params(**dict(zip(choices, values, strict=True)))


def problems(name):
    """Yield every problem of a kernel that its own check lets pass, with an id."""
    kernel = create_kernel(name)
    geometries = GEOMETRIES if "geometry" in kernel.needs else (None,)
    detector = DETECTOR if "detector" in kernel.needs else None
    for params, dtype in product(variants(kernel), DTYPES):
        reached = set()
        for geometry in geometries:
            problem = Problem(params, detector, geometry, dtype)
            try:
                kernel.check(problem)
            except ConfigError:
                continue
            outputs = kernel.outputs(problem)
            # a second geometry is worth its time where it computes something else
            if outputs in reached:
                continue
            reached.add(outputs)
            yield _named(name, problem), problem


def _named(name, problem):
    labels = [v for v in problem.params.model_dump().values() if isinstance(v, str)]
    kind = [problem.geometry.kind] if problem.geometry else []
    return "-".join([name, *labels, *kind, problem.dtype])


def run(kernel, problem, backend_name, inputs=None):
    """Compute, compiled where that is possible; return NumPy arrays in order."""
    backend = create_backend(backend_name)
    if inputs is None:
        inputs = kernel.make_inputs(problem, np.random.default_rng(1))
    placed = {key: backend.from_numpy(value) for key, value in inputs.items()}
    order = []

    def call(arrays):
        outputs = kernel.compute(backend, problem, arrays)
        order[:] = outputs
        return outputs

    # a compiled function returns its dictionary sorted
    outputs = (backend.jit(call) if kernel.compiled else call)(placed)
    return {key: np.asarray(backend.to_numpy(outputs[key])) for key in order}


def able(name):
    """Name the backends that can compute a kernel."""
    requires = create_kernel(name).requires
    backends = {b: create_backend(b) for b in ("numpy", "jax")}
    return [
        backend
        for backend, made in backends.items()
        if all(getattr(made, f"supports_{capability}") for capability in requires)
    ]


@cache
def expected(name, problem):
    """Compute the reference once for all tests, which must not write to it."""
    kernel = create_kernel(name)
    inputs = kernel.make_inputs(problem, np.random.default_rng(1))
    return _frozen(kernel.reference(problem, inputs))


@cache
def computed(name, problem, backend_name):
    """Compute once for all tests, which must not write to it."""
    return _frozen(run(create_kernel(name), problem, backend_name))


def _frozen(outputs):
    for array in outputs.values():
        array.flags.writeable = False
    return outputs
