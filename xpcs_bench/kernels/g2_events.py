"""The multi-tau correlator for a few photons: g2 of every bin from their list."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.ladder import Ladder, delays_in_frames
from xpcs_bench.kernels.multi_tau import OUTPUTS, SOURCE, MultiTauParams
from xpcs_bench.kernels.series import bin_columns, check_bins, make_photons

__all__ = ["G2Events", "G2EventsParams"]


class G2EventsParams(MultiTauParams):
    """The series, which has few photons, and the delays at which g2 is taken."""

    frames: Annotated[int, Field(ge=2, le=10_000_000)] = 400
    """Frames of the series."""
    counts: Annotated[float, Field(gt=0, le=1_000)] = 0.02
    """Photons per pixel and frame."""
    ladder: Ladder = "boost"
    """As in :class:`~xpcs_bench.kernels.g2.G2Params`; the delay 0 of ``scikit_beam`` is
    that of shot noise, which few photons have little else than."""


class G2Events(Kernel[G2EventsParams]):
    """Correlate a series of which there is a list of photons instead of frames.

    The same g2 and errors as those of :class:`~xpcs_bench.kernels.g2.G2`, for frames
    that are almost all dark: what it costs grows with the photons and not with the
    frames times pixels. Photons are sorted by pixel and then by frame, so that the
    number of those in one pixel and one frame is the distance between two places of
    the list, found by binary search. A pixel without a photon deviates from the mean
    by as much as any other such one, and is only counted.

    The list has places at its end for photons that were not drawn, with the pixel
    number behind the last: how long it is, is known without drawing.
    """

    name: ClassVar[str] = "g2_events"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Multi-tau g2 of every bin, with errors, from photons."
    source: ClassVar[str] = SOURCE
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = G2EventsParams

    def check(self, problem: Problem[G2EventsParams]) -> None:
        """Refuse bins without pixels."""
        super().check(problem)
        check_bins(self.name, problem.params)

    def outputs(self, problem: Problem[G2EventsParams]) -> tuple[Output, ...]:
        """g2 and its standard error by delay and bin, and the delays."""
        del problem
        return OUTPUTS

    def make_inputs(
        self, problem: Problem[G2EventsParams], rng: np.random.Generator
    ) -> Host:
        """Pixel and frame of every photon, sorted; the pixels of a bin side by side."""
        params = problem.params
        pixel, frame = make_photons(params, rng)
        self._require_light(params, pixel, frame)
        spare = _places(params) - pixel.size
        if spare < 0:
            msg = (
                f"{self.name}: {pixel.size} photons were drawn, beyond what a series "
                f"with counts={params.counts} and pixels={params.pixels} is likely to "
                "have. Take another seed."
            )
            raise ConfigError(msg)
        return {
            "pixel": np.pad(pixel, (0, spare), constant_values=params.pixels),
            "frame": np.pad(frame, (0, spare)),
        }

    def _require_light(
        self, params: G2EventsParams, pixel: NDArray[Any], frame: NDArray[Any]
    ) -> None:
        longest = max(delays_in_frames(params.channels_by_level))
        for index, columns in enumerate(bin_columns(params)):
            # the longest delay sees the fewest frames: those at the ends
            times = frame[(pixel >= columns.start) & (pixel < columns.stop)]
            if not (
                (times < params.frames - longest).any() and (times >= longest).any()
            ):
                msg = (
                    f"{self.name}: bin {index} has no photon in the frames that the "
                    f"delay {longest} compares, with counts={params.counts}. At least "
                    "one is needed. Raise counts or pixels, or take fewer levels."
                )
                raise ConfigError(msg)

    def compute(
        self, backend: BackendProtocol, problem: Problem[G2EventsParams], inputs: Arrays
    ) -> Arrays:
        """Go through the levels; sums are in double precision, whatever the type."""
        params = problem.params
        photons = _Photons.of(backend, params, inputs)
        found = [
            _correlate(backend, params, photons, level, channels)
            for level, channels in enumerate(params.channels_by_level)
        ]
        g2, error = (
            backend.astype(
                backend.concatenate([one[i] for one in found]), problem.dtype
            )
            for i in range(2)
        )
        delays = delays_in_frames(params.channels_by_level)
        return {
            "g2": g2,
            "g2_error": error,
            "delays": backend.array(delays, "int64"),
        }

    def tolerance(self, problem: Problem[G2EventsParams], output: str) -> Tolerance:
        """A few roundings of g2; its error also sums squares over pixels with light."""
        params = problem.params
        eps = float(np.finfo(problem.dtype).eps)
        if output == "delays":
            return Tolerance(
                rtol=0.0,
                atol=0.0,
                reason="Delays are whole numbers of frames: nothing is rounded.",
            )
        if output == "g2":
            return Tolerance(
                rtol=4 * eps,
                atol=0.0,
                reason="Numbers of photons and of pairs are whole and exact; their "
                "quotients are rounded by eps / 2 each, and once on conversion.",
            )
        lit = params.pixels * min(1.0, params.frames * params.counts)
        gathered = math.sqrt(lit / params.bins) / 8
        return Tolerance(
            rtol=(4 + gathered) * eps,
            atol=eps,
            reason="Squares are added up over the pixels with light one by one, in "
            "double precision: an error that grows as the root of their number. What "
            "is squared is a difference of terms like g2, and off by an ULP of them.",
        )

    def truth(
        self, problem: Problem[G2EventsParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """g2 as fractions of whole numbers, its error from them in 50 digits."""
        import mpmath

        params = problem.params
        bins = np.unique(np.linspace(0, params.bins - 1, 3, dtype=np.int64)).tolist()
        places = [
            (level, channel)
            for level, channels in enumerate(params.channels_by_level)
            for channel in channels
        ]
        truths: dict[str, list[Truth]] = {
            "g2": [],
            "g2_error": [],
            "delays": [
                Truth((place,), channel * 2**level)
                for place, (level, channel) in enumerate(places)
            ],
        }
        for index in bins:
            columns = bin_columns(params)[index]
            inside = (inputs["pixel"] >= columns.start) & (
                inputs["pixel"] < columns.stop
            )
            counts = _by_pixel(inputs["pixel"][inside], inputs["frame"][inside])
            n_pixels = columns.stop - columns.start
            for place, (level, channel) in enumerate(places):
                # first, last and some in between
                if place % 5 and place != len(places) - 1:
                    continue
                g2, square = _true_g2(
                    counts, n_pixels, params.frames >> level, level, channel
                )
                with mpmath.workdps(50):
                    error = mpmath.sqrt(
                        mpmath.mpf(square.numerator) / square.denominator
                    )
                truths["g2"].append(Truth((place, index), g2))
                truths["g2_error"].append(Truth((place, index), error))
        return truths

    def work(self, problem: Problem[G2EventsParams]) -> Work:
        """Per photon and delay: a place in the list, three counts, and their sums."""
        params = problem.params
        n_delays = sum(map(len, params.channels_by_level))
        width = np.dtype(problem.dtype).itemsize
        n_photons = _places(params)
        return Work(
            flops=10 * n_photons * n_delays,
            bytes=8 * n_photons + 2 * width * n_delays * params.bins + 8 * n_delays,
        )


class _Photons(NamedTuple):
    """The list, and what is the same at all levels; everything by photon."""

    pixel: Any
    frame: Any
    real: Any
    """Whether the photon was drawn."""
    bin: Any
    place: Any
    """Which of the pixels with light, from 0."""
    first: Any
    """Whether it is the first photon of its pixel."""
    sizes: Any
    """Pixels of each bin."""

    @classmethod
    def of(
        cls, backend: BackendProtocol, params: G2EventsParams, inputs: Arrays
    ) -> _Photons:
        pixel = backend.astype(inputs["pixel"], "int64")
        frame = backend.astype(inputs["frame"], "int64")
        real = pixel < params.pixels
        stops = [columns.stop for columns in bin_columns(params)]
        starts = [columns.start for columns in bin_columns(params)]
        owner = backend.searchsorted(backend.array(stops, "int64"), pixel, "right")
        before = backend.concatenate([pixel[:1] - 1, pixel[:-1]])
        first = backend.logical_and(pixel != before, real)
        place = backend.cumsum(backend.astype(first, "int64")) - 1
        return cls(
            pixel,
            frame,
            real,
            backend.minimum(owner, params.bins - 1),
            backend.maximum(place, 0),
            first,
            backend.array(
                [b - a for a, b in zip(starts, stops, strict=True)], "float64"
            ),
        )


def _correlate(
    backend: BackendProtocol,
    params: G2EventsParams,
    photons: _Photons,
    level: int,
    channels: range,
) -> tuple[Any, Any]:
    """Return g2 and its error of the channels of one level, each (channel, bin)."""
    n = params.frames >> level
    # 2**level frames that are one: floor division by shifting is not in the protocol
    time = photons.frame // (1 << level)
    # so wide apart that no delay reaches from one pixel into the next
    key = photons.pixel * (n + channels[-1] + 2) + time
    inside = backend.logical_and(photons.real, time < n)
    ahead = [
        backend.searchsorted(key, key + channel)
        for channel in range(channels[0], channels[-1] + 2)
    ]
    g2, error = [], []
    for index, channel in enumerate(channels):
        earlier = backend.logical_and(inside, time < n - channel)
        later = backend.logical_and(inside, time >= channel)
        pairs = backend.where(earlier, ahead[index + 1] - ahead[index], 0)
        parts = [backend.astype(part, "float64") for part in (pairs, earlier, later)]
        one, scatter = _of_delay(backend, photons, parts, float(n - channel))
        g2.append(one)
        error.append(scatter)
    return backend.stack(g2), backend.stack(error)


def _of_delay(
    backend: BackendProtocol, photons: _Photons, parts: Sequence[Any], n_pairs: float
) -> tuple[Any, Any]:
    """Return g2 and its error by bin, from what each photon adds to the three sums."""
    n_bins = photons.sizes.shape[0]

    def by_bin(weights: Any) -> Any:
        return backend.bincount(photons.bin, weights, length=n_bins)

    mean = [by_bin(part) / photons.sizes for part in parts]
    g2 = (mean[0] / mean[1]) * (n_pairs / mean[2])
    # without any pair the product deviates nowhere from its mean
    scale = [backend.where(mean[0] > 0, mean[0], 1.0), mean[1], mean[2]]
    product, earlier, later = (
        part / backend.take(of_bin, photons.bin)
        for part, of_bin in zip(parts, scale, strict=True)
    )
    n_places = photons.place.shape[0]
    by_pixel = backend.bincount(
        photons.place, product - earlier - later, length=n_places
    )
    apart = backend.take(by_pixel, photons.place) + 1.0
    lit = backend.astype(photons.first, "float64")
    squares = by_bin(apart * apart * lit) + (photons.sizes - by_bin(lit))
    return g2, g2 * backend.sqrt(squares / (photons.sizes * (photons.sizes - 1.0)))


def _places(params: G2EventsParams) -> int:
    """Return the length of the list: what is expected, and eight times its scatter."""
    of_pixel = params.counts * params.frames
    expected = params.pixels * of_pixel
    # photons bunch: at most by the contrast, where a series is one speckle long
    variance = params.pixels * (of_pixel + of_pixel**2 / params.modes)
    return math.ceil(expected + 8 * math.sqrt(variance)) + 16


def _by_pixel(pixel: NDArray[np.int32], frame: NDArray[np.int32]) -> list[Counter[int]]:
    """Return, of each pixel with light, how many photons each frame has."""
    found: dict[int, Counter[int]] = {}
    for one, time in zip(pixel.tolist(), frame.tolist(), strict=True):
        found.setdefault(one, Counter())[time] += 1
    return list(found.values())


def _true_g2(
    pixels: Sequence[Counter[int]], n_pixels: int, n: int, level: int, channel: int
) -> tuple[Fraction, Fraction]:
    """g2 and the square of its error, from the photons of the pixels with light."""
    sums = []
    for counts in pixels:
        merged: Counter[int] = Counter()
        for time, number in counts.items():
            if time >> level < n:
                merged[time >> level] += number
        sums.append(
            (
                sum(
                    number * merged[time + channel]
                    for time, number in list(merged.items())
                    if time + channel < n
                ),
                sum(x for time, x in merged.items() if time < n - channel),
                sum(x for time, x in merged.items() if time >= channel),
            )
        )
    means = [Fraction(sum(row[i] for row in sums), n_pixels) for i in range(3)]
    g2 = means[0] * (n - channel) / (means[1] * means[2])
    scale = [means[0] or Fraction(1), means[1], means[2]]
    squares = Fraction(n_pixels - len(sums))
    for product, earlier, later in sums:
        apart = product / scale[0] - earlier / scale[1] - later / scale[2] + 1
        squares += apart * apart
    return g2, g2**2 * squares / (n_pixels * (n_pixels - 1))
