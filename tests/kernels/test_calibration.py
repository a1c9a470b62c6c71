"""Rings, misfit and gradient: what a geometry is refined with."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DETECTOR, REFLECTION, TRANSMISSION, run
from scipy.optimize import least_squares

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector
from xpcs_bench.kernels import Problem, create_kernel, scattering
from xpcs_bench.kernels.scattering import Beam

CALIBRATION = create_kernel("calibration")
NUMPY, JAX = create_backend("numpy"), create_backend("jax")
FREE = ("distance_mm", "centre_row", "centre_col")
PLACES = [Beam._fields.index(name) for name in FREE]


def problem(geometry=TRANSMISSION, dtype="float64", **params):
    return Problem(CALIBRATION.Params(**params), DETECTOR, geometry, dtype)


def inputs_of(case, seed=0):
    return CALIBRATION.make_inputs(case, np.random.default_rng(seed))


def test_points_are_on_their_rings_and_all_over_the_detector():
    detector = Detector(name="d", shape=(400, 300), pixel_size_um=75.0)
    geometry = TRANSMISSION.model_copy(update={"beam_centre_px": (120.0, 310.5)})
    params = CALIBRATION.Params(
        points=3000, noise_px=0, distance_error=0, centre_error_px=0
    )
    case = Problem(params, detector, geometry, "float64")
    inputs = inputs_of(case)
    q = run(CALIBRATION, case, "numpy", inputs)["q"]
    np.testing.assert_allclose(q, inputs["ring_q"], rtol=1e-12)
    assert len(np.unique(inputs["ring_q"])) == params.rings
    # the radius to the nearest ring is at most half a spacing away
    reach = math.hypot(280, 310.5) / params.rings
    for name, size in (("rows", 400), ("columns", 300)):
        assert -reach < inputs[name].min() < 0.1 * size
        assert 0.9 * size < inputs[name].max() < size + reach


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_at_the_truth_without_noise_there_is_no_misfit(backend):
    case = problem(noise_px=0, distance_error=0, centre_error_px=0)
    found = run(CALIBRATION, case, backend, inputs_of(case))
    largest = found["q"].max()
    assert 0 <= found["misfit"][0] < (1e-14 * largest) ** 2
    assert np.abs(found["gradient"]).max() < 1e-14 * largest**2


def test_noise_and_a_wrong_guess_are_what_the_misfit_sees():
    exact = problem(noise_px=0, distance_error=0, centre_error_px=0)
    misfits = [
        run(CALIBRATION, problem(**changes), "numpy")["misfit"][0]
        for changes in (
            {"noise_px": 0.2, "distance_error": 0, "centre_error_px": 0},
            {"noise_px": 0, "distance_error": 0.01, "centre_error_px": 0},
            {"noise_px": 0, "distance_error": 0, "centre_error_px": 2},
        )
    ]
    assert min(misfits) > 1e6 * run(CALIBRATION, exact, "numpy")["misfit"][0]


@pytest.mark.parametrize("geometry", [TRANSMISSION, REFLECTION])
def test_refining_with_the_gradient_finds_the_true_geometry(geometry):
    case = problem(geometry, points=200, noise_px=0.0)
    inputs = inputs_of(case)
    true = scattering.beam_vector(DETECTOR, geometry, np.float64)[PLACES]
    beam = inputs["beam"].copy()
    steps = []
    for _ in range(8):  # Gauss-Newton, of which the gradient must be the right side
        inputs["beam"] = beam
        found = run(CALIBRATION, case, "numpy", inputs)
        up = (beam[3] - inputs["rows"]) * beam[2]
        right = (inputs["columns"] - beam[4]) * beam[2]
        slopes = scattering.slopes_of_magnitude(NUMPY, Beam(*beam), up, right)
        jacobian = np.stack(np.broadcast_arrays(*slopes), axis=1)
        normal = 2 * jacobian.T @ jacobian / len(up)
        step = np.linalg.solve(normal, -found["gradient"])
        steps.append(np.abs(step).max())
        beam = beam.copy()
        beam[PLACES] += step
    assert steps[-1] < 1e-9 * steps[0]
    np.testing.assert_allclose(beam[PLACES], true, rtol=1e-11)


def test_another_minimiser_ends_where_the_gradient_is_zero():
    case = problem(points=300)
    inputs = inputs_of(case, seed=3)

    def residuals(free):
        beam = inputs["beam"].copy()
        beam[PLACES] = free
        q = run(CALIBRATION, case, "numpy", inputs | {"beam": beam})["q"]
        return (q - inputs["ring_q"]) * 1e4

    start = inputs["beam"][PLACES]
    fitted = least_squares(residuals, start, x_scale=np.abs(start), xtol=1e-15)
    at_start = run(CALIBRATION, case, "numpy", inputs)["gradient"]
    beam = inputs["beam"].copy()
    beam[PLACES] = fitted.x
    at_end = run(CALIBRATION, case, "numpy", inputs | {"beam": beam})["gradient"]
    assert (np.abs(at_end) < 1e-5 * np.abs(at_start)).all()


beams = st.builds(
    lambda distance, row, col, k: Beam(k, distance, 0.172, row, col, 0.0),
    st.floats(30, 3000),
    st.floats(-50, 60),
    st.floats(-50, 60),
    st.floats(2, 20),
)


def lengths(backend, beam, row, col):
    up = (beam.centre_row - backend.array([row])) * beam.pixel_mm
    right = (backend.array([col]) - beam.centre_col) * beam.pixel_mm
    return up, right


@settings(max_examples=40, deadline=None)
@given(beams, st.floats(0, 23), st.floats(0, 19))
def test_slopes_agree_with_complex_steps(beam, row, col):
    up, right = lengths(NUMPY, beam, row, col)
    closed = scattering.slopes_of_magnitude(NUMPY, beam, up, right)
    size = max(abs(slope.item()) for slope in closed)
    for name, slope in zip(FREE, closed, strict=True):

        def q(x, backend, name=name):
            moved = beam._replace(**{name: x})
            place = lengths(backend, moved, row, col)
            return backend.sum(scattering.magnitude(backend, moved, *place))

        value = getattr(beam, name)
        step = 1e-30 * max(abs(value), 1.0)
        expected = q(complex(value, step), NUMPY).imag / step
        if not (up.any() or right.any()):
            expected = 0.0  # a tip
        by_jax = float(JAX.grad(lambda x, q=q: q(x, JAX))(value))
        for found in (slope.item(), by_jax):
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-13 * size)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_in_the_direct_beam_the_slopes_are_zero(dtype):
    beam = Beam(*np.array([5.0, 300.0, 0.172, 11.0, 8.0, 0.0], dtype))
    nothing = np.zeros(1, dtype)
    closed = scattering.slopes_of_magnitude(NUMPY, beam, nothing, nothing)
    assert [float(slope[0]) for slope in closed] == [0, 0, 0]

    def q(free):
        moved = beam._replace(
            distance_mm=free[0], centre_row=free[1], centre_col=free[2]
        )
        up = (moved.centre_row - 11.0) * moved.pixel_mm
        right = (8.0 - moved.centre_col) * moved.pixel_mm
        return scattering.magnitude(JAX, moved, up, right)

    value, gradient = JAX.value_and_grad(q)(JAX.array([300.0, 11.0, 8.0], dtype))
    assert float(value) == 0
    assert np.asarray(gradient).tolist() == [0, 0, 0]


def test_of_many_points_the_truth_is_a_sample_of_q():
    case = problem(points=501)
    truths = CALIBRATION.truth(case, inputs_of(case))
    assert list(truths) == ["q"]
    assert {truth.index for truth in truths["q"]} >= {(0,), (500,)}
    assert set(CALIBRATION.truth(problem(points=3), inputs_of(problem(points=3)))) == {
        "q",
        "misfit",
        "gradient",
    }
