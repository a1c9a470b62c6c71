"""The models of g2 as a fit needs them: with derivatives, and with a first guess.

They are those of :mod:`~xpcs_bench.kernels.decay`, in the standard exponent, written
so that residuals are as exact as their data. Near g2 = 1 a model that is added up is
rounded to an ULP of 1, which a contrast of 0.01 turns into 100 ULP of the relaxation
time. Here ``g2 - 1`` and ``offset - 1`` are subtracted first, which is exact, and
times are measured in units of the first guess: the parameters of a search are
``log(t / reference)``, ``offset - 1``, the contrast and alpha.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.kernels.decay import PARAMETERS, Model
from xpcs_bench.kernels.least_squares import Box, Terms

__all__ = ["TIMES", "Data", "FitModel", "guess", "read_data"]

TIMES: Mapping[Model, tuple[int, ...]] = {
    kind: tuple(i for i, name in enumerate(names) if name.startswith("t"))
    for kind, names in PARAMETERS.items()
}
"""Which columns are relaxation times, the slowest last."""

_DECAYS: Mapping[Model, tuple[tuple[str, str], ...]] = {
    "single": (("t0", "contrast"),),
    "double": (("t1", "contrast1"), ("t2", "contrast2")),
    "stretched": (("t0", "contrast"),),
}
"""Time and contrast of each decay."""

_GONE = 6.0
"""Of log z: exp(-2 exp(6)) is zero in double precision, its derivatives are too."""
_LONGEST_STEP = 2.0
"""By this a logarithm of a time changes at most in one step."""
_SHORTEST_TIME = 1e-30
# -log(t0) is the mean, up to a factor alpha, of a Gumbel distribution
_MEAN = math.log(2) + 0.5772156649015329
_VARIANCE = math.pi**2 / 6


class Data(NamedTuple):
    """What is fitted; what does not count has the weight zero and harmless values."""

    excess: Any
    """g2 - 1 (bin, delay)."""
    weight: Any
    """1 / sigma**2 (bin, delay)."""
    tau: Any
    """(delay,), 1 where it is not a positive number."""
    above: Any
    """Whether the delay is a number above zero (delay,)."""
    positive: Any
    """1 where the delay is above zero, 0 where it is zero (bin, delay)."""
    counted: Any
    """Whether the point counts (bin, delay)."""


def read_data(backend: BackendProtocol, tau: Any, g2: Any, sigma: Any) -> Data:
    """Sort out the points that count.

    Left out are those whose delay, g2 or sigma is not finite, whose delay is negative,
    and whose sigma is not above zero: they say nothing.
    """
    known = backend.logical_and(backend.isfinite(tau), tau >= 0)
    counted = backend.logical_and(backend.isfinite(g2), backend.isfinite(sigma))
    counted = backend.logical_and(counted, sigma > 0)
    counted = backend.logical_and(counted, backend.expand_dims(known, 0))
    root = 1.0 / backend.where(counted, sigma, 1.0)
    above = backend.logical_and(known, tau > 0)
    positive = backend.logical_and(counted, backend.expand_dims(above, 0))
    return Data(
        excess=backend.where(counted, g2, 1.0) - 1.0,
        weight=backend.where(counted, root * root, 0.0),
        tau=backend.where(above, tau, 1.0),
        above=above,
        positive=backend.where(positive, backend.ones_like(g2), 0.0),
        counted=counted,
    )


def guess(backend: BackendProtocol, kind: Model, data: Data) -> Any:
    """Guess parameters (parameter, bin) from data whose delays rise.

    The offset is the weighted mean of the last eighth of the delays, or so, and the
    contrast that of the first less the offset. In between, the decay falls from 1 to
    0 as one minus a distribution of log tau does, the mean and variance of which are
    integrals over it; for a stretched exponential they are known functions of t0 and
    alpha. Two decays are put on either side of the mean, as far apart as the variance
    asks for. A single decay is guessed as a stretched one with alpha = 1.
    """
    n_delays = data.excess.shape[1]
    dtype = data.excess.dtype
    along = (np.arange(n_delays) + 0.5) / n_delays
    ends = []
    for weight in ((1 - along) ** 8, along**8):
        w = data.weight * backend.array(weight[None], dtype)
        weights = backend.sum(w, axis=1)
        mean = backend.sum(w * data.excess, axis=1)
        ends.append(mean / backend.where(weights > 0, weights, 1.0))
    offset = ends[1]
    contrast = backend.maximum(ends[0] - offset, 1e-3)
    decay = data.positive * backend.clip(
        (data.excess - backend.expand_dims(offset, 1))
        / backend.expand_dims(contrast, 1),
        0.0,
        1.0,
    )
    log_tau = backend.log(data.tau)
    huge = float(np.finfo(np.dtype(dtype)).max)
    first = backend.min(backend.where(data.above, log_tau, huge))
    first = backend.where(backend.any(data.above), first, 0.0)
    # the axis is cut into cells at the middle between neighbours
    cell = backend.where(data.above, _cells(backend, log_tau), 0.0)
    covered = backend.sum(data.positive * cell, axis=1)
    # points that are missing are taken for an average of the others
    scale = backend.sum(cell) / backend.where(covered > 0, covered, 1.0)
    decay = decay * cell
    mean = scale * backend.sum(decay, axis=1)
    second = 2.0 * scale * backend.sum(decay * (log_tau - first), axis=1)
    variance = second - mean * mean
    alpha = backend.clip(
        backend.sqrt(_VARIANCE / backend.maximum(variance, 0.1)), 0.4, 1.6
    )
    if kind != "stretched":
        alpha = backend.ones_like(alpha)
    middle = first + mean + _MEAN / alpha
    if kind == "double":
        apart = backend.sqrt(backend.maximum(variance - _VARIANCE, 0.5))
        half = contrast / 2.0
        rows = [
            backend.exp(middle - apart),
            backend.exp(middle + apart),
            offset + 1.0,
            half,
            half,
        ]
    else:
        rows = [backend.exp(middle), offset + 1.0, contrast]
        if kind == "stretched":
            rows.append(alpha)
    return backend.stack(rows)


def _cells(backend: BackendProtocol, x: Any) -> Any:
    """Return half the distance between the neighbours of each point (delay,)."""
    if x.shape[0] < 2:
        return backend.ones_like(x)
    gap = (x[1:] - x[:-1]) / 2.0
    none = backend.zeros_like(x[:1])
    cells = backend.concatenate([gap, none]) + backend.concatenate([none, gap])
    return backend.maximum(cells, 0.0)


class FitModel:
    """One model on the data of all bins, around a reference time for each.

    Parameters of a search are rows (parameter, bin) in the order of
    :data:`PARAMETERS`, times as ``log(t / reference)`` and offsets as ``offset - 1``.
    """

    def __init__(
        self, backend: BackendProtocol, kind: Model, data: Data, reference: Any
    ) -> None:
        self._backend = backend
        self._data = data
        self._reference = reference
        self._names = PARAMETERS[kind]
        self._decays = tuple(
            (self._names.index(time), self._names.index(contrast))
            for time, contrast in _DECAYS[kind]
        )
        self._offset = self._names.index("offset")
        self._alpha = self._names.index("alpha") if kind == "stretched" else None
        ratio = backend.expand_dims(data.tau, 0) / backend.expand_dims(reference, 1)
        self._ratio = 2.0 * ratio * data.positive
        self._log_ratio = backend.log(ratio)

    @property
    def times(self) -> tuple[int, ...]:
        """Which parameters are times."""
        return tuple(time for time, _ in self._decays)

    def to_search(self, natural: Any) -> Any:
        """Return the parameters of a search for those of the model."""
        backend = self._backend
        rows = [natural[i] for i in range(len(self._names))]
        for time in self.times:
            t = backend.maximum(rows[time], _SHORTEST_TIME)
            rows[time] = backend.log(t / self._reference)
        rows[self._offset] = rows[self._offset] - 1.0
        return backend.stack(rows)

    def to_natural(self, searched: Any) -> tuple[Any, Any]:
        """Return the parameters of the model, and their slopes by those of the search.

        Both are (parameter, bin).
        """
        backend = self._backend
        rows = [searched[i] for i in range(len(self._names))]
        slopes = [backend.ones_like(row) for row in rows]
        for time in self.times:
            rows[time] = slopes[time] = self._reference * backend.exp(rows[time])
        rows[self._offset] = rows[self._offset] + 1.0
        return backend.stack(rows), backend.stack(slopes)

    def box(self, lower: Any, upper: Any) -> Box:
        """Return the limits of a search for those of the model (parameter, bin)."""
        longest = [math.inf] * len(self._names)
        for time in self.times:
            longest[time] = _LONGEST_STEP
        return Box(self.to_search(lower), self.to_search(upper), tuple(longest))

    def noise(self) -> Any:
        """Return by how much rounding of the residuals moves chi2 (bin,)."""
        data = self._data
        eps = float(np.finfo(np.dtype(data.excess.dtype)).eps)
        size = self._backend.sum(data.weight * data.excess * data.excess, axis=1)
        return (32 * eps) ** 2 * size

    def jacobian(self, searched: Any) -> list[Any]:
        """Return the derivative of g2 by each parameter, each (bin, delay)."""
        _, columns, factors, _ = self._look(searched)
        return [
            column * self._backend.expand_dims(factor, 1)
            for column, factor in zip(columns, factors, strict=True)
        ]

    def evaluate(self, searched: Any) -> Terms:
        """Return chi2 and its derivatives up to the second, summed over the delays."""
        backend, weight = self._backend, self._data.weight
        total = functools.partial(backend.sum, axis=1)
        residual, columns, factors, bent = self._look(searched)
        weighed = weight * residual
        slopes = [total(weighed * column) for column in columns]
        n = len(columns)
        normal = {
            (i, j): factors[i] * factors[j] * total((weight * columns[i]) * columns[j])
            for i in range(n)
            for j in range(i + 1)
        }
        # only derivatives by time, contrast and alpha of the same decay are not zero
        curvature = {}
        alpha = self._alpha
        for (time, contrast), (curved, log_ratio) in zip(
            self._decays, bent, strict=True
        ):
            c = searched[contrast]
            q = weighed * curved
            a = 1.0 if alpha is None else searched[alpha]
            curvature[time, time] = -c * a * a * total(q)
            curvature[contrast, time] = -a * slopes[time]
            if alpha is not None:
                q = q * log_ratio
                curvature[alpha, time] = -c * (slopes[time] - a * total(q))
                curvature[alpha, alpha] = -c * total(q * log_ratio)
                curvature[alpha, contrast] = slopes[alpha]
        return Terms(
            total(weighed * residual),
            backend.stack(
                [-f * slope for f, slope in zip(factors, slopes, strict=True)]
            ),
            self._symmetric(normal),
            self._symmetric(curvature),
        )

    def _symmetric(self, lower: dict[tuple[int, int], Any]) -> Any:
        """Return a matrix (parameter, parameter, bin) from what is below its diagonal.

        What is not given is zero.
        """
        backend = self._backend
        indices = range(len(self._names))
        none = backend.zeros_like(self._reference)
        rows = [
            backend.stack([lower.get((max(i, j), min(i, j)), none) for j in indices])
            for i in indices
        ]
        return backend.stack(rows)

    def _look(
        self, searched: Any
    ) -> tuple[Any, list[Any], list[Any], list[tuple[Any, Any]]]:
        """Return residuals, derivatives and what second derivatives are made of.

        A derivative is a column (bin, delay) times a factor (bin,). With ``e =
        exp(-z)`` and ``h = z e`` a decay is ``c e``; by the logarithm of its time it
        changes by ``c alpha h``, by alpha by ``-c v h``, where v is the logarithm of
        tau / t; the second derivatives have ``h (z - 1)``.
        """
        backend, data = self._backend, self._data
        one = backend.ones_like(data.excess)
        columns: list[Any] = [one] * len(self._names)
        factors: list[Any] = [backend.ones_like(searched[0])] * len(self._names)
        residual = data.excess - backend.expand_dims(searched[self._offset], 1)
        bent = []
        for time, contrast in self._decays:
            c = searched[contrast]
            log_time = backend.expand_dims(searched[time], 1)
            log_ratio = None
            if self._alpha is None:
                factors[time] = c
                z = backend.minimum(
                    self._ratio * backend.exp(-log_time), 2 * math.exp(_GONE)
                )
            else:
                alpha = backend.expand_dims(searched[self._alpha], 1)
                factors[time] = c * searched[self._alpha]
                log_ratio = self._log_ratio - log_time
                z = (2.0 * data.positive) * backend.exp(
                    backend.minimum(alpha * log_ratio, _GONE)
                )
            e = backend.exp(-z)
            h = z * e
            columns[time], columns[contrast] = h, e
            if self._alpha is not None:
                columns[self._alpha], factors[self._alpha] = log_ratio * h, -c
            residual = residual - backend.expand_dims(c, 1) * e
            bent.append((h * (z - 1.0), log_ratio))
        return residual, columns, factors, bent
