"""The batch fit: what it must not depend on, its codes, its errors, its power law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import run

from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.fit import FitParams
from xpcs_bench.kernels.fit_bins import fit_bins
from xpcs_bench.kernels.fit_models import FitModel, guess, read_data
from xpcs_bench.kernels.fit_scipy import MODELS, fit_with_curve_fit
from xpcs_bench.kernels.fit_truth import true_fit
from xpcs_bench.kernels.g2_covariance import g2_with_covariance
from xpcs_bench.kernels.ladder import channels_by_level
from xpcs_bench.kernels.power_law import fit_power_law
from xpcs_bench.kernels.series import SeriesParams, bin_columns, make_series

FIT = create_kernel("fit")
NUMPY = NumPyBackend()
KINDS = tuple(PARAMETERS)
kinds = st.sampled_from(KINDS)
seeds = st.integers(0, 10_000)


def problem_of(dtype="float64", **params):
    return Problem(FitParams(**params), None, None, dtype)


def made(kind="stretched", seed=0, **params):
    problem = problem_of(model=kind, **params)
    return FIT.make_inputs(problem, np.random.default_rng(seed))


def fitted(kind, inputs, **changes):
    given_ = inputs | changes
    return fit_bins(
        NUMPY,
        kind,
        *(given_[name] for name in ("tau", "g2", "sigma", "lower", "upper")),
        given_.get("covariance"),
    )


def times(kind):
    return [i for i, name in enumerate(PARAMETERS[kind]) if name.startswith("t")]


# -- what a fit must not depend on ----------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(kinds, seeds, st.floats(1e-6, 1e6))
def test_the_unit_of_time_is_arbitrary(kind, seed, unit):
    inputs = made(kind, seed)
    one = fitted(kind, inputs)
    lower, upper = inputs["lower"].copy(), inputs["upper"].copy()
    lower[times(kind)] *= unit
    upper[times(kind)] *= unit
    other = fitted(kind, inputs, tau=inputs["tau"] * unit, lower=lower, upper=upper)
    scale = np.ones(len(lower))
    scale[times(kind)] = unit
    np.testing.assert_allclose(other.parameters / scale, one.parameters, rtol=1e-12)
    np.testing.assert_allclose(other.errors / scale, one.errors, rtol=1e-11)


@settings(max_examples=20, deadline=None)
@given(kinds, seeds, st.floats(1e-3, 1e3))
def test_larger_errors_are_larger_errors_and_nothing_else(kind, seed, factor):
    inputs = made(kind, seed)
    one = fitted(kind, inputs)
    other = fitted(kind, inputs, sigma=inputs["sigma"] * factor)
    np.testing.assert_allclose(other.parameters, one.parameters, rtol=1e-11)
    np.testing.assert_allclose(other.errors / factor, one.errors, rtol=1e-10)
    np.testing.assert_allclose(other.chi2 * factor**2, one.chi2, rtol=1e-10)


@settings(max_examples=20, deadline=None)
@given(kinds, seeds)
def test_a_bin_does_not_know_the_others(kind, seed):
    inputs = made(kind, seed, q_bins=6)
    whole = fitted(kind, inputs)
    order = np.random.default_rng(seed).permutation(6)[:4]
    some = fitted(kind, inputs, g2=inputs["g2"][order], sigma=inputs["sigma"][order])
    # the guess is a matrix product, whose rounding depends on the number of rows
    for one, other in zip(whole, some, strict=True):
        np.testing.assert_allclose(one[order], other, rtol=1e-11)


@settings(max_examples=20, deadline=None)
@given(kinds, seeds, st.sampled_from(["g2", "sigma"]), st.integers(0, 47))
def test_points_that_say_nothing_are_left_out(kind, seed, name, place):
    inputs = made(kind, seed)
    array = inputs[name].copy()
    array[1, place] = {"g2": np.nan, "sigma": np.inf}[name]
    found = fitted(kind, inputs, **{name: array})
    kept = np.arange(48) != place
    without = fitted(
        kind,
        inputs,
        tau=inputs["tau"][kept],
        g2=inputs["g2"][1:2, kept],
        sigma=inputs["sigma"][1:2, kept],
    )
    np.testing.assert_allclose(found.parameters[1], without.parameters[0], rtol=1e-11)
    np.testing.assert_allclose(found.errors[1], without.errors[0], rtol=1e-10)
    assert found.freedom[1] == found.freedom[0] - 1 == without.freedom[0]
    # nor do they touch their neighbours
    clean = fitted(kind, inputs)
    others = [0, 2, 3]
    np.testing.assert_allclose(
        found.parameters[others], clean.parameters[others], rtol=1e-13
    )


def test_a_delay_of_zero_is_a_delay():
    inputs = made(noise=1e-4)
    zero = np.concatenate([[0.0], inputs["tau"]])
    top = inputs["g2"][:, :1]
    found = fitted(
        "stretched",
        inputs,
        tau=zero,
        g2=np.concatenate([top, inputs["g2"]], axis=1),
        sigma=np.concatenate([inputs["sigma"][:, :1], inputs["sigma"]], axis=1),
    )
    assert (found.status == 1).all()
    # g2 at 10 us is that at no delay, so that the contrast is known better
    assert (found.errors[:, 2] < fitted("stretched", inputs).errors[:, 2]).all()


# -- the status -----------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_every_status_occurs_and_is_right(backend):
    problem = problem_of(q_bins=5)
    inputs = FIT.make_inputs(problem, np.random.default_rng(2))
    inputs["upper"][2] = 0.4
    inputs["g2"][1, 3:] = np.nan  # three points are left, for four parameters
    tau = inputs["tau"]
    steep = 1 + 0.7 * np.exp(-2 * tau / 0.01)
    inputs["g2"][2] = steep + 1e-3 * np.cos(7 * np.arange(48))  # contrast beyond 0.4
    inputs["g2"][3] = np.nan
    found = run(FIT, problem, backend, inputs)
    assert found["status"].tolist() == [1, -1, 2, -1, 1]
    assert found["freedom"].tolist() == [44, -1, 44, -4, 44]
    for name in ("parameters", "errors", "chi2"):
        assert np.isnan(found[name][[1, 3]]).all()
        assert np.isfinite(found[name][[0, 4]]).all()
    assert found["parameters"][2, 2] == 0.4
    assert np.isnan(found["errors"][2]).tolist() == [False, False, True, False]
    assert np.isfinite(found["power_law"]).all()


def test_too_few_steps_are_said():
    inputs = made("stretched", q_bins=4)
    found = fit_bins(
        NUMPY,
        "stretched",
        *(inputs[name] for name in ("tau", "g2", "sigma", "lower", "upper")),
        most=1,
    )
    assert found.status.tolist() == [0] * 4
    assert np.isnan(found.errors).all()
    assert np.isfinite(found.parameters).all()


def test_a_bin_at_a_limit_is_what_the_trust_region_finds():
    inputs = made("stretched", seed=5, q_bins=4)
    inputs["upper"][3] = 0.8  # three of four have a larger alpha
    found = fitted("stretched", inputs)
    assert set(found.status.tolist()) == {1, 2}
    start = np.tile([0.1, 1.0, 0.2, 0.7], (4, 1))
    other = fit_with_curve_fit(
        "stretched",
        inputs["tau"],
        inputs["g2"],
        inputs["sigma"],
        start,
        bounds=(inputs["lower"], inputs["upper"]),
        method="trf",
        x_scale="jac",
        ftol=1e-14,
        xtol=1e-14,
        gtol=1e-14,
    )
    apart = (found.parameters - other.parameters) / other.errors
    assert np.abs(apart).max() < 1e-3
    limited = found.status == 2
    assert (found.parameters[limited, 3] == 0.8).all()
    # what remains is a fit in which alpha is 0.8 for certain
    fixed = inputs["lower"].copy()
    fixed[3] = 0.8
    sure = fitted("stretched", inputs, lower=fixed)
    assert (sure.status == 1).all()
    assert (sure.errors[:, 3] == 0).all()
    assert (sure.freedom == found.freedom + 1).all()
    np.testing.assert_allclose(
        found.errors[limited, :3], sure.errors[limited, :3], rtol=1e-10
    )


def test_curves_without_decay_end_at_a_limit_or_say_that_nothing_is_known():
    inputs = made("single", q_bins=4)
    rng = np.random.default_rng(8)
    inputs["g2"] = 1 + inputs["sigma"] * rng.standard_normal(inputs["g2"].shape)
    found = fitted("single", inputs)
    relative = found.errors[:, 2] / found.parameters[:, 2]
    for status, error in zip(found.status, relative, strict=True):
        assert status in {0, 2} or error > 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_data_without_noise_give_back_what_they_were_made_from(kind):
    inputs = made(kind, q_bins=3)
    truth = np.array(
        {
            "single": (0.5, 1.01, 0.2),
            "double": (0.02, 0.8, 0.99, 0.12, 0.2),
            "stretched": (0.5, 1.01, 0.2, 0.7),
        }[kind]
    )
    g2 = np.tile(MODELS[kind](inputs["tau"], *truth), (3, 1))
    found = fitted(kind, inputs, g2=g2)
    assert (found.status == 1).all()
    np.testing.assert_allclose(found.parameters, np.tile(truth, (3, 1)), rtol=1e-11)
    assert (found.chi2 < 1e-20).all()


def test_the_decays_of_a_double_model_are_in_order():
    for seed in range(5):
        found = fitted("double", made("double", seed, q_bins=8))
        assert (found.parameters[:, 0] <= found.parameters[:, 1]).all()
    # those of the reverse order are the same curve, and so the same minimum
    inputs = made("double", 1)
    true = true_fit("double", inputs, 2)
    found = fitted("double", inputs)
    actual, desired = found.parameters[2], [float(value) for value in true.parameters]
    np.testing.assert_allclose(actual, desired, rtol=1e-13)


# -- derivatives ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_are_those_of_chi2(kind):
    """Wrong second derivatives would only slow the search down: they are looked at."""
    backend = create_backend("jax")
    inputs = made(kind, q_bins=2)
    placed = [backend.from_numpy(inputs[n]) for n in ("tau", "g2", "sigma")]
    data = read_data(backend, *placed)
    first = guess(backend, kind, data)
    model = FitModel(backend, kind, data, first[0])
    point = np.asarray(model.to_search(first)) + 0.05
    half = backend.grad(lambda p: 0.5 * backend.sum(model.evaluate(p).chi2))
    terms = model.evaluate(backend.array(point))
    slope = np.asarray(half(backend.array(point)))
    np.testing.assert_allclose(np.asarray(terms.gradient), slope, rtol=1e-9)
    second = np.asarray(terms.normal + terms.curvature)
    for i in range(len(point)):
        step = np.zeros_like(point)
        step[i] = 1e-6
        sides = [np.asarray(half(backend.array(point + s * step))) for s in (1, -1)]
        numeric = (sides[0] - sides[1]) / 2e-6
        scale = np.sqrt(
            np.abs(second[i, i] * np.array([second[j, j] for j in range(len(point))]))
        )
        assert (np.abs(second[i] - numeric) < 1e-5 * scale).all()
    columns = np.stack([np.asarray(c) for c in model.jacobian(backend.array(point))])
    weight = np.asarray(data.weight)
    np.testing.assert_allclose(
        np.einsum("pbm,bm,qbm->pqb", columns, weight, columns),
        np.asarray(terms.normal),
        rtol=1e-12,
        atol=1e-9,
    )


# -- errors under correlation ---------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(kinds, seeds)
def test_a_diagonal_covariance_is_no_correlation(kind, seed):
    inputs = made(kind, seed)
    plain = fitted(kind, inputs)
    diagonal = np.eye(48) * inputs["sigma"][:, :, None] ** 2
    other = fitted(kind, inputs, covariance=diagonal)
    np.testing.assert_array_equal(other.parameters, plain.parameters)
    np.testing.assert_allclose(other.errors, plain.errors, rtol=1e-10)


def test_correlated_noise_scatters_as_the_covariance_says():
    """600 curves of the same parameters: one batch."""
    inputs = made(correlated=True, q_bins=2)
    covariance, sigma = inputs["covariance"][0], inputs["sigma"][0]
    truth = (0.3, 1.0, 0.2, 1.0)
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((600, 48)) @ np.linalg.cholesky(covariance).T
    g2 = MODELS["stretched"](inputs["tau"], *truth) + noise
    batch = {"g2": g2, "sigma": np.tile(sigma, (600, 1))}
    honest = fitted(
        "stretched", inputs, **batch, covariance=np.tile(covariance, (600, 1, 1))
    )
    naive = fitted("stretched", inputs, **batch, covariance=None)
    scatter = honest.parameters.std(axis=0)
    # a standard deviation of 600 numbers is known to 3 %
    np.testing.assert_allclose(honest.errors.mean(axis=0), scatter, rtol=0.12)
    assert (naive.errors.mean(axis=0) < 0.75 * scatter).all()
    inside = np.abs(honest.parameters - np.array(truth)) < 1.96 * honest.errors
    assert (np.abs(inside.mean(axis=0) - 0.95) < 0.035).all()


def test_the_covariance_of_g2_has_the_squared_errors_on_its_diagonal():
    params = SeriesParams(frames=64, pixels=400, bins=2)
    frames = make_series(params, np.random.default_rng(0))
    levels = channels_by_level("scikit_beam", 64, 3, 8)
    kernel = create_kernel("g2")
    problem = Problem(
        kernel.Params(frames=64, pixels=400, bins=2, levels=3), None, None, "float64"
    )
    desired = run(kernel, problem, "numpy", {"frames": frames})
    for backend in (NUMPY, create_backend("jax")):
        for index, columns in enumerate(bin_columns(params)):
            counts = backend.from_numpy(frames[:, columns].astype(np.float64))
            g2, covariance = (
                np.asarray(a) for a in g2_with_covariance(backend, counts, levels)
            )
            np.testing.assert_allclose(g2, desired["g2"][:, index], rtol=1e-13)
            np.testing.assert_allclose(
                np.sqrt(np.diagonal(covariance)),
                desired["g2_error"][:, index],
                rtol=1e-11,
            )
            assert (np.linalg.eigvalsh(covariance) > -1e-16).all()
            # neighbours are far from independent: that is what it is for
            sigma = np.sqrt(np.diagonal(covariance))
            assert (covariance / np.outer(sigma, sigma))[3, 4] > 0.3


# -- the power law --------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(-12, 2), st.integers(2, 9), seeds)
def test_an_exact_power_law_is_found(n, log_tau0, bins, seed):
    rng = np.random.default_rng(seed)
    q = np.geomspace(1e-3, 1e-1, bins)
    tau = np.exp(log_tau0) * q**-n
    error = tau * rng.uniform(0.01, 0.5, bins)
    law, errors = fit_power_law(NUMPY, q, tau, error, np.ones(bins, bool))
    np.testing.assert_allclose(law, (np.exp(log_tau0), n), rtol=1e-11, atol=1e-12)
    assert (errors > 0).all()


def test_the_power_law_leaves_out_what_is_not_known():
    rng = np.random.default_rng(1)
    q = np.geomspace(1e-3, 1e-1, 12)
    tau = 2e-5 * q**-2 * rng.uniform(0.9, 1.1, 12)
    error = 0.1 * tau
    good = np.ones(12, bool)
    good[3] = False
    tau[5], error[6], error[7], q[8] = np.nan, np.nan, 0.0, 0.0
    kept = np.array([0, 1, 2, 4, 9, 10, 11])
    found = fit_power_law(NUMPY, q, tau, error, good)
    alone = fit_power_law(
        NUMPY, q[kept], tau[kept], error[kept], np.ones(len(kept), bool)
    )
    np.testing.assert_allclose(found, alone, rtol=1e-13)
    for few in (good & (np.arange(12) == 2), np.zeros(12, bool)):
        assert np.isnan(fit_power_law(NUMPY, q, tau, error, few)).all()
    same_q = np.full(12, 0.02)
    assert np.isnan(fit_power_law(NUMPY, same_q, tau, error, good)).all()


def test_the_whole_kernel_finds_the_law_that_the_curves_were_made_with():
    """They are made with n = 2 and times that scatter by 5 % either way."""
    found = run(FIT, problem_of(q_bins=60, noise=5e-4), "numpy")
    tau0, n = found["power_law"][0]
    assert n == pytest.approx(2, abs=0.03)
    assert tau0 == pytest.approx(1e-5, rel=0.1)


# -- SciPy's path ---------------------------------------------------------------------


def test_what_scipy_gives_up_is_nan_and_costs_no_other_bin():
    inputs = made("single", q_bins=3)
    curves = inputs["tau"], inputs["g2"], inputs["sigma"]
    start = fitted("single", inputs).parameters.copy()
    start[1] = 30 * start[1, 0], 0.6, 0.01
    enough, few = (
        fit_with_curve_fit("single", *curves, start, maxfev=most) for most in (200, 12)
    )
    assert np.isfinite(enough.parameters).all()
    assert np.isnan(few.parameters).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(few.errors).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_allclose(few.parameters[2], start[2], rtol=1e-6)


def test_a_truth_that_scipy_is_nowhere_near_is_refused():
    inputs = made("single", q_bins=2)
    true_fit("single", inputs, 0)
    inputs["upper"][2] = 0.1  # SciPy ends there, the minimum lies beyond
    with pytest.raises(ArithmeticError, match=r"bin 0: SciPy found.*no minimum"):
        true_fit("single", inputs, 0)
