"""The functions on arrays give the same on NumPy and JAX, on hard inputs too."""

import math

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from xpcs_bench.backends import create_backend

NUMPY = create_backend("numpy")


def jax():
    return create_backend("jax")


def spacing(values):
    """One ULP of each value; of the smallest normal number near zero."""
    dtype = values.dtype
    with np.errstate(over="ignore"):  # beyond the largest number
        ulp = np.spacing(np.maximum(np.abs(values), np.finfo(dtype).tiny))
    return np.where(np.isfinite(ulp), ulp, np.finfo(dtype).max)


def assert_same(actual, desired, ulp=0, *, zero_signs=True):
    """Compare structure, type, shape, non-finite pattern, then values in ULP."""
    assert actual is not desired
    if isinstance(desired, (tuple, list)):
        assert len(actual) == len(desired)
        for one, other in zip(actual, desired, strict=True):
            assert_same(one, other, ulp, zero_signs=zero_signs)
        return
    actual = jax().to_numpy(actual)
    desired = np.asarray(desired)
    assert actual.dtype == desired.dtype
    assert actual.shape == desired.shape
    if desired.dtype.kind != "f":
        np.testing.assert_array_equal(actual, desired)
        return
    finite = np.isfinite(desired)
    np.testing.assert_array_equal(actual[~finite], desired[~finite])
    assert np.isfinite(actual[finite]).all()
    difference = np.abs(actual[finite] - desired[finite])
    assert (difference <= ulp * spacing(desired[finite])).all()
    if zero_signs:
        zero = (desired == 0) & (actual == 0)
        np.testing.assert_array_equal(
            np.signbit(actual[zero]), np.signbit(desired[zero])
        )


def both(call, *arrays, ulp=0, zero_signs=True):
    """Call on NumPy and on JAX, and compare."""
    with np.errstate(all="ignore"):
        desired = call(NUMPY, *arrays)
        actual = call(jax(), *(jax().from_numpy(array) for array in arrays))
    assert_same(actual, desired, ulp, zero_signs=zero_signs)


SHAPE = (8,)  # one for all: JAX compiles anew for every shape
HARD = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 0.5, 1.5, 2.5, -2.5]


def elements(low=None, high=None, width=64):
    wide = low is None
    numbers = st.floats(
        low,
        high,
        width=width,
        allow_subnormal=False,
        allow_nan=wide,
        allow_infinity=wide,
    )
    # multiples of 1/2 are ties; the rest of the list is where formulas end
    return numbers | st.sampled_from(HARD) if wide else numbers


def arrays(low=None, high=None, dtype=np.float64, shape=SHAPE):
    width = np.dtype(dtype).itemsize * 8
    return hnp.arrays(dtype, shape, elements=elements(low, high, width))


# name: (lowest, highest, ULP allowed in float64). Where a bound is given, beyond it the
# libraries differ by what the protocol says (subnormal results) or by range reduction
UNARY = {
    "sin": (-1e6, 1e6, 2),
    "cos": (-1e6, 1e6, 2),
    "tan": (-1e3, 1e3, 4),
    "arcsin": (None, None, 4),
    "arccos": (None, None, 4),
    "arctan": (None, None, 4),
    "tanh": (None, None, 16),
    "deg2rad": (-1e300, 1e300, 1),
    "rad2deg": (-1e300, 1e300, 1),
    "floor": (None, None, 0),
    "ceil": (None, None, 0),
    "round": (None, None, 0),
    "exp": (-700.0, 709.0, 4),
    "expm1": (-700.0, 709.0, 8),
    "log": (None, None, 4),
    "log1p": (0.0, 1e300, 4),
    "log10": (None, None, 4),
    "sqrt": (None, None, 0),
    "square": (-1e150, 1e150, 0),
    "abs": (None, None, 0),
    "sign": (None, None, 0),
    "isnan": (None, None, 0),
    "isfinite": (None, None, 0),
    "logical_not": (None, None, 0),
}


@pytest.mark.parametrize("name", UNARY)
def test_elementwise_functions_of_one_array(name):
    low, high, ulp = UNARY[name]

    @settings(max_examples=10)
    @given(x=arrays(low, high))
    def law(x):
        # what comes near the smallest normal number may be lost on the way
        least = 1e-300 if low is None else 1e-100
        x = np.where(np.abs(x) < least, np.copysign(0.0, x), x)
        signs = name != "sign"
        both(lambda b, x: getattr(b, name)(x), x, ulp=ulp, zero_signs=signs)

    law()
    for shape in ((), (0,), (2, 0), (1, 2, 1)):
        both(lambda b, x: getattr(b, name)(x), np.full(shape, 0.75), ulp=ulp)


BINARY = {
    "arctan2": (-1e100, 1e100, 4),
    "hypot": (-1e100, 1e100, 4),
    "maximum": (None, None, 0),
    "minimum": (None, None, 0),
    "logical_and": (None, None, 0),
    "logical_or": (None, None, 0),
    "isclose": (None, None, 0),
    "power": (0.0, 30.0, 4),
    "mod": (-1e6, 1e6, 0),
}


@pytest.mark.parametrize("name", BINARY)
def test_elementwise_functions_of_two_arrays(name):
    low, high, ulp = BINARY[name]

    @settings(max_examples=10)
    @given(x=arrays(low, high), y=arrays(low, high))
    def law(x, y):
        if low is not None:
            x, y = (np.where(np.abs(a) < 1e-100, 0.0, a) for a in (x, y))
        if name == "mod":
            y = np.where(np.abs(y) < 1e-3, 360.0, y)
            x = np.round(x, 3)
        # maximum(0, -0) may be either zero
        signs = name not in {"maximum", "minimum"}
        both(lambda b, x, y: getattr(b, name)(x, y), x, y, ulp=ulp, zero_signs=signs)

    law()


INTEGERS = {
    "sum": {}, "min": {}, "max": {}, "cumsum": {"axis": 0}, "sort": {}, "argsort": {},
    "argmin": {}, "argmax": {}, "any": {}, "all": {}, "unique": {}, "nonzero": {},
    "flatten": {}, "copy": {}, "transpose": {}, "median": {}, "abs": {}, "sign": {},
    "square": {}, "mean": {}, "prod": {}, "var": {}, "std": {},
}  # fmt: skip


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_reductions_and_orders_of_whole_numbers_are_exact(name, dtype):
    ulp = 4 if name in {"mean", "var", "std"} else 0
    rng = np.random.default_rng(7)
    for low in (-2, 0, 1):  # with ties, zeros, and without zeros
        x = rng.integers(low, 3, (3, 4)).astype(dtype)
        both(lambda b, x: getattr(b, name)(x, **INTEGERS[name]), x, ulp=ulp)


@pytest.mark.parametrize("name", ["sum", "min", "max", "nanmin", "nanmax", "nanmean"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_reductions_meet_nan_and_infinity_alike(name, axis):
    x = np.array([[1.0, math.nan, 3.0], [math.inf, 2.0, -1.0]])
    both(lambda b, x: getattr(b, name)(x, axis=axis), x, ulp=2)


@pytest.mark.parametrize("name", ["min", "max", "argmin", "argmax"])
def test_extremes_of_nothing_are_refused_by_both(backend, name):
    with pytest.raises(ValueError, match=r"(?i)empty|zero-size|identity"):
        getattr(backend, name)(backend.zeros((0,)))


@pytest.mark.parametrize(
    ("name", "value"), [("sum", 0), ("prod", 1), ("any", 0), ("all", 1)]
)
def test_what_an_empty_array_sums_up_to(backend, name, value):
    assert getattr(backend, name)(backend.zeros((0,))) == value


def test_nonzero_counts_from_zero_in_c_order_and_pads_with_minus_one(backend):
    x = backend.array([[0, 5], [math.nan, -0.0]])
    rows, columns = (backend.to_numpy(i) for i in backend.nonzero(x))
    assert rows.tolist() == [0, 1]
    assert columns.tolist() == [1, 0]
    assert rows.dtype == np.int64
    padded = [backend.to_numpy(i).tolist() for i in backend.nonzero(x, size=3)]
    assert padded == [[0, 1, -1], [1, 0, -1]]
    filled = backend.nonzero(x, size=3, fill_value=9)
    assert backend.to_numpy(filled[0]).tolist() == [0, 1, 9]
    cut = backend.nonzero(x, size=1)
    assert [backend.to_numpy(i).tolist() for i in cut] == [[0], [1]]
    with pytest.raises(ValueError, match="0d"):
        backend.nonzero(backend.array(1.0))


def test_nonzero_with_size_is_the_same_inside_jit(backend):
    find = backend.jit(lambda x: backend.nonzero(x, size=4))
    (indices,) = find(backend.array([0.0, 1.0, 0.0, 2.0, 0.0]))
    assert backend.to_numpy(indices).tolist() == [1, 3, -1, -1]


@pytest.mark.parametrize("size", [None, 1, 2, 3, 6])
@pytest.mark.parametrize("fill_value", [None, -7.0])
@pytest.mark.parametrize("values", [[3, 1, 1, math.nan, math.nan], [2, 2], [], [0.0]])
def test_unique_has_one_meaning(size, fill_value, values):
    x = np.array(values, float)
    both(
        lambda b, x: b.unique(x, return_inverse=True, size=size, fill_value=fill_value),
        x,
    )


def test_unique_pads_with_the_smallest_and_finds_back(backend):
    x = backend.array([[3.0, 1.0], [1.0, 8.0]])
    values, inverse = backend.unique(x, return_inverse=True, size=5)
    assert backend.to_numpy(values).tolist() == [1, 3, 8, 1, 1]
    assert backend.to_numpy(inverse).tolist() == [[1, 0], [0, 2]]
    assert backend.to_numpy(inverse).dtype == np.int64
    assert backend.to_numpy(backend.unique(x)).tolist() == [1, 3, 8]


RISING = [0.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize(
    "bins", [RISING, RISING[::-1], [1.0], [], [-math.inf, 0, math.inf]]
)
def test_digitize_has_one_meaning_at_every_edge(bins, right):
    x = np.array([-1.0, 0.0, -0.0, 0.5, 1.0, 2.0, 3.0, math.nan, math.inf, -math.inf])
    both(lambda b, x, e: b.digitize(x, e, right=right), x, np.array(bins, float))


def test_digitize_closes_the_side_it_says(backend):
    edges = backend.array([0.0, 1.0, 2.0])
    x = backend.array([-1.0, 0.0, 1.0, 2.0, 3.0, math.nan])
    left = backend.to_numpy(backend.digitize(x, edges))
    assert left.tolist() == [0, 1, 2, 3, 3, 3]
    assert left.dtype == np.int64
    assert backend.to_numpy(backend.digitize(x, edges, right=True)).tolist() == [
        0, 0, 1, 2, 3, 3,
    ]  # fmt: skip


def test_digitize_refuses_edges_without_order(backend):
    with pytest.raises(ValueError, match=r"(?i)monoton|rise or fall"):
        backend.digitize(backend.zeros(2), backend.array([0.0, 2.0, 1.0]))


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_decides_ties_by_side(backend, side):
    found = backend.searchsorted(
        backend.array([1.0, 2.0, 2.0, 3.0]), backend.array([2.0, 0.0, 9.0]), side=side
    )
    assert backend.to_numpy(found).tolist() == [1 if side == "left" else 3, 0, 4]
    assert backend.to_numpy(found).dtype == np.int64


@settings(max_examples=30)
@given(
    labels=st.lists(st.integers(-3, 8), min_size=6, max_size=6),
    length=st.sampled_from([0, 4]),
    weighted=st.booleans(),
)
def test_bincount_with_length_drops_what_is_outside(labels, length, weighted):
    x = np.array(labels, int)
    weights = np.arange(x.size, dtype=np.float32) if weighted else None

    def count(backend, *arrays):
        return backend.bincount(*arrays, length=length)

    both(count, *([x] if weights is None else [x, weights]))
    counts = count(NUMPY, x)
    assert counts.tolist() == [labels.count(label) for label in range(length)]


def test_bincount_grows_with_its_labels(backend):
    x = backend.array([0, 2, 2])
    assert backend.to_numpy(backend.bincount(x)).tolist() == [1, 0, 2]
    assert backend.to_numpy(backend.bincount(x, minlength=5)).tolist() == [
        1,
        0,
        2,
        0,
        0,
    ]
    weighted = backend.to_numpy(backend.bincount(x, backend.array([1.0, 2.0, 3.0])))
    assert weighted.tolist() == [1, 0, 5]
    assert weighted.dtype == np.float64
    empty = backend.bincount(backend.zeros(0, dtype=np.int64), minlength=2)
    assert backend.to_numpy(empty).tolist() == [0, 0]
    with pytest.raises(ValueError, match="negative"):
        backend.bincount(backend.array([-1, 2]))
    with pytest.raises(ValueError, match="minlength"):
        backend.bincount(x, minlength=5, length=3)


def test_bincount_with_length_drops_inside_jit_too(backend):
    count = backend.jit(lambda x: backend.bincount(x, length=2))
    assert backend.to_numpy(count(backend.array([-1, 0, 1, 1, 5]))).tolist() == [1, 2]


@pytest.mark.parametrize("q", [0, 50, 100, 12.5, [5, 95], [[0, 50], [75, 100]]])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_percentile_is_linear_and_keeps_nan(q, axis):
    x = np.array([[3.0, 1.0, 2.0, 9.0], [0.0, math.nan, 5.0, 7.0]])
    both(lambda b, x: b.percentile(x, q, axis=axis), x, ulp=4)


@pytest.mark.parametrize("q", [-1, 101, [50, 150], math.nan])
def test_percentile_beyond_a_hundred_is_refused(backend, q):
    with pytest.raises(ValueError, match=r"[Pp]ercentile"):
        backend.percentile(backend.array([1.0, 2.0]), q)


def test_round_goes_to_the_even_neighbour(backend):
    x = backend.array([0.5, 1.5, 2.5, -0.5, -1.5])
    assert backend.to_numpy(backend.round(x)).tolist() == [0, 2, 2, -0.0, -2]
    tens = backend.round(backend.array([15, 25, -35, 7]), -1)
    assert backend.to_numpy(tens).tolist() == [20, 20, -40, 10]
    assert backend.to_numpy(tens).dtype == np.int64
    hundredths = backend.round(backend.array([0.125, 2.345]), 2)
    assert backend.to_numpy(hundredths)[0] == 0.12


def test_mod_takes_the_sign_of_the_divisor(backend):
    x = backend.array([-360.0, 360.0, -1.0, 1.0, 0.0, -0.0])
    up = backend.to_numpy(backend.mod(x, 360.0))
    assert up.tolist() == [0, 0, 359, 1, 0, 0]
    assert not np.signbit(up).any()
    down = backend.to_numpy(backend.mod(x, -360.0))
    assert down.tolist() == [0, 0, -1, -359, 0, 0]
    assert np.signbit(down).all()
    whole = backend.mod(backend.array([-7, 7]), 3)
    assert backend.to_numpy(whole).tolist() == [2, 1]


def test_creation_agrees():
    both(lambda b: (b.zeros((2, 3)), b.ones(2), b.full((2,), 7), b.full(2, 1.5)))
    both(lambda b: (b.zeros((), dtype=np.int32), b.zeros((0, 2))))
    both(lambda b: (b.arange(5), b.arange(2, 8, 3), b.arange(0.0, 1.0, 0.25)))
    both(
        lambda b: (b.linspace(0.0, 1.0, 5), b.linspace(0, 1, 4, endpoint=False)), ulp=2
    )
    both(lambda b: b.logspace(-3.0, 2.0, 11), ulp=20)
    both(lambda b: b.array([[1, 2], [3, 4]]))
    both(lambda b: b.array([True, False]))
    both(lambda b: b.array([1.0], dtype=np.float32))


def test_a_new_array_does_not_give_way_to_narrower_ones(backend):
    narrow = backend.ones(2, dtype=np.float32)
    for wide in (backend.array(1.0), backend.full((2,), 1.0), backend.arange(2.0)):
        assert (narrow * wide).dtype == np.float64


def test_the_ends_of_linspace_and_logspace_are_exact(backend):
    line = backend.to_numpy(backend.linspace(0.1, 0.7, 1001))
    assert (line[0], line[-1]) == (0.1, 0.7)
    assert line.size == 1001
    decades = backend.to_numpy(backend.logspace(-2, 3, 6))
    np.testing.assert_allclose(decades, 10.0 ** np.arange(-2, 4), rtol=1e-14)
    assert backend.linspace(1.0, 2.0).shape == (50,)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid_keeps_or_swaps_the_axes(backend, indexing):
    first, second = backend.meshgrid(
        backend.arange(2), backend.arange(3), indexing=indexing
    )
    assert first.shape == second.shape == ((3, 2) if indexing == "xy" else (2, 3))
    index = (0, 1) if indexing == "xy" else (1, 0)
    assert (first[index], second[index]) == (1, 0)


MANIPULATIONS = [
    lambda b, x: b.clip(x, -1.0, 2.0),
    lambda b, x: b.clip(x, None, 2.0),
    lambda b, x: b.clip(x, -1.0, None),
    lambda b, x: b.stack([x, x], axis=1),
    lambda b, x: b.concatenate([x, x], axis=0),
    lambda b, x: b.reshape(x, (4, -1)),
    lambda b, x: b.reshape(x, shape=6 * 2),
    lambda b, x: b.broadcast_to(x, (2, 3, 4)),
    lambda b, x: b.expand_dims(x, 1),
    lambda b, x: b.squeeze(b.expand_dims(x, 0), axis=0),
    lambda b, x: b.transpose(x),
    lambda b, x: b.transpose(x, (1, 0)),
    lambda b, x: b.flatten(x),
    lambda b, x: b.copy(x),
    lambda b, x: b.take(x, b.array([2, 0]), axis=0),
    lambda b, x: b.take(x, b.array([[5, 0]])),
    lambda b, x: b.where(x > 0, x, 0.0),
    lambda b, x: b.sort(x, axis=0),
    lambda b, x: b.argsort(x, axis=1),
    lambda b, x: b.cumsum(x, axis=1),
    lambda b, x: b.astype(x > 0, np.int32),
    lambda b, x: b.zeros_like(x),
    lambda b, x: b.ones_like(x, dtype=np.int32),
]


@pytest.mark.parametrize("call", MANIPULATIONS)
def test_manipulations_move_the_same_elements(call):
    x = np.array(
        [[3.0, -2.0, math.nan, 1.0], [0.0, -0.0, 7.0, 2.0], [math.inf, 1.0, 1.0, -5.0]]
    )
    both(call, x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_of_matrices_keep_the_precision_of_their_type(dtype):
    x = np.arange(12, dtype=dtype).reshape(3, 4)
    both(lambda b, x: b.matmul(x, b.transpose(x)), x)
    both(lambda b, x: b.dot(x, x[0]), x)


def test_astype_drops_the_fraction(backend):
    whole = backend.astype(backend.array([1.9, -1.9, 0.0]), np.int64)
    assert backend.to_numpy(whole).tolist() == [1, -1, 0]


def test_copies_have_memory_of_their_own(backend):
    x = backend.array([[1.0, 2.0]])
    for copy in (backend.copy(x), backend.flatten(x), backend.array(x)):
        assert not np.shares_memory(backend.to_numpy(copy), backend.to_numpy(x))


def test_what_one_library_takes_beyond_the_protocol_is_refused(backend):
    with pytest.raises(TypeError, match="keyword out, which is not in the protocol"):
        backend.sin(1.0, out=None)
    with pytest.raises(TypeError, match="at most 1 positional"):
        backend.sin(1.0, 2.0)


def test_pi_is_pi(backend):
    assert backend.pi == math.pi
