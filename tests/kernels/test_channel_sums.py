"""Sums over frames are the same whole numbers, written out or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.backends import create_backend
from xpcs_bench.kernels.channel_sums import (
    merge_pairs,
    sum_channels,
    sum_frames,
    sum_products,
)
from xpcs_bench.kernels.ladder import channels_by_level

# around where sums are no longer written out whole, and where groups come out even
LENGTHS = [1, 2, 3, 5, 63, 64, 65, 79, 80, 81, 160]


def counts_of(n_frames, n_pixels=3, seed=4):
    return np.random.default_rng(seed).integers(0, 9, (n_frames, n_pixels))


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("n", LENGTHS)
def test_any_number_of_terms_is_summed_once_each(backend, n):
    library = create_backend(backend)
    counts = counts_of(n + 5)
    placed = library.array(counts, "float64")

    def sums(counts):
        return (
            sum_frames(library, counts, 2, 2 + n),
            sum_products(library, counts, 1, 1 + n, 4),
        )

    total, products = map(library.to_numpy, library.jit(sums)(placed))
    np.testing.assert_array_equal(total, counts[2 : 2 + n].sum(axis=0))
    desired = (counts[1 : 1 + n] * counts[5 : 5 + n]).sum(axis=0)
    np.testing.assert_array_equal(products, desired)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("ladder", ["scikit_beam", "boost"])
@pytest.mark.parametrize("n_frames", [2, 21, 64, 150])
def test_every_channel_has_the_sums_of_its_pairs(backend, ladder, n_frames):
    library = create_backend(backend)
    counts = counts_of(n_frames)
    levels = channels_by_level(ladder, n_frames, 12, 8)
    # as kernels call it: operation by operation JAX takes a minute
    compiled = library.jit(lambda counts: sum_channels(library, levels, counts))
    sums = compiled(library.array(counts, "float64"))
    found = [library.to_numpy(part) for part in sums]
    place = 0
    for level, channels in enumerate(levels):
        n = n_frames >> level
        frames = counts[: n << level].reshape(n, 1 << level, -1).sum(axis=1)
        for channel in channels:
            earlier, later = frames[: n - channel], frames[channel:]
            for part, desired in zip(
                found, (earlier * later, earlier, later), strict=True
            ):
                np.testing.assert_array_equal(part[place], desired.sum(axis=0))
            place += 1
    assert [len(part) for part in found] == [place] * 3


@settings(max_examples=20, deadline=None)
@given(n_frames=st.integers(2, 40), seed=st.integers(0, 99))
def test_merging_loses_nothing_but_an_odd_last_frame(n_frames, seed):
    counts = counts_of(n_frames, seed=seed)
    merged = merge_pairs(counts)
    even = n_frames // 2 * 2
    assert len(merged) == n_frames // 2
    np.testing.assert_array_equal(merged.sum(axis=0), counts[:even].sum(axis=0))
