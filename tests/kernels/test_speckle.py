"""Speckle has the g2 that it says it has, to the last standard error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.kernels import decay
from xpcs_bench.kernels import speckle as speckle_module
from xpcs_bench.kernels.speckle import Speckle

FARTHEST = 5
"""Standard errors that a right expectation may be off. 40 estimates are looked at in a
test, and the seeds are fixed: of right programs one in 40,000 would have to change
them."""


def deviation(frames, channel, expected, mean):
    """How far g2 of a series is from an expectation, in standard errors.

    The mean is the known one, so that the estimate has no bias. Pixels are
    independent: their scatter is the error, whatever the correlation in time.
    """
    n = len(frames) - channel
    per_pixel = (frames[:n] * frames[channel:]).mean(axis=0) / mean**2
    error = per_pixel.std(ddof=1) / np.sqrt(per_pixel.size)
    return (per_pixel.mean() - expected) / error


CASES = [
    Speckle(3.0),
    Speckle(12.0, modes=3),
    Speckle(4.0, stretching=0.6, modes=2),
    Speckle(9.0, stretching=1.7),
    Speckle(6.0, stretching=2.0, mean_counts=0.3),
]


@pytest.mark.parametrize("speckle", CASES)
@pytest.mark.parametrize("photons", [False, True])
def test_g2_is_what_is_expected(speckle, photons):
    rng = np.random.default_rng(20)
    make = speckle.make_counts if photons else speckle.make_intensities
    frames = make(rng, 60, 6000).astype(np.float64)
    shot_noise = 1 / speckle.mean_counts if photons else 0.0
    deviations = [
        deviation(
            frames,
            delay,
            speckle.g2(delay) + (shot_noise if delay == 0 else 0.0),
            speckle.mean_counts,
        )
        for delay in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)
    ]
    assert np.abs(deviations).max() < FARTHEST
    # the same series refuses another contrast, time and exponent
    for other in (
        Speckle(speckle.relaxation_frames, speckle.stretching, speckle.modes + 1),
        Speckle(speckle.relaxation_frames * 1.5, speckle.stretching, speckle.modes),
        Speckle(speckle.relaxation_frames, speckle.stretching / 1.5, speckle.modes),
    ):
        wrong = [
            deviation(frames, delay, other.g2(delay), speckle.mean_counts)
            for delay in (1, 2, 3, 5, 8, 13, 21)
        ]
        assert np.abs(wrong).max() > FARTHEST


@pytest.mark.parametrize("speckle", CASES)
@pytest.mark.parametrize("photons", [False, True])
def test_g2_of_means_holds_the_smearing(speckle, photons):
    rng = np.random.default_rng(21)
    make = speckle.make_counts if photons else speckle.make_intensities
    frames = make(rng, 128, 6000).astype(np.float64)
    deviations = []
    for width in (1, 2, 4, 8):
        means = frames.reshape(-1, width, frames.shape[1]).mean(axis=1)
        for channel in (0, 1, 2, 4):
            expected = speckle.g2_of_means(channel, width)
            if photons and channel == 0:
                expected += 1 / (width * speckle.mean_counts)
            deviations.append(deviation(means, channel, expected, speckle.mean_counts))
    assert np.abs(deviations).max() < FARTHEST


def test_leaving_the_smearing_out_would_be_seen():
    speckle = Speckle(4.0)
    frames = speckle.make_intensities(np.random.default_rng(22), 128, 6000)
    means = frames.reshape(-1, 8, frames.shape[1]).mean(axis=1)
    assert abs(deviation(means, 1, speckle.g2_of_means(1, 8), 1.0)) < FARTHEST
    assert deviation(means, 1, speckle.g2(8), 1.0) > FARTHEST


@pytest.mark.parametrize("channel", [0, 1, 3])
def test_a_mean_of_one_frame_is_the_frame(channel):
    speckle = Speckle(7.0, stretching=0.8, modes=3)
    assert speckle.g2_of_means(channel, 1) == pytest.approx(speckle.g2(channel))


@given(st.floats(0.1, 100), st.floats(0.3, 2), st.integers(1, 9), st.integers(0, 200))
def test_g2_is_that_of_the_standard_model(t0, alpha, modes, delay):
    speckle = Speckle(t0, stretching=alpha, modes=modes)
    model = decay.stretched_exponential(
        NumPyBackend(), np.float64(delay), t0, 1.0, 1 / modes, alpha
    )
    assert speckle.g2(delay) == pytest.approx(float(model), rel=1e-13)


def test_both_ways_to_draw_have_one_covariance():
    """An exponential has an exact autoregression and an exact embedding."""
    speckle = Speckle(5.0)
    for seed, draw in ((1, speckle._autoregression), (2, speckle._embedded)):
        real, imaginary = draw(np.random.default_rng(seed), 24, 8000)
        for one, other, expected in (
            (real, real, speckle.field_correlation(7)),
            (imaginary, imaginary, speckle.field_correlation(7)),
            (real, imaginary, 0.0),
        ):
            product = one[3] * other[10]
            error = product.std() / np.sqrt(product.size)
            assert abs(product.mean() - expected) < FARTHEST * error


@given(st.floats(0.2, 300), st.floats(0.2, 2), st.integers(1, 300))
def test_the_embedding_holds_the_covariance_itself(t0, alpha, n_frames):
    speckle = Speckle(t0, stretching=alpha)
    spectrum = speckle._spectrum(n_frames)
    covariance = np.fft.ifft(spectrum).real[:n_frames]
    desired = speckle.field_correlation(np.arange(n_frames))
    # clipping must not have changed anything but rounding
    np.testing.assert_allclose(covariance, desired, rtol=0, atol=1e-11)


@pytest.mark.parametrize("speckle", [Speckle(5.0), Speckle(5.0, stretching=1.5)])
def test_the_seed_decides(speckle):
    def draw(seed):
        return speckle.make_counts(np.random.default_rng(seed), 9, 31).tobytes()

    assert draw(3) == draw(3) != draw(4)


def test_many_pixels_are_drawn_in_blocks_and_all_of_them():
    n_pixels = speckle_module._SAMPLES_AT_ONCE // 1000 + 700
    frames = Speckle(2.0).make_intensities(np.random.default_rng(5), 1000, n_pixels)
    assert frames.shape == (1000, n_pixels)
    assert frames.mean(axis=0).min() > 0.5
    assert len(np.unique(frames[0])) == n_pixels


def test_a_series_of_one_frame_is_possible():
    for stretching in (1.0, 0.5):
        speckle = Speckle(2.0, stretching=stretching)
        frames = speckle.make_intensities(np.random.default_rng(5), 1, 4)
        assert frames.shape == (1, 4)
        assert (frames > 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relaxation_frames", 0.0),
        ("stretching", 2.1),
        ("modes", 0),
        ("mean_counts", 1e5),
    ],
)
def test_what_no_speckle_has_is_refused(name, value):
    values = {"relaxation_frames": 1.0} | {name: value}
    with pytest.raises(ValueError, match=f"{name}={value}.*Allowed"):
        Speckle(**values)


def test_a_covariance_too_long_to_embed_is_refused(monkeypatch):
    slow = Speckle(1e5, stretching=1.9)
    assert slow._spectrum(100).min() >= 0
    monkeypatch.setattr(speckle_module, "_LONGEST_EMBEDDING", 1 << 12)
    with pytest.raises(ValueError, match="shorter relaxation time"):
        slow._spectrum(100)


def counted(pixel, frame, n_frames, n_pixels):
    counts = np.zeros((n_frames, n_pixels), np.int64)
    np.add.at(counts, (frame, pixel), 1)
    return counts


@pytest.mark.parametrize(
    "changes",
    [{}, {"modes": 3}, {"relaxation_frames": 0.5}, {"mean_counts": 0.2}],
    ids=["thinned", "modes", "fast", "by frames"],
)
def test_single_photons_follow_the_law_of_counts(changes):
    """Their mean, and g2 at each delay, over pixels that are independent."""
    values = {"relaxation_frames": 6.0, "mean_counts": 0.02} | changes
    speckle = Speckle(**values)
    n_frames, n_pixels = 40, 40_000
    pixel, frame = speckle.make_photons(np.random.default_rng(5), n_frames, n_pixels)
    assert pixel.dtype == frame.dtype == np.int32
    counts = counted(pixel, frame, n_frames, n_pixels)
    total = counts.sum(axis=0)
    off = total.mean() - speckle.mean_counts * n_frames
    assert abs(off) < 5 * total.std() / np.sqrt(n_pixels)
    for delay in (1, 3, 12):
        product = (counts[:-delay] * counts[delay:]).mean(axis=0)
        g2 = product / speckle.mean_counts**2
        off = g2.mean() - float(speckle.g2(delay))
        assert abs(off) < 5 * g2.std() / np.sqrt(n_pixels)
    # the factorial moment of one frame is free of shot noise: g2 at delay 0
    pairs = (counts * (counts - 1)).mean(axis=0) / speckle.mean_counts**2
    off = pairs.mean() - (1 + speckle.contrast)
    assert abs(off) < 5 * pairs.std() / np.sqrt(n_pixels)


def test_single_photons_are_sorted_and_follow_the_seed():
    speckle = Speckle(relaxation_frames=4.0, mean_counts=0.01)
    first, again = (
        speckle.make_photons(np.random.default_rng(2), 50, 900) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    key = first[0].astype(np.int64) * 50 + first[1]
    assert (np.diff(key) >= 0).all()
    none = Speckle(relaxation_frames=4.0, mean_counts=1e-9)
    assert none.make_photons(np.random.default_rng(2), 5, 9)[0].size == 0


def test_a_stretched_decay_has_single_photons_too():
    speckle = Speckle(relaxation_frames=5.0, stretching=0.7, mean_counts=0.01)
    pixel, frame = speckle.make_photons(np.random.default_rng(1), 30, 4000)
    assert pixel.size == pytest.approx(1200, rel=0.3)
    assert frame.max() < 30
