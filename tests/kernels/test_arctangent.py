"""The arctangent that a compiler vectorises: as exact as any, and differentiable."""

import math

import mpmath
import numpy as np
import pytest
from chebyshev import as_numbers, interpolate, largest_relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.analysis.ulp import ulp_error
from xpcs_bench.backends import create_backend
from xpcs_bench.kernels.arctangent import (
    COEFFICIENTS,
    arctan2_deg,
    elevation_deg,
    polar_angle_deg,
)

TYPES = tuple(COEFFICIENTS)
NUMPY, JAX = create_backend("numpy"), create_backend("jax")
arctan2 = JAX.jit(lambda y, x: arctan2_deg(JAX, y, x))


def degrees_per_u(square):
    """Return arctan(u) / u for the square of u."""
    u = mpmath.sqrt(square)
    return mpmath.degrees(mpmath.atan(u)) / u


def top():
    with mpmath.workdps(60):
        return mpmath.tan(mpmath.pi / 8) ** 2


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_coefficients_can_be_made_again(dtype):
    found = as_numbers(COEFFICIENTS[dtype], dtype)
    assert interpolate(degrees_per_u, top(), len(found), dtype) == found


@pytest.mark.parametrize(
    ("dtype", "bound"), list(zip(TYPES, (4.3e-17, 1.5e-8), strict=True))
)
def test_the_polynomial_is_nearer_to_the_truth_than_rounding(dtype, bound):
    found = as_numbers(COEFFICIENTS[dtype], dtype)
    error = largest_relative_error(found, degrees_per_u, top())
    assert error < bound < np.finfo(dtype).eps / 2


lengths = st.floats(1e-6, 1e4) | st.just(0.0)
signs = st.sampled_from([-1.0, 1.0])
coordinates = st.builds(lambda size, sign: 0.0 + size * sign, lengths, signs)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(coordinates, coordinates), min_size=16, max_size=16),
    st.sampled_from(TYPES),
)
def test_any_point_is_right_to_three_ulp(points, dtype):
    y, x = np.array(points, dtype).T
    found = np.asarray(arctan2(y, x))
    assert found.dtype == dtype
    with mpmath.workdps(40):
        for angle, above, beside in zip(found, y, x, strict=True):
            point = mpmath.mpf(float(above)), mpmath.mpf(float(beside))
            truth = mpmath.degrees(mpmath.atan2(*point))
            assert ulp_error(float(angle), truth, dtype) <= 3, point


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_axes_and_diagonals_are_exact(dtype):
    y = np.array([0, 0, 3, 3, 3, 0, -3, -3, -3, -0.0], dtype)
    x = np.array([0, 3, 3, 0, -3, -3, -3, 0, 3, -3], dtype)
    expected = [0, 0, 45, 90, 135, 180, -135, -90, -45, 180]
    assert np.asarray(arctan2(y, x)).tolist() == expected


def test_numpy_keeps_its_own():
    y, x = np.random.default_rng(0).normal(size=(2, 50))
    own = np.rad2deg(np.arctan2(y, x))
    assert arctan2_deg(NUMPY, y, x).tobytes() == own.tobytes()
    up = np.abs(x)
    assert polar_angle_deg(NUMPY, up, up, None).tolist() == [45.0] * 50
    own = np.rad2deg(np.arctan2(y, up))
    assert elevation_deg(NUMPY, y, up, None).tobytes() == own.tobytes()


@settings(max_examples=25, deadline=None)
@given(st.floats(-90, 90), st.floats(1e-3, 1e3))
def test_elevations_have_both_signs(elevation, n):
    up, along = (
        n * math.sin(math.radians(elevation)),
        n * math.cos(math.radians(elevation)),
    )
    found = float(elevation_deg(JAX, *map(JAX.array, (up, along, n))))
    assert found == pytest.approx(elevation, rel=1e-14, abs=1e-14)
    across = abs(up)
    polar = float(polar_angle_deg(JAX, *map(JAX.array, (across, along, n))))
    assert polar == abs(found)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_gradients_are_right_on_axes_and_diagonals_too(dtype):
    x, y = (
        part.reshape(-1).astype(dtype)
        for part in np.mgrid[-2:3:1, -2:3:1].astype(float)
    )
    slopes = JAX.vmap(JAX.grad(lambda y, x: arctan2_deg(JAX, y, x), argnums=(0, 1)))
    dy, dx = map(np.asarray, JAX.jit(slopes)(y, x))
    r2 = np.where(x * x + y * y > 0, x * x + y * y, 1)
    rtol = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(dy, np.rad2deg(x / r2), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(dx, np.rad2deg(-y / r2), rtol=rtol, atol=rtol)
