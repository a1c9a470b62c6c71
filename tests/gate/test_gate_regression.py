import pytest
from making import agreement, case, header, measurement, samples

from xpcs_bench.gate.rules.regression import verdicts
from xpcs_bench.records import Case, Outcome, Status, Variant
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.store import compose


def of(revision):
    plain = case("numpy")
    variant = Variant(**plain.variant.model_dump() | {"revision": revision})
    return Case(**plain.model_dump() | {"variant": variant})


BASELINE, CANDIDATE = of("baseline"), of("candidate")
GROUP = BASELINE.group_id


def judged(baseline_ns, candidate_ns, *, wrong=False):
    """Both revisions in three processes, of twelve equal samples each.

    The time of the candidate is one for all of its processes, or one for each.
    """
    if isinstance(candidate_ns, int):
        candidate_ns = [candidate_ns] * 3
    evidence = Evidence(header(BASELINE, CANDIDATE))
    for side, times_ns in ((BASELINE, [baseline_ns] * 3), (CANDIDATE, candidate_ns)):
        failed = wrong and side is CANDIDATE
        for process, elapsed_ns in enumerate(times_ns):
            row = measurement(
                side,
                process=process,
                samples=samples(*[elapsed_ns] * 12),
                status=Status.PARITY_FAILED if failed else Status.OK,
                checks=(agreement(passed=not failed),),
            )
            evidence.measurements[row.case, row.process] = row
    return list(verdicts(compose(evidence, interrupted=False)))


@pytest.mark.parametrize(
    ("candidate_ns", "outcome"),
    [
        (1_000_000, Outcome.PASS),
        (900_000, Outcome.PASS),
        (1_300_000, Outcome.FAIL),
        ([900_000, 1_050_000, 1_200_000], Outcome.INCONCLUSIVE),
    ],
)
def test_a_candidate_is_judged_by_its_time(candidate_ns, outcome):
    (verdict,) = judged(1_000_000, candidate_ns)
    assert (verdict.subject, verdict.outcome) == (GROUP, outcome)
    assert verdict.evidence == ("/summary/regressions/0",)


def test_wrong_values_have_no_speed_however_fast():
    (verdict,) = judged(1_000_000, 1_000, wrong=True)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no speed to compare" in verdict.reason
    assert verdict.evidence == ()


def test_a_run_of_one_revision_is_not_judged():
    evidence = Evidence(header(case("numpy"), case("jax")))
    assert list(verdicts(compose(evidence, interrupted=False))) == []
