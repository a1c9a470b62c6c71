"""Labels against independent counting, and where bins begin and end."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DETECTOR, DTYPES, REFLECTION, TRANSMISSION, run

from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Mask, MaskedRectangle
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.edges import space_edges
from xpcs_bench.kernels.partition import PartitionParams

PARTITION = create_kernel("partition")


def problem_of(dtype="float64", detector=DETECTOR, geometry=TRANSMISSION, **params):
    return Problem(PartitionParams(**params), detector, geometry, dtype)


def labelled(problem, backend="numpy"):
    inputs = PARTITION.make_inputs(problem, np.random.default_rng(0))
    return inputs, run(PARTITION, problem, backend, inputs)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spacing", ["linear", "logarithmic"])
@pytest.mark.parametrize("phi_range", ["full", "data"])
def test_counts_agree_with_histogram2d(backend, dtype, spacing, phi_range):
    problem = problem_of(
        dtype, q_bins=9, phi_bins=7, spacing=spacing, phi_range=phi_range
    )
    inputs, outputs = labelled(problem, backend)
    used = inputs["mask"]
    desired, _, _ = np.histogram2d(
        inputs["q"][used],
        inputs["phi"][used],
        bins=(inputs["q_edges"], inputs["phi_edges"]),
    )
    np.testing.assert_array_equal(outputs["counts"][1:], desired.reshape(-1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spacing", ["linear", "logarithmic"])
def test_arithmetic_and_search_give_the_same_labels(dtype, spacing):
    detector = Detector(name="d", shape=(211, 190), pixel_size_um=75)
    one, other = (
        labelled(
            problem_of(
                dtype,
                detector,
                q_bins=100,
                phi_bins=36,
                spacing=spacing,
                formulation=formulation,
            )
        )[1]["labels"]
        for formulation in ("arithmetic", "digitize")
    )
    np.testing.assert_array_equal(one, other)


@cache
def labeller(backend_name, n, spacing, formulation):
    """Compile once for all values of one shape."""
    backend = create_backend(backend_name)
    problem = problem_of(q_bins=n, phi_bins=1, spacing=spacing, formulation=formulation)
    compiled = backend.jit(lambda x: PARTITION.compute(backend, problem, x)["labels"])
    return lambda inputs: np.asarray(
        compiled({key: backend.from_numpy(value) for key, value in inputs.items()})
    )


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("formulation", ["arithmetic", "digitize"])
@pytest.mark.parametrize("spacing", ["linear", "logarithmic"])
@pytest.mark.parametrize("n", [1, 23])
@settings(max_examples=25, deadline=None)
@given(low=st.floats(1e-3, 3), factor=st.floats(1.1, 1e4))
def test_values_on_and_beside_edges_are_put_where_the_edges_say(
    backend, formulation, spacing, n, low, factor
):
    edges = space_edges("q", low, low * factor, n, spacing, "float64")
    beside = np.concatenate(
        [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)]
    )
    labels = labeller(backend, n, spacing, formulation)(
        {
            "q": beside[None],
            "phi": np.zeros((1, beside.size)),
            "mask": np.ones((1, beside.size), np.bool_),
            "q_edges": edges,
            "phi_edges": np.array([-1.0, 1.0]),
        }
    )
    desired = np.searchsorted(edges, beside, side="right")
    desired[beside == edges[-1]] = n
    desired[(beside < edges[0]) | (beside > edges[-1])] = 0
    np.testing.assert_array_equal(labels[0], desired)


@settings(max_examples=20, deadline=None)
@given(
    q_bins=st.integers(1, 30),
    phi_bins=st.integers(1, 12),
    spacing=st.sampled_from(["linear", "logarithmic"]),
    rows=st.tuples(st.integers(0, 10), st.integers(11, 22)),
)
def test_every_used_pixel_has_one_label(q_bins, phi_bins, spacing, rows):
    gap = MaskedRectangle(rows=rows, columns=(2, 9))
    detector = DETECTOR.model_copy(update={"mask": Mask(rectangles=(gap,))})
    geometry = TRANSMISSION.model_copy(update={"beam_centre_px": (11.3, 8.2)})
    inputs, outputs = labelled(
        problem_of(
            detector=detector,
            geometry=geometry,
            q_bins=q_bins,
            phi_bins=phi_bins,
            spacing=spacing,
        )
    )
    labels, counts = outputs["labels"], outputs["counts"]
    assert labels.min() >= 0
    assert labels.max() <= q_bins * phi_bins
    np.testing.assert_array_equal(labels > 0, inputs["mask"])
    assert counts.sum() == labels.size
    assert counts[0] == np.count_nonzero(~inputs["mask"])


def test_the_label_counts_phi_within_q():
    inputs, outputs = labelled(problem_of(q_bins=4, phi_bins=3))
    iq, ip = np.divmod(outputs["labels"] - 1, 3)
    used = outputs["labels"] > 0
    for name, index in (("q", iq), ("phi", ip)):
        values, edges = inputs[name][used], inputs[f"{name}_edges"]
        assert (values >= edges[index[used]]).all()
        assert (values <= edges[index[used] + 1]).all()


def test_the_last_bin_is_closed():
    inputs, outputs = labelled(problem_of(q_bins=5, phi_bins=1))
    used = np.where(inputs["mask"], inputs["q"], -1.0)
    assert outputs["labels"].reshape(-1)[used.argmax()] == 5


def test_logarithmic_bins_leave_the_direct_beam_out():
    _, linear = labelled(problem_of(q_bins=5))
    _, logarithmic = labelled(problem_of(q_bins=5, spacing="logarithmic"))
    assert linear["labels"][11, 8] > 0
    assert logarithmic["labels"][11, 8] == 0
    assert logarithmic["counts"][0] == linear["counts"][0] + 1


def test_the_range_of_phi_moves_pixels_between_bins():
    quadrant = TRANSMISSION.model_copy(update={"beam_centre_px": (30.0, -5.0)})
    full, data = (
        labelled(problem_of(geometry=quadrant, phi_bins=8, phi_range=phi_range))
        for phi_range in ("full", "data")
    )
    assert full[0]["phi_edges"][[0, -1]].tolist() == [-180, 180]
    used = data[0]["phi"][data[0]["mask"]]
    assert data[0]["phi_edges"][[0, -1]].tolist() == [used.min(), used.max()]
    assert (full[1]["labels"] != data[1]["labels"]).any()


def test_grazing_incidence_has_the_same_partition():
    transmission = REFLECTION.model_copy(update={"kind": "transmission"})
    _, one = labelled(problem_of(geometry=REFLECTION))
    _, other = labelled(problem_of(geometry=transmission))
    np.testing.assert_array_equal(one["labels"], other["labels"])


def test_a_single_pixel_has_no_range_in_q():
    detector = Detector(name="dot", shape=(1, 1), pixel_size_um=75)
    with pytest.raises(ConfigError, match="no range in q"):
        PARTITION.make_inputs(problem_of(detector=detector), np.random.default_rng(0))


def test_the_truth_sees_a_label_that_is_off_by_one_next_to_an_edge():
    problem = problem_of(q_bins=6, phi_bins=2)
    inputs, outputs = labelled(problem)
    edge = inputs["q_edges"][3]
    place = np.abs(inputs["q"] - edge).argmin()
    labels = outputs["labels"].copy()
    labels.reshape(-1)[place] += 2
    truths = {t.index: t.value for t in PARTITION.truth(problem, inputs)["labels"]}
    index = tuple(map(int, np.unravel_index(place, labels.shape)))
    assert truths[index] != labels[index]


def test_the_truth_of_the_counts_comes_from_counting_again():
    problem = problem_of(q_bins=3, phi_bins=2)
    inputs, outputs = labelled(problem)
    truths = PARTITION.truth(problem, inputs)["counts"]
    assert [t.index for t in truths] == [(1,), (4,), (6,)]
    for truth in truths:
        assert truth.value == np.count_nonzero(outputs["labels"] == truth.index[0]) > 0
