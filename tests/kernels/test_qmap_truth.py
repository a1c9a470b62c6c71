"""The truth: where it looks, and that it is formed from the inputs as given."""

import mpmath
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kernel_problems import DETECTOR, REFLECTION, TRANSMISSION

from xpcs_bench.analysis.agreement import compare_truth
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.qmap_truth import sampled_pixels, true_maps
from xpcs_bench.kernels.scattering import Beam, beam_vector

QMAP = create_kernel("qmap")


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_samples_are_inside_and_hold_beam_and_corners(shape, centre):
    pixels = sampled_pixels(Beam(1, 1, 1, *centre, 0), shape)
    rows, cols = shape
    assert len(set(pixels)) == len(pixels) <= 24
    assert all(0 <= i < rows and 0 <= j < cols for i, j in pixels)
    assert {(0, 0), (rows - 1, cols - 1), (0, cols - 1), (rows - 1, 0)} <= set(pixels)
    nearest = tuple(
        min(max(round(c), 0), n - 1) for c, n in zip(centre, shape, strict=True)
    )
    assert nearest in pixels


def test_single_precision_inputs_are_taken_as_the_numbers_they_are():
    geometry = TRANSMISSION.model_copy(update={"distance_mm": 300.1})
    single = beam_vector(DETECTOR, geometry, np.float32)
    exact = true_maps(
        single.astype(np.float64), DETECTOR.shape, "transmission", "exact", "north"
    )
    assert exact == true_maps(single, DETECTOR.shape, "transmission", "exact", "north")
    double = beam_vector(DETECTOR, geometry, np.float64)
    other = true_maps(double, DETECTOR.shape, "transmission", "exact", "north")
    assert exact["q"][0].value != other["q"][0].value


def test_the_truth_has_fifty_digits():
    vector = beam_vector(DETECTOR, TRANSMISSION, np.float64)
    truths = true_maps(vector, DETECTOR.shape, "transmission", "exact", "north")
    with mpmath.workdps(50):
        for q, tth in zip(truths["q"], truths["tth"], strict=True):
            k = mpmath.mpf(float(vector[0]))
            bragg = 2 * k * mpmath.sin(mpmath.radians(tth.value) / 2)
            assert abs(q.value - bragg) < mpmath.mpf(10) ** -45


def test_the_direct_beam_is_exactly_zero():
    geometry = REFLECTION.model_copy(update={"beam_centre_px": (10.0, 9.0)})
    vector = beam_vector(DETECTOR, geometry, np.float64)
    truths = true_maps(vector, DETECTOR.shape, "reflection", "exact", "east")
    for name in ("q", "qx", "qy", "qz", "qr", "tth", "phi"):
        [value] = [t.value for t in truths[name] if t.index == (10, 9)]
        assert value == 0, name


def test_another_planck_constant_is_caught():
    problem = Problem(QMAP.Params(), DETECTOR, TRANSMISSION, "float64")
    inputs = QMAP.make_inputs(problem, np.random.default_rng(0))
    outputs = QMAP.compute(_numpy(), problem, inputs)
    truths = QMAP.truth(problem, inputs)["q"]
    tolerance = QMAP.tolerance(problem, "q")
    assert compare_truth("q", outputs["q"], truths, tolerance, "float64").passed
    # the truncated value that other programs use is 2.7e-10 off
    truncated = outputs["q"] * (12.398419843320026 / 12.39841984)
    assert not compare_truth("q", truncated, truths, tolerance, "float64").passed


def _numpy():
    from xpcs_bench.backends import NumPyBackend

    return NumPyBackend()
