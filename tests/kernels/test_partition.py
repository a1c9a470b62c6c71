"""Labels against their truth, and where bins begin and end."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_problems import DETECTOR, DTYPES, REFLECTION, TRANSMISSION, run

from xpcs_bench.analysis.agreement import compare_outputs, compare_truth
from xpcs_bench.backends import create_backend
from xpcs_bench.config import Detector, Mask, MaskedRectangle
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.edges import index_scale, space_edges
from xpcs_bench.kernels.labels import combine_labels, dynamic_of_static
from xpcs_bench.kernels.partition import PartitionParams

PARTITION = create_kernel("partition")


def problem_of(dtype="float64", detector=DETECTOR, geometry=TRANSMISSION, **params):
    return Problem(PartitionParams(**params), detector, geometry, dtype)


def labelled(problem, backend="numpy"):
    inputs = PARTITION.make_inputs(problem, np.random.default_rng(0))
    return inputs, run(PARTITION, problem, backend, inputs)


# what is decided by numbers, and by itself reaches no branch in the contract's tests
SHAPES = {
    "offset": {"phi_bins": 7, "phi_offset_deg": 17.3},
    "offset-down": {"phi_bins": 4, "phi_offset_deg": -225.0},
    "half-turn": {"phi_bins": 5, "symmetry_fold": 2, "phi_offset_deg": -9.0},
    "six-fold": {"phi_bins": 1, "symmetry_fold": 6},
    "static-q": {"q_bins": 4, "phi_bins": 3, "static_first": 5},
    "static-phi": {"q_bins": 4, "phi_bins": 3, "static_second": 4},
    "static-both": {
        "q_bins": 3,
        "phi_bins": 2,
        "static_first": 3,
        "static_second": 2,
        "spacing": "logarithmic",
        "symmetry_fold": 2,
    },
    "static-boxes": {
        "axes": "x_y",
        "x_bins": 3,
        "y_bins": 5,
        "static_first": 2,
        "static_second": 3,
    },
    "few": {"q_bins": 3, "phi_bins": 2},
    "one": {"q_bins": 1, "phi_bins": 1},
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("formulation", ["arithmetic", "digitize"])
def test_every_shape_of_a_partition_keeps_the_contract(name, dtype, formulation):
    # an odd number of pixels, and enough that few labels are counted in pairs
    detector = DETECTOR.model_copy(update={"shape": (35, 41)})
    problem = problem_of(dtype, detector, formulation=formulation, **SHAPES[name])
    PARTITION.check(problem)
    inputs, desired = labelled(problem)
    _, actual = labelled(problem, "jax")
    declared = PARTITION.outputs(problem)
    tolerances = {one.name: PARTITION.tolerance(problem, one.name) for one in declared}
    assert list(desired) == list(actual) == list(tolerances)
    for output in declared:
        assert desired[output.name].dtype == output.dtype
    for found in compare_outputs(actual, desired, tolerances):
        assert found.passed, f"{found.output}: {found.reason}"
    truths = PARTITION.truth(problem, inputs)
    assert truths.keys() == tolerances.keys()
    for output, values in truths.items():
        array = desired[output]
        found = compare_truth(output, array, values, tolerances[output], array.dtype)
        assert found.passed, found.reason
    arrays = [*inputs.values(), *desired.values()]
    assert PARTITION.work(problem).bytes == sum(array.nbytes for array in arrays)


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
@given(
    low=st.floats(1e-3, 3), factor=st.floats(1.0001, 1e4), below_zero=st.floats(0, 1)
)
def test_values_on_and_beside_edges_are_put_where_the_edges_say(
    backend, formulation, spacing, n, low, factor, below_zero
):
    high = low * factor
    if spacing == "linear":
        low -= below_zero * high
    edges = space_edges("q", low, high, n, spacing, "float64")
    beside = np.concatenate(
        [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)]
    )
    labels = labeller(backend, n, spacing, formulation)(
        {
            "q": beside[None],
            "phi": np.zeros((1, beside.size)),
            "mask": np.ones((1, beside.size), np.bool_),
            "q_edges": edges,
            "q_scale": index_scale(edges, spacing),
            "phi_edges": np.array([-1.0, 1.0]),
            "phi_scale": np.array(0.5),
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
        values = np.where(values == 180, -180, values)
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


def test_plus_and_minus_180_degrees_are_one_direction():
    # the row of the beam, on its left
    inputs, outputs = labelled(problem_of(q_bins=1, phi_bins=8))
    assert (inputs["phi"][11, :8] == 180).all()
    assert (outputs["labels"][11, :8] == 1).all()


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_opposite_directions_share_a_bin_of_a_half_turn(backend, dtype):
    detector = Detector(name="d", shape=(31, 31), pixel_size_um=75)
    centred = TRANSMISSION.model_copy(update={"beam_centre_px": None})
    _, outputs = labelled(
        problem_of(
            dtype,
            detector,
            centred,
            q_bins=3,
            phi_bins=7,
            symmetry_fold=2,
            phi_offset_deg=-10,
        ),
        backend,
    )
    labels = outputs["labels"]
    opposite = labels[::-1, ::-1]
    # the beam itself has no direction
    np.testing.assert_array_equal(np.delete(labels, 480), np.delete(opposite, 480))
    assert labels.max() == 21


@settings(max_examples=20, deadline=None)
@given(offset=st.floats(-360, 360), fold=st.integers(1, 5), phi_bins=st.integers(1, 9))
def test_a_circle_of_any_offset_and_fold_loses_no_pixel(offset, fold, phi_bins):
    problem = problem_of(
        q_bins=2, phi_bins=phi_bins, phi_offset_deg=offset, symmetry_fold=fold
    )
    inputs, outputs = labelled(problem)
    np.testing.assert_array_equal(outputs["labels"] > 0, inputs["mask"])
    ip = (outputs["labels"] - 1) % phi_bins
    turn = (inputs["phi"] - offset) / 360 * fold % 1 * phi_bins
    sure = inputs["mask"] & (np.abs(turn - np.round(turn)) > 1e-9)
    np.testing.assert_array_equal(ip[sure], np.floor(turn[sure]))


@pytest.mark.parametrize(("offset", "same"), [(200.0, -160.0), (-360.0, 0.0)])
def test_offsets_that_are_a_turn_apart_are_the_same(offset, same):
    one, other = (
        labelled(problem_of(phi_bins=7, phi_offset_deg=degrees))
        for degrees in (offset, same)
    )
    np.testing.assert_array_equal(one[0]["phi_edges"], other[0]["phi_edges"])
    np.testing.assert_array_equal(one[1]["labels"], other[1]["labels"])


def test_boxes_of_columns_and_rows_have_one_size_whatever_is_masked():
    _, outputs = labelled(problem_of(axes="x_y", x_bins=4, y_bins=6))
    # rows 3 and 4 of 24 are masked, so that the first row of boxes lacks one row of 4
    assert outputs["counts"].tolist() == [40, *([15, 15, 20, 20, 20, 20] * 4)]
    assert outputs["labels"][0, [0, 4, 5, 19]].tolist() == [1, 1, 7, 19]
    assert outputs["labels"][[0, 23], 0].tolist() == [1, 6]


@settings(max_examples=15, deadline=None)
@given(
    axes=st.sampled_from(["q_phi", "q_x", "q_y", "phi_x", "phi_y", "x_y"]),
    n=st.integers(1, 6),
    m=st.integers(1, 6),
)
def test_a_partition_is_that_of_each_coordinate_combined(axes, n, m):
    first, second = axes.split("_")
    bins = {f"{first}_bins": n, f"{second}_bins": m}
    _, both = labelled(problem_of(axes=axes, **bins))
    _, one = labelled(problem_of(axes=axes, **bins | {f"{second}_bins": 1}))
    _, other = labelled(problem_of(axes=axes, **bins | {f"{first}_bins": 1}))
    np.testing.assert_array_equal(
        both["labels"], combine_labels(one["labels"], other["labels"], m)
    )


@settings(max_examples=20, deadline=None)
@given(
    bins=st.tuples(st.integers(1, 6), st.integers(1, 5)),
    split=st.tuples(st.integers(1, 5), st.integers(1, 4)),
    spacing=st.sampled_from(["linear", "logarithmic"]),
)
def test_static_bins_lie_in_dynamic_ones_and_share_their_edges(bins, split, spacing):
    common = {"spacing": spacing, "phi_range": "data"}
    problem = problem_of(
        q_bins=bins[0],
        phi_bins=bins[1],
        static_first=split[0],
        static_second=split[1],
        **common,
    )
    inputs, outputs = labelled(problem)
    if split == (1, 1):
        assert list(outputs) == ["labels", "counts"]
        return
    fine = problem_of(q_bins=bins[0] * split[0], phi_bins=bins[1] * split[1], **common)
    static_inputs, static = labelled(fine)
    np.testing.assert_array_equal(inputs["q_edges"], static_inputs["q_edges"])
    np.testing.assert_array_equal(outputs["static_labels"], static["labels"])
    np.testing.assert_array_equal(outputs["static_counts"], static["counts"])
    found = dynamic_of_static(outputs["static_labels"], outputs["labels"])
    told = outputs["static_to_dynamic"][: found.size]
    np.testing.assert_array_equal(np.where(found < 0, told, found), told)
    np.testing.assert_array_equal(
        np.bincount(outputs["labels"].ravel(), minlength=bins[0] * bins[1] + 1),
        outputs["counts"],
    )


@pytest.mark.parametrize("n", [1, 2, 6, 7, 9, 40])
@pytest.mark.parametrize("shape", [(24, 20), (23, 19), (23, 22)])
@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_counting_in_pairs_or_one_by_one_is_the_same(n, shape, backend):
    gap = MaskedRectangle(rows=(3, 5), columns=(0, 19))
    detector = DETECTOR.model_copy(
        update={"shape": shape, "mask": Mask(rectangles=(gap,))}
    )
    _, outputs = labelled(problem_of(detector=detector, q_bins=n, phi_bins=1), backend)
    np.testing.assert_array_equal(
        outputs["counts"], np.bincount(outputs["labels"].ravel(), minlength=n + 1)
    )


def test_an_empty_bin_keeps_its_label():
    quadrant = TRANSMISSION.model_copy(update={"beam_centre_px": (30.0, -5.0)})
    _, outputs = labelled(problem_of(geometry=quadrant, q_bins=1, phi_bins=8))
    # above and to the right of the beam: between 0 and 90 degrees
    assert np.flatnonzero(outputs["counts"][1:]).tolist() == [4, 5]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"x_bins": 9}, "x_bins=9 has no effect with axes='q_phi'.*'q_x', 'phi_x'"),
        ({"axes": "x_y", "q_bins": 9}, "q_bins=9 has no effect with axes='x_y'"),
        ({"axes": "x_y", "phi_range": "data"}, "phi_range='data' has no effect"),
        ({"axes": "phi_x", "spacing": "logarithmic"}, "do not cross q"),
        ({"axes": "q_y", "symmetry_fold": 2}, "symmetry_fold=2 has no effect"),
        ({"phi_range": "data", "phi_offset_deg": 3}, "phi_offset_deg=3.0 has no mean"),
        ({"phi_range": "data", "symmetry_fold": 2}, "symmetry_fold=2 has no mean"),
        ({"q_bins": 90_000, "static_first": 9, "static_second": 999}, "Take fewer"),
    ],
)
def test_what_would_have_no_effect_or_no_label_is_refused(params, message):
    with pytest.raises(ConfigError, match=message):
        PARTITION.check(problem_of(**params))


@pytest.mark.parametrize(
    "params",
    [
        {"axes": "x_y", "x_bins": 9, "y_bins": 3},
        {"axes": "q_x", "spacing": "logarithmic", "q_bins": 5},
        {"axes": "phi_y", "symmetry_fold": 4, "phi_offset_deg": 1.5},
    ],
)
def test_what_is_crossed_may_be_chosen(params):
    PARTITION.check(problem_of(**params))
