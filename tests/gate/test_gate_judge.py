import pytest
from making import agreement, case, header, measurement, samples

from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import Crossover, Outcome, Skip, Status, Turn, Variant
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.store import compose

CASE, OTHER = case("numpy"), case("jax")


def record(*measurements, cases=(CASE,), skipped=(), interrupted=False):
    evidence = Evidence(header(*cases, skipped=skipped))
    for row in measurements:
        evidence.measurements[row.case, row.process] = row
    return compose(evidence, interrupted=interrupted)


def outcomes(of, rule):
    return [verdict.outcome for verdict in judge(of) if verdict.rule == rule]


def code(of):
    return exit_code(of.status, judge(of))


SOUND = measurement(CASE, samples=samples(1), checks=(agreement(),))
WRONG = measurement(
    CASE, status=Status.PARITY_FAILED, checks=(agreement(), agreement(passed=False))
)
LOST = measurement(OTHER, status=Status.CRASHED)


def test_a_measured_case_with_right_values_passes():
    made = record(SOUND)
    assert outcomes(made, "measured") == [Outcome.PASS]
    assert outcomes(made, "parity") == [Outcome.PASS]
    assert code(made) is ExitCode.PASS


def test_wrong_values_fail_and_the_evidence_is_pointed_at():
    made = record(WRONG)
    assert outcomes(made, "parity") == [Outcome.FAIL]
    (verdict,) = [row for row in judge(made) if row.outcome is Outcome.FAIL]
    assert verdict.evidence == ("/measurements/0/observation/checks/1",)
    assert code(made) is ExitCode.FAIL


@pytest.mark.parametrize(
    "status",
    [
        Status.CRASHED,
        Status.RAISED,
        Status.TIMED_OUT,
        Status.OUT_OF_MEMORY,
        Status.INVALID,
    ],
)
def test_what_could_not_be_measured_is_an_error_with_its_reason(status):
    made = record(measurement(CASE, status=status))
    (verdict,) = [row for row in judge(made) if row.outcome is Outcome.ERROR]
    assert verdict.reason == f"{status.value}: a reason"
    assert code(made) is ExitCode.COULD_NOT_MEASURE


def test_no_values_compared_is_a_skip_and_not_a_pass():
    made = record(measurement(CASE, samples=samples(1)))
    assert outcomes(made, "parity") == [Outcome.SKIP]


def test_a_case_that_was_not_reached_cannot_be_told():
    made = record(SOUND, cases=(CASE, OTHER))
    assert Outcome.INCONCLUSIVE in outcomes(made, "measured")
    assert code(made) is ExitCode.INCONCLUSIVE


def test_a_failure_is_said_before_an_error_and_an_interruption_before_both():
    made = record(WRONG, LOST, cases=(CASE, OTHER))
    assert code(made) is ExitCode.FAIL
    made = record(WRONG, LOST, cases=(CASE, OTHER), interrupted=True)
    assert code(made) is ExitCode.INTERRUPTED


def test_nothing_but_skips_is_not_a_pass():
    made = record(cases=(), skipped=(Skip(case="x", reason="device gpu: none"),))
    assert outcomes(made, "measured") == [Outcome.SKIP]
    assert code(made) is ExitCode.COULD_NOT_MEASURE


def part(control):
    variant = Variant(backend="numpy", device="cpu", dtype="float64", control=control)
    return case("numpy", variant=variant)


FIRST, AGAIN, SLOWED = (part(control) for control in ("first", "again", "slowed"))


def controlled(*, slowed_ns, processes=3, others=(), cases=()):
    times = ((FIRST, 1000), (AGAIN, 1000), (SLOWED, slowed_ns))
    rows = [
        measurement(of, process, samples=samples(took), checks=(agreement(),))
        for of, took in times
        for process in range(processes)
    ]
    return record(*rows, *others, cases=(FIRST, AGAIN, SLOWED, *cases))


def test_controls_that_come_out_right_pass():
    made = controlled(slowed_ns=1150)
    assert outcomes(made, "controls") == [Outcome.PASS, Outcome.PASS]
    assert code(made) is ExitCode.PASS


@pytest.mark.parametrize(
    "changes", [{"slowed_ns": 1000}, {"slowed_ns": 1150, "processes": 1}]
)
def test_controls_that_do_not_are_a_doubt_and_no_failure(changes):
    made = controlled(**changes)
    doubted = [row for row in judge(made) if row.outcome is Outcome.INCONCLUSIVE]
    assert {row.rule for row in doubted} == {"controls"}
    assert doubted[-1].subject == SLOWED.id
    assert doubted[-1].evidence == ("/summary/controls/1",)
    assert made.summary.controls[1].reason == doubted[-1].reason
    assert code(made) is ExitCode.INCONCLUSIVE


def test_a_failure_is_said_before_a_doubt():
    made = controlled(slowed_ns=1000, others=(WRONG,), cases=(CASE,))
    assert code(made) is ExitCode.FAIL


def test_a_run_without_controls_has_no_verdict_on_them():
    assert outcomes(record(SOUND), "controls") == []


@pytest.mark.parametrize(
    ("answer", "resolved", "outcome"),
    [
        ("crosses", True, Outcome.PASS),
        ("always", True, Outcome.PASS),
        ("crosses", False, Outcome.INCONCLUSIVE),
        ("cannot_tell", True, Outcome.INCONCLUSIVE),
    ],
)
def test_a_search_passes_with_an_answer_as_narrow_as_asked(answer, resolved, outcome):
    turn = Turn(lower=90, upper=99, size=95, becomes="faster", resolved=resolved)
    found = Crossover(
        axis="detector",
        problem="toy",
        metric="steady_state",
        baseline="numpy",
        candidate="jax",
        answer=answer,
        turns=(turn,) if answer == "crosses" else (),
        unclear=(),
        wins_above=None,
        points=(),
        lost=(),
        n_measured=0,
        n_grid=0,
        widest_gap=0.0,
        width=0.1,
        confidence=0.95,
        reason="a sentence.",
    )
    made = record(SOUND)
    summary = made.summary.model_copy(update={"crossovers": (found,)})
    (verdict,) = [
        each
        for each in judge(made.model_copy(update={"summary": summary}))
        if each.rule == "crossover"
    ]
    assert (verdict.outcome, verdict.subject) == (outcome, "toy/jax")
    assert verdict.evidence == ("/summary/crossovers/0",)
    assert outcomes(made, "crossover") == []
