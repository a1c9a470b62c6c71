"""The posterior of the parameters of one g2 curve: its priors, and its quadrature.

The errors of g2 are normal, with a known standard deviation at each delay or a known
covariance between delays. The priors are weak, and the same for every sampler:

* ``log t0`` is normal around the middle of the logarithms of the delays; its standard
  deviation is half of what they span, so that two thirds lie within the delays. The
  faster of two times, ``t1``, likewise;
* ``log(t2 / t1)`` has a Rayleigh distribution of the mode 3: 95 % are factors from 2 to
  3400. It is above zero, so that the two decays cannot change names, and is unlikely
  near zero, where they would be one. Its tail is that of a normal distribution: one
  of a heavier tail would leave t2 without a mean;
* the offset is normal, 1 +- 0.05;
* a contrast is half-normal of the scale 0.5: positive, and seldom above one;
* alpha is uniform between 0.2 and 2, the largest that a process can have.

:func:`integrate_posterior` knows no backend and no sampler. Given the relaxation times
and alpha the model is linear, and offset and contrasts are integrated in closed form;
what is left, one or two dimensions, is covered by Gauss-Legendre nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xpcs_bench.kernels.decay import Model

__all__ = [
    "ALPHA_RANGE",
    "CONTRAST_SCALE",
    "OFFSET_MEAN",
    "OFFSET_SD",
    "SEPARATION_SCALE",
    "Moments",
    "integrate_posterior",
]

OFFSET_MEAN, OFFSET_SD = 1.0, 0.05
CONTRAST_SCALE = 0.5
ALPHA_RANGE = (0.2, 2.0)
SEPARATION_SCALE = 3.0
"""Mode of ``log(t2 / t1)``."""

_DEPTH = 45.0
"""Logarithm of how far below its maximum the posterior is left out: e^-45 is 3e-20."""
_COARSE = 41
"""Points along an axis by which the posterior is looked for."""
_WIDTHS = 9.0
"""Standard deviations of a contrast to either side that are covered."""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of every parameter, in the order of PARAMETERS."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


class _Axis(NamedTuple):
    """How far a dimension that is covered by nodes extends at most."""

    lowest: float
    highest: float


@dataclass(frozen=True)
class _Nodes:
    """Places in the posterior with their weight, and what is known at each.

    Attributes
    ----------
    log_weight : (node,)
        Of the posterior, not normalised.
    mean, variance : (parameter, node)
        Of the parameters given the place; the variance is 0 for those that are fixed
        by it.
    """

    log_weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


def integrate_posterior(
    model: Model,
    tau: NDArray[Any],
    g2: NDArray[Any],
    whitening: NDArray[Any],
    *,
    nodes: int = 80,
) -> Moments:
    """Integrate the posterior of one curve.

    Parameters
    ----------
    tau : (delay,)
        Delays, rising, all above 0.
    g2 : (delay,)
        Values.
    whitening : (delay,) or (delay, delay)
        1 / sigma, or the inverse of the lower Cholesky factor of the covariance.
    nodes : int
        Along each axis. 80 leave less than 1e-9 of a standard deviation where data
        say something about every parameter.

    Raises
    ------
    ValueError
        When a number is not finite, or the posterior is not found.
    """
    tau, g2, whitening = (np.asarray(x, np.float64) for x in (tau, g2, whitening))
    for name, array in (("tau", tau), ("g2", g2), ("whitening", whitening)):
        if not np.isfinite(array).all():
            place = int(np.argmin(np.isfinite(array)))
            msg = (
                f"{name} is not finite at the place {place}, and a posterior needs "
                "numbers. Leave out the delay."
            )
            raise ValueError(msg)
    if whitening.ndim == 1:
        whitening = np.diag(whitening)
    curve = _Curve(model, np.log(tau), g2 - OFFSET_MEAN, whitening)
    box = _find(curve)
    places, weights = _gauss_legendre(box, nodes)
    found = curve.integrate_linear(places, np.log(weights))
    weight = np.exp(found.log_weight - found.log_weight.max())
    weight /= weight.sum()
    mean = found.mean @ weight
    spread = (found.mean - mean[:, None]) ** 2 + found.variance
    return Moments(mean, np.sqrt(spread @ weight))


class _Curve:
    """One curve and its priors."""

    def __init__(
        self,
        model: Model,
        log_tau: NDArray[np.float64],
        excess: NDArray[np.float64],
        whitening: NDArray[np.float64],
    ) -> None:
        self.model = model
        self.log_tau = log_tau
        self.centre = (log_tau[0] + log_tau[-1]) / 2
        self.spread = (log_tau[-1] - log_tau[0]) / 2
        self.whitening = whitening
        self.ones = whitening.sum(axis=1)
        self.data = whitening @ excess
        self.offset_precision = self.ones @ self.ones + OFFSET_SD**-2

    @property
    def axes(self) -> tuple[_Axis, ...]:
        farthest = 8 * self.spread
        time = _Axis(self.centre - farthest, self.centre + farthest)
        match self.model:
            case "single":
                return (time,)
            case "stretched":
                return time, _Axis(*ALPHA_RANGE)
            case "double":
                return time, _Axis(0.0, 9 * SEPARATION_SCALE)

    def log_prior(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of what the nodes cover (node,), but for constants."""
        unit = (places[:, 0] - self.centre) / self.spread
        log_prior: NDArray[np.float64] = -0.5 * unit**2
        if self.model == "double":
            separation = places[:, 1]
            log_prior += np.log(separation)
            log_prior -= 0.5 * (separation / SEPARATION_SCALE) ** 2
        return log_prior

    def decays(self, places: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """What the contrasts multiply: (node, delay) each."""
        log_ratio = self.log_tau - places[:, :1]
        # a decay that has ended long ago underflows, as it should
        with np.errstate(over="ignore", under="ignore"):
            match self.model:
                case "single":
                    return [np.exp(-2 * np.exp(log_ratio))]
                case "stretched":
                    return [np.exp(-2 * np.exp(places[:, 1:] * log_ratio))]
                case "double":
                    slow = np.exp(-2 * np.exp(log_ratio - places[:, 1:]))
                    return [np.exp(-2 * np.exp(log_ratio)), slow]

    def integrate_linear(
        self, places: NDArray[np.float64], log_weight: NDArray[np.float64]
    ) -> _Nodes:
        """Integrate offset and contrasts at places (node, axis) with their weights."""
        shapes = [decay @ self.whitening.T for decay in self.decays(places)]
        # the offset is integrated first: it takes away what looks like itself
        on_ones = [shape @ self.ones for shape in shapes]
        data_on_ones = self.data @ self.ones
        slope = np.array(
            [
                shape @ self.data - on * data_on_ones / self.offset_precision
                for shape, on in zip(shapes, on_ones, strict=True)
            ]
        )
        n = len(shapes)
        curvature = np.empty((n, n, len(places)))
        for i, j in product(range(n), repeat=2):
            overlap = np.einsum("nd,nd->n", shapes[i], shapes[j])
            curvature[i, j] = overlap - on_ones[i] * on_ones[j] / self.offset_precision
            if i == j:
                curvature[i, j] += CONTRAST_SCALE**-2
        log_weight = log_weight + self.log_prior(places)
        times = np.exp(places[:, 0])
        if n == 1:
            more, mean, variance = _positive_normal(slope[0], curvature[0, 0])
            offset, offset_variance = self._offset(
                data_on_ones, on_ones[0] * mean, on_ones[0] ** 2 * variance
            )
            zero = np.zeros_like(times)
            means = [times, offset, mean]
            variances = [zero, offset_variance, variance]
            if self.model == "stretched":
                means.append(places[:, 1])
                variances.append(zero)
            return _Nodes(log_weight + more, np.array(means), np.array(variances))
        slow, weights = _cover_second(slope, curvature)
        given = slope[0][:, None] - curvature[0, 1][:, None] * slow
        more, mean, variance = _positive_normal(given, curvature[0, 0][:, None])
        exponent = slope[1][:, None] * slow - 0.5 * curvature[1, 1][:, None] * slow**2
        offset, offset_variance = self._offset(
            data_on_ones,
            on_ones[0][:, None] * mean + on_ones[1][:, None] * slow,
            on_ones[0][:, None] ** 2 * variance,
        )
        zero = np.zeros_like(slow)
        columns = [
            times[:, None] + zero,
            np.exp(places[:, 0] + places[:, 1])[:, None] + zero,
            offset,
            mean,
            slow,
        ]
        spreads = [zero, zero, offset_variance, variance, zero]
        return _Nodes(
            (log_weight[:, None] + more + exponent + np.log(weights)).ravel(),
            np.array([column.ravel() for column in columns]),
            np.array([spread.ravel() for spread in spreads]),
        )

    def _offset(
        self,
        data_on_ones: float,
        decay_mean: NDArray[np.float64],
        decay_variance: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        precision = self.offset_precision
        mean = OFFSET_MEAN + (data_on_ones - decay_mean) / precision
        return mean, 1 / precision + decay_variance / precision**2


def _positive_normal(
    slope: NDArray[np.float64], curvature: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return log of the integral of ``exp(slope c - curvature c^2 / 2)`` over c > 0,
    but for a constant, and mean and variance of c.
    """  # noqa: D205 (one sentence)
    from scipy.special import log_ndtr

    sd = curvature**-0.5
    standard = slope * sd
    log_part = log_ndtr(standard)
    mills = np.exp(-0.5 * standard**2 - 0.5 * math.log(2 * math.pi) - log_part)
    variance = sd**2 * np.maximum(1 - mills * (mills + standard), 0.0)
    return (
        0.5 * standard**2 + np.log(sd) + log_part,
        sd * (standard + mills),
        variance,
    )


def _cover_second(
    slope: NDArray[np.float64], curvature: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values (node, step) of the second of two contrasts, and their weights.

    They are around the most likely pair of which none is below zero.
    """
    (a, b), (_, d) = curvature
    determinant = a * d - b * b
    second = (a * slope[1] - b * slope[0]) / determinant
    first = (d * slope[0] - b * slope[1]) / determinant
    second = np.maximum(np.where(first > 0, second, slope[1] / d), 0.0)
    sd = np.sqrt(a / determinant)
    first = np.maximum((slope[0] - b * second) / a, 0.0)
    # at zero it falls at least exponentially, which may be much faster
    fall = np.maximum(b * first - slope[1], 0.0)
    reach = np.where(
        second > 0, _WIDTHS * sd, np.minimum(_WIDTHS * sd, _DEPTH / (fall + 1e-300))
    )
    low, high = np.maximum(second - reach, 0.0), second + reach
    at, weight = np.polynomial.legendre.leggauss(48)
    half = (high - low)[:, None] / 2
    return low[:, None] + half * (at + 1), half * weight


def _find(curve: _Curve) -> list[tuple[float, float]]:
    """Return the box (axis) outside of which the posterior is next to nothing.

    Looks from afar first, and at an ever smaller box. From afar one cell may hold more
    than all others, and not the maximum: where the posterior reaches an end of the box
    that is no end of the parameter, the box grows beyond it.
    """
    axes = curve.axes
    box = [(axis.lowest, axis.highest) for axis in axes]
    for _ in range(60):
        grids = [np.linspace(low, high, _COARSE) for low, high in box]
        # an end where nothing is possible is no place to look at
        grids = [grid[:-1] + np.diff(grid) / 2 for grid in grids]
        places = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1)
        flat = places.reshape(-1, len(axes))
        found = curve.integrate_linear(flat, np.zeros(len(flat))).log_weight
        height = found.reshape(*(len(grid) for grid in grids), -1).max(axis=-1)
        inside = height > height.max() - _DEPTH
        fresh, settled = [], True
        for k, (axis, (low, high)) in enumerate(zip(axes, box, strict=True)):
            others = tuple(i for i in range(len(axes)) if i != k)
            along = np.flatnonzero(inside.any(axis=others))
            width = high - low
            step = width / (_COARSE - 1)
            start = low + (along[0] - 1) * step
            end = low + (along[-1] + 2) * step
            if along[0] == 0 and low > axis.lowest:
                start, settled = low - width / 2, False
            if along[-1] == _COARSE - 2 and high < axis.highest:
                end, settled = high + width / 2, False
            fresh.append((max(start, axis.lowest), min(end, axis.highest)))
            settled = settled and end - start > 0.8 * width
        box = fresh
        if settled:
            return box
    msg = (
        f"the posterior of the {curve.model!r} model was not found: the box around it "
        f"does not settle, the last was {box!r}. Check the delays and the errors."
    )
    raise ValueError(msg)


def _gauss_legendre(
    box: list[tuple[float, float]], nodes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes (node, axis) over a box, and weights (node,) up to a constant."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    axes = [low + (high - low) / 2 * (at + 1) for low, high in box]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    weights = weight
    for _ in box[1:]:
        weights = np.multiply.outer(weights, weight)
    return places.reshape(-1, len(box)), weights.ravel()
