"""Laws that scattering vectors obey, and independent programs that compute them."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from chebyshev import as_numbers, interpolate, largest_relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DTYPES, run

from xpcs_bench.analysis.ulp import ulp_error
from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Geometry
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel, scattering
from xpcs_bench.kernels.qmap_truth import true_pixels

EPS = np.finfo(np.float64).eps
QMAP = create_kernel("qmap")
ORIENTATIONS = ("north", "east", "south", "west")
FORMULATIONS = ("algebraic", "trigonometric")


def detector(shape=(31, 40), pixel_size_um=172.0):
    return Detector(name="tiny", shape=shape, pixel_size_um=pixel_size_um)


def transmission(**changes):
    values = {
        "name": "saxs",
        "kind": "transmission",
        "energy_kev": 10.0,
        "distance_mm": 300.0,
        "beam_centre_px": (12.3, 20.0),
    }
    return Geometry(**values | changes)


def reflection(**changes):
    grazing = {
        "name": "gisaxs",
        "kind": "reflection",
        "incidence_deg": 0.4,
        "orientation": "north",
    }
    return transmission(**grazing | changes)


def maps(geometry, setup=None, dtype="float64", backend="numpy", **params):
    problem = Problem(QMAP.Params(**params), setup or detector(), geometry, dtype)
    return run(QMAP, problem, backend)


# thousandths of a pixel: a beam 1e-308 pixels off a pixel's middle is nobody's
centres = st.integers(-60_000, 90_000).map(lambda thousandths: thousandths / 1000)
geometries = st.builds(
    transmission,
    energy_kev=st.floats(5, 60),
    distance_mm=st.floats(50, 20_000),
    beam_centre_px=st.tuples(centres, centres),
)


def test_the_azimuth_is_counter_clockwise_with_row_0_on_top():
    found = maps(transmission(beam_centre_px=(15.0, 20.0)))
    phi = found["phi"]
    assert phi[15, 30] == 0
    assert phi[5, 30] == 45
    assert phi[5, 20] == 90
    assert phi[5, 10] == 135
    assert phi[15, 10] == 180  # and not -180
    assert phi[25, 10] == -135
    assert phi[25, 20] == -90
    assert found["qx"][15, 30] > 0
    assert found["qy"][5, 20] > 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_in_the_direct_beam_everything_is_zero(dtype, formulation):
    geometry = transmission(beam_centre_px=(15.0, 20.0))
    found = maps(geometry, dtype=dtype, formulation=formulation)
    assert {name: array[15, 20] for name, array in found.items()} == dict.fromkeys(
        found, 0
    )


def test_without_a_beam_centre_the_middle_of_the_detector_is_taken():
    found = maps(transmission(beam_centre_px=None))
    given_centre = maps(transmission(beam_centre_px=(15.0, 19.5)))
    assert found["q"].tobytes() == given_centre["q"].tobytes()
    np.testing.assert_array_equal(found["q"], found["q"][::-1, ::-1])


@settings(max_examples=30, deadline=None)
@given(geometries)
def test_the_parts_along_the_azimuth_make_up_q(geometry):
    found = maps(geometry)
    q = np.hypot(found["qx"], found["qy"])
    np.testing.assert_allclose(q, found["q"], rtol=6 * EPS)


@settings(max_examples=30, deadline=None)
@given(geometries)
def test_q_grows_with_the_distance_from_the_beam(geometry):
    found = maps(geometry)
    row, col = geometry.beam_centre_px
    rows, cols = np.indices(found["q"].shape)
    order = np.argsort(np.hypot(rows - row, cols - col), axis=None)
    q = found["q"].reshape(-1)[order]
    assert (np.diff(q) >= -6 * EPS * q[1:]).all()


@settings(max_examples=30, deadline=None)
@given(geometries, st.floats(0.1, 10))
def test_only_the_ratio_of_lengths_matters(geometry, scale):
    scaled = geometry.model_copy(
        update={"distance_mm": geometry.distance_mm * scale},
    )
    found = maps(geometry)
    again = maps(scaled, detector(pixel_size_um=172.0 * scale))
    for name, array in found.items():
        np.testing.assert_allclose(again[name], array, rtol=12 * EPS, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(geometries, st.floats(0.1, 10))
def test_q_is_proportional_to_the_energy(geometry, scale):
    scaled = geometry.model_copy(update={"energy_kev": geometry.energy_kev * scale})
    np.testing.assert_allclose(
        maps(scaled)["q"], scale * maps(geometry)["q"], rtol=12 * EPS
    )


@settings(max_examples=30, deadline=None)
@given(geometries)
def test_bragg(geometry):
    found = maps(geometry)
    k = 2 * math.pi * geometry.energy_kev / scattering.HC_KEV_ANGSTROM
    theta = np.radians(found["tth"]) / 2
    np.testing.assert_allclose(found["q"], 2 * k * np.sin(theta), rtol=12 * EPS)


@settings(max_examples=30, deadline=None)
@given(geometries)
def test_k_sin_2theta_is_too_small_by_one_minus_cos_theta(geometry):
    exact = maps(geometry)
    named = maps(geometry, convention="k_sin_2theta")
    theta = np.radians(exact["tth"]) / 2
    np.testing.assert_allclose(
        named["q"], exact["q"] * np.cos(theta), rtol=12 * EPS, atol=0
    )


@settings(max_examples=30, deadline=None)
@given(geometries, st.floats(0, 60), st.sampled_from(ORIENTATIONS))
def test_grazing_incidence_only_turns_the_scattering_vector(
    geometry, incidence, orientation
):
    across_beam = maps(geometry)
    grazing = geometry.model_copy(
        update={
            "kind": "reflection",
            "incidence_deg": incidence,
            "orientation": orientation,
        }
    )
    found = maps(grazing)
    np.testing.assert_allclose(found["q"], across_beam["q"], rtol=6 * EPS)
    length = np.sqrt(found["qx"] ** 2 + found["qy"] ** 2 + found["qz"] ** 2)
    np.testing.assert_allclose(
        length, found["q"], rtol=12 * EPS, atol=8 * EPS * found["q"].max()
    )
    np.testing.assert_array_equal(found["phi"], across_beam["phi"])


@pytest.mark.parametrize("convention", ["exact", "flat"])
@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_the_direct_beam_leaves_below_the_surface_by_the_incidence(
    convention, formulation
):
    geometry = reflection(beam_centre_px=(15.0, 20.0))
    found = maps(geometry, convention=convention, formulation=formulation)
    assert found["alpha_f"][15, 20] == pytest.approx(-0.4, rel=1e-14)
    assert found["tth"][15, 20] == 0
    assert found["q"][15, 20] == pytest.approx(0, abs=1e-15)


def test_the_specular_beam_has_qz_alone():
    distance, incidence = 300.0, 0.4
    height = distance * math.tan(math.radians(2 * incidence)) / 0.172
    geometry = reflection(beam_centre_px=(height + 3, 20.0), incidence_deg=incidence)
    found = maps(geometry)
    k = 2 * math.pi * 10.0 / scattering.HC_KEV_ANGSTROM
    assert found["alpha_f"][3, 20] == pytest.approx(incidence, rel=1e-12)
    assert found["qz"][3, 20] == pytest.approx(2 * k * math.sin(math.radians(0.4)))
    assert found["qr"][3, 20] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("convention", ["exact", "flat"])
@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_detector_and_orientation_together_changes_nothing(
    convention, formulation, turns
):
    setup, geometry = detector((31, 31)), reflection(beam_centre_px=(12.25, 20.0))
    row, col = geometry.beam_centre_px
    upright = maps(geometry, setup, convention=convention, formulation=formulation)
    for _ in range(turns):  # a quarter turn clockwise
        row, col = col, 30 - row
    turned = maps(
        geometry.model_copy(
            update={"orientation": ORIENTATIONS[turns], "beam_centre_px": (row, col)}
        ),
        setup,
        convention=convention,
        formulation=formulation,
    )
    for name in upright.keys() - {"phi"}:
        expected = np.rot90(upright[name], -turns)
        size = np.abs(expected).max()
        np.testing.assert_allclose(
            turned[name], expected, rtol=1e-12, atol=1e-12 * size, err_msg=name
        )


def test_without_an_orientation_the_normal_points_up():
    unsaid = maps(reflection(orientation=None))
    assert unsaid["qz"].tobytes() == maps(reflection())["qz"].tobytes()


def test_flat_exit_angles_belong_to_rows_and_columns_and_are_not_exact():
    wide = reflection(distance_mm=10.0)
    flat, exact = maps(wide, convention="flat"), maps(wide)
    assert (np.ptp(flat["alpha_f"], axis=1) == 0).all()
    assert (np.ptp(flat["tth"], axis=0) == 0).all()
    error = np.abs(flat["q"] / exact["q"] - 1).max()
    assert 1e-3 < error < 0.2


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize(
    ("geometry", "convention"),
    [
        (transmission(), "exact"),
        (transmission(), "k_sin_2theta"),
        (reflection(), "exact"),
        (reflection(), "flat"),
    ],
)
def test_both_formulations_mean_the_same(backend, geometry, convention):
    one, other = (
        maps(geometry, backend=backend, convention=convention, formulation=formulation)
        for formulation in FORMULATIONS
    )
    for name, array in one.items():
        size = np.abs(array).max()
        np.testing.assert_allclose(
            other[name], array, rtol=1e-9, atol=1e-12 * max(size, 1), err_msg=name
        )


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize(
    "geometry", [transmission(), transmission(distance_mm=10.0), reflection()]
)
def test_without_the_angles_the_vectors_are_the_same(
    backend, dtype, formulation, geometry
):
    given = {"dtype": dtype, "backend": backend, "formulation": formulation}
    everything = maps(geometry, **given)
    vectors = maps(geometry, maps="vectors", **given)
    assert list(vectors) == [name for name in everything if name[0] == "q"]
    eps = np.finfo(dtype).eps
    for name, array in vectors.items():
        # q in single precision is the sum of squares of numbers of any size
        rtol, size = 6 * eps, np.abs(array).max() * (formulation != "algebraic")
        np.testing.assert_allclose(
            array, everything[name], rtol=rtol, atol=4 * eps * size, err_msg=name
        )


def chord(square):
    """Return q per mm over that in the direct beam, of the square of r / D."""
    w = mpmath.sqrt(1 + square)
    return mpmath.sqrt(2 / (w * (w + 1)))


@pytest.mark.parametrize("dtype", scattering.CHORD_COEFFICIENTS, ids=str)
def test_the_polynomial_near_the_beam_can_be_made_again(dtype):
    found = as_numbers(scattering.CHORD_COEFFICIENTS[dtype], dtype)
    top = mpmath.mpf(scattering.NEAR)
    assert interpolate(chord, top, len(found), dtype) == found
    bound = 1.5e-17 if dtype == np.float64 else 1.5e-9
    assert largest_relative_error(found, chord, top) < bound


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_executable_serves_detectors_near_the_beam_and_far_from_it(dtype):
    backend = create_backend("jax")
    near = transmission(distance_mm=300.0)
    problem = Problem(QMAP.Params(maps="vectors"), detector(), near, dtype)
    compiled = backend.jit(lambda beam: QMAP.compute(backend, problem, {"beam": beam}))
    reached = []
    for distance in (10.0, 18.0, 19.0, 20.0, 300.0):
        geometry = near.model_copy(update={"distance_mm": distance})
        vector = scattering.beam_vector(detector(), geometry, dtype)
        found = compiled(backend.from_numpy(vector))
        desired = maps(geometry, dtype=dtype, maps="vectors")
        for name, array in desired.items():
            np.testing.assert_allclose(
                np.asarray(found[name]), array, rtol=6 * np.finfo(dtype).eps
            )
        reach = math.hypot(17.7, 20.0) * 0.172  # to the corner that is furthest
        reached.append((reach / distance) ** 2 < scattering.NEAR)
    assert reached == [False, False, True, True, True]


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("orientation", "incidence"),
    [("north", 0.14), ("east", 0.14), ("south", 2.0), ("west", 50.0)],
)
def test_where_a_part_passes_through_zero_it_is_right_too(
    backend, dtype, orientation, incidence
):
    setup = detector((60, 70))
    geometry = reflection(orientation=orientation, incidence_deg=incidence)
    problem = Problem(QMAP.Params(), setup, geometry, dtype)
    found = run(QMAP, problem, backend)
    beam = QMAP.make_inputs(problem, np.random.default_rng(0))["beam"]
    for name in ("qx", "qz", "qr", "alpha_f"):
        size = np.abs(found[name]).reshape(-1)
        nearest = np.argsort(size)[:12]
        if name == "alpha_f" and incidence > 0.14:
            continue  # the detector does not see the plane of the surface
        # a hundred times smaller than the terms that cancel there
        assert size[nearest[0]] < 0.01 * size.max()
        pixels = [divmod(int(place), 70) for place in nearest]
        truths = true_pixels(beam, pixels, "reflection", "exact", orientation)
        for truth in truths[name]:
            actual = float(found[name][truth.index])
            assert ulp_error(actual, truth.value, dtype) <= 6, (name, truth.index)


@pytest.mark.parametrize(
    ("geometry", "dtype"),
    [
        (transmission(), "float64"),
        (transmission(), "float32"),
        (reflection(), "float64"),  # takes a compiler seconds
    ],
)
def test_gradients_are_finite_in_the_direct_beam_too(dtype, geometry):
    geometry = geometry.model_copy(update={"beam_centre_px": (15.0, 20.0)})
    backend = create_backend("jax")
    for convention in ("exact", "flat", "k_sin_2theta"):
        problem = Problem(
            QMAP.Params(convention=convention), detector(), geometry, dtype
        )
        try:
            QMAP.check(problem)
        except ConfigError:
            continue

        def total(beam, problem=problem):
            outputs = QMAP.compute(backend, problem, {"beam": beam})
            return sum(backend.sum(array) for array in outputs.values())

        inputs = QMAP.make_inputs(problem, np.random.default_rng(0))
        gradient = backend.jit(backend.grad(total))(backend.from_numpy(inputs["beam"]))
        assert np.isfinite(np.asarray(gradient)).all(), convention


@pytest.mark.parametrize("field", ["distance_mm", "centre_row", "centre_col"])
def test_gradients_of_q_agree_with_finite_differences(field):
    backend = create_backend("jax")
    problem = Problem(QMAP.Params(), detector(), transmission(), "float64")
    beam = QMAP.make_inputs(problem, np.random.default_rng(0))["beam"]
    place = scattering.Beam._fields.index(field)

    def total(vector):
        q = QMAP.compute(backend, problem, {"beam": vector})["q"]
        return backend.sum(q * q)

    total = backend.jit(total)
    gradient = np.asarray(backend.grad(total)(backend.from_numpy(beam)))[place]
    step = 1e-4
    sides = []
    for sign in (1, -1):
        moved = beam.copy()
        moved[place] += sign * step
        sides.append(float(total(backend.from_numpy(moved))))
    assert gradient == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-6)


def test_one_executable_serves_every_geometry_of_a_kind():
    backend = create_backend("jax")
    problem = Problem(QMAP.Params(), detector(), transmission(), "float64")
    traces = []

    def call(beam):
        traces.append(beam)
        return QMAP.compute(backend, problem, {"beam": beam})

    compiled = backend.jit(call)
    for geometry in (transmission(), transmission(distance_mm=7000.0, energy_kev=8.0)):
        vector = scattering.beam_vector(detector(), geometry, "float64")
        q = np.asarray(compiled(backend.from_numpy(vector))["q"])
        np.testing.assert_allclose(q, maps(geometry)["q"], rtol=6 * EPS)
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("geometry", "convention", "allowed"),
    [
        (transmission(), "flat", "'exact', 'k_sin_2theta'"),
        (reflection(), "k_sin_2theta", "'exact', 'flat'"),
    ],
)
def test_a_convention_without_meaning_is_refused(geometry, convention, allowed):
    problem = Problem(
        QMAP.Params(convention=convention), detector(), geometry, "float64"
    )
    with pytest.raises(ConfigError, match=allowed):
        QMAP.check(problem)


def test_a_reflection_without_incidence_is_refused():
    problem = Problem(
        QMAP.Params(), detector(), reflection(incidence_deg=None), "float64"
    )
    with pytest.raises(ConfigError, match="incidence_deg"):
        QMAP.check(problem)


def test_hc_is_that_of_pyfai():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another package's imports
        pytest.importorskip("pyFAI", reason="pyFAI is an extra: peers")
        from pyFAI import units

    assert units.hc == scattering.HC_KEV_ANGSTROM
