"""Compilation, loops and gradients: with a compiler, and without one."""

from __future__ import annotations

from typing import Any

from xpcs_bench.measure.behaviours.behaviour import Absent, Observed

__all__ = [
    "abstract_values",
    "control_flow_by_primitive",
    "control_flow_by_value",
    "jit_cached",
    "jit_returns_function",
    "models_are_differentiable",
    "numpy_fori_loop",
    "numpy_grad",
    "numpy_repeats_itself",
    "numpy_scan",
    "numpy_value_and_grad",
    "numpy_vmap",
    "nuts_asks_for_gradients",
    "qmap_programs",
    "static_arguments",
    "supports_grad",
    "unhashable_arrays",
    "value_and_grad_in_one",
]


def _backend(name: str) -> Any:
    from xpcs_bench.backends import create_backend

    return create_backend(name)


def jit_returns_function() -> Observed:
    """Compile by NumPy."""

    def function(x: Any) -> Any:
        return x

    return {"the same object": _backend("numpy").jit(function) is function}


def jit_cached() -> Observed:
    """Call a compiled function three times with one kind of argument."""
    backend = _backend("jax")
    traces = 0

    def function(x: Any) -> Any:
        nonlocal traces
        traces += 1
        return x * x

    compiled = backend.jit(function)
    for value in range(3):
        compiled(backend.full(4, float(value)))
    return {"calls": 3, "traces": traces}


def abstract_values() -> Observed:
    """Look at what a function is traced with."""
    import jax

    backend = _backend("jax")
    seen: list[bool] = []

    def function(x: Any) -> Any:
        seen.append(isinstance(x, jax.core.Tracer))
        return x * x

    backend.jit(function)(backend.ones(4))
    return {"traced with abstract values": all(seen) and bool(seen)}


def control_flow_by_value() -> Observed:
    """Branch on the value of an array in a compiled function."""
    backend = _backend("jax")
    backend.jit(lambda x: x if x > 0 else -x)(backend.ones(()))
    return {}


def control_flow_by_primitive() -> Observed:
    """Branch and loop on values in a compiled function, by the protocol's means."""
    backend = _backend("jax")

    def function(x: Any) -> Any:
        size = backend.cond(x > 0, lambda v: v, lambda v: -v, x)
        return backend.fori_loop(0, 3, lambda _, v: v + v, size)

    compiled = backend.jit(function)
    right = [float(compiled(backend.full((), x))) for x in (-2.0, 2.0)] == [16.0, 16.0]
    return {"right values": right}


def static_arguments() -> Observed:
    """Choose a path in a compiled function by a text."""
    backend = _backend("jax")

    def function(x: Any, mode: str) -> Any:
        return x + 1 if mode == "add" else x - 1

    compiled = backend.jit(function, static_argnums=1)
    one = backend.ones(())
    return {"right values": (compiled(one, "add"), compiled(one, "take")) == (2, 0)}


def unhashable_arrays() -> Observed:
    """Make a key of an array."""
    hash(_backend("jax").ones(3))
    return {}


def qmap_programs() -> Observed:
    """Compute q-maps of two kinds of geometry, each at two energies."""
    from xpcs_bench.config import Detector, Geometry
    from xpcs_bench.kernels import compiled_qmap

    backend = _backend("jax")
    traces = 0
    jit = backend.jit

    def counting(function: Any, **options: Any) -> Any:
        def counted(*args: Any) -> Any:
            nonlocal traces
            traces += 1
            return function(*args)

        return jit(counted, **options)

    backend.jit = counting
    detector = Detector(name="d", shape=(8, 8), pixel_size_um=75.0)
    for kind, incidence in (("transmission", None), ("reflection", 0.14)):
        for energy in (8.0, 10.0):
            geometry = Geometry(
                name="g",
                kind=kind,
                energy_kev=energy,
                distance_mm=5000.0,
                incidence_deg=incidence,
                orientation="north" if incidence else None,
            )
            compiled_qmap.compute_qmap(detector, geometry, backend=backend)
    cache = compiled_qmap._JIT_CACHE  # noqa: SLF001 - the document names it
    return {
        "calls": 4,
        "kinds of geometry": 2,
        "compiled": traces,
        "kept in a dict": type(cache) is dict and len(cache) == 2,
    }


def supports_grad() -> Observed:
    """Ask both backends whether they have gradients."""
    return {name: _backend(name).supports_grad for name in ("numpy", "jax")}


def numpy_grad() -> Observed:
    """Ask NumPy for a gradient."""
    _backend("numpy").grad(lambda x: x * x)(1.0)
    return {}


def numpy_value_and_grad() -> Observed:
    """Ask NumPy for value and gradient."""
    _backend("numpy").value_and_grad(lambda x: x * x)(1.0)
    return {}


def value_and_grad_in_one() -> Observed:
    """Ask JAX for gradient, and for value and gradient."""
    backend = _backend("jax")
    calls = 0

    def cube(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x**3

    two = backend.full((), 2.0)
    gradient = float(backend.grad(cube)(two))
    calls = 0
    value, both = map(float, backend.value_and_grad(cube)(two))
    return {
        "gradient": gradient,
        "value with it": value,
        "gradient with it": both,
        "passes": calls,
    }


def models_are_differentiable() -> Observed:
    """Differentiate the compiled models of g2, and compare with differences."""
    import numpy as np

    from xpcs_bench.backends import use_backend
    from xpcs_bench.kernels import decay

    models = {
        "single": (decay.single_exp_func, [0.02, 1.0, 0.3]),
        "double": (decay.double_exp_func, [0.01, 0.1, 1.0, 0.2, 0.1]),
        "stretched": (decay.stretched_exp_func, [0.02, 1.0, 0.3, 0.8]),
    }
    found: Observed = {}
    with use_backend("jax") as backend:
        tau = backend.array([1e-3, 1e-2, 0.1])
        for name, (model, values) in models.items():

            def total(p: Any, model: Any = model) -> Any:
                return backend.sum(model(tau, *p))

            point = np.array(values)
            step = 1e-6 * point
            differences = [
                (float(total(point + shift)) - float(total(point - shift))) / (2 * size)
                for shift, size in zip(np.diag(step), step, strict=True)
            ]
            gradient = np.asarray(backend.grad(total)(backend.array(point)))
            found[name] = bool(np.allclose(gradient, differences, rtol=1e-6))
    return found


def _counted_numpy() -> tuple[Any, Any, list[object]]:
    import numpy as np

    return _backend("numpy"), np.arange(5.0), []


def numpy_vmap() -> Observed:
    """Map a function over five elements by NumPy."""
    backend, x, calls = _counted_numpy()

    def one(element: Any) -> Any:
        calls.append(element)
        return element * element

    right = (backend.vmap(one)(x) == x * x).all()
    return {"elements": len(x), "calls": len(calls), "right values": bool(right)}


def numpy_scan() -> Observed:
    """Scan over five elements by NumPy."""
    backend, x, calls = _counted_numpy()

    def step(carry: Any, element: Any) -> Any:
        calls.append(element)
        return carry + element, carry

    total, _ = backend.scan(step, 0.0, x)
    return {
        "elements": len(x),
        "calls": len(calls),
        "right values": bool(total == x.sum()),
    }


def numpy_fori_loop() -> Observed:
    """Loop five times by NumPy."""
    backend, x, calls = _counted_numpy()

    def body(index: Any, total: Any) -> Any:
        calls.append(index)
        return total + x[index]

    total = backend.fori_loop(0, len(x), body, 0.0)
    return {
        "elements": len(x),
        "calls": len(calls),
        "right values": bool(total == x.sum()),
    }


def numpy_repeats_itself() -> Observed:
    """Compute every kernel's outputs twice by NumPy, from the same inputs."""
    import numpy as np

    from xpcs_bench.kernels.kernel import Problem
    from xpcs_bench.kernels.registry import create_kernel

    backend, equal = _backend("numpy"), []
    for name in ("g2_model", "two_time", "fit"):
        kernel = create_kernel(name)
        problem: Problem[Any] = Problem(kernel.Params(), None, None, "float64")
        inputs = kernel.make_inputs(problem, np.random.default_rng(0))
        first, second = (kernel.compute(backend, problem, inputs) for _ in range(2))
        equal += [
            np.asarray(first[key]).tobytes() == np.asarray(second[key]).tobytes()
            for key in first
        ]
    return {"bit by bit equal": all(equal)}


def nuts_asks_for_gradients() -> Observed:
    """Sample by NumPyro's NUTS from a density that counts who differentiates it."""
    try:
        from numpyro.infer import MCMC, NUTS
    except ImportError as error:
        msg = f"NumPyro cannot be imported: {error}"
        raise Absent(msg) from error
    import jax
    import jax.numpy as jnp

    asked = 0

    @jax.custom_jvp
    def potential(x: Any) -> Any:
        return 0.5 * jnp.sum(x * x)

    @potential.defjvp
    def _differentiated(primals: Any, tangents: Any) -> Any:
        nonlocal asked
        asked += 1
        (x,), (change,) = primals, tangents
        return 0.5 * jnp.sum(x * x), jnp.sum(x * change)

    chain = MCMC(
        NUTS(potential_fn=potential), num_warmup=10, num_samples=10, progress_bar=False
    )
    chain.run(jax.random.key(0), init_params=jnp.ones(2))
    return {"gradients asked for": asked > 0}
