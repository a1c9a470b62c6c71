"""Least squares for many small problems at once, with limits on the parameters.

Every bin has its own problem with the same few parameters. All bins take each step
together, and those that have arrived are frozen; matrices are unrolled into their
elements, so that a step is arithmetic on arrays over bins, and nothing here loops over
bins or calls a solver of linear equations.

The method is a damped one after Levenberg and Marquardt, projected on the limits
(C. Kanzow, N. Yamashita, M. Fukushima, J. Comput. Appl. Math. 172, 375 (2004)): a
parameter at a limit that chi2 pulls beyond it takes no part in a step, and what a step
carries beyond a limit is put back to it. Near the minimum the second derivatives of
the model are taken into account, undamped. The convergence is then quadratic, where
that of Gauss and Newton is linear and slow for noisy data, and the minimum is found to
rounding, so that two backends agree although they round differently on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xpcs_bench.backends import BackendProtocol

__all__ = ["Box", "Minimum", "Terms", "covariance_at", "minimise"]

_FIRST_DAMPING = 1e-2
_AFTER_FAILURE = 1e-2
_LARGEST_DAMPING = 1e12
_NEAR = 0.03
"""A step that lowers chi2 by less than this part of it ends the damped phase."""


class Terms(NamedTuple):
    """What is known of ``chi2 = sum w r**2`` at some parameters, for every bin."""

    chi2: Any
    """(bin,)"""
    gradient: Any
    """Of half of chi2: ``-sum w r dmodel`` (parameter, bin)."""
    normal: Any
    """``sum w dmodel dmodel`` (parameter, parameter, bin)."""
    curvature: Any
    """What half the second derivative of chi2 has besides: ``-sum w r d2model``."""


class Box(NamedTuple):
    """What parameters may be."""

    lower: Any
    """(parameter, bin)"""
    upper: Any
    """(parameter, bin); where it is not above ``lower`` the parameter is fixed."""
    longest: tuple[float, ...]
    """By how much each may change in one step; infinite where nothing is known."""


class Minimum(NamedTuple):
    """Where the search has ended."""

    parameters: Any
    """(parameter, bin)"""
    terms: Terms
    """At these parameters."""
    converged: Any
    """Whether chi2 could fall by no more than its rounding errors (bin,)."""
    fixed: Any
    """Whether the limits leave no room (parameter, bin)."""
    at_limit: Any
    """Whether it is at a limit that leaves room on the other side (parameter, bin)."""
    iterations: Any
    """Steps that were taken until the last bin had arrived (0-d)."""


def minimise(
    backend: BackendProtocol,
    evaluate: Callable[[Any], Terms],
    start: Any,
    box: Box,
    noise: Any,
    wanted: Any,
    most: int,
) -> Minimum:
    """Find the least chi2 of every bin.

    Parameters
    ----------
    evaluate : callable
        Returns the terms at parameters (parameter, bin).
    start : array
        Parameters to begin with, within the box.
    noise : array
        The fall of chi2 that rounding errors of the residuals alone promise (bin,).
    wanted : array
        Which bins have a problem (bin,); the others are left as they start.
    most : int
        Steps after which the search is given up.
    """
    dtype = start.dtype
    eps = float(np.finfo(np.dtype(dtype)).eps)
    n_parameters, n_bins = start.shape
    fixed = box.upper <= box.lower

    def body(state: Any) -> Any:
        count, parameters, packed, damping, running = state
        terms = _unpack(backend, packed, n_parameters)
        undamped = damping == 0.0
        step, fall, solid = _step(backend, parameters, terms, box, damping, undamped)
        trial = backend.clip(parameters + step, box.lower, box.upper)
        found = evaluate(trial)
        floor = eps**0.9 * terms.chi2 + noise
        arrived = backend.logical_and(solid, undamped)
        arrived = backend.logical_and(arrived, fall <= floor)
        # what rounding may make of the same chi2, in its sum and in its residuals
        slack = 100 * eps * terms.chi2 + noise
        slack = slack + 2 * backend.sqrt(terms.chi2) * backend.sqrt(noise)
        # the last step is the best, whatever rounding makes of chi2
        better = backend.logical_or(arrived, found.chi2 <= terms.chi2 + slack)
        better = backend.logical_and(solid, better)
        moved = backend.logical_and(running, better)
        near = backend.logical_and(better, fall <= _NEAR * terms.chi2 + noise)
        near = backend.logical_and(near, count > 0)
        stronger = backend.clip(damping * 10, _AFTER_FAILURE, _LARGEST_DAMPING)
        return (
            count + 1,
            backend.where(moved, trial, parameters),
            backend.where(moved, _pack(backend, found), packed),
            backend.where(better, backend.where(near, 0.0, damping / 10), stronger),
            backend.logical_and(running, backend.logical_not(arrived)),
        )

    def unfinished(state: Any) -> Any:
        return backend.logical_and(state[0] <= most, backend.any(state[-1]))

    # nothing is known at first: the first step leads nowhere and is an improvement
    unknown = Terms(
        backend.full((n_bins,), float(np.finfo(np.dtype(dtype)).max) / 4, dtype),
        backend.zeros((n_parameters, n_bins), dtype),
        backend.zeros((n_parameters, n_parameters, n_bins), dtype),
        backend.zeros((n_parameters, n_parameters, n_bins), dtype),
    )
    begin = (
        backend.array(0, "int64"),
        start,
        _pack(backend, unknown),
        backend.full((n_bins,), 10 * _FIRST_DAMPING, dtype),
        wanted,
    )
    count, parameters, found, _, running = backend.while_loop(unfinished, body, begin)
    on_edge = backend.logical_or(parameters <= box.lower, parameters >= box.upper)
    return Minimum(
        parameters,
        _unpack(backend, found, n_parameters),
        backend.logical_and(wanted, backend.logical_not(running)),
        fixed,
        backend.logical_and(on_edge, backend.logical_not(fixed)),
        count,
    )


def _pack(backend: BackendProtocol, terms: Terms) -> Any:
    """Put terms into one array (row, bin): one choice, and not four, keeps the best."""
    n_bins = terms.chi2.shape[0]
    return backend.concatenate([backend.reshape(part, (-1, n_bins)) for part in terms])


def _unpack(backend: BackendProtocol, packed: Any, n_parameters: int) -> Terms:
    n = n_parameters
    square = (n, n, packed.shape[1])
    return Terms(
        packed[0],
        packed[1 : n + 1],
        backend.reshape(packed[n + 1 : n + 1 + n * n], square),
        backend.reshape(packed[n + 1 + n * n :], square),
    )


def covariance_at(backend: BackendProtocol, minimum: Minimum) -> Any:
    """Return the inverse of the normal matrix (parameter, parameter, bin).

    Parameters that are fixed or at a limit have no uncertainty: theirs are zero, and
    the others are those of a problem without them. Where the data do not determine
    the parameters everything is NaN.
    """
    held = backend.logical_or(minimum.fixed, minimum.at_limit)
    normal = minimum.terms.normal
    free, scale = _free(backend, normal, held)
    n_parameters, n_bins = held.shape
    unit = backend.array(np.eye(n_parameters)[:, :, None], normal.dtype)
    inverse, solid = _solve(
        backend,
        _scaled(backend, normal, free, scale, 0.0),
        backend.broadcast_to(unit, (n_parameters, n_parameters, n_bins)),
    )
    inverse = inverse * _outer(backend, scale)
    return backend.where(solid, inverse, float("nan"))


def _free(backend: BackendProtocol, normal: Any, held: Any) -> tuple[Any, Any]:
    """Return which parameters can move, and by what each is measured.

    In units of ``1 / sqrt(normal)``, and zero for those that are held, the normal
    matrix has ones on its diagonal, whatever the units of the parameters are.
    """
    diagonal = backend.stack([normal[i, i] for i in range(held.shape[0])])
    # one without influence cannot move: the time of a decay without contrast
    eps = float(np.finfo(np.dtype(normal.dtype)).eps)
    least = eps * eps * backend.max(diagonal, axis=0)
    free = backend.logical_and(backend.logical_not(held), diagonal > least)
    length = backend.sqrt(backend.where(free, diagonal, 1.0))
    return free, backend.where(free, 1.0 / length, 0.0)


def _outer(backend: BackendProtocol, x: Any) -> Any:
    return backend.expand_dims(x, 1) * backend.expand_dims(x, 0)


def _scaled(
    backend: BackendProtocol, matrix: Any, free: Any, scale: Any, damping: Any
) -> Any:
    """Return the matrix in units of the scale, with what keeps it solvable added."""
    added = backend.where(free, damping + backend.zeros_like(scale), 1.0)
    unit = backend.array(np.eye(scale.shape[0])[:, :, None], matrix.dtype)
    return matrix * _outer(backend, scale) + unit * backend.expand_dims(added, 0)


def _solve(backend: BackendProtocol, matrix: Any, right: Any) -> tuple[Any, Any]:
    """Solve for right-hand sides (parameter, side, bin) by elimination.

    Also returns where the matrix is positive, well above rounding: its pivots, the
    squares of those of Cholesky, say so. Its diagonal must be of the order of one, and
    no rows need to be exchanged. Where it is not positive the solution has no meaning.
    """
    size = matrix.shape[0]
    least = 4 * size * float(np.finfo(np.dtype(matrix.dtype)).eps)
    rows = backend.concatenate([matrix, right], axis=1)
    solid = rows[0, 0] > least
    for k in range(size):
        pivot = rows[k, k]
        good = pivot > least
        solid = backend.logical_and(solid, good)
        row = rows[k] / backend.where(good, pivot, 1.0)
        others = rows - backend.expand_dims(rows[:, k], 1) * backend.expand_dims(row, 0)
        is_pivot = backend.array(np.arange(size)[:, None, None] == k)
        rows = backend.where(is_pivot, backend.expand_dims(row, 0), others)
    return rows[:, size:], solid


def _step(
    backend: BackendProtocol,
    parameters: Any,
    terms: Terms,
    box: Box,
    damping: Any,
    newton: Any,
) -> tuple[Any, Any, Any]:
    """Return the step (parameter, bin), the fall of chi2 it promises, and if it can be.

    The matrix is the normal one, with the curvature where ``newton`` holds.
    """
    downhill_beyond = backend.logical_or(
        backend.logical_and(parameters <= box.lower, terms.gradient > 0),
        backend.logical_and(parameters >= box.upper, terms.gradient < 0),
    )
    held = backend.logical_or(downhill_beyond, box.upper <= box.lower)
    free, scale = _free(backend, terms.normal, held)
    matrix = terms.normal + backend.where(newton, terms.curvature, 0.0)
    slope = terms.gradient * scale
    solution, solid = _solve(
        backend,
        _scaled(backend, matrix, free, scale, damping),
        backend.expand_dims(-slope, 1),
    )
    solution = solution[:, 0]
    fall = -backend.sum(slope * solution, axis=0)
    longest = backend.array(np.array(box.longest)[:, None], parameters.dtype)
    return backend.clip(solution * scale, -longest, longest), fall, solid
