"""R-hat and effective sample size against numpyro.diagnostics, on both backends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels.chains import effective_sample_size, split_r_hat


@pytest.fixture(params=["numpy", "jax"])
def backend(request):
    return create_backend(request.param)


def autoregression(seed, chains, draws, kept):
    """Draws whose neighbours are correlated by what each parameter keeps."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((chains, draws, len(kept)))
    for step in range(1, draws):
        noise[:, step] += kept * noise[:, step - 1]
    return noise


def both(backend, draws):
    placed = backend.from_numpy(draws)
    return tuple(
        np.asarray(backend.to_numpy(f(backend, placed)))
        for f in (split_r_hat, effective_sample_size)
    )


def library(draws):
    from numpyro import diagnostics

    return (
        diagnostics.split_gelman_rubin(draws),
        diagnostics.effective_sample_size(draws),
    )


@pytest.mark.parametrize(("chains", "draws"), [(1, 101), (2, 60), (5, 4)])
def test_they_are_those_of_the_library(backend, chains, draws):
    kept = np.array([-0.7, 0.0, 0.5, 0.95])
    values = autoregression(1, chains, draws, kept)
    for found, right in zip(both(backend, values), library(values), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 999), st.integers(1, 4), st.integers(16, 60), st.floats(-0.95, 0.95)
)
def test_any_chains_have_those_of_the_library(seed, chains, draws, kept):
    values = autoregression(seed, chains, draws, np.array([kept, 0.3]))
    pairs = zip(both(create_backend("numpy"), values), library(values), strict=True)
    for found, right in pairs:
        np.testing.assert_allclose(found, right, rtol=1e-8)


def test_an_autoregression_has_the_effective_draws_of_the_formula(backend):
    kept = np.array([-0.4, 0.0, 0.8])
    _, ess = both(backend, autoregression(2, 4, 4000, kept))
    np.testing.assert_allclose(ess / 16_000, (1 - kept) / (1 + kept), rtol=0.25)


def test_chains_apart_are_told_from_chains_together(backend):
    draws = autoregression(3, 2, 400, np.array([0.0, 0.0]))
    draws[1, :, 1] += 1.0
    r_hat, ess = both(backend, draws)
    assert r_hat[0] < 1.02
    assert r_hat[1] > 1.1
    assert ess[0] > 500
    assert ess[1] < 20


def test_a_drift_within_a_single_chain_is_seen(backend):
    draws = autoregression(4, 1, 400, np.array([0.0, 0.0]))
    draws[0, :, 1] += np.linspace(0, 3, 400)
    r_hat, _ = both(backend, draws)
    assert r_hat[0] < 1.02
    assert r_hat[1] > 1.2
