"""Edges are ordered, span the values, and leave room for the arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.edges import space_edges


@given(
    low=st.floats(1e-6, 1),
    factor=st.floats(1.01, 1e6),
    n_bins=st.integers(1, 200),
    spacing=st.sampled_from(["linear", "logarithmic"]),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_edges_rise_and_have_exact_ends(low, factor, n_bins, spacing, dtype):
    high = low * factor
    edges = space_edges("q", low, high, n_bins, spacing, dtype)
    assert edges.dtype == dtype
    assert edges.shape == (n_bins + 1,)
    assert (np.diff(edges) > 0).all()
    assert (edges[0], edges[-1]) == (
        np.dtype(dtype).type(low),
        np.dtype(dtype).type(high),
    )


def test_spacings_are_what_they_are_called():
    linear = space_edges("q", 1.0, 16.0, 4, "linear", "float64")
    np.testing.assert_allclose(linear, [1, 4.75, 8.5, 12.25, 16])
    logarithmic = space_edges("q", 1.0, 16.0, 4, "logarithmic", "float64")
    np.testing.assert_allclose(logarithmic, [1, 2, 4, 8, 16])


def test_logarithmic_bins_leave_room_for_a_logarithm_in_single_precision():
    low, high = 1.0, 1.0001
    edges = space_edges("q", low, high, 100, "logarithmic", "float64")
    assert (np.diff(edges) > 0).all()
    with pytest.raises(ConfigError, match=r"200 bins in q do not fit.*float32"):
        space_edges("q", low, high, 200, "logarithmic", "float64")
    assert space_edges("q", low, high, 200, "linear", "float64").size == 201


@pytest.mark.parametrize(
    ("low", "high", "n_bins", "dtype"),
    [
        (1.0, 1.0 + 1e-6, 100, "float32"),
        (1.0, 1.0, 1, "float64"),
        (2.0, 1.0, 3, "float64"),
        (0.0, 1.0, 200, "float16"),  # fine below 0.5, where numbers are denser
    ],
)
def test_bins_that_do_not_fit_are_refused(low, high, n_bins, dtype):
    with pytest.raises(ConfigError, match=f"{n_bins} bins in phi do not fit"):
        space_edges("phi", low, high, n_bins, "linear", dtype)
