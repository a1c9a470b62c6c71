"""Intervals of the batch fit on speckle whose tau, contrast and stretching are known.

Each series is drawn, correlated and fitted as an experiment is. Only delays of the
first level are fitted: in later ones frames are averaged, and g2 is no longer that of
the model (see ``Speckle.g2_of_means``). Delay 0, which has the shot noise, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from section import Counted, Section

from xpcs_bench.backends import BackendProtocol, create_backend
from xpcs_bench.kernels.fit_bins import fit_bins
from xpcs_bench.kernels.g2_covariance import g2_with_covariance
from xpcs_bench.kernels.speckle import Speckle

__all__ = ["SECTIONS", "SETTINGS", "Setting", "cover", "simulate"]

NAMES = ("tau", "offset", "contrast", "stretching")
Z = 1.959963984540054
"""Of a normal distribution: thousands of pixels leave nothing to a t distribution."""


@dataclass(frozen=True)
class Setting:
    """One sample at one q, and how long it is looked at."""

    speckle: Speckle
    frames: int = 128
    pixels: int = 3000
    delays: int = 40
    """1 to this many frames."""


SETTINGS = (
    Setting(Speckle(relaxation_frames=8.0, stretching=1.0, modes=1, mean_counts=1.0)),
    Setting(Speckle(relaxation_frames=10.0, stretching=0.7, modes=1, mean_counts=2.0)),
    Setting(Speckle(relaxation_frames=12.0, stretching=1.5, modes=2, mean_counts=1.0)),
)
SERIES = 400
"""Of each setting."""


def simulate(
    setting: Setting, seeds: Sequence[int], backend: BackendProtocol
) -> dict[str, NDArray[Any]]:
    """Draw and correlate a series for each seed; return what a fit takes."""
    levels = (range(1, setting.delays + 1),)
    correlate = backend.jit(
        lambda frames: g2_with_covariance(
            backend, backend.astype(frames, "float64"), levels
        )
    )
    curves, covariances = [], []
    for seed in seeds:
        frames = setting.speckle.make_counts(
            np.random.default_rng(seed), setting.frames, setting.pixels
        )
        g2, covariance = correlate(backend.from_numpy(frames))
        curves.append(backend.to_numpy(g2))
        covariances.append(backend.to_numpy(covariance))
    covariance = np.stack(covariances)
    return {
        "tau": np.arange(1.0, setting.delays + 1),
        "g2": np.stack(curves),
        "sigma": np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)),
        "covariance": covariance,
    }


def cover(
    setting: Setting, data: dict[str, NDArray[Any]], *, correlated: bool
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Fit all series at once; say which intervals hold the truth, and the status.

    The first is (series, parameter) in the order of ``NAMES``.
    """
    backend = create_backend("numpy")
    speckle = setting.speckle
    fitted = fit_bins(
        backend,
        "stretched",
        data["tau"],
        data["g2"],
        data["sigma"],
        np.array([1e-2, 0.5, 0.0, 0.1]),
        np.array([1e4, 1.5, 2.0, 3.0]),
        data["covariance"] if correlated else None,
    )
    truth = (speckle.relaxation_frames, 1.0, speckle.contrast, speckle.stretching)
    away = np.abs(fitted.parameters - np.array(truth))
    return away <= Z * fitted.errors, fitted.status


def count_all() -> list[Counted]:
    """Count over all settings, and for each of them."""
    backend = create_backend("jax")
    held: dict[bool, list[NDArray[np.bool_]]] = {True: [], False: []}
    found = []
    for place, setting in enumerate(SETTINGS):
        seeds = range(1000 * place, 1000 * place + SERIES)
        data = simulate(setting, seeds, backend)
        for correlated, results in held.items():
            inside, status = cover(setting, data, correlated=correlated)
            if (status < 1).any():
                msg = f"{(status < 1).sum()} fits of {setting} did not converge"
                raise ArithmeticError(msg)
            results.append(inside)
    for correlated, results in held.items():
        errors = "covariance of the pixels" if correlated else "sigma alone"
        for inside, setting in zip(results, SETTINGS, strict=True):
            s = setting.speckle
            label = f"alpha {s.stretching:g}, {s.modes} modes"
            found += [
                Counted(
                    f"{name}, {errors}, {label}",
                    int(hits.sum()),
                    hits.size,
                    asked=False,
                )
                for name, hits in zip(NAMES, inside.T, strict=True)
            ]
        found += [
            Counted(f"{name}, {errors}", int(hits.sum()), hits.size, asked=correlated)
            for name, hits in zip(NAMES, np.concatenate(results).T, strict=True)
        ]
    return found


SECTIONS = (
    Section(
        "fit",
        "Speckle with stretching 0.7, 1 and 1.5 and contrast 1 and 1/2, 400 series "
        "each of 128 frames of 3000 pixels; g2 at delays of 1 to 40 frames, weighted "
        "least squares with all four parameters free, intervals of 1.96 standard "
        "errors. The errors of g2 are correlated along the curve: with the covariance "
        "that the scatter of the pixels gives, intervals cover as they should; with "
        "the error bars alone they do not.",
        count_all,
    ),
)
