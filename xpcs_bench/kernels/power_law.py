"""The power law of relaxation times: tau = tau0 q**-n."""

from __future__ import annotations

from typing import Any

import numpy as np

from xpcs_bench.backends import BackendProtocol

__all__ = ["fit_power_law"]


def fit_power_law(
    backend: BackendProtocol, q: Any, tau: Any, error: Any, usable: Any
) -> tuple[Any, Any]:
    """Fit ``tau = tau0 q**-n``; return (tau0, n) and their standard errors.

    A straight line through log tau over log q, with the errors of log tau to first
    order. Bins count that are usable, with a q above zero and a finite error above
    zero; with fewer than two different q all is NaN.
    """
    for array in (q, tau, error):
        usable = backend.logical_and(usable, backend.isfinite(array))
        usable = backend.logical_and(usable, array > 0)
    x = backend.log(backend.where(usable, q, 1.0))
    y = backend.log(backend.where(usable, tau, 1.0))
    relative = backend.where(usable, tau, 1.0) / backend.where(usable, error, 1.0)
    weight = backend.where(usable, relative * relative, 0.0)
    total = backend.sum(weight)
    safe = backend.where(total > 0, total, 1.0)
    mean_x = backend.sum(weight * x) / safe
    mean_y = backend.sum(weight * y) / safe
    dx = x - mean_x
    spread = backend.sum(weight * dx * dx)
    # of one q, rounding of its mean is all the spread
    eps = float(np.finfo(np.dtype(tau.dtype)).eps)
    known = spread > 100 * eps * eps * backend.sum(weight * x * x)
    nan = float("nan")
    spread = backend.where(known, spread, 1.0)
    slope = backend.sum(weight * dx * (y - mean_y)) / spread
    tau0 = backend.exp(mean_y - slope * mean_x)
    tau0_error = tau0 * backend.sqrt(1.0 / safe + mean_x * mean_x / spread)
    law = backend.stack([tau0, -slope])
    errors = backend.stack([tau0_error, 1.0 / backend.sqrt(spread)])
    return backend.where(known, law, nan), backend.where(known, errors, nan)
