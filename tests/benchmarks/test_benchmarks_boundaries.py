"""What decides whether a statement about a boundary holds."""

import pytest

from xpcs_bench.measure.behaviours.registry import BEHAVIOURS
from xpcs_bench.records import BehaviourSeen


@pytest.fixture
def claims(load):
    return load("boundaries", "claims")


@pytest.fixture
def study(claims, load):
    return load("boundaries", "study")


def seen(kind, **changes):
    return BehaviourSeen(behaviour="x", kind=kind, **changes)


def test_an_exception_of_the_class_or_a_derived_one_is_what_was_expected(claims):
    claim = claims.Claim("x", "raises ValueError", claims.raises("ValueError"))
    derived = ("UnicodeError", "ValueError", "Exception")
    other = ("TypeError", "Exception")
    assert claims.judge(claim, seen("raised", exceptions=derived)) == "holds"
    assert claims.judge(claim, seen("raised", exceptions=other)) == "does not hold"
    assert claims.judge(claim, seen("returned")) == "does not hold"
    assert claims.judge(claim, seen("died")) == "does not hold"


@pytest.mark.parametrize("kind", ["absent", "lost"])
def test_what_could_not_be_tried_decides_nothing(claims, kind):
    for expect in (claims.raises("E"), claims.shows("a", value=1)):
        claim = claims.Claim("x", "says", expect)
        found = claims.judge(claim, seen(kind, message="no Qt"))
        assert found == "cannot be tested here"


def test_what_is_expected_must_be_seen(claims):
    claim = claims.Claim("x", "is opaque", claims.shows("type", "|V2"))
    for found, verdict in {"|V2": "holds", "<f4": "does not hold"}.items():
        row = seen("returned", observed={"type": found})
        assert claims.judge(claim, row) == verdict
    assert claims.judge(claim, seen("returned")) == "does not hold"


def test_every_claim_is_about_a_behaviour_of_its_own(claims):
    names = [c.behaviour for part in claims.CLAIMS.values() for c in part]
    assert len(names) == len(set(names))
    assert set(names) <= BEHAVIOURS.keys()
    for part in claims.CLAIMS.values():
        for claim in part:
            assert set(claim.expect.shows) <= set(BEHAVIOURS[claim.behaviour].observes)


def test_the_record_holds_what_was_seen(study, monkeypatch, tmp_path):
    def tried(names, limits):
        for name in names:
            yield BehaviourSeen(behaviour=name, kind="absent", message="not tried")

    monkeypatch.setattr(study, "try_all", tried)
    monkeypatch.setattr(study, "RECORD", tmp_path)
    study.main()
    text = (tmp_path / "claims.md").read_text()
    assert "`h5py-dataset` | cannot be tested here | not tried |" in text
    committed = study.Path(study.__file__).parents[2] / "reports" / "boundaries"
    record, new = (
        study.json.loads((folder / "claims.json").read_text())
        for folder in (committed, tmp_path)
    )
    assert record.keys() == new.keys()
    assert [row["id"] for row in record["claims"]] == [r["id"] for r in new["claims"]]
    assert record["claims"][0].keys() == new["claims"][0].keys()
    assert record["claims"][0]["details"].keys() == new["claims"][0]["details"].keys()


def test_the_table_keeps_its_columns(study):
    row = {"id": "x", "part": "P", "says": "s", "verdict": "holds", "outcome": "|V2"}
    text = study.markdown([row], {"jax": "1"})
    assert "| s | `x` | holds | \\|V2 |" in text
    assert "jax 1." in text
