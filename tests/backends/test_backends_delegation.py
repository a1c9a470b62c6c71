"""Each function is the one it is called: values that are known without a library."""

import math

import pytest

from xpcs_bench.backends.delegation import NamespaceBackend

# Both libraries share one table of delegated methods: agreement alone would not see a
# method that is bound to the wrong name, or whose arguments are swapped.
KNOWN = [
    ("sin", (math.pi / 2,), 1.0),
    ("cos", (math.pi,), -1.0),
    ("tan", (math.pi / 4,), 1.0),
    ("arcsin", (1.0,), math.pi / 2),
    ("arccos", (-1.0,), math.pi),
    ("arctan", (1.0,), math.pi / 4),
    ("arctan2", (1.0, 0.0), math.pi / 2),
    ("tanh", (0.5,), math.tanh(0.5)),
    ("hypot", (3.0, 4.0), 5.0),
    ("deg2rad", (180.0,), math.pi),
    ("rad2deg", (math.pi,), 180.0),
    ("floor", (-1.5,), -2.0),
    ("ceil", (-1.5,), -1.0),
    ("exp", (1.0,), math.e),
    ("expm1", (1e-10,), math.expm1(1e-10)),
    ("log", (math.e,), 1.0),
    ("log1p", (1e-10,), math.log1p(1e-10)),
    ("log10", (1000.0,), 3.0),
    ("sqrt", (9.0,), 3.0),
    ("square", (-3.0,), 9.0),
    ("abs", (-3.0,), 3.0),
    ("sign", (-3.0,), -1.0),
    ("power", (2.0, 3.0), 8.0),
    ("maximum", (2.0, 3.0), 3.0),
    ("minimum", (2.0, 3.0), 2.0),
    ("logical_and", (1.0, 0.0), False),
    ("logical_or", (1.0, 0.0), True),
    ("logical_not", (1.0,), False),
    ("where", (True, 2.0, 3.0), 2.0),
    ("clip", (5.0, -1.0, 2.0), 2.0),
    ("isnan", (math.nan,), True),
    ("isfinite", (math.inf,), False),
    ("isclose", (0.0, 1e-9), True),
]


@pytest.mark.parametrize(("name", "arguments", "value"), KNOWN)
def test_each_function_is_the_one_it_is_called(backend, name, arguments, value):
    result = getattr(backend, name)(*map(backend.array, arguments))
    assert float(result) == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sum", 14), ("prod", 64), ("mean", 3.5), ("var", 2.75), ("min", 2), ("max", 6),
        ("std", math.sqrt(2.75)), ("argmin", 1), ("argmax", 3), ("median", 3),
        ("nanmean", 3.5), ("nanmin", 2), ("nanmax", 6), ("any", True), ("all", True),
    ],
)  # fmt: skip
def test_each_reduction_is_the_one_it_is_called(backend, name, value):
    x = backend.array([4.0, 2.0, 2.0, 6.0])
    if name == "prod":
        x = backend.array([4.0, 2.0, 2.0, 4.0])
    assert float(getattr(backend, name)(x)) == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize("name", ["matmul", "dot"])
def test_products_keep_the_precision_of_their_type(jax_backend, name):
    import jax

    x = jax_backend.ones((2, 2), dtype="float32")
    # a CPU has no other: what the program asks for is all that can be seen here
    program = jax.make_jaxpr(getattr(jax_backend, name))(x, x)
    assert "HIGHEST" in str(program)


def test_every_delegated_method_is_bound_to_its_own_name():
    for name, member in vars(NamespaceBackend).items():
        if not name.startswith("_") and callable(member):
            assert member.__name__ == name
