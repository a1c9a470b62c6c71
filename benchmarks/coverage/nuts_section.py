"""Whether 95 % credible intervals of NUTS cover the truth, on speckle series.

A series has its own relaxation time, stretching and contrast. Its g2 is taken at single
frames, where no averaging smears it, and comes with the covariance between delays:
values of one series share their pixels, and a likelihood of independent errors would
promise too much. ``run`` is one program for all series, and a row a series, so that a
study can go on where it stopped. On its own, ``python nuts_section.py 200`` prints the
coverage of 200 series.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from section import Counted, Section

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.nuts_sampler import NutsParams, sample_posterior
from xpcs_bench.kernels.speckle import Speckle

__all__ = ["SECTIONS", "covered", "g2_with_covariance", "run", "run_series"]

N_FRAMES, N_PIXELS = 160, 3000
DELAYS = np.unique(np.geomspace(1, 64, 22).round().astype(np.int64))
PARAMS = NutsParams(
    model="stretched",
    correlated=True,
    delays=len(DELAYS),
    chains=1,
    warmup=300,
    draws=500,
    target_accept=0.9,
)
NAMES = PARAMETERS["stretched"]
INTERVAL = 0.95
SERIES = 400


def g2_with_covariance(
    frames: NDArray[Any], delays: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return g2 (delay,) of counts (frame, pixel), and its covariance between delays.

    Pixels are independent, and every pixel is one observation of all delays: to first
    order g2 is off by the mean over pixels of ``g2 (product / <product> - earlier /
    <earlier> - later / <later> + 1)``, whose covariance between delays is estimated
    from the pixels.
    """
    frames = frames.astype(np.float64)
    n_frames, n_pixels = frames.shape
    g2, influence = [], []
    for delay in delays:
        earlier, later = frames[: n_frames - delay], frames[delay:]
        product = np.einsum("tp,tp->p", earlier, later) / len(earlier)
        parts = product, earlier.mean(axis=0), later.mean(axis=0)
        total, left, right = (part.mean() for part in parts)
        value = total / (left * right)
        g2.append(value)
        off = product / total - parts[1] / left - parts[2] / right + 1
        influence.append(value * off)
    return np.array(g2), np.cov(np.array(influence)) / n_pixels


@functools.cache
def _program() -> Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]:
    backend = create_backend("jax")
    compiled = backend.jit(lambda inputs: sample_posterior(backend, PARAMS, inputs))

    def call(host: dict[str, NDArray[Any]]) -> Any:
        drawn = compiled({name: backend.from_numpy(x) for name, x in host.items()})
        return {
            "values": backend.to_numpy(drawn.values),
            "divergences": int(backend.to_numpy(drawn.diverging).sum()),
        }

    return call


def run_series(seed: int) -> dict[str, Any]:
    """Simulate a series, draw from its posterior, and compare with what it was."""
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    rng = np.random.default_rng(seed)
    speckle = Speckle(
        relaxation_frames=float(np.exp(rng.uniform(np.log(5.0), np.log(20.0)))),
        stretching=float(rng.uniform(0.7, 1.5)),
        modes=int(rng.integers(1, 5)),
        mean_counts=2.0,
    )
    truth = {
        "t0": speckle.relaxation_frames,
        "offset": 1.0,
        "contrast": speckle.contrast,
        "alpha": speckle.stretching,
    }
    frames = speckle.make_counts(rng, N_FRAMES, N_PIXELS)
    g2, covariance = g2_with_covariance(frames, DELAYS)
    drawn: Any = _program()(
        {
            "tau": DELAYS.astype(np.float64),
            "g2": g2,
            "whitening": np.linalg.inv(np.linalg.cholesky(covariance)),
            "keys": rng.integers(0, 2**32, size=(1, 2), dtype=np.uint32),
        }
    )
    values = np.asarray(drawn["values"])
    tail = 50 * (1 - INTERVAL)
    ends = np.percentile(values, [tail, 100 - tail], axis=(0, 1))
    return {
        "seed": seed,
        "truth": truth,
        "lower": dict(zip(NAMES, ends[0].tolist(), strict=True)),
        "upper": dict(zip(NAMES, ends[1].tolist(), strict=True)),
        "divergences": drawn["divergences"],
        "r_hat": float(split_gelman_rubin(values).max()),
        "ess": float(effective_sample_size(values).min()),
    }


def run(n_series: int, seed0: int = 0) -> Iterator[dict[str, Any]]:
    """Yield a row for each of some series, the seeds counting up from the first."""
    for seed in range(seed0, seed0 + n_series):
        yield run_series(seed)


def covered(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return which part of the intervals holds the truth, by parameter."""
    return {
        name: float(
            np.mean(
                [r["lower"][name] <= r["truth"][name] <= r["upper"][name] for r in rows]
            )
        )
        for name in NAMES
    }


def count_all() -> list[Counted]:
    """Count over all series, none of which may have a divergence."""
    rows = list(run(SERIES))
    diverged = sum(row["divergences"] for row in rows)
    if diverged:
        msg = f"{diverged} divergences on data that are well posed"
        raise ArithmeticError(msg)
    return [
        Counted(f"{name}, no divergence in any series", round(part * SERIES), SERIES)
        for name, part in covered(rows).items()
    ]


SECTIONS = (
    Section(
        "nuts",
        "Speckle with relaxation times of 5 to 20 frames, stretching 0.7 to 1.5 and 1 "
        f"to 4 modes, drawn anew for each of {SERIES} series of {N_FRAMES} frames of "
        f"{N_PIXELS} pixels; one chain of {PARAMS.draws} draws from the posterior, "
        "whose likelihood has the covariance between delays; central 95 % intervals.",
        count_all,
    ),
)


def main() -> int:
    """Print the coverage of as many series as asked for, from a seed on."""
    n_series, seed0 = (*map(int, sys.argv[1:]), *(200, 0)[len(sys.argv) - 1 :])
    rows = list(run(n_series, seed0))
    doubt = np.sqrt(INTERVAL * (1 - INTERVAL) / n_series)
    for name, part in covered(rows).items():
        print(f"{name:9} {part:7.2%} +- {doubt:.2%} of {n_series} intervals of 95 %")
    print(f"divergences {sum(row['divergences'] for row in rows)}")
    print(f"largest R-hat {max(row['r_hat'] for row in rows):.3f}")
    print(f"fewest effective draws {min(row['ess'] for row in rows):.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
