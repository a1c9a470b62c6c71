"""Whoever writes to an array after a call has returned changes no result."""

import inspect

import numpy as np
import pytest

from xpcs_bench.backends.arguments import settled
from xpcs_bench.backends.array_functions import ArrayFunctions
from xpcs_bench.backends.conversion import private_copy
from xpcs_bench.backends.protocol import protocol_members

LARGE = 1 << 18
"""Elements: JAX is still reading when the call has returned."""
SMALL = 1 << 10
ROUNDS = 2

ELEMENTWISE = [
    "abs", "arccos", "arcsin", "arctan", "ceil", "cos", "deg2rad", "exp", "expm1",
    "floor", "isfinite", "isnan", "log", "log10", "log1p", "logical_not", "rad2deg",
    "round", "sign", "sin", "sqrt", "square", "tan", "tanh",
]  # fmt: skip
REDUCING = [
    "all", "any", "argmax", "argmin", "max", "mean", "median", "min", "nanmax",
    "nanmean", "nanmin", "prod", "std", "sum", "var",
]  # fmt: skip
OF_TWO = [
    "arctan2", "hypot", "isclose", "logical_and", "logical_or", "maximum", "minimum",
    "mod", "power",
]  # fmt: skip
REARRANGING = [
    "argsort", "copy", "cumsum", "flatten", "ones_like", "sort", "squeeze", "transpose",
    "unique",
]  # fmt: skip

DOORS = {
    **{
        name: lambda b, x, name=name: getattr(b, name)(x)
        for name in (*ELEMENTWISE, *REDUCING, *REARRANGING, "zeros_like", "array")
    },
    **{name: lambda b, x, name=name: getattr(b, name)(x, x) for name in OF_TWO},
    "astype": lambda b, x: b.astype(x, "float32"),
    "bincount": lambda b, x: b.bincount(b.zeros(x.shape, "int64"), weights=x, length=2),
    "broadcast_to": lambda b, x: b.broadcast_to(x, (2, x.size)),
    "clip": lambda b, x: b.clip(b.ones(x.shape) * 1.5, x, None),
    "concatenate": lambda b, x: b.concatenate([x, x]),
    "cond": lambda b, x: b.cond(True, lambda y: y, lambda y: y + 1, x),  # noqa: FBT003
    "device_put": lambda b, x: b.device_put({"x": x}),
    "digitize": lambda b, x: b.digitize(x, b.array([0.0, 1.5, 3.0])),
    "dot": lambda b, x: b.dot(x, x),
    "expand_dims": lambda b, x: b.expand_dims(x, 0),
    "fori_loop": lambda b, x: b.fori_loop(0, 0, lambda _, y: y, x),
    "from_numpy": lambda b, x: b.from_numpy(x),
    "full": lambda b, x: b.full(x.shape, x),
    "grad": lambda b, x: b.grad(lambda y: b.sum(y * y))(x),
    "jit": lambda b, x: b.jit(lambda tree: tree["x"] + 1)({"x": x}),
    "jit with a keyword": lambda b, x: b.jit(lambda *, y: y + 1)(y=x),
    "linspace": lambda b, x: b.linspace(0.0, x, 2),
    "list": lambda b, x: b.array([b.ones(x.shape), x]),
    "logspace": lambda b, x: b.logspace(0.0, x, 2),
    "matmul": lambda b, x: b.matmul(x, x),
    "meshgrid": lambda b, x: b.meshgrid(x[:SMALL], x[:SMALL]),
    "nonzero": lambda b, x: b.nonzero(x),
    "percentile": lambda b, x: b.percentile(x, x[:2]),
    "reshape": lambda b, x: b.reshape(x, (-1, 2)),
    "scan": lambda b, x: b.scan(lambda c, y: (c, y), x, b.zeros((0,))),
    "searchsorted": lambda b, x: b.searchsorted(x, b.array(1.5)),
    "stack": lambda b, x: b.stack([x, x]),
    "take": lambda b, x: b.take(x, b.arange(x.size)),
    "value_and_grad": lambda b, x: b.value_and_grad(lambda y: b.sum(y * y))(x),
    "vmap": lambda b, x: b.vmap(lambda y: y)(x),
    "vmap of two": lambda b, x: b.vmap(lambda y, z: y * z, (0, None))(x, x[0]),
    "where": lambda b, x: b.where(b.ones(x.shape) > 0, x, 0.0),
    "while_loop": lambda b, x: b.while_loop(lambda _: False, lambda y: y, x),
}
TAKE_NO_ARRAY = {"zeros", "ones", "arange"}
HANDS_BACK = {"to_numpy", "block_until_ready", "tree_leaves"}
"""What gives the caller its own array again, and computes nothing."""
DESCRIBE = {"name", "pi", "supports_gpu", "supports_jit", "supports_grad", "devices"}


def test_every_way_in_is_tried():
    assert set(protocol_members()) - set(DOORS) == TAKE_NO_ARRAY | HANDS_BACK | DESCRIBE


def outputs(backend, tree):
    return [np.array(leaf) for leaf in backend.tree_leaves(tree)]


@pytest.mark.parametrize("name", DOORS)
def test_writing_after_the_call_changes_no_result(jax_backend, name):
    door = DOORS[name]
    right = outputs(jax_backend, door(jax_backend, jax_backend.ones(LARGE)))
    source = private_copy(np.ones(LARGE))  # aligned as JAX likes it
    for _ in range(ROUNDS):
        source[:] = 1.0
        result = door(jax_backend, source)
        source[:] = 2.0  # at once, not after waiting
        for found, expected in zip(outputs(jax_backend, result), right, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_waiting_would_not_do(sixty_four_bits):
    """JAX makes the very memory of an argument that of a result."""
    import jax

    source = private_copy(np.ones(SMALL))
    result = jax.block_until_ready(jax.vmap(lambda x: x)(source))
    source[:] = 2.0
    if not (np.asarray(result) == 2.0).all():
        pytest.skip("this jax copies what it is given: half of the guard is not needed")


def test_that_an_array_is_read_only_proves_nothing(jax_backend):
    source = private_copy(np.ones(SMALL))
    view = source.view()
    view.flags.writeable = False
    result = jax_backend.reshape(view, (-1, 2))
    source[:] = 2.0
    assert (jax_backend.to_numpy(result) == 1.0).all()


def test_arrays_of_jax_pass_as_they_are(jax_backend):
    tree = {"a": jax_backend.ones(2), "b": [(1.0, None, "word", np.float32(2.0))]}
    assert settled(tree) is tree
    tree["c"] = np.ones(2)
    again = settled(tree)
    assert again["a"] is tree["a"]
    assert again["c"] is not tree["c"]
    assert type(again["c"]) is np.ndarray


class Table:
    """What hands out its memory, as tables of other libraries do."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_what_converts_itself_is_an_array_too(jax_backend):
    source = private_copy(np.ones(SMALL))
    result = jax_backend.round(Table(source))
    source[:] = 2.0
    assert (jax_backend.to_numpy(result) == 1.0).all()


def test_a_compiled_function_can_be_taken_apart(jax_backend):
    compiled = jax_backend.jit(lambda x, n: x * n, static_argnums=1)
    x = jax_backend.ones(2)
    assert compiled.trace(x, 3).lower().compile()(x).tolist() == [3.0, 3.0]
    assert compiled.lower(x, 3).compile()(x).tolist() == [3.0, 3.0]


def test_what_is_compiled_is_traced_once_for_both_kinds_of_array(jax_backend):
    traces = []
    compiled = jax_backend.jit(lambda x: traces.append(1) or x + 1)
    for argument in (np.ones(2), jax_backend.ones(2), np.ones(2)):
        assert compiled(argument).tolist() == [2.0, 2.0]
    assert len(traces) == 1


def test_signatures_stay_those_of_the_protocol(jax_backend):
    for name, member in vars(ArrayFunctions).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            wanted = list(inspect.signature(member).parameters)[1:]
            assert (
                list(inspect.signature(getattr(jax_backend, name)).parameters) == wanted
            )
