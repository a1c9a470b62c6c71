"""Laws of means, and bins without pixels or photons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from kernel_problems import DETECTOR, DTYPES, run

from xpcs_bench.config import Detector
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.binning import BinningParams

BINNING = create_kernel("binning")
EPS = np.finfo(np.float64).eps


def problem_of(dtype="float64", shape=(24, 20), **params):
    detector = DETECTOR.model_copy(update={"shape": shape})
    return Problem(BinningParams(**params), detector, None, dtype)


def binned(problem, backend="numpy"):
    inputs = BINNING.make_inputs(problem, np.random.default_rng(2))
    return inputs, run(BINNING, problem, backend, inputs)


@settings(max_examples=50)
@given(
    frames=arrays.arrays(np.uint16, (2, 5, 7)),
    labels=arrays.arrays(np.int32, (5, 7), elements=st.integers(0, 4)),
)
def test_laws_for_any_counts_and_labels(frames, labels):
    problem = problem_of(frames=2, rings=4, sectors=1, counts=1000)
    found = run(BINNING, problem, "numpy", {"frames": frames, "labels": labels})
    counts = found["counts"]
    np.testing.assert_array_equal(counts, np.bincount(labels.ravel(), None, 5)[1:])
    some = counts > 0
    for name in ("mean", "variance"):
        np.testing.assert_array_equal(np.isnan(found[name]), [~some, ~some])
    mean, variance = found["mean"][:, some], found["variance"][:, some]
    used = (frames * (labels > 0)).astype(np.int64)
    # parts weighted with their size make up the whole
    np.testing.assert_allclose(
        (mean * counts[some]).sum(axis=1), used.sum(axis=(1, 2)), rtol=10 * EPS
    )
    assert (variance >= 0).all()
    total = mean.sum(axis=0) / 2
    np.testing.assert_allclose(found["intensity"][some], total, rtol=10 * EPS)
    normalised = found["normalised"]
    seen = np.concatenate([[False], found["intensity"] > 0])
    np.testing.assert_array_equal(np.isnan(normalised), ~seen[labels])
    # on average over its pixels a bin is normalised to 1
    sums = np.bincount(labels.ravel(), np.nan_to_num(normalised).ravel(), 5)
    np.testing.assert_allclose(sums[seen], counts[seen[1:]], rtol=20 * EPS)
    # no spread is larger than that of half the pixels at either end
    full = float(np.iinfo(np.uint16).max)
    assert (variance <= mean * (full - mean) + 10 * EPS * full**2).all()


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_counts_have_their_value_and_no_variance(backend, dtype):
    problem = problem_of(dtype)
    inputs = BINNING.make_inputs(problem, np.random.default_rng(0))
    inputs["frames"][...] = 65535
    found = run(BINNING, problem, backend, inputs)
    assert (found["mean"] == 65535).all()
    assert (found["variance"] == 0).all()
    assert (found["intensity"] == 65535).all()
    used = inputs["labels"] > 0
    np.testing.assert_allclose(found["normalised"][used], 1, rtol=np.finfo(dtype).eps)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_bin_without_pixels_has_no_mean(backend):
    problem = problem_of()
    inputs = BINNING.make_inputs(problem, np.random.default_rng(0))
    inputs["labels"][inputs["labels"] == 5] = 0
    found = run(BINNING, problem, backend, inputs)
    assert found["counts"][4] == 0
    for name in ("mean", "variance"):
        empty = np.isnan(found[name])
        assert empty[:, 4].all()
        assert np.count_nonzero(empty) == len(empty)
    assert np.flatnonzero(np.isnan(found["intensity"])).tolist() == [4]
    assert all(t.index[1] != 4 for t in BINNING.truth(problem, inputs)["mean"])


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_bin_without_photons_is_dark_and_cannot_be_normalised(backend):
    problem = problem_of()
    inputs = BINNING.make_inputs(problem, np.random.default_rng(0))
    dark = inputs["labels"] == 5
    inputs["frames"][:, dark] = 0
    found = run(BINNING, problem, backend, inputs)
    assert found["counts"][4] == np.count_nonzero(dark) > 0
    assert (found["mean"][:, 4] == 0).all()
    assert found["intensity"][4] == 0
    np.testing.assert_array_equal(
        np.isnan(found["normalised"]), dark | (inputs["labels"] == 0)
    )
    truths = BINNING.truth(problem, inputs)["normalised"]
    assert truths
    assert all(inputs["labels"][t.index] not in {0, 5} for t in truths)


def test_what_is_normalised_no_longer_falls_off():
    params = BinningParams(frames=20, rings=40, sectors=1, counts=50)
    detector = Detector(name="d", shape=(101, 101), pixel_size_um=75)
    inputs, found = binned(Problem(params, detector, None, "float64"))
    outer = inputs["labels"] > 30
    inner = inputs["labels"] < 5
    raw = inputs["frames"].mean(axis=0)
    assert raw[inner].mean() > 5 * raw[outer].mean()
    normalised = found["normalised"]
    assert normalised[inner].mean() == pytest.approx(1, abs=1e-12)
    assert normalised[outer].mean() == pytest.approx(1, abs=1e-12)


def test_masked_pixels_belong_to_no_bin():
    inputs, found = binned(problem_of())
    assert (inputs["labels"][3:5] == 0).all()
    bright = {"labels": inputs["labels"], "frames": inputs["frames"].copy()}
    bright["frames"][:, 3:5] = 60000
    again = run(BINNING, problem_of(), "numpy", bright)
    for name, array in found.items():
        assert array.tobytes() == again[name].tobytes()


def test_labels_are_sectors_of_rings_and_counts_fall_off():
    detector = Detector(name="d", shape=(101, 101), pixel_size_um=75)
    params = BinningParams(frames=9, rings=5, sectors=4)
    problem = Problem(params, detector, None, "float64")
    inputs, found = binned(problem)
    labels = inputs["labels"]
    assert sorted(np.unique(labels)) == list(range(1, 21))
    # the first sector of each ring begins at the last column and runs to row 100
    assert labels[50, 51:].tolist() == sorted(labels[50, 51:])
    assert set(labels[50, 51:]) <= {1, 5, 9, 13}
    assert labels[90, 60] % 4 == 1
    by_ring = found["mean"].mean(axis=0).reshape(5, 4).mean(axis=1)
    assert (np.diff(by_ring) < 0).all()


def test_poisson_counts_spread_by_more_than_their_mean():
    """In a ring the expectation falls off, which adds to the variance of Poisson."""
    _, found = binned(problem_of(shape=(200, 200), frames=1, rings=40, sectors=1))
    few = 30
    assert found["variance"][0, :few] == pytest.approx(found["mean"][0, :few], rel=0.3)


def test_without_a_detector_there_are_no_frames():
    problem = Problem(BinningParams(), None, None, "float64")
    for asked in (BINNING.work, BINNING.check):
        with pytest.raises(ConfigError, match="detector"):
            asked(problem)
