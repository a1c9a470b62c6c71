"""Drawing from the posterior of a model of one g2 curve, by NumPyro's NUTS.

``numpyro.infer.MCMC`` compiles anew in every ``run``: 2 s where drawing takes 0.1.
Here starting, adapting and drawing are one function of the keys and the data, which a
caller compiles once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import decay
from xpcs_bench.kernels.chains import effective_sample_size, split_r_hat
from xpcs_bench.kernels.decay import PARAMETERS, Model
from xpcs_bench.kernels.kernel import Arrays
from xpcs_bench.kernels.posterior import (
    ALPHA_RANGE,
    CONTRAST_SCALE,
    OFFSET_MEAN,
    OFFSET_SD,
    SEPARATION_SCALE,
)

__all__ = ["Draws", "NutsParams", "make_model", "sample_posterior", "summarise"]

_START_SPREAD = {
    "t0_unit": 0.1,
    "t1_unit": 0.1,
    "log_separation": 0.3,
    "offset": 0.01,
    "contrast": 0.3,
    "contrast1": 0.3,
    "contrast2": 0.3,
    "alpha": 0.5,
}
"""How far chains start to either side of the guess, in unconstrained coordinates."""


class NutsParams(ConfinedModel):
    """The model, the curve, and how much is drawn."""

    model: Model = "stretched"
    """``single`` and ``double`` exponential decays, or one ``stretched`` one."""
    delays: Annotated[int, Field(ge=8, le=100_000)] = 40
    """Delays of the curve, spaced logarithmically from 20 us to 20 s."""
    noise: Annotated[float, Field(gt=0, le=1)] = 2e-3
    """Standard deviation of g2 at the longest delay; it is twice that at the first."""
    correlated: bool = False
    """Whether the errors of neighbouring delays are correlated, by 0.5. The likelihood
    then takes the inverse Cholesky factor of their covariance instead of sigma."""
    chains: Annotated[int, Field(ge=1, le=1000)] = 2
    """Independent chains, each from a start of its own."""
    warmup: Annotated[int, Field(ge=20, le=1_000_000)] = 200
    """Steps of each chain that adapt step size and mass matrix, and are dropped."""
    draws: Annotated[int, Field(ge=4, le=1_000_000)] = 500
    """Steps of each chain that are kept."""
    target_accept: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Acceptance that the step size is adapted to; nearer to 1 diverges less."""
    max_tree_depth: Annotated[int, Field(ge=1, le=15)] = 10
    """A draw costs at most 2 to this power gradients."""
    vectorised: bool = False
    """Whether all chains advance together, each waiting for the longest trajectory.
    On two cores the draws took as long either way (0.8 to 1.5 times), and compiling
    twice as long."""


class Draws(NamedTuple):
    """What the chains drew after their warm-up."""

    values: Any
    """(chain, draw, parameter), in double precision."""
    diverging: Any
    """(chain, draw): whether the trajectory lost the energy."""
    gradients: Any
    """(chain, draw): how many steps the trajectory had."""


def make_model(
    backend: BackendProtocol, params: NutsParams
) -> Callable[[Any, Any, Any], None]:
    """Return the NumPyro model ``f(tau, g2, errors)``; errors are sigma or whitening.

    Times are sampled as standard normal ``t0_unit``, so that starting values and step
    sizes do not depend on the unit of time.
    """
    import numpyro
    from numpyro import distributions as dist

    def contrast(name: str) -> Any:
        return numpyro.sample(name, dist.HalfNormal(CONTRAST_SCALE))

    def model(tau: Any, g2: Any, errors: Any) -> None:
        centre, spread = _window(backend, tau)
        first = "t1" if params.model == "double" else "t0"
        log_t = centre + spread * numpyro.sample(f"{first}_unit", dist.Normal(0.0, 1.0))
        values = {first: numpyro.deterministic(first, backend.exp(log_t))}
        values["offset"] = numpyro.sample("offset", dist.Normal(OFFSET_MEAN, OFFSET_SD))
        match params.model:
            case "single":
                values["contrast"] = contrast("contrast")
                shape: Callable[..., Any] = decay.single_exponential
            case "double":
                # a Weibull distribution of this exponent is Rayleigh's
                separation = numpyro.sample(
                    "log_separation",
                    dist.Weibull(math.sqrt(2.0) * SEPARATION_SCALE, 2.0),
                )
                values["t2"] = numpyro.deterministic(
                    "t2", backend.exp(log_t + separation)
                )
                values["contrast1"] = contrast("contrast1")
                values["contrast2"] = contrast("contrast2")
                shape = decay.double_exponential
            case "stretched":
                values["contrast"] = contrast("contrast")
                values["alpha"] = numpyro.sample("alpha", dist.Uniform(*ALPHA_RANGE))
                shape = decay.stretched_exponential
        expected = shape(
            backend, tau, *(values[name] for name in PARAMETERS[params.model])
        )
        if params.correlated:
            residual = backend.matmul(errors, g2 - expected)
            numpyro.factor("g2", -0.5 * backend.sum(residual * residual))
        else:
            numpyro.sample("g2", dist.Normal(expected, errors), obs=g2)

    return model


def sample_posterior(
    backend: BackendProtocol, params: NutsParams, inputs: Arrays
) -> Draws:
    """Draw from the posterior; the function to compile, of arrays alone.

    Parameters
    ----------
    inputs : mapping
        ``tau`` (delay,): rising, above 0; ``g2`` (delay,); ``sigma`` (delay,) or, for
        correlated errors, ``whitening`` (delay, delay); ``keys`` (chain, 2): words of
        32 bits.

    Raises
    ------
    ConfigError
        When the backend has no gradients.
    """
    if not backend.supports_grad:
        msg = (
            f"the kernel 'nuts' cannot be computed by the backend {backend.name!r}: a "
            "trajectory follows the gradient of the posterior, and the backend has "
            "none. Take a backend that has: 'jax'."
        )
        raise ConfigError(msg)
    from numpyro.infer.hmc import hmc
    from numpyro.infer.util import constrain_fn, potential_energy

    tau, g2, errors = (
        backend.astype(inputs[name], "float64")
        for name in ("tau", "g2", "whitening" if params.correlated else "sigma")
    )
    model, data = make_model(backend, params), (tau, g2, errors)

    def run_chain(key: Any) -> Draws:
        start_key, chain_key = _two_keys(key)
        start = _start(backend, params.model, tau, g2, start_key)

        # one vector instead of a scalar per name: a sampler has a dozen copies of it
        def named(z: Any) -> dict[str, Any]:
            return {name: z[place] for place, name in enumerate(start)}

        begin, advance = hmc(
            lambda z: potential_energy(model, data, {}, named(z)), algo="NUTS"
        )
        state = begin(
            backend.stack(list(start.values())),
            num_warmup=params.warmup,
            target_accept_prob=params.target_accept,
            max_tree_depth=params.max_tree_depth,
            dense_mass=True,
            # it pulls variances towards 1e-3, where those of a good curve are 1e-6:
            # trajectories get six times longer, and effective draws fewer
            regularize_mass_matrix=False,
            rng_key=chain_key,
        )

        def step(state: Any, _: None) -> tuple[Any, Any]:
            state = advance(state)
            return state, (state.z, state.diverging, state.num_steps)

        # warm-up in a loop of its own would compile the whole sampler twice
        _, (z, diverging, gradients) = backend.scan(
            step, state, None, length=params.warmup + params.draws
        )

        def constrain(z: Any) -> Any:
            values = constrain_fn(model, data, {}, named(z), return_deterministic=True)
            return backend.stack([values[name] for name in PARAMETERS[params.model]])

        return Draws(
            backend.vmap(constrain)(z[params.warmup :]),
            diverging[params.warmup :],
            gradients[params.warmup :],
        )

    if params.vectorised:
        return Draws(*backend.vmap(run_chain)(inputs["keys"]))
    _, drawn = backend.scan(
        lambda carry, key: (carry, run_chain(key)), None, inputs["keys"]
    )
    return Draws(*drawn)


def summarise(backend: BackendProtocol, drawn: Draws) -> dict[str, Any]:
    """Return mean, sd, r_hat, ess (parameter,) and divergences (chain,) of draws."""
    values = drawn.values
    return {
        "mean": backend.mean(values, axis=(0, 1)),
        "sd": backend.std(values, axis=(0, 1)),
        "r_hat": split_r_hat(backend, values),
        "ess": effective_sample_size(backend, values),
        "divergences": backend.sum(backend.astype(drawn.diverging, "int64"), axis=1),
    }


def _window(backend: BackendProtocol, tau: Any) -> tuple[Any, Any]:
    """Return middle and half width of the delays, in logarithms."""
    first, last = backend.log(tau[0]), backend.log(tau[-1])
    return (first + last) / 2, (last - first) / 2


def _two_keys(key: Any) -> tuple[Any, Any]:
    import numpyro

    with numpyro.handlers.seed(rng_seed=key):
        return numpyro.prng_key(), numpyro.prng_key()


def _start(
    backend: BackendProtocol, model: Model, tau: Any, g2: Any, key: Any
) -> dict[str, Any]:
    """Return where a chain starts, in unconstrained coordinates, around a rough guess.

    Plateaus are means of an eighth of the delays, and t0 is where g2 has lost all but
    exp(-2) of its contrast. From far outside the delays a chain finds no gradient.
    """
    import numpyro
    from numpyro import distributions as dist

    eighth = max(1, tau.shape[0] // 8)
    offset = backend.clip(
        backend.mean(g2[-eighth:]), OFFSET_MEAN - OFFSET_SD, OFFSET_MEAN + OFFSET_SD
    )
    contrast = backend.clip(backend.mean(g2[:eighth]) - offset, 0.01, 1.0)
    decayed = backend.abs(g2 - offset - contrast * math.exp(-2.0))
    centre, spread = _window(backend, tau)
    unit = (backend.log(backend.take(tau, backend.argmin(decayed))) - centre) / spread
    log_contrast = backend.log(contrast)
    match model:
        case "single":
            guess = {"t0_unit": unit, "offset": offset, "contrast": log_contrast}
        case "double":
            separation = 0.0 * unit + math.log(SEPARATION_SCALE)
            guess = {
                "t1_unit": unit - SEPARATION_SCALE / 2 / spread,
                "log_separation": separation,
                "offset": offset,
                "contrast1": log_contrast - math.log(2.0),
                "contrast2": log_contrast - math.log(2.0),
            }
        case "stretched":
            guess = {
                "t0_unit": unit,
                "offset": offset,
                "contrast": log_contrast,
                "alpha": 0.0 * unit,  # the middle of the range
            }
    with numpyro.handlers.seed(rng_seed=key):
        return {
            name: value
            + _START_SPREAD[name]
            * numpyro.sample(f"{name}_start", dist.Uniform(-1.0, 1.0))
            for name, value in guess.items()
        }
