"""Least squares of a model of g2 for all bins at once, with errors and a status."""

from __future__ import annotations

from typing import Any, NamedTuple

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.kernels.decay import Model
from xpcs_bench.kernels.fit_models import TIMES, FitModel, guess, read_data
from xpcs_bench.kernels.least_squares import covariance_at, minimise

__all__ = ["FittedBins", "fit_bins"]


class FittedBins(NamedTuple):
    """What a fit says of every bin; see :class:`~xpcs_bench.kernels.fit.Fit`."""

    parameters: Any
    """(bin, parameter)"""
    errors: Any
    """(bin, parameter)"""
    chi2: Any
    """(bin,)"""
    freedom: Any
    """(bin,)"""
    status: Any
    """(bin,)"""


def fit_bins(
    backend: BackendProtocol,
    kind: Model,
    tau: Any,
    g2: Any,
    sigma: Any,
    lower: Any,
    upper: Any,
    covariance: Any = None,
    *,
    most: int = 100,
) -> FittedBins:
    """Fit one model to every bin; the arguments are the inputs of the kernel."""
    n_bins = g2.shape[0]
    data = read_data(backend, tau, g2, sigma)
    first = guess(backend, kind, data)
    lower = backend.broadcast_to(backend.expand_dims(lower, 1), first.shape)
    upper = backend.broadcast_to(backend.expand_dims(upper, 1), first.shape)
    first = backend.clip(first, lower, upper)
    model = FitModel(backend, kind, data, first[TIMES[kind][-1]])
    points = backend.sum(backend.astype(data.counted, "int64"), axis=1)
    fitted = backend.sum(backend.astype(upper > lower, "int64"), axis=0)
    wanted = points >= fitted
    minimum = minimise(
        backend,
        model.evaluate,
        model.to_search(first),
        model.box(lower, upper),
        model.noise(),
        wanted,
        most,
    )
    parameters, slopes = model.to_natural(minimum.parameters)
    n_parameters = parameters.shape[0]
    inverse = covariance_at(backend, minimum)
    if covariance is None:
        variances = [inverse[i, i] for i in range(n_parameters)]
    else:
        variances = _sandwich(
            backend, model, data, minimum.parameters, inverse, covariance
        )
    limited = backend.logical_and(minimum.at_limit, wanted)
    errors = backend.where(limited, float("nan"), slopes) * backend.sqrt(
        backend.stack(variances)
    )
    if kind == "double":
        parameters, errors = (
            _by_time(backend, parameters[0] > parameters[1], array)
            for array in (parameters, errors)
        )
    converged = minimum.converged
    code = backend.where(backend.any(limited, axis=0), 2, 1)
    code = backend.where(converged, code, 0)
    status = backend.where(wanted, code, -1)
    known = backend.where(wanted, parameters, float("nan"))
    return FittedBins(
        backend.transpose(known),
        backend.transpose(backend.where(converged, errors, float("nan"))),
        backend.where(wanted, minimum.terms.chi2, float("nan")),
        points - fitted,
        backend.astype(backend.reshape(status, (n_bins,)), "int64"),
    )


def _sandwich(
    backend: BackendProtocol,
    model: FitModel,
    data: Any,
    parameters: Any,
    inverse: Any,
    covariance: Any,
) -> list[Any]:
    """Return the variances of parameters when the data have a covariance.

    A parameter moves with the data by ``inverse J^T W``, which the covariance stands
    in the middle of; if it were ``1 / W`` the variance would be ``inverse``.
    """
    both = backend.logical_and(
        backend.expand_dims(data.counted, 1), backend.expand_dims(data.counted, 2)
    )
    middle = backend.where(both, covariance, 0.0)
    columns = [data.weight * column for column in model.jacobian(parameters)]
    variances = []
    for i in range(len(columns)):
        moved = sum(
            backend.expand_dims(inverse[i, j], 1) * column
            for j, column in enumerate(columns)
        )
        spread = backend.squeeze(
            backend.matmul(middle, backend.expand_dims(moved, 2)), axis=2
        )
        variances.append(backend.maximum(backend.sum(moved * spread, axis=1), 0.0))
    return variances


def _by_time(backend: BackendProtocol, swapped: Any, rows: Any) -> Any:
    """Exchange the decays of a double model where the first is the slower one."""
    first, second, offset, one, two = (rows[i] for i in range(5))
    where = backend.where
    return backend.stack(
        [
            where(swapped, second, first),
            where(swapped, first, second),
            offset,
            where(swapped, two, one),
            where(swapped, one, two),
        ]
    )
