"""One NUTS fit of one g2 curve: a program that is there, and NumPyro's own MCMC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from contest import Contest, Match

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.nuts_sampler import NutsParams, make_model, sample_posterior
from xpcs_bench.measure.clock import now_ns

__all__ = ["CONTESTS"]

SIZE = {"delays": 40, "warmup": 500, "draws": 1000}


class Curves:
    """Another curve, and other keys, in every call: nothing can be kept."""

    def __init__(self, params: NutsParams) -> None:
        self.problem: Problem[Any] = Problem(params, None, None, "float64")
        self.seed = 0

    def __call__(self) -> dict[str, Any]:
        self.seed += 1
        rng = np.random.default_rng(self.seed)
        inputs: dict[str, Any] = create_kernel("nuts").make_inputs(self.problem, rng)
        return inputs


def ours(params: NutsParams) -> Callable[[], Any]:
    """Return the call of one program; it returns draws and its own time (s)."""
    backend, curves = create_backend("jax"), Curves(params)
    program = backend.jit(lambda inputs: sample_posterior(backend, params, inputs))

    def call() -> Any:
        placed = {name: backend.from_numpy(x) for name, x in curves().items()}
        started = now_ns()
        drawn = backend.block_until_ready(program(placed))
        return np.asarray(backend.to_numpy(drawn.values)), (now_ns() - started) / 1e9

    return call


def library(params: NutsParams) -> Callable[[], Any]:
    """Return the call of ``MCMC.run`` on the same model and the same curves."""
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_value

    backend, curves = create_backend("jax"), Curves(params)
    # NumPyro starts anywhere in the priors, and may not find such a narrow posterior
    start = {"t0_unit": 0.12, "offset": 1.0, "contrast": 0.2, "alpha": 1.0}
    kernel = NUTS(
        make_model(backend, params), init_strategy=init_to_value(values=start)
    )
    sampler = MCMC(
        kernel,
        num_warmup=params.warmup,
        num_samples=params.draws,
        num_chains=params.chains,
        chain_method="vectorized" if params.vectorised else "sequential",
        progress_bar=False,
    )

    def call() -> Any:
        inputs = curves()
        started = now_ns()
        data = (inputs[name] for name in ("tau", "g2", "sigma"))
        sampler.run(jax.random.key(curves.seed), *data)
        found = backend.block_until_ready(sampler.get_samples(group_by_chain=True))
        values = np.stack(
            [np.asarray(found[name]) for name in PARAMETERS[params.model]], axis=-1
        )
        return values, (now_ns() - started) / 1e9

    return call


def same(first: Any, second: Any) -> str:
    """Compare the posteriors of the first curve, and say what an effective draw costs.

    Raises
    ------
    ValueError
        When a mean differs by more than 0.3 standard deviations, or one of these by
        more than 30 %: with 250 effective draws five standard errors.
    """
    from numpyro.diagnostics import effective_sample_size

    (ours_values, ours_s), (theirs_values, theirs_s) = first, second
    mean, sd = ours_values.mean((0, 1)), ours_values.std((0, 1))
    shift = np.abs((theirs_values.mean((0, 1)) - mean) / sd).max()
    ratio = np.abs(theirs_values.std((0, 1)) / sd - 1).max()
    if not (shift < 0.3 and ratio < 0.3):
        msg = f"means {shift:.2f} sd apart, sd {ratio:.0%} apart"
        raise ValueError(msg)
    least = [effective_sample_size(v).min() for v in (ours_values, theirs_values)]
    return (
        f"means within {shift:.2f} sd, sd within {ratio:.0%}; fewest effective draws "
        f"{least[0]:.0f} and {least[1]:.0f}; first calls {ours_s:.2f} and "
        f"{theirs_s:.2f} s"
    )


def per_effective_draw(call: Callable[[], Any]) -> str:
    """Return the time of an effective draw of a cached call (ms)."""
    from numpyro.diagnostics import effective_sample_size

    costs = []
    for _ in range(3):
        values, seconds = call()
        costs.append(1e3 * seconds / effective_sample_size(values).min())
    return f"{sorted(costs)[1]:.3g}"


def match(candidate: dict[str, Any], rival: dict[str, Any] | None) -> Match:
    """Return ours beside ours with other parameters, or beside the library's."""
    params = NutsParams(**SIZE, **candidate)
    sides = (
        ours(params),
        library(params) if rival is None else ours(NutsParams(**SIZE, **rival)),
    )

    def compare(first: Any, second: Any) -> str:
        text = same(first, second)
        costs = " and ".join(per_effective_draw(call) for call in sides)
        return f"{text}; ms per effective draw of cached calls: {costs}"

    return Match(*sides, same=compare)


CONTESTS: tuple[Contest, ...] = (
    Contest(
        name="nuts-one-chain",
        candidate="one program, new data: stretched, 40 delays, 500 + 1000 draws",
        rival="NumPyro MCMC.run(progress_bar=False) with its defaults",
        prepare=lambda: match({"chains": 1}, None),
        least_ratio=4.0,
        rounds=5,
    ),
    Contest(
        name="nuts-four-chains",
        candidate="one program, new data: 4 chains one after the other",
        rival="the same, all chains together (vectorised)",
        prepare=lambda: match({"chains": 4}, {"chains": 4, "vectorised": True}),
        rounds=5,
    ),
)
