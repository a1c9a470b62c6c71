"""vmap, scan, fori_loop, while_loop, cond, jit and grad mean the same on both."""

from typing import NamedTuple

import numpy as np
import pytest

from xpcs_bench.backends import create_backend
from xpcs_bench.backends.pytree import leaves, tree_map


class Pair(NamedTuple):
    a: object
    b: object


def plain(backend, tree):
    """Return a tree with every leaf as a NumPy array; keeps None and the nesting."""
    return tree_map(lambda leaf: np.asarray(backend.to_numpy(leaf)), tree)


def both(call):
    """Run on both backends; compare structure, types, shapes and values; return one."""
    results = []
    for name in ("numpy", "jax"):
        backend = create_backend(name)
        results.append(plain(backend, call(backend)))
    desired, actual = results

    def same(one, other):
        assert one is not other
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=1e-14)
        return one

    return tree_map(same, desired, actual)


X = np.arange(12.0).reshape(3, 4)


def test_vmap_maps_the_first_axis():
    result = both(lambda b: b.vmap(b.sum)(b.array(X)))
    assert result.tolist() == [6, 22, 38]


@pytest.mark.parametrize("in_axes", [0, 1, -1])
@pytest.mark.parametrize("out_axes", [0, 1, -1])
def test_vmap_takes_and_places_any_axis(in_axes, out_axes):
    result = both(
        lambda b: b.vmap(lambda v: 2 * v, in_axes=in_axes, out_axes=out_axes)(
            b.array(X)
        )
    )
    rows = 2 * X if in_axes == 0 else 2 * X.T
    np.testing.assert_array_equal(result, rows if out_axes == 0 else rows.T)


def test_vmap_leaves_alone_what_is_not_mapped():
    result = both(
        lambda b: b.vmap(b.dot, in_axes=(0, None))(
            b.array(X), b.array([1.0, 0.0, 0.0, 2.0])
        )
    )
    assert result.tolist() == [6, 18, 30]


def test_vmap_knows_trees_in_and_out():
    def swap(tree, scale):
        return Pair({"y": tree["b"] * scale, "x": (tree["a"], [tree["a"] + 1])}, None)

    result = both(
        lambda b: b.vmap(
            swap,
            in_axes=({"a": 0, "b": 1}, None),
            out_axes=Pair({"x": 0, "y": 1}, None),
        )({"a": b.arange(4), "b": b.array(X)}, 10.0)
    )
    assert isinstance(result, Pair)
    assert result.a["x"][0].tolist() == [0, 1, 2, 3]
    assert result.a["x"][1][0].tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(result.a["y"], 10 * X)
    assert result.b is None


def test_vmap_maps_keywords_over_their_first_axis():
    result = both(
        lambda b: b.vmap(lambda v, shift: v + shift)(b.arange(3.0), shift=b.arange(3.0))
    )
    assert result.tolist() == [0, 2, 4]


def test_vmap_gives_once_what_does_not_depend_on_the_batch():
    result = both(
        lambda b: b.vmap(lambda v: (v, b.array(7.0)), out_axes=(0, None))(b.arange(3.0))
    )
    assert result[1].tolist() == 7


def test_vmap_of_vmap():
    result = both(
        lambda b: b.vmap(lambda v: b.vmap(lambda w: v * w)(b.arange(2.0)))(
            b.arange(3.0)
        )
    )
    assert result.tolist() == [[0, 0], [0, 1], [0, 2]]


@pytest.mark.parametrize("out_axes", [0, 1])
def test_vmap_of_an_empty_batch_has_the_right_shapes(out_axes):
    result = both(
        lambda b: b.vmap(lambda v: (v * 2, b.sum(v)), out_axes=(out_axes, 0))(
            b.zeros((0, 4))
        )
    )
    assert result[0].shape == ((0, 4) if out_axes == 0 else (4, 0))
    assert result[1].shape == (0,)


def add(x, y):
    return x + y


@pytest.mark.parametrize(
    ("in_axes", "shapes"),
    [
        (0, [(3,), (4,)]),  # lengths differ
        ((None, None), [(3,), (3,)]),  # nothing is mapped
        ((0,), [(3,), (3,)]),  # one entry for two arguments
        (1, [(3,), (3,)]),  # no such axis
        ((0, {"a": 0}), [(3,), (3,)]),  # no prefix of the arguments
    ],
)
def test_vmap_refuses_what_does_not_fit(backend, in_axes, shapes):
    arrays = [backend.zeros(shape) for shape in shapes]
    with pytest.raises(ValueError, match=r"vmap|[Aa]xes"):
        backend.vmap(add, in_axes=in_axes)(*arrays)


def test_scan_carries_and_stacks():
    carry, ys = both(
        lambda b: b.scan(lambda c, x: (c + x, c * x), b.array(1.0), b.arange(1.0, 4.0))
    )
    assert carry == 7
    assert ys.tolist() == [1, 4, 12]


def test_scan_knows_trees():
    def step(carry, x):
        total, count = carry
        return (total + x["a"] * x["b"][0], count + 1), {"seen": count, "none": None}

    carry, ys = both(
        lambda b: b.scan(
            step,
            (b.array(0.0), b.array(0)),
            {"a": b.arange(3.0), "b": (b.arange(3.0),)},
        )
    )
    assert [float(part) for part in carry] == [5, 3]
    assert ys["seen"].tolist() == [0, 1, 2]
    assert ys["none"] is None


def test_scan_over_rows_gives_rows():
    carry, ys = both(
        lambda b: b.scan(lambda c, x: (c + x, x[0]), b.zeros(4), b.array(X))
    )
    np.testing.assert_array_equal(carry, X.sum(axis=0))
    assert ys.tolist() == [0, 4, 8]


def test_scan_without_xs_counts_its_length():
    carry, ys = both(
        lambda b: b.scan(lambda c, _: (c * 2, None), b.array(1.0), None, length=5)
    )
    assert carry == 32
    assert ys is None


def test_scan_takes_a_python_scalar_for_what_it_becomes():
    carry, _ = both(lambda b: b.scan(lambda c, x: (c + x, None), 0, b.arange(3.0)))
    assert carry.dtype == np.float64
    assert carry == 3


def test_scan_of_nothing_returns_its_start_and_empty_outputs():
    carry, ys = both(
        lambda b: b.scan(lambda c, x: (c + b.sum(x), x), b.array(5.0), b.zeros((0, 2)))
    )
    assert carry == 5
    assert ys.shape == (0, 2)


@pytest.mark.parametrize(
    ("shapes", "length"),
    [([(3,), (4,)], None), ([(3,)], 2), ([], None), ([()], None)],
)
def test_scan_refuses_lengths_that_differ_or_are_not_there(backend, shapes, length):
    xs = tuple(backend.zeros(shape) for shape in shapes)
    with pytest.raises((ValueError, IndexError), match=r"scan|length|range"):
        backend.scan(lambda c, x: (c, None), 0.0, xs, length)


@pytest.mark.parametrize(
    "step",
    [
        lambda b, c: b.astype(c, np.float32),
        lambda b, c: b.stack([c, c]),
        lambda b, c: (c, c),
        lambda b, c: None,
    ],
)
def test_a_carry_that_changes_its_type_is_refused(backend, step):
    start = backend.array(1.0)
    with pytest.raises(TypeError, match="carry"):
        backend.scan(lambda c, _: (step(backend, c), None), start, None, length=2)
    with pytest.raises(TypeError, match=r"carry|body"):
        backend.fori_loop(0, 2, lambda _, c: step(backend, c), start)


def test_fori_loop_counts_from_lower_to_before_upper():
    result = both(
        lambda b: b.fori_loop(2, 5, lambda i, v: {"s": v["s"] + i}, {"s": b.array(0)})
    )
    assert result["s"] == 9


@pytest.mark.parametrize("bounds", [(0, 0), (3, 1)])
def test_fori_loop_without_a_trip_returns_its_start(bounds):
    result = both(lambda b: b.fori_loop(*bounds, lambda _, v: v * 0, b.array([4.0])))
    assert result.tolist() == [4]


def test_while_loop_runs_until_its_condition_fails():
    result = both(
        lambda b: b.while_loop(lambda v: v < 100, lambda v: v * 3, b.array(1))
    )
    assert result == 243
    never = both(lambda b: b.while_loop(lambda v: v < 0, lambda v: v + 1, b.array(1)))
    assert never == 1


@pytest.mark.parametrize("pred", [True, False])
def test_cond_runs_one_branch(pred):
    result = both(
        lambda b: b.cond(
            b.array(pred),
            lambda x, y: (x, y),
            lambda x, y: (y, x),
            b.array(1.0),
            b.array(2.0),
        )
    )
    assert [float(part) for part in result] == ([1, 2] if pred else [2, 1])


def test_cond_wants_a_scalar(backend):
    with pytest.raises(TypeError, match=r"scalar"):
        backend.cond(backend.array([True, False]), lambda: 1, lambda: 2)


def test_jit_gives_the_same_and_keeps_static_arguments_static():
    def power(x, n, mode):
        # n and mode decide control flow: they must not be traced
        for _ in range(n):
            x = x * 2 if mode == "double" else x + 1
        return x

    def call(b, **static):
        return b.jit(power, **static)(b.array([1.0, 2.0]), 3, "double")

    assert both(lambda b: call(b, static_argnums=(1, 2))).tolist() == [8, 16]
    result = both(
        lambda b: b.jit(power, static_argnames=("n", "mode"))(
            b.array([1.0, 2.0]), n=3, mode="count"
        )
    )
    assert result.tolist() == [4, 5]


def test_jit_of_numpy_is_the_function_itself(np_backend):
    assert np_backend.jit(add) is add
    assert np_backend.jit(add, static_argnums=1) is add


def test_jit_of_jax_traces_once(jax_backend):
    traces = []

    def body(x):
        traces.append(x)
        return x + 1

    compiled = jax_backend.jit(body)
    for start in (1.0, 2.0, 3.0):
        assert compiled(jax_backend.array(start)) == start + 1
    assert len(traces) == 1


def test_gradients_are_right_or_refused_in_a_sentence(np_backend, jax_backend):
    def square(x, y):
        return x * x * y

    two, three = jax_backend.array(2.0), jax_backend.array(3.0)
    assert jax_backend.grad(square)(two, three) == 12
    assert jax_backend.grad(square, argnums=1)(two, three) == 4
    value, gradients = jax_backend.value_and_grad(square, argnums=(0, 1))(two, three)
    assert (value, *gradients) == (12, 12, 4)
    assert jax_backend.supports_grad
    assert not np_backend.supports_grad
    for name in ("grad", "value_and_grad"):
        with pytest.raises(
            NotImplementedError, match=rf"{name}\(square.*supports_grad"
        ):
            getattr(np_backend, name)(square)


TREES = [
    {"b": 1, "a": (2, [3, None])},
    Pair(1, {"z": 2, "y": 3}),
    None,
    [],
    4,
]


@pytest.mark.parametrize("tree", TREES)
def test_leaves_come_in_the_order_of_jax(np_backend, jax_backend, tree):
    assert np_backend.tree_leaves(tree) == jax_backend.tree_leaves(tree)


def test_a_dictionary_keeps_its_kind_and_order():
    from collections import OrderedDict, defaultdict

    tree = OrderedDict(b=1, a=2)
    assert list(tree_map(str, tree).items()) == [("b", "1"), ("a", "2")]
    counted = defaultdict(list, a=1)
    assert tree_map(str, counted).default_factory is list
    assert leaves(tree) == [2, 1]
