"""Bins against SciPy and scikit-beam, laws of means, and bins without pixels."""

import warnings

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


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("counts", [0.01, 5.0, 800.0])
def test_it_agrees_with_scipy(backend, counts):
    from scipy import ndimage

    inputs, found = binned(problem_of(counts=counts), backend)
    bins = np.arange(1, 13)
    for i, frame in enumerate(inputs["frames"]):
        photons = frame.astype(np.float64)
        mean = ndimage.mean(photons, inputs["labels"], bins)
        np.testing.assert_allclose(found["mean"][i], mean, rtol=EPS)
        variance = ndimage.variance(photons, inputs["labels"], bins)
        np.testing.assert_allclose(
            found["variance"][i], variance, rtol=40 * EPS, atol=40 * EPS * counts**2
        )


def test_it_agrees_with_scikit_beam():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another package's imports
        pytest.importorskip("skbeam", reason="scikit-beam is an extra: peers")
        from skbeam.core import roi
    inputs, found = binned(problem_of())
    mean, labels = roi.mean_intensity(
        inputs["frames"].astype(np.float64), inputs["labels"]
    )
    assert list(labels) == list(range(1, 13))
    np.testing.assert_allclose(found["mean"], mean, rtol=EPS)


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
    assert all(t.index[1] != 4 for t in BINNING.truth(problem, inputs)["mean"])


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
