"""Numbers of two floats: exact where that is promised, compiled or not."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import twofold
from xpcs_bench.kernels.twofold import Twofold

BACKENDS = {name: create_backend(name) for name in ("numpy", "jax")}
TYPES = ("float64", "float32")

sizes = st.floats(1e-3, 1e3)
numbers = st.builds(lambda size, sign: size * sign, sizes, st.sampled_from([-1.0, 1.0]))
pairs = st.lists(st.tuples(numbers, numbers), min_size=8, max_size=8)


def exact(x, place):
    return sum(Fraction(float(np.asarray(part)[place])) for part in x)


def apply(backend, function, *arrays):
    found = backend.jit(lambda *given: tuple(function(*given)))(*arrays)
    return [np.asarray(part) for part in found]


@settings(max_examples=25, deadline=None)
@given(pairs, st.sampled_from(sorted(BACKENDS)), st.sampled_from(TYPES))
def test_differences_and_products_have_no_error(points, name, dtype):
    backend = BACKENDS[name]
    a, b = np.array(points, dtype).T.copy()
    less = apply(backend, twofold.difference, a, b)
    product = apply(backend, lambda a, b: twofold.product(backend, a, b), a, b)
    for i in range(len(a)):
        first, second = Fraction(float(a[i])), Fraction(float(b[i]))
        assert exact(less, i) == first - second
        assert exact(product, i) == first * second


@settings(max_examples=25, deadline=None)
@given(pairs, st.sampled_from(sorted(BACKENDS)), st.sampled_from(TYPES))
def test_a_compiler_must_not_add_to_products_before_they_are_rounded(
    points, name, dtype
):
    backend = BACKENDS[name]
    a, b = np.array(points, dtype).T.copy()

    def difference_of_squares(a, b):
        apart, whole = twofold.difference(a, b), Twofold(a, 0.0 * a)
        square = twofold.multiply(backend, apart, apart)
        other = twofold.multiply(backend, whole, whole)
        return twofold.add(square, twofold.scaled(other, -1.0))

    found = apply(backend, difference_of_squares, a, b)
    for i in range(len(a)):
        first, second = Fraction(float(a[i])), Fraction(float(b[i]))
        terms = (first - second) ** 2, first**2
        error = abs(exact(found, i) - (terms[0] - terms[1]))
        assert error <= 8 * Fraction(float(np.finfo(dtype).eps)) ** 2 * max(terms)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("dtype", TYPES)
def test_sine_and_cosine_have_twice_the_digits(name, dtype):
    backend = BACKENDS[name]
    both = backend.jit(lambda x: twofold.sine_and_cosine(backend, x))
    bound = 32 * float(np.finfo(dtype).eps) ** 2
    for x in (0.0, 1e-9, 2.4e-3, 0.3, 0.79, 1.2, 1.57):
        angle = np.dtype(dtype).type(x)
        sine, cosine = both(backend.array(angle, dtype))
        with mpmath.workdps(60):
            exact_angle = mpmath.mpf(float(angle))
            for part, truth, size in (
                (sine, mpmath.sin(exact_angle), mpmath.sin(exact_angle)),
                (cosine, mpmath.cos(exact_angle), 1),
            ):
                total = mpmath.mpf(float(part.high)) + mpmath.mpf(float(part.low))
                assert abs(total - truth) <= bound * size, x
                assert abs(float(part.low)) <= float(np.finfo(dtype).eps)


def test_what_is_no_number_stays_none():
    for backend in BACKENDS.values():
        found = apply(
            backend,
            lambda a, backend=backend: twofold.product(backend, a, a),
            np.array([np.nan, 2.0]),
        )
        assert np.isnan(found[0]).tolist() == [True, False]


def test_gradients_see_one_number():
    backend = BACKENDS["jax"]

    def total(x):
        sine, cosine = twofold.sine_and_cosine(backend, x)
        product = twofold.multiply(backend, sine, cosine)
        return product.high + product.low

    found = float(backend.grad(total)(backend.array(0.4)))
    assert found == pytest.approx(np.cos(0.8), rel=1e-15)
