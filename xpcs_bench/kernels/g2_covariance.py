"""How the errors of g2 at different delays hang together.

All delays of a g2 are made of the same frames: where it is too high at one delay it is
too high at its neighbours, and a fit that takes them as independent states errors that
are too small. The pixels of a bin are independent of each other, so that their scatter
says what the covariance is, without a model of the dynamics: the same scatter from
which the kernel ``g2`` takes its error bars, which are the diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xpcs_bench.backends import BackendProtocol

__all__ = ["g2_with_covariance"]


def g2_with_covariance(
    backend: BackendProtocol, frames: Any, levels: Sequence[range]
) -> tuple[Any, Any]:
    """Correlate one bin; return g2 (delay,) and its covariance (delay, delay).

    To first order g2 is off by the mean over pixels of ``g2 (product / <product> -
    earlier / <earlier> - later / <later> + 1)``; the covariance of that mean is
    returned. It needs three numbers a pixel and delay at once.

    Parameters
    ----------
    frames : array
        Intensities (frame, pixel) in floating point, all of one bin.
    levels : sequence of range
        Channels of each level, as
        :func:`~xpcs_bench.kernels.ladder.channels_by_level` returns them.
    """
    g2, deviations = [], []
    for level, channels in enumerate(levels):
        if level:
            n = 2 * (frames.shape[0] // 2)
            frames = (frames[0:n:2] + frames[1:n:2]) / 2.0
        n = frames.shape[0]
        for channel in channels:
            early, late = frames[: n - channel], frames[channel:]
            parts = [backend.mean(part, axis=0) for part in (early * late, early, late)]
            product, earlier, later = (backend.mean(part) for part in parts)
            value = product / (earlier * later)
            g2.append(value)
            deviations.append(
                value
                * (parts[0] / product - parts[1] / earlier - parts[2] / later + 1.0)
            )
    apart = backend.stack(deviations)
    n_pixels = apart.shape[1]
    scatter = backend.matmul(apart, backend.transpose(apart))
    return backend.stack(g2), scatter / (n_pixels * (n_pixels - 1))
