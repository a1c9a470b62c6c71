"""Narrow and unsigned integers do not wrap around where a method promises more."""

import numpy as np
import pytest


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint8])
def test_running_sums_of_narrow_integers_are_64_bits_wide(backend, dtype):
    x = backend.from_numpy(np.full(5, 100, dtype))
    total = backend.to_numpy(backend.cumsum(x))
    assert total.tolist() == [100, 200, 300, 400, 500]
    assert total.dtype == (np.uint64 if dtype is np.uint8 else np.int64)
    whole = backend.to_numpy(backend.sum(x))
    assert (whole, whole.dtype) == (500, total.dtype)


def test_running_sums_keep_other_types(backend):
    narrow = backend.cumsum(backend.ones(3, dtype=np.float32))
    assert backend.to_numpy(narrow).dtype == np.float32
    truths = backend.cumsum(backend.array([True, True]), axis=0)
    assert backend.to_numpy(truths).tolist() == [1, 2]
    assert backend.to_numpy(truths).dtype == np.int64


def test_percentiles_lie_between_narrow_neighbours(backend):
    x = backend.from_numpy(np.array([-128, 127], np.int8))
    assert float(backend.percentile(x, 50)) == -0.5


@pytest.mark.parametrize("q", [50, [50], [0, 12.5]])
def test_percentiles_keep_the_type_of_floats(backend, q):
    x = backend.from_numpy(np.array([1, 2, 4], np.float32))
    assert backend.to_numpy(backend.percentile(x, q)).dtype == np.float32


def test_unsigned_edges_without_order_are_refused(backend):
    x = backend.from_numpy(np.array([1], np.uint8))
    edges = backend.from_numpy(np.array([0, 2, 1], np.uint8))
    with pytest.raises(ValueError, match=r"(?i)monoton|rise or fall"):
        backend.digitize(x, edges)


def test_unsigned_edges_may_fall(backend):
    x = backend.from_numpy(np.array([0, 1, 3], np.uint8))
    edges = backend.from_numpy(np.array([2, 1], np.uint8))
    assert backend.to_numpy(backend.digitize(x, edges)).tolist() == [2, 1, 0]


@pytest.mark.parametrize("exponent", [-1, [1, -2]])
def test_integers_to_negative_powers_are_refused(backend, exponent):
    if isinstance(exponent, list):
        exponent = backend.array(exponent)
    with pytest.raises(ValueError, match="negative integer power"):
        backend.power(backend.array([2, 3]), exponent)
    assert float(backend.power(2.0, -1)) == 0.5


def test_powers_of_integers_work_where_exponents_are_traced(backend):
    power = backend.jit(backend.power)
    squares = power(backend.array([2, 3]), backend.array(2))
    assert backend.to_numpy(squares).tolist() == [4, 9]


def test_exponents_written_in_a_traced_function_are_looked_at(backend):
    x = backend.array([2, 3])
    square = backend.jit(lambda x: backend.power(x, 2))
    assert backend.to_numpy(square(x)).tolist() == [4, 9]
    with pytest.raises(ValueError, match="negative integer power"):
        backend.jit(lambda x: backend.power(x, -2))(x)
