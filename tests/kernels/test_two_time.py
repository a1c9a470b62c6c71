"""The symmetries of C2, dark frames, blocks, bands, memory and known speckle.

Beside scikit-beam it stands in ``benchmarks/oracles/two_time_oracles.py``.
"""

import math
import tracemalloc

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from kernel_problems import DTYPES, run

from xpcs_bench.analysis.agreement import compare_truth
from xpcs_bench.backends import create_backend
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.series import bin_speckle
from xpcs_bench.kernels.two_time import TwoTimeParams

TWO_TIME = create_kernel("two_time")
EPS = np.finfo(np.float64).eps
ESTIMATORS = ("mean_of_diagonal", "ratio_of_sums", "symmetric")


def problem_of(dtype="float64", **params):
    return Problem(TwoTimeParams(**params), None, None, dtype)


def correlated(problem, backend="numpy", seed=3):
    inputs = TWO_TIME.make_inputs(problem, np.random.default_rng(seed))
    return inputs["frames"], run(TWO_TIME, problem, backend, inputs)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_c2_is_symmetric_to_the_last_bit(backend, dtype):
    _, found = correlated(problem_of(dtype, diagonal="neighbour_mean"), backend)
    np.testing.assert_array_equal(found["c2"], found["c2"].transpose(0, 2, 1))


@settings(max_examples=30)
@given(
    arrays.arrays(np.uint16, (7, 6), elements=st.integers(0, 3)),
    st.sampled_from(["raw", "neighbour_mean"]),
    st.sampled_from(ESTIMATORS),
    st.sampled_from([1, 2, 3, 512]),
)
def test_any_counts_agree_with_fractions_wherever_there_is_an_answer(
    frames, diagonal, estimator, block_frames
):
    problem = problem_of(
        frames=7,
        pixels=6,
        bins=1,
        diagonal=diagonal,
        estimator=estimator,
        block_frames=block_frames,
    )
    inputs = {"frames": frames}
    found = run(TWO_TIME, problem, "numpy", inputs)
    dark = frames.sum(axis=1) == 0
    off_diagonal = ~np.eye(7, dtype=np.bool_)
    np.testing.assert_array_equal(
        np.isnan(found["c2"][0])[off_diagonal],
        (dark[:, None] | dark)[off_diagonal],
    )
    truths = TWO_TIME.truth(problem, inputs)
    answers = np.isfinite(found["g2"][0])
    assert {t.index[1] for t in truths["g2"]} <= set(np.flatnonzero(answers))
    for name, values in truths.items():
        tolerance = TWO_TIME.tolerance(problem, name)
        assert compare_truth(name, found[name], values, tolerance, "float64").passed


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("diagonal", ["raw", "neighbour_mean"])
def test_a_dark_frame_is_left_out(backend, estimator, diagonal):
    problem = problem_of(diagonal=diagonal, estimator=estimator)
    inputs = TWO_TIME.make_inputs(problem, np.random.default_rng(3))
    inputs["frames"][7] = 0
    inputs["frames"][-1] = 0
    found = run(TWO_TIME, problem, backend, inputs)
    missing = np.isnan(found["c2"])
    assert missing[:, [7, 39]].all()
    assert missing[:, :, [7, 39]].all()
    assert np.count_nonzero(missing[0]) == 40**2 - 38**2
    # the frames at the ends have no other partner at the longest delay
    assert np.isfinite(found["g2"][:, :39]).all()
    if estimator != "symmetric":
        assert np.isnan(found["g2"][:, 39]).all()


def test_the_diagonal_is_the_mean_of_its_neighbours():
    _, raw = correlated(problem_of())
    _, corrected = correlated(problem_of(diagonal="neighbour_mean"))
    place = np.arange(40)
    off_diagonal = place[:, None] != place
    np.testing.assert_array_equal(
        corrected["c2"][:, off_diagonal], raw["c2"][:, off_diagonal]
    )
    np.testing.assert_array_equal(corrected["g2"][:, 1:], raw["g2"][:, 1:])
    beside = raw["c2"][:, place[:-1], place[1:]]
    diagonal = corrected["c2"][:, place, place]
    np.testing.assert_array_equal(diagonal[:, 0], beside[:, 0])
    np.testing.assert_array_equal(diagonal[:, -1], beside[:, -1])
    np.testing.assert_array_equal(
        diagonal[:, 1:-1], (beside[:, :-1] + beside[:, 1:]) / 2
    )
    # what it takes away is shot noise
    assert (raw["c2"][:, place, place] > diagonal).all()


def test_the_estimators_are_the_same_only_for_a_steady_intensity():
    steady, fading = (
        {
            estimator: run(
                TWO_TIME,
                problem_of(frames=9, pixels=40, bins=1, estimator=estimator),
                "numpy",
                {"frames": frames},
            )["g2"][0]
            for estimator in ESTIMATORS
        }
        for frames in (
            _steady(),
            _steady() * np.arange(9, 0, -1, dtype=np.uint16)[:, None],
        )
    )
    for estimator in ESTIMATORS:
        np.testing.assert_allclose(steady[estimator], steady["symmetric"], rtol=8 * EPS)
    # frames are divided by their own intensity, or compared with what they would be
    for estimator in ("mean_of_diagonal", "ratio_of_sums"):
        np.testing.assert_allclose(fading[estimator], steady[estimator], rtol=16 * EPS)
    # the mean intensity of many frames is not that of each; of one pair it is
    difference = np.abs(fading["symmetric"] - steady["symmetric"])
    assert (difference[:8] > 1e-2).all()
    assert difference[8] < 8 * EPS


def _steady():
    """Frames in which pixels change places and the sum stays."""
    first = np.arange(40, dtype=np.uint16)
    return np.stack([np.roll(first, 3 * i) for i in range(9)])


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_size_of_a_block_changes_nothing(backend, dtype):
    whole, large, small = (
        correlated(problem_of(dtype, block_pixels=size), backend)[1]
        for size in (100_000, 37, 20)
    )
    for name, array in whole.items():
        # sums of whole numbers are exact in any order
        np.testing.assert_array_equal(large[name], array)
        np.testing.assert_array_equal(small[name], array)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize(
    ("dtype", "diagonal"), list(zip(DTYPES, ("neighbour_mean", "raw"), strict=True))
)
def test_the_height_of_a_band_changes_no_c2_and_only_how_g2_is_rounded(
    backend, dtype, diagonal
):
    whole, bands = (
        correlated(problem_of(dtype, diagonal=diagonal, block_frames=n), backend)[1]
        for n in (40, 11)
    )
    np.testing.assert_array_equal(bands["c2"], whole["c2"])
    # 40 numbers near 1, added in another order
    rtol = math.sqrt(40) * np.finfo(dtype).eps
    np.testing.assert_allclose(bands["g2"], whole["g2"], rtol=rtol)


def frugal(dtype, bins=1, **params):
    """Frames enough for the arrays of C2 to outweigh all that is small."""
    return problem_of(
        dtype, frames=300, pixels=3000, bins=bins, block_pixels=256, **params
    )


FRUGAL = [
    pytest.param(frugal(dtype, **changes), id=f"{dtype}-{label}")
    for dtype in DTYPES
    for label, changes in (
        ("bands", {"block_frames": 64}),
        ("one-band", {}),
        ("corrected", {"block_frames": 64, "diagonal": "neighbour_mean"}),
        ("ratio", {"block_frames": 64, "estimator": "ratio_of_sums"}),
        ("bins", {"block_frames": 64, "bins": 2, "estimator": "symmetric"}),
    )
]


@pytest.mark.parametrize("problem", FRUGAL)
def test_numpy_needs_no_more_memory_than_is_stated(problem):
    inputs = TWO_TIME.make_inputs(problem, np.random.default_rng(0))
    bound = TWO_TIME.most_bytes(problem) - inputs["frames"].nbytes
    backend = create_backend("numpy")
    tracemalloc.start()
    outputs = TWO_TIME.compute(backend, problem, inputs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(array.nbytes for array in outputs.values()) < peak <= bound


@pytest.mark.parametrize("problem", FRUGAL[: len(FRUGAL) // 2])
def test_what_is_compiled_needs_no_more_memory_than_is_stated(problem):
    params, backend = problem.params, create_backend("jax")
    frames = jax.ShapeDtypeStruct((params.frames, params.pixels), np.uint16)
    compiled = (
        jax.jit(lambda x: TWO_TIME.compute(backend, problem, {"frames": x}))
        .lower(frames)
        .compile()
    )
    found = compiled.memory_analysis()
    used = (
        found.argument_size_in_bytes
        + found.output_size_in_bytes
        + found.temp_size_in_bytes
    )
    assert used <= TWO_TIME.most_bytes(problem)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_speckle_has_the_g2_that_it_was_drawn_with(estimator):
    problem = problem_of(
        frames=24, pixels=1200, bins=2, estimator=estimator, diagonal="neighbour_mean"
    )
    found = np.array(
        [correlated(problem, seed=seed)[1]["g2"][:, 1:20] for seed in range(40)]
    )
    expected = np.array(
        [bin_speckle(problem.params, b).g2(np.arange(1, 20)) for b in range(2)]
    )
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    # 38 estimates with 39 degrees of freedom: beyond 5 by chance once in 2000 seeds
    assert np.abs((found.mean(axis=0) - expected) / error).max() < 5
    # the other bin's would not do
    assert np.abs((found.mean(axis=0) - expected[::-1]) / error).max() > 5


def test_a_bin_without_two_pixels_is_refused():
    problem = problem_of(pixels=30, bins=5)
    with pytest.raises(ConfigError, match=r"innermost has 1.*at least 50 pixels"):
        TWO_TIME.check(problem)
    TWO_TIME.check(problem_of(pixels=50, bins=5))
