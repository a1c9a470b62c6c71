"""The solver on problems whose solution is known, and against SciPy with limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.kernels.least_squares import Box, Terms, covariance_at, minimise

NUMPY = NumPyBackend()
INF = float("inf")


def linear(matrix, right):
    """chi2 of ``right - matrix @ p`` for every bin."""

    def evaluate(p):
        residual = right - np.einsum("bmp,pb->bm", matrix, p)
        normal = np.einsum("bmp,bmq->pqb", matrix, matrix)
        return Terms(
            np.sum(residual**2, axis=1),
            -np.einsum("bmp,bm->pb", matrix, residual),
            normal,
            np.zeros_like(normal),
        )

    return evaluate


def solve(evaluate, lower, upper, start=None, most=100):
    n_bins = lower.shape[1]
    start = np.clip(np.zeros_like(lower), lower, upper) if start is None else start
    box = Box(lower, upper, (INF,) * len(lower))
    wanted = np.ones(n_bins, bool)
    return minimise(NUMPY, evaluate, start, box, np.zeros(n_bins), wanted, most)


def problem(seed, size, bins=7, points=12):
    rng = np.random.default_rng(seed)
    # columns of very different length: units must not matter
    length = 10.0 ** rng.uniform(-3, 3, size)
    return rng.standard_normal((bins, points, size)) * length, rng.standard_normal(
        (bins, points)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_without_limits_it_is_the_solution_of_linear_algebra(seed, size):
    matrix, right = problem(seed, size)
    unlimited = np.full((size, len(matrix)), INF)
    found = solve(linear(matrix, right), -unlimited, unlimited)
    assert found.converged.all()
    assert not found.at_limit.any()
    inverse = covariance_at(NUMPY, found)
    for b in range(len(matrix)):
        desired = np.linalg.lstsq(matrix[b], right[b])[0]
        scale = np.sqrt(np.diagonal(inverse[..., b]))
        assert np.abs((found.parameters[:, b] - desired) / scale).max() < 1e-8
        expected = np.linalg.inv(matrix[b].T @ matrix[b])
        np.testing.assert_allclose(
            inverse[..., b] / np.outer(scale, scale),
            expected / np.outer(scale, scale),
            atol=1e-8,
        )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_with_limits_it_is_what_scipy_finds(seed, size):
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((7, 12, size))
    right = 2 * rng.standard_normal((7, 12))
    lower = rng.uniform(-0.6, 0.1, (size, 7))
    upper = lower + rng.uniform(0.1, 0.8, (size, 7))
    found = solve(linear(matrix, right), lower, upper)
    assert found.converged.all()
    assert ((found.parameters >= lower) & (found.parameters <= upper)).all()
    for b in range(7):
        limits = lower[:, b], upper[:, b]
        other = lsq_linear(matrix[b], right[b], limits, method="bvls", tol=1e-14)
        np.testing.assert_allclose(found.parameters[:, b], other.x, atol=1e-9)
        np.testing.assert_array_equal(found.at_limit[:, b], other.active_mask != 0)


def test_equal_limits_fix_a_parameter():
    matrix, right = problem(3, 3)
    lower, upper = np.full((3, 7), -INF), np.full((3, 7), INF)
    lower[1] = upper[1] = 0.25
    found = solve(linear(matrix, right), lower, upper, np.clip(0.0, lower, upper))
    assert (found.parameters[1] == 0.25).all()
    assert found.fixed.tolist() == [[False] * 7, [True] * 7, [False] * 7]
    assert not found.at_limit.any()
    inverse = covariance_at(NUMPY, found)
    assert (inverse[1] == 0).all()
    assert (inverse[:, 1] == 0).all()
    rest = matrix[:, :, [0, 2]]
    for b in range(7):
        desired = np.linalg.lstsq(rest[b], right[b] - 0.25 * matrix[b, :, 1])[0]
        np.testing.assert_allclose(found.parameters[[0, 2], b], desired, rtol=1e-9)


def test_what_the_data_do_not_determine_has_no_covariance():
    matrix, right = problem(5, 3)
    matrix[2, :, 2] = 2 * matrix[2, :, 0]
    unlimited = np.full((3, 7), INF)
    found = solve(linear(matrix, right), -unlimited, unlimited)
    inverse = covariance_at(NUMPY, found)
    assert np.isnan(inverse[..., 2]).all()
    assert np.isfinite(np.delete(inverse, 2, axis=-1)).all()


def rosenbrock(p):
    """Residuals 10 (y - x^2), 1 - x: a curved valley."""
    x, y = p
    residual = np.stack([10 * (y - x**2), 1 - x])
    slope = np.stack(
        [np.stack([-20 * x, -np.ones_like(x)]), np.stack([10 + 0 * x, 0 * x])]
    )
    curvature = np.zeros((2, 2, x.size))
    curvature[0, 0] = -20 * residual[0]
    return Terms(
        np.sum(residual**2, axis=0),
        np.einsum("pmb,mb->pb", slope, residual),
        np.einsum("pmb,qmb->pqb", slope, slope),
        curvature,
    )


def test_a_curved_valley_is_followed_from_anywhere():
    rng = np.random.default_rng(0)
    unlimited = np.full((2, 50), INF)
    start = rng.uniform(-2, 2, (2, 50))
    found = minimise(
        NUMPY,
        rosenbrock,
        start,
        Box(-unlimited, unlimited, (INF, INF)),
        np.full(50, 1e-28),
        np.ones(50, bool),
        200,
    )
    assert found.converged.all()
    np.testing.assert_allclose(found.parameters, 1.0, atol=1e-12)


def test_too_few_steps_and_unwanted_bins_are_not_converged():
    unlimited = np.full((2, 3), INF)
    start = np.array([[-1.0] * 3, [1.0] * 3])
    box = Box(-unlimited, unlimited, (INF, INF))
    wanted = np.array([True, False, True])
    few, many = (
        minimise(NUMPY, rosenbrock, start, box, np.full(3, 1e-28), wanted, most)
        for most in (3, 200)
    )
    assert few.converged.tolist() == [False] * 3
    assert few.iterations == 4  # the first is the look at the start
    assert many.converged.tolist() == [True, False, True]
    assert many.parameters[:, 1].tolist() == [-1.0, 1.0]


def test_a_step_is_no_longer_than_allowed():
    matrix = np.ones((1, 4, 1))
    right = np.full((1, 4), 10.0)
    unlimited = np.full((1, 1), INF)
    seen = []

    def evaluate(p):
        seen.append(p[0, 0])
        return linear(matrix, right)(p)

    found = minimise(
        NUMPY,
        evaluate,
        np.zeros((1, 1)),
        Box(-unlimited, unlimited, (2.0,)),
        np.zeros(1),
        np.ones(1, bool),
        50,
    )
    assert found.parameters[0, 0] == pytest.approx(10.0)
    assert max(np.diff(seen)) <= 2.0
    assert seen[:4] == [0.0, 2.0, 4.0, 6.0]
