"""The kernels are as near to the truth as is said; the study says when they are not."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "accuracy"


def files():
    sys.path.insert(0, str(FOLDER))
    try:
        from sections import FILES

        return list(FILES)
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def study(load):
    return load("accuracy", "study")


@pytest.mark.parametrize("file", files())
def test_little_of_it_is_within_the_bounds(study, file):
    found = study.look(file, few=True)
    assert found["readings"]
    assert [one for one in found["readings"] if one["holds"] is False] == []
    judged = [one for one in found["readings"] if one["holds"]]
    assert judged
    assert all(one["n_points"] for one in judged)
    json.dumps(found)


def test_the_parts_of_q_may_be_six_ulp_off_and_are_looked_at_near_their_zeros(load):
    load("accuracy", "reading")
    qmap = load("accuracy", "qmap_accuracy")
    readings = qmap.measure(few=True)
    bounds = {one.what: one.bound for one in readings}
    for kind, names in (
        ("transmission", {"q", "qx", "qy"}),
        ("reflection", {"q", "qx", "qy", "qz"}),
    ):
        for who in ("NumPy", "JAX", "JAX without angles"):
            found = {
                what.split(",")[0]
                for what, bound in bounds.items()
                if what.endswith(f", {kind}, {who}") and bound == 6
            }
            assert found == names
    setup = qmap.setups(few=True)[1]
    assert setup[1].kind == "reflection"
    found = qmap.maps(setup, "numpy", "all")
    pixels = qmap.pixels_of(setup, qmap.Beam.from_vector(np.ones(6)), found)
    for name in ("qx", "qz", "alpha_f"):
        nearest = np.unravel_index(np.abs(found[name]).argmin(), found[name].shape)
        assert tuple(int(i) for i in nearest) in pixels


def test_an_error_in_the_last_digits_is_seen(load, monkeypatch):
    load("accuracy", "reading")
    qmap = load("accuracy", "qmap_accuracy")
    right = qmap.maps

    def wrong(*asked):
        found = dict(right(*asked))
        found["qx"] = found["qx"] * (1 + 16 * np.finfo(np.float64).eps)
        return found

    monkeypatch.setattr(qmap, "maps", wrong)
    judged = {one.what: one.holds for one in qmap.measure(few=True)}
    assert {what for what, holds in judged.items() if holds is False} == {
        what for what in judged if what.startswith("qx,")
    }


def test_the_study_tells_what_does_not_hold(study, load):
    reading = load("accuracy", "reading")
    readings = [
        reading.Reading("q, NumPy", 2.0, 6.0, "ULP", 10, "pixel (1, 2)"),
        reading.Reading("q, JAX", 7.0, 6.0, "ULP", 10, ""),
        reading.Reading("q, none", float("nan"), 6.0, "ULP", 10, ""),
        reading.Reading("phi, JAX", 9.0, None, "ULP", 10, ""),
    ]
    assert [one.holds for one in readings] == [True, False, False, None]
    rows = [vars(one) | {"holds": one.holds} for one in readings]
    section = {"title": "Q", "text": "T.", "readings": rows}
    text = study.markdown({"versions": {"python": "3"}, "sections": {"x": section}})
    assert "| q, NumPy | 2 ULP | 6 | holds | 10 | pixel (1, 2) |" in text
    assert "| q, JAX | 7 ULP | 6 | DOES NOT HOLD | 10 |  |" in text
    assert "| phi, JAX | 9 ULP |  |  | 10 |  |" in text
