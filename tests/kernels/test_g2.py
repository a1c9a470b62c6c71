"""Multi-tau against fractions, and speckle whose g2 is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DTYPES, run
from pydantic import ValidationError

from xpcs_bench.analysis.agreement import compare_truth
from xpcs_bench.backends import create_backend
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels import g2 as module
from xpcs_bench.kernels.g2 import G2Params
from xpcs_bench.kernels.series import bin_columns, bin_speckle

G2 = create_kernel("g2")
EPS = np.finfo(np.float64).eps


def problem_of(dtype="float64", **params):
    return Problem(G2Params(**params), None, None, dtype)


def correlated(problem, backend="numpy", seed=3):
    inputs = G2.make_inputs(problem, np.random.default_rng(seed))
    return inputs, run(G2, problem, backend, inputs)


@settings(max_examples=15, deadline=None)
@given(
    frames=st.integers(2, 70),
    sizes=st.tuples(st.integers(1, 4), st.integers(2, 7)),
    channels=st.sampled_from([2, 4, 8]),
    ladder=st.sampled_from(["scikit_beam", "boost"]),
    block_kib=st.sampled_from([0, 1, 256]),
    seed=st.integers(0, 99),
)
def test_any_size_agrees_with_fractions(
    frames, sizes, channels, ladder, block_kib, seed
):
    bins, pixels = sizes
    problem = problem_of(
        frames=frames,
        bins=bins,
        pixels=2 * bins**2 * pixels,
        channels=channels,
        ladder=ladder,
        block_kib=block_kib,
        counts=5.0,
    )
    inputs, found = correlated(problem, seed=seed)
    for name, values in G2.truth(problem, inputs).items():
        tolerance = G2.tolerance(problem, name)
        agreement = compare_truth(
            name, found[name], values, tolerance, found[name].dtype
        )
        assert agreement.passed, agreement.reason


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_pixels_without_any_photon_are_pixels_all_the_same(backend):
    """Blocks are 16 pixels wide here, so that some of them are dark."""
    problem = problem_of(frames=40, pixels=200, bins=2, block_kib=1, counts=0.5)
    inputs = G2.make_inputs(problem, np.random.default_rng(0))
    inputs["frames"][:, 10:40] = 0
    inputs["frames"][1::2, 60:90] = 0
    inputs["frames"][30:, 110:150] = 0
    found = run(G2, problem, backend, inputs)
    for name, values in G2.truth(problem, inputs).items():
        tolerance = G2.tolerance(problem, name)
        agreement = compare_truth(
            name, found[name], values, tolerance, found[name].dtype
        )
        assert agreement.passed, agreement.reason


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_size_of_a_block_changes_only_the_last_bits(backend, dtype):
    sizes = {"frames": 64, "pixels": 700, "bins": 2, "levels": 2}
    (_, whole), (_, blocks) = (
        correlated(problem_of(dtype, **sizes, block_kib=kib), backend)
        for kib in (100_000, 16)
    )
    _, automatic = correlated(problem_of(dtype, **sizes), backend)
    for name in ("g2", "g2_error"):
        tolerance = G2.tolerance(problem_of(dtype, **sizes), name)
        for found in (blocks, automatic):
            np.testing.assert_allclose(
                found[name], whole[name], rtol=tolerance.rtol, atol=tolerance.atol
            )


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_what_stands_behind_a_block_does_not_count(backend):
    """The last block of a bin reaches into the next one, or repeats its last pixel."""
    problem = problem_of(frames=40, pixels=260, bins=2, block_kib=1)
    inputs, found = correlated(problem, backend)
    bright = {"frames": inputs["frames"].copy()}
    first, second = bin_columns(problem.params)
    bright["frames"][:, second] += 500
    again = run(G2, problem, backend, bright)
    np.testing.assert_array_equal(again["g2"][:, 0], found["g2"][:, 0])
    np.testing.assert_array_equal(again["g2_error"][:, 0], found["g2_error"][:, 0])
    assert (again["g2"][:, 1] != found["g2"][:, 1]).all()
    # neither bin fills its blocks of 16
    assert (first.stop - first.start) % 16
    assert (second.stop - second.start) % 16


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [2, 64, 10_000])
@pytest.mark.parametrize("block_kib", [0, 1, 100])
def test_rows_of_a_block_are_an_odd_number_of_cache_lines(
    backend, dtype, frames, block_kib
):
    params = G2Params(frames=frames, pixels=10**7, block_kib=block_kib)
    width = module._block_width(create_backend(backend), params, dtype)
    lines = width * np.dtype(dtype).itemsize / 64
    assert width >= 16
    assert lines % 2 == 1 or width in {16, 64}


def test_the_truth_takes_the_definition_literally():
    """A level is made by pairwise means, and nothing is combined but by its formula."""
    problem = problem_of(frames=21, pixels=18, bins=1, levels=3)
    inputs, found = correlated(problem)
    frames = inputs["frames"].astype(np.float64)
    place = 0
    for channels in problem.params.channels_by_level:
        n = len(frames)
        for channel in channels:
            product = np.mean(frames[: n - channel] * frames[channel:], axis=0)
            earlier = np.mean(frames[: n - channel], axis=0)
            later = np.mean(frames[channel:], axis=0)
            g2 = product.mean() / (earlier.mean() * later.mean())
            assert found["g2"][place, 0] == pytest.approx(g2, rel=1e-14)
            apart = g2 * (
                product / product.mean()
                - earlier / earlier.mean()
                - later / later.mean()
                + 1
            )
            error = np.sqrt(np.mean(apart**2) / (len(apart) - 1))
            assert found["g2_error"][place, 0] == pytest.approx(error, rel=1e-12)
            place += 1
        frames = (frames[: n // 2 * 2 : 2] + frames[1::2][: n // 2]) / 2
    assert place == len(found["delays"])


def expectations(params, delays_by_level):
    """g2 of counts, by delay and bin, with smearing and shot noise."""
    return np.array(
        [
            [
                bin_speckle(params, index).g2_of_means(channel, 2**level)
                + (1 / (2**level * params.counts) if channel == 0 else 0)
                for index in range(params.bins)
            ]
            for level, channels in enumerate(delays_by_level)
            for channel in channels
        ]
    )


def test_g2_and_its_error_are_right_for_known_speckle():
    """The scatter of 60 series is the error that each of them states.

    Series are long and bins large enough that neither the bias of the quotient nor
    the scatter of the error itself matters: both fall as 1 / pixels.
    """
    params = G2Params(frames=96, pixels=2400, bins=2, levels=4, counts=1.0, modes=2)
    problem = Problem(params, None, None, "float64")
    found = [correlated(problem, seed=seed)[1] for seed in range(60)]
    g2 = np.array([one["g2"] for one in found])
    error = np.array([one["g2_error"] for one in found])
    expected = expectations(params, params.channels_by_level)
    off = (g2.mean(axis=0) - expected) / (g2.std(axis=0, ddof=1) / np.sqrt(60))
    # 40 estimates with 59 degrees of freedom: beyond 5 by chance once in 4000 seeds
    assert np.abs(off).max() < 5
    stated = np.sqrt((error**2).mean(axis=0))
    ratio = g2.std(axis=0, ddof=1) / stated
    # the standard deviation of 60 numbers is known to 9 %, the mean of 40 far better
    assert np.abs(ratio - 1).max() < 0.4
    assert ratio.mean() == pytest.approx(1, abs=0.06)
    # the expectation of the other bin would not do
    off = (g2.mean(axis=0) - expected[:, ::-1]) / g2.std(axis=0, ddof=1)
    assert np.abs(off).max() * np.sqrt(60) > 20


def test_the_ladders_meet_at_delays_of_the_same_level():
    (_, one), (_, other) = (
        correlated(problem_of(frames=64, ladder=ladder))
        for ladder in ("scikit_beam", "boost")
    )
    assert one["delays"][0] == 0
    assert other["delays"][0] == 1
    np.testing.assert_array_equal(one["g2"][1:8], other["g2"][:7])
    # 8 frames are channel 8 of the first level, or channel 4 of the second
    assert one["delays"][8] == other["delays"][7] == 8
    assert (np.abs(one["g2"][8] - other["g2"][7]) > 1e-4).all()


def test_the_odd_last_frame_of_a_level_is_dropped():
    problem = problem_of(frames=41, levels=2)
    inputs, found = correlated(problem)
    bright = {"frames": inputs["frames"].copy()}
    bright["frames"][-1] += 50
    again = run(G2, problem, "numpy", bright)
    second = found["delays"] >= 8
    np.testing.assert_array_equal(again["g2"][second], found["g2"][second])
    assert (again["g2"][~second] != found["g2"][~second]).all()


def test_frames_without_fluctuation_have_g2_one_and_no_error():
    problem = problem_of(frames=33)
    inputs = {"frames": np.full((33, 300), 7, np.uint16)}
    found = run(G2, problem, "numpy", inputs)
    assert (found["g2"] == 1).all()
    assert (found["g2_error"] == 0).all()


def test_an_odd_number_of_channels_is_refused():
    with pytest.raises(ValidationError, match="7 is odd"):
        G2Params(channels=7)


def test_too_few_pixels_and_too_few_photons_are_refused():
    with pytest.raises(ConfigError, match="innermost has"):
        G2.check(problem_of(pixels=10, bins=9))
    with pytest.raises(ConfigError, match=r"bin 0 has no photon.*Raise counts"):
        G2.make_inputs(problem_of(counts=1e-6), np.random.default_rng(0))
