"""How far draws of Markov chains can be trusted: split R-hat and effective sample size.

Both are those of ``numpyro.diagnostics`` (``split_gelman_rubin`` and
``effective_sample_size``), which work on the host. Here they are traceable, so that
they are part of the program that draws; a test holds them to the library.
"""

from __future__ import annotations

from typing import Any

from xpcs_bench.backends import BackendProtocol

__all__ = ["effective_sample_size", "split_r_hat"]


def split_r_hat(backend: BackendProtocol, draws: Any) -> Any:
    """Return R-hat (parameter,) of the halves of all chains (chain, draw, parameter).

    1 where they cannot be told apart (A. Gelman et al., Bayesian Data Analysis, 3rd
    edition, section 11.4). At least 4 draws; NaN where a parameter never moves.
    """
    half = draws.shape[1] // 2
    halves = backend.concatenate([draws[:, :half], draws[:, -half:]], axis=0)
    within, pooled = _variances(backend, halves)
    return backend.sqrt(pooled / within)


def effective_sample_size(backend: BackendProtocol, draws: Any) -> Any:
    """Return how many independent draws are worth as much for the mean (parameter,).

    From the autocorrelation over all chains (chain, draw, parameter), which is added
    up in pairs of successive lags until a pair is not positive, the pairs not rising
    (C. J. Geyer, Statistical Science 7, 473 (1992)). More than there are draws where
    successive ones fall on opposite sides of the mean.
    """
    n_chains, n_draws, n_parameters = draws.shape
    within, pooled = _variances(backend, draws)
    deviation = draws - backend.mean(draws, axis=1)[:, None]
    padded = backend.concatenate([deviation, backend.zeros_like(deviation)], axis=1)
    place = backend.arange(n_draws)

    def correlation(lag: Any) -> Any:
        shifted = backend.take(padded, place + lag, axis=1)
        covariance = backend.sum(deviation * shifted, axis=1) / n_draws
        return 1 - (within - backend.mean(covariance, axis=0)) / pooled

    def go_on(state: Any) -> Any:
        pair, least, _ = state
        return backend.logical_and(pair < n_draws // 2, backend.any(least > 0))

    def add_pair(state: Any) -> Any:
        pair, least, total = state
        both = correlation(2 * pair) + correlation(2 * pair + 1)
        least = backend.minimum(least, backend.maximum(both, 0.0))
        return pair + 1, least, total + least

    # the first pair holds lag 0, which is 1 by definition, and bounds nothing
    first = 1 + correlation(1)
    unbounded = backend.full((n_parameters,), float("inf"), dtype=draws.dtype)
    _, _, total = backend.while_loop(go_on, add_pair, (1, unbounded, first))
    return n_chains * n_draws / (2 * total - 1)


def _variances(backend: BackendProtocol, draws: Any) -> tuple[Any, Any]:
    """Return the variance within chains, and one that their means widen."""
    n_chains, n_draws = draws.shape[:2]
    within = backend.mean(backend.var(draws, axis=1), axis=0)
    unbiased = within * (n_draws / (n_draws - 1))
    if n_chains == 1:
        return within, within
    means = backend.mean(draws, axis=1)
    between = backend.var(means, axis=0) * (n_chains / (n_chains - 1))
    return unbiased, within + between
