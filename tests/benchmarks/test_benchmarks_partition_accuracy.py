"""Labels of maps that each library made part next to edges alone, and it is seen."""

import numpy as np
import pytest


@pytest.fixture
def partitions(load):
    load("accuracy", "reading")
    return load("accuracy", "partition_accuracy")


def test_labels_part_within_two_ulp_of_an_edge_alone(partitions):
    readings = partitions.measure(few=True)
    assert {one.bound for one in readings} == {0.0}
    assert [one.what for one in readings if not one.holds] == []
    assert {"one program", "two programs"} == {
        one.what.rpartition(", ")[2] for one in readings
    }


def test_a_map_that_is_off_by_more_is_seen(partitions, monkeypatch):
    right = partitions.label

    def wrong(library, problem, common, **how):
        found = right(library, problem, common, **how)
        if library.name == "jax" and problem.dtype == "float64":
            # as if q were too large: one pixel next to an edge in another ring
            edges = common["q_edges"]
            place = np.abs(found["q"] - edges[5]).argmin()
            found["labels"] = found["labels"].copy()
            found["labels"].reshape(-1)[place] += problem.params.phi_bins
        return found

    monkeypatch.setattr(partitions, "label", wrong)
    bad = [one for one in partitions.measure(few=True) if not one.holds]
    assert len(bad) == 8
    assert all("float64" in one.what for one in bad)
    assert all(one.measured == 1 for one in bad)


def test_distances_count_floats_to_the_nearer_edge(partitions):
    edges = np.array([1.0, 2.0, 4.0])
    beside = np.nextafter(2.0, 3.0)
    values = np.array([1.0, beside, np.nextafter(4.0, 0.0), 9.0])
    steps = partitions.from_edge(values, edges)
    assert steps[:3].tolist() == [0, 1, 1]
    assert steps[3] > 1e15
