"""What decides whether a statement about a boundary holds."""

import json

import pytest


@pytest.fixture
def claims(load):
    load("boundaries", "probes")
    return load("boundaries", "claims")


@pytest.fixture
def study(claims, load):
    return load("boundaries", "study")


def test_an_exception_of_the_class_or_a_derived_one_is_what_was_expected(claims):
    claim = claims.Claim("x", "raises ValueError", claims.raises("ValueError"), dict)
    derived = claims.Outcome("raised", ("UnicodeError", "ValueError", "Exception"))
    other = claims.Outcome("raised", ("TypeError", "Exception"))
    assert claims.judge(claim, derived) == "holds"
    assert claims.judge(claim, other) == "does not hold"
    assert claims.judge(claim, claims.Outcome("returned")) == "does not hold"
    assert claims.judge(claim, claims.Outcome("died")) == "does not hold"


@pytest.mark.parametrize(
    ("kind", "observed", "verdict"),
    [
        ("returned", {"pixels equal": True}, "does not hold"),
        ("returned", {"pixels equal": False}, "holds"),
        ("raised", {}, "holds"),
        ("died", {}, "holds"),
    ],
)
def test_to_render_nothing_or_to_crash_is_to_fail(claims, kind, observed, verdict):
    claim = claims.Claim("x", "renders nothing or crashes", claims.fails, dict)
    outcome = claims.Outcome(kind, ("E",), observed=observed)
    assert claims.judge(claim, outcome) == verdict


def test_what_is_absent_decides_nothing(claims):
    outcome = claims.Outcome("absent", message="no Qt")
    for expect in (claims.fails, claims.raises("E"), claims.shows("a", value=1)):
        claim = claims.Claim("x", "says", expect, dict)
        assert claims.judge(claim, outcome) == "cannot be tested here"


def test_what_is_expected_must_be_seen(claims):
    claim = claims.Claim("x", "is opaque", claims.shows("type", "|V2"), dict)
    seen = {"|V2": "holds", "<f4": "does not hold"}
    for found, verdict in seen.items():
        outcome = claims.Outcome("returned", observed={"type": found})
        assert claims.judge(claim, outcome) == verdict
    assert claims.judge(claim, claims.Outcome("returned")) == "does not hold"


def test_a_probe_is_observed_whatever_it_does(study):
    def warning():
        import warnings

        warnings.warn("soon", DeprecationWarning, stacklevel=1)
        return {"a": 1}

    def failing():
        msg = "first\nsecond"
        raise KeyError(msg)

    def missing():
        raise study.Absent("no Qt")  # noqa: EM101, TRY003 - as short as can be

    warned = study.observe(warning)
    assert (warned.kind, warned.observed) == ("returned", {"a": 1})
    assert warned.warnings == ("DeprecationWarning: soon",)
    raised = study.observe(failing)
    assert raised.kind == "raised"
    assert raised.exceptions == ("KeyError", "LookupError", "Exception")
    absent = study.observe(missing)
    assert (absent.kind, str(absent)) == ("absent", "no Qt")


def test_a_process_that_dies_is_an_outcome(study):
    assert study.read_outcome(-11, "").message == "the process ended with signal 11"
    assert study.read_outcome(3, "").kind == "died"
    said = study.asdict(study.observe(lambda: {"a": 1}))
    outcome = study.read_outcome(0, "noise\n" + json.dumps(said) + "\n")
    assert outcome == study.observe(lambda: {"a": 1})


def test_a_real_probe_in_a_process_of_its_own(claims, study):
    by_id = {claim.id: claim for part in claims.CLAIMS.values() for claim in part}
    claim = by_id["ensure-numpy-deleted"]
    outcome = study.in_fresh_process(claim)
    assert claims.judge(claim, outcome) == "holds", outcome
    assert "deleted or donated" in outcome.message


def test_every_claim_has_an_id_of_its_own(claims):
    ids = [claim.id for part in claims.CLAIMS.values() for claim in part]
    assert len(ids) == len(set(ids))


def test_the_table_keeps_its_columns(study):
    row = {"id": "x", "part": "P", "says": "s", "verdict": "holds", "outcome": "|V2"}
    text = study.markdown([row], {"jax": "1"})
    assert "| s | `x` | holds | \\|V2 |" in text
    assert "jax 1." in text
