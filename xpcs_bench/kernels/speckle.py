"""Speckle series whose g2 is known exactly: the source of truth of correlations.

The field of every pixel is a stationary complex Gaussian process with ``|g1| =
exp(-(tau / t0)**alpha)``, so that by the Siegert relation ``g2 = 1 + contrast
exp(-2 (tau / t0)**alpha)``: the *standard* exponent of
:mod:`~xpcs_bench.kernels.decay`. The intensity is the mean of ``modes`` independent
ones, which makes the contrast 1 / modes. Pixels are independent of each other.

Fields are drawn without approximation: alpha = 1 as the first-order autoregression
that it is, other exponents by embedding the covariance in a circulant matrix, which a
Fourier transform diagonalises (C. R. Dietrich and G. N. Newsam, SIAM J. Sci. Comput.
18, 1088 (1997)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Speckle"]

_SAMPLES_AT_ONCE = 1 << 21
"""Of one block of pixels; it decides which numbers are drawn for which pixel."""
_LONGEST_EMBEDDING = 1 << 22
_THINNED = 40.0
"""How many photons are placed for one that is expected."""


@dataclass(frozen=True)
class Speckle:
    """What is seen of one sample at one q; times are in frames."""

    relaxation_frames: float
    """t0 of the field."""
    stretching: float = 1.0
    """alpha, above 0 and at most 2: no process has a larger one."""
    modes: int = 1
    """Independent patterns that are seen together."""
    mean_counts: float = 1.0
    """Mean intensity: photons per pixel and frame."""

    def __post_init__(self) -> None:
        for name, allowed, text in (
            ("relaxation_frames", self.relaxation_frames > 0, "above 0"),
            ("stretching", 0 < self.stretching <= 2, "above 0 and at most 2"),
            ("modes", self.modes >= 1, "1 or more"),
            ("mean_counts", 0 < self.mean_counts <= 1000, "above 0 and at most 1000"),
        ):
            if not allowed:
                msg = (
                    f"no speckle has {name}={getattr(self, name)!r}. Allowed: {text}. "
                    f"Give another {name}."
                )
                raise ValueError(msg)

    @property
    def contrast(self) -> float:
        """g2(0) - 1 of the intensity."""
        return 1.0 / self.modes

    def field_correlation(self, delay: ArrayLike) -> NDArray[np.float64]:
        """Return ``|g1|`` at delays in frames, of either sign."""
        ratio = np.abs(np.asarray(delay, np.float64)) / self.relaxation_frames
        return np.exp(-(ratio**self.stretching))

    def g2(self, delay: ArrayLike) -> NDArray[np.float64]:
        """Return g2 of the intensity at delays in frames.

        That of photon counts is the same but at delay 0, where shot noise adds ``1 /
        mean_counts``.
        """
        return 1.0 + self.contrast * self.field_correlation(delay) ** 2

    def g2_of_means(self, channel: int, width: int) -> float:
        """Return g2 of means of ``width`` successive frames, ``channel`` means apart.

        This, and not :meth:`g2` of the delay ``channel * width``, is what a level of
        a multi-tau correlator estimates: every product of two means holds delays that
        are up to ``width - 1`` frames longer and shorter. For photon counts in channel
        0 shot noise adds ``1 / (width * mean_counts)``.
        """
        shift = np.arange(1 - width, width)
        weight = (width - np.abs(shift)) / width**2
        squared = self.field_correlation(channel * width + shift) ** 2
        return 1.0 + self.contrast * math.fsum(weight * squared)

    def make_intensities(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> NDArray[np.float64]:
        """Draw intensities (frame, pixel) of the mean ``mean_counts``."""
        intensities = np.empty((n_frames, n_pixels))
        for block in _blocks(n_frames, n_pixels):
            intensities[:, block] = self._draw(rng, n_frames, block.stop - block.start)
        return intensities

    def make_counts(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> NDArray[np.uint16]:
        """Draw photon counts (frame, pixel): Poisson numbers of those intensities."""
        counts = np.empty((n_frames, n_pixels), np.uint16)
        for block in _blocks(n_frames, n_pixels):
            intensity = self._draw(rng, n_frames, block.stop - block.start)
            counts[:, block] = rng.poisson(intensity)
        return counts

    def make_photons(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Draw the pixel and the frame of every photon, by pixel and then by frame.

        The same law as :meth:`make_counts`, for so few photons that the frames between
        them need not be drawn: more photons than there will be are placed at random,
        and each is kept with a probability in proportion to the intensity there. The
        field of an exponential decay forgets how it came to where it is, so that it
        can be drawn at these frames alone. Intensities beyond 40 times the mean would
        be cut off; one frame in 10**17 has such a one.
        """
        if self.stretching != 1 or _THINNED * self.mean_counts > 1:
            frames, pixels = np.nonzero(
                counts := self.make_counts(rng, n_frames, n_pixels)
            )
            often = counts[frames, pixels]
            pixels, frames = np.repeat(pixels, often), np.repeat(frames, often)
            order = np.lexsort((frames, pixels))
            return pixels[order].astype(np.int32), frames[order].astype(np.int32)
        number = rng.poisson(_THINNED * self.mean_counts * n_frames, n_pixels)
        pixels = np.repeat(np.arange(n_pixels), number)
        frames = rng.integers(0, n_frames, pixels.size)
        frames = frames[np.lexsort((frames, pixels))]
        kept = rng.random(pixels.size) * _THINNED < self._intensities(
            rng, frames, number
        )
        return pixels[kept].astype(np.int32), frames[kept].astype(np.int32)

    def _intensities(
        self,
        rng: np.random.Generator,
        frames: NDArray[Any],
        number: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Draw intensities of mean 1 at the frames of each pixel, one after the other.

        ``number`` frames belong to each pixel, in rising order.
        """
        found = np.empty(frames.size)
        starts = np.cumsum(number) - number
        field = rng.standard_normal((2 * self.modes, number.size))
        last = np.zeros(number.size, np.int64)
        for step in range(int(number.max(initial=0))):
            there = np.flatnonzero(number > step)
            place = starts[there] + step
            # the first one is stationary already
            gap = (frames[place] - last[there]) if step else np.zeros(there.size)
            kept = np.exp(-gap / self.relaxation_frames)
            renewed = np.sqrt(-np.expm1(-2 * gap / self.relaxation_frames))
            fresh = rng.standard_normal((2 * self.modes, there.size))
            now = kept * field[:, there] + renewed * fresh
            field[:, there] = now
            last[there] = frames[place]
            found[place] = np.sum(now * now, axis=0) / (2 * self.modes)
        return found

    def _draw(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> NDArray[np.float64]:
        draw = self._autoregression if self.stretching == 1 else self._embedded
        total = np.zeros((n_frames, n_pixels))
        for _ in range(self.modes):
            real, imaginary = draw(rng, n_frames, n_pixels)
            total += real * real + imaginary * imaginary
        # both parts of a field have the variance 1
        return total * (self.mean_counts / (2 * self.modes))

    def _autoregression(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from scipy.signal import lfilter

        kept = math.exp(-1 / self.relaxation_frames)
        renewed = math.sqrt(-math.expm1(-2 / self.relaxation_frames))
        noise = rng.standard_normal((n_frames, 2 * n_pixels))
        noise[1:] *= renewed  # the first frame is stationary already
        field = lfilter([1.0], [1.0, -kept], noise, axis=0)
        return field[:, :n_pixels], field[:, n_pixels:]

    def _embedded(
        self, rng: np.random.Generator, n_frames: int, n_pixels: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        amplitude = np.sqrt(self._spectrum(n_frames))
        noise = rng.standard_normal((2, n_pixels, amplitude.size))
        field = np.fft.fft(amplitude * (noise[0] + 1j * noise[1]), norm="ortho")
        field = field[:, :n_frames].T
        return field.real, field.imag

    def _spectrum(self, n_frames: int) -> NDArray[np.float64]:
        """Return the eigenvalues of a circulant covariance around that of the series.

        Up to alpha = 1 the covariance is convex and any embedding has eigenvalues
        above zero; beyond, one does that is long enough for g1 to have decayed.
        """
        size = 1 << max(1, 2 * n_frames - 1).bit_length()
        while size <= _LONGEST_EMBEDDING:
            lag = np.arange(size)
            covariance = self.field_correlation(np.minimum(lag, size - lag))
            spectrum = np.fft.fft(covariance).real
            # what is below zero by rounding alone is zero
            if spectrum.min() > -np.finfo(np.float64).eps * size:
                return np.maximum(spectrum, 0.0)
            size *= 2
        msg = (
            f"a series of {n_frames} frames with relaxation_frames="
            f"{self.relaxation_frames!r} and stretching={self.stretching!r} cannot be "
            f"drawn: its covariance does not fit into {_LONGEST_EMBEDDING} frames. "
            "Take a shorter relaxation time."
        )
        raise ValueError(msg)


def _blocks(n_frames: int, n_pixels: int) -> list[slice]:
    width = max(1, _SAMPLES_AT_ONCE // n_frames)
    starts = range(0, n_pixels, width)
    return [slice(start, min(start + width, n_pixels)) for start in starts]
