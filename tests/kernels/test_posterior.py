"""The quadrature of the posterior: it converges, and to what is known."""

import math

import numpy as np
import pytest

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.kernels import decay
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.posterior import integrate_posterior

NUMPY = NumPyBackend()
TAU = np.geomspace(2e-5, 20.0, 40)
SIGMA = np.full(40, 2e-3)
CURVES = {
    "single": decay.single_exponential(NUMPY, TAU, 0.05, 1.0, 0.2),
    "stretched": decay.stretched_exponential(NUMPY, TAU, 0.05, 1.0, 0.2, 0.8),
    "double": decay.double_exponential(NUMPY, TAU, 0.002, 0.08, 1.0, 0.2, 0.1),
}


def noisy(model, seed=0, sigma=SIGMA):
    noise = np.random.default_rng(seed).standard_normal(len(TAU))
    return CURVES[model] + sigma * noise


def apart(found, right):
    """How far two are apart, in standard deviations."""
    return max(
        np.abs((found.mean - right.mean) / right.sd).max(),
        np.abs(found.sd / right.sd - 1).max(),
    )


@pytest.mark.parametrize("model", PARAMETERS)
def test_twice_the_nodes_change_nothing(model):
    for seed in range(2):
        g2 = noisy(model, seed)
        found, finer = (
            integrate_posterior(model, TAU, g2, 1 / SIGMA, nodes=nodes)
            for nodes in (80, 160)
        )
        assert apart(found, finer) < 1e-9
        # a check that can fail: few nodes are not enough
        coarse = integrate_posterior(model, TAU, g2, 1 / SIGMA, nodes=6)
        assert apart(coarse, finer) > 1e-6


@pytest.mark.parametrize("model", ["single", "stretched"])
def test_data_that_say_nothing_leave_the_priors(model):
    found = integrate_posterior(model, TAU, CURVES[model], np.full(40, 1e-9))
    half_normal = 0.5 * math.sqrt(2 / math.pi)
    known = {
        "offset": (1.0, 0.05),
        "contrast": (half_normal, math.sqrt(0.25 - half_normal**2)),
        "alpha": (1.1, 1.8 / math.sqrt(12)),
    }
    for name, mean, sd in zip(PARAMETERS[model], found.mean, found.sd, strict=True):
        if name == "t0":
            continue  # that of a wide prior is far outside its bulk: see below
        assert mean == pytest.approx(known[name][0], rel=1e-9)
        assert sd == pytest.approx(known[name][1], rel=1e-9)


def test_the_mean_of_a_time_of_the_prior_is_that_of_a_normal_logarithm():
    tau = np.geomspace(1.0, 10.0, 8)
    found = integrate_posterior("single", tau, np.ones(8), np.full(8, 1e-9))
    variance = (math.log(10) / 2) ** 2
    right = math.sqrt(10) * math.exp(variance / 2)
    # e^-45 of the density is left out, where its square is large
    assert found.mean[0] == pytest.approx(right, rel=1e-7)
    assert found.sd[0] == pytest.approx(
        right * math.sqrt(math.expm1(variance)), rel=1e-6
    )


def on_a_grid(g2, whitening, contrasts):
    """Moments of the single model from a plain sum over all three parameters."""
    centre = (np.log(TAU[0]) + np.log(TAU[-1])) / 2
    spread = (np.log(TAU[-1]) - np.log(TAU[0])) / 2
    near = integrate_posterior("single", TAU, g2, whitening)
    axes = [
        near.mean[0] + near.sd[0] * np.linspace(-7, 7, 61),
        near.mean[1] + near.sd[1] * np.linspace(-7, 7, 61),
        contrasts,
    ]
    t0, offset, contrast = np.meshgrid(*axes, indexing="ij")
    shape = np.exp(-2 * TAU / axes[0][:, None])
    model = offset[..., None] + contrast[..., None] * shape[:, None, None]
    residual = (g2 - model) @ whitening.T
    log_density = (
        -0.5 * (residual**2).sum(axis=-1)
        - 0.5 * ((np.log(t0) - centre) / spread) ** 2
        - np.log(t0)
        - 0.5 * ((offset - 1) / 0.05) ** 2
        - 0.5 * (contrast / 0.5) ** 2
    )
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    values = t0, offset, contrast
    mean = np.array([(weight * x).sum() for x in values])
    sd = np.array(
        [
            np.sqrt((weight * (x - m) ** 2).sum())
            for x, m in zip(values, mean, strict=True)
        ]
    )
    return near, mean, sd


def test_a_plain_grid_over_all_parameters_gives_the_same():
    """With correlated errors, and nothing in closed form."""
    place = np.arange(40)
    covariance = 0.6 ** np.abs(place[:, None] - place) * np.outer(SIGMA, SIGMA)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    found, mean, sd = on_a_grid(noisy("single"), whitening, np.linspace(0.18, 0.22, 61))
    np.testing.assert_allclose((found.mean - mean) / sd, 0, atol=1e-7)
    np.testing.assert_allclose(found.sd, sd, rtol=1e-6)
    # independent errors would be another posterior
    other = integrate_posterior("single", TAU, noisy("single"), 1 / SIGMA)
    assert np.abs(other.sd / sd - 1).max() > 0.1


WEAK_TAU = np.geomspace(1.0, 20.0, 16)
WEAK_G2 = 1.0 + 0.02 * np.exp(-2 * WEAK_TAU / 5.0)


def weighted_priors(model, sigma, n=400_000):
    """Moments from draws of the priors that are weighted by the likelihood."""
    rng = np.random.default_rng(1)
    centre, spread = np.log(20.0) / 2, np.log(20.0) / 2
    fast = np.exp(centre + spread * rng.standard_normal(n))
    offset = 1 + 0.05 * rng.standard_normal(n)
    first, second = 0.5 * np.abs(rng.standard_normal((2, n)))
    alpha = rng.uniform(0.2, 2.0, n)
    slow = fast * np.exp(rng.rayleigh(3.0, n))
    values, shape = {
        "single": ((fast, offset, first), decay.single_exponential),
        "stretched": ((fast, offset, first, alpha), decay.stretched_exponential),
        "double": ((fast, slow, offset, first, second), decay.double_exponential),
    }[model]
    g2 = shape(NUMPY, WEAK_TAU[:, None], *values)
    residual = (WEAK_G2[:, None] - g2) / sigma
    weight = np.exp(-0.5 * (residual**2).sum(axis=0))
    weight /= weight.sum()
    mean = np.array([weight @ x for x in values])
    squares = [weight @ (x - m) ** 2 for x, m in zip(values, mean, strict=True)]
    return mean, np.sqrt(squares), 1 / (weight @ weight)


@pytest.mark.parametrize("model", PARAMETERS)
def test_draws_of_the_priors_weighted_by_the_likelihood_give_the_same(model):
    """A weak decay under loud noise: nothing is normal, and contrasts end at zero."""
    sigma = 0.02
    mean, sd, effective = weighted_priors(model, sigma)
    found = integrate_posterior(model, WEAK_TAU, WEAK_G2, np.full(16, 1 / sigma))
    names = list(PARAMETERS[model])
    # times have tails that draws of the priors hardly reach
    told = [k for k, name in enumerate(names) if not name.startswith("t")]
    assert effective > 1000
    error = 5 / np.sqrt(effective)
    assert np.abs((found.mean - mean) / sd)[told].max() < error
    assert np.abs(found.sd / sd - 1)[told].max() < error
    contrast = next(k for k, name in enumerate(names) if "contrast" in name)
    assert found.mean[contrast] < 2 * found.sd[contrast]


def test_the_two_decays_of_a_double_model_keep_their_order():
    found = integrate_posterior("double", TAU, noisy("double"), 1 / SIGMA)
    t1, t2 = found.mean[:2]
    assert t1 == pytest.approx(0.002, abs=5 * found.sd[0])
    assert t2 == pytest.approx(0.08, abs=5 * found.sd[1])


@pytest.mark.parametrize("model", PARAMETERS)
def test_the_truth_is_where_the_posterior_is(model):
    """Of 20 curves the squared deviations add up to their number."""
    truth = {
        "single": [0.05, 1.0, 0.2],
        "stretched": [0.05, 1.0, 0.2, 0.8],
        "double": [0.002, 0.08, 1.0, 0.2, 0.1],
    }[model]
    squares = [
        ((found.mean - truth) / found.sd) ** 2
        for found in (
            integrate_posterior(model, TAU, noisy(model, seed), 1 / SIGMA, nodes=32)
            for seed in range(20)
        )
    ]
    # a mean of 20 squares of a normal deviate is 1 +- 0.32
    assert np.abs(np.mean(squares, axis=0) - 1).max() < 1.6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_curve_that_is_no_number_is_refused(value):
    g2 = noisy("single")
    g2[3] = value
    with pytest.raises(ValueError, match="not finite"):
        integrate_posterior("single", TAU, g2, 1 / SIGMA)
