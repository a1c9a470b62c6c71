"""The right two-time correlation of single frames, from whole numbers in 50 digits.

Formed from the definition, pair by pair of frames. No backend and none of the kernel's
formulas are used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrueBin"]


class TrueBin:
    """C2 and g2 of one bin of frames (frame, pixel), by the names of the kernel."""

    def __init__(
        self, frames: NDArray[np.uint16], *, diagonal: str, estimator: str
    ) -> None:
        self._frames = frames.astype(np.int64)
        self._total = self._frames.sum(axis=1).tolist()
        self._neighbours = diagonal == "neighbour_mean"
        self._estimator = estimator

    def has_c2(self, first: int, second: int) -> bool:
        """Whether there are photons in both frames, and beside the diagonal."""
        if first == second and self._neighbours:
            return bool(self._beside(first))
        return bool(self._total[first] and self._total[second])

    def c2(self, first: int, second: int) -> Any:
        """One element, in the precision that is set."""
        import mpmath

        if first == second and self._neighbours:
            beside = self._beside(first)
            return mpmath.fsum(self._raw(*pair) for pair in beside) / len(beside)
        return self._raw(first, second)

    def has_g2(self, delay: int) -> bool:
        """Whether any pair of frames has a C2."""
        return bool(self._pairs(delay))

    def g2(self, delay: int) -> Any:
        """The estimate at one delay, in the precision that is set."""
        import mpmath

        pairs = self._pairs(delay)
        values = [self.c2(*pair) for pair in pairs]
        if self._estimator == "mean_of_diagonal":
            return mpmath.fsum(values) / len(values)
        expected = [self._total[first] * self._total[second] for first, second in pairs]
        above = mpmath.fdot(values, expected)
        if self._estimator == "ratio_of_sums":
            return above / sum(expected)
        n = len(self._total) - delay
        return above * n / (sum(self._total[:n]) * sum(self._total[delay:]))

    def _pairs(self, delay: int) -> list[tuple[int, int]]:
        firsts = range(len(self._total) - delay)
        return [(t, t + delay) for t in firsts if self.has_c2(t, t + delay)]

    def _beside(self, frame: int) -> list[tuple[int, int]]:
        pairs = [(frame - 1, frame), (frame, frame + 1)]
        return [
            pair
            for pair in pairs
            if pair[0] >= 0 and pair[1] < len(self._total) and self.has_c2(*pair)
        ]

    def _raw(self, first: int, second: int) -> Any:
        import mpmath

        products = int(np.dot(self._frames[first], self._frames[second]))
        expected = self._total[first] * self._total[second]
        return mpmath.mpf(products * self._frames.shape[1]) / expected
