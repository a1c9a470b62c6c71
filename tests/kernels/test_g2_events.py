"""The list of photons gives what the frames give, and what is known of the speckle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DTYPES, run

from xpcs_bench.analysis.agreement import compare_truth
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.g2 import G2Params
from xpcs_bench.kernels.g2_events import G2EventsParams
from xpcs_bench.kernels.series import bin_speckle

G2 = create_kernel("g2")
EVENTS = create_kernel("g2_events")
EPS = np.finfo(np.float64).eps


def problem_of(dtype="float64", **params):
    return Problem(G2EventsParams(**params), None, None, dtype)


def inputs_of(problem, seed=3):
    return EVENTS.make_inputs(problem, np.random.default_rng(seed))


def frames_of(problem, inputs):
    params = problem.params
    counts = np.zeros((params.frames, params.pixels), np.uint16)
    real = inputs["pixel"] < params.pixels
    np.add.at(counts, (inputs["frame"][real], inputs["pixel"][real]), 1)
    return counts


def dense(problem, inputs):
    """What the kernel for frames makes of the same photons."""
    same = problem.params.model_dump()
    frames = Problem(G2Params(**same), None, None, problem.dtype)
    return run(G2, frames, "numpy", {"frames": frames_of(problem, inputs)})


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_photons_give_what_frames_give(backend, dtype):
    problem = problem_of(dtype, frames=301, pixels=400, counts=0.05)
    inputs = inputs_of(problem)
    found, desired = run(EVENTS, problem, backend, inputs), dense(problem, inputs)
    np.testing.assert_array_equal(found["delays"], desired["delays"])
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found["g2"], desired["g2"], rtol=12 * eps)
    np.testing.assert_allclose(
        found["g2_error"], desired["g2_error"], rtol=100 * eps, atol=eps
    )


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(2, 60),
    bins=st.integers(1, 3),
    channels=st.sampled_from([2, 4, 8]),
    ladder=st.sampled_from(["scikit_beam", "boost"]),
    seed=st.integers(0, 99),
)
def test_any_size_agrees_with_fractions(frames, bins, channels, ladder, seed):
    problem = problem_of(
        frames=frames,
        bins=bins,
        pixels=30 * bins**2,
        channels=channels,
        ladder=ladder,
        counts=0.5,
    )
    inputs = inputs_of(problem, seed)
    found = run(EVENTS, problem, "numpy", inputs)
    for name, values in EVENTS.truth(problem, inputs).items():
        tolerance = EVENTS.tolerance(problem, name)
        agreement = compare_truth(
            name, found[name], values, tolerance, found[name].dtype
        )
        assert agreement.passed, agreement.reason


def test_the_order_of_pixels_in_a_bin_and_places_that_are_empty_change_nothing():
    problem = problem_of(pixels=300, bins=1)
    inputs = inputs_of(problem)
    desired = run(EVENTS, problem, "numpy", inputs)
    real = inputs["pixel"] < 300
    turned = 299 - inputs["pixel"][real]
    order = np.lexsort((inputs["frame"][real], turned))
    other = {
        "pixel": np.append(turned[order], np.int32([300] * 7)),
        "frame": np.append(inputs["frame"][real][order], np.int32([5] * 7)),
    }
    found = run(EVENTS, problem, "numpy", other)
    np.testing.assert_allclose(found["g2"], desired["g2"], rtol=4 * EPS)
    np.testing.assert_allclose(found["g2_error"], desired["g2_error"], rtol=40 * EPS)


def test_a_delay_never_reaches_into_the_next_pixel():
    """One photon at the end of a pixel and one at the start of the next: no pair."""
    problem = problem_of(frames=64, pixels=10, bins=1)
    pixel = np.int32([3, 4, 10])
    frame = np.int32([63, 0, 0])
    found = run(EVENTS, problem, "numpy", {"pixel": pixel, "frame": frame})
    assert (found["g2"] == 0).all()
    assert (found["g2_error"] == 0).all()


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_g2_of_sparse_speckle_is_what_is_known(backend):
    params = G2EventsParams(
        frames=2000,
        pixels=20_000,
        bins=2,
        counts=0.004,
        modes=1,
        relaxation_frames=60.0,
        levels=8,
    )
    problem = Problem(params, None, None, "float64")
    found = run(EVENTS, problem, backend, inputs_of(problem, seed=11))
    expected = np.array(
        [
            [
                bin_speckle(params, index).g2_of_means(channel, 2**level)
                for index in range(params.bins)
            ]
            for level, channels in enumerate(params.channels_by_level)
            for channel in channels
        ]
    )
    off = (found["g2"] - expected) / found["g2_error"]
    assert np.abs(off).max() < 5
    # and it is not 1 by having no photons
    assert (np.abs(expected[:8, 0] - 1) > 5 * found["g2_error"][:8, 0]).all()


def test_a_series_as_long_as_it_takes_needs_no_frames():
    """A hundred thousand frames of a hundred thousand pixels, which nobody makes."""
    problem = problem_of(frames=100_000, pixels=100_000, counts=2e-6, levels=30)
    inputs = inputs_of(problem)
    assert sum(array.nbytes for array in inputs.values()) < 1e6
    found = run(EVENTS, problem, "numpy", inputs)
    assert len(found["delays"]) == 61  # as in files of APS 8-ID-I
    assert np.isfinite(found["g2_error"]).all()


def test_too_few_pixels_or_photons_are_refused():
    with pytest.raises(ConfigError, match="innermost has"):
        EVENTS.check(problem_of(pixels=10, bins=9))
    with pytest.raises(ConfigError, match=r"bin 0 has no photon.*Raise counts"):
        inputs_of(problem_of(counts=1e-6))
