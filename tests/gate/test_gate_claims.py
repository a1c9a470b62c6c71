"""A claim that fails ends a run with 1; one that cannot be tested does not."""

import pytest
from making import agreement, case, experiment, header, measurement, samples

from xpcs_bench.config import Bounds, Claim, ClaimSide, Expectation, Selection
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import ClaimCases, Outcome, RunRecord, Skip
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.store import compose, load, save

CASE = case("numpy")


def claim(upper, name="fast"):
    return Claim(
        id=name,
        says="It is fast.",
        source="a document",
        of=ClaimSide(metric="steady_state", where=Selection()),
        expect=Expectation(bounds=Bounds(upper=upper, text="at most")),
    )


def record(*claims, of=CASE.id, skipped=()):
    made = header(
        CASE,
        skipped=skipped,
        experiment=experiment(claims=claims),
        claims=tuple(ClaimCases(claim=each.id, of=of) for each in claims),
    )
    evidence = Evidence(made)
    for process in range(3):
        row = measurement(
            CASE, process, samples=samples(*[1000] * 8), checks=(agreement(),)
        )
        evidence.measurements[row.case, process] = row
    return compose(evidence, interrupted=False)


@pytest.mark.parametrize(
    ("upper", "outcome", "code"),
    [
        (2e-6, Outcome.PASS, ExitCode.PASS),
        (5e-7, Outcome.FAIL, ExitCode.FAIL),
        (1e-6, Outcome.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
    ],
)
def test_a_claim_has_a_verdict_and_decides_the_exit(upper, outcome, code):
    made = record(claim(upper))
    (verdict,) = [row for row in judge(made) if row.rule == "claims"]
    assert (verdict.subject, verdict.outcome) == ("fast", outcome)
    assert verdict.evidence == ("/summary/claims/0",)
    assert verdict.reason == made.summary.claims[0].reason
    assert exit_code(made.status, judge(made)) is code


def test_a_claim_that_is_skipped_fails_nothing():
    made = record(claim(1e-9), of="x", skipped=(Skip(case="x", reason="no GPU"),))
    (verdict,) = [row for row in judge(made) if row.rule == "claims"]
    assert verdict.outcome is Outcome.SKIP
    assert exit_code(made.status, judge(made)) is ExitCode.PASS


def test_a_run_without_claims_has_no_verdict_on_them():
    assert not [row for row in judge(record()) if row.rule == "claims"]


def test_claims_are_decided_anew_when_a_record_is_read(tmp_path):
    made = record(claim(2e-6))
    save(made, tmp_path)
    assert load(tmp_path)[1].summary.claims == made.summary.claims


def test_records_from_before_there_were_claims_are_read():
    content = record().model_dump(mode="json")
    del content["behaviours"], content["summary"]["claims"]
    del content["header"]["claims"], content["header"]["experiment"]["claims"]
    old = RunRecord.model_validate(content)
    assert old.behaviours == old.header.claims == old.summary.claims == ()
