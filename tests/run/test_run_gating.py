"""Gates of two revisions whose costs are known."""

from collections import Counter

import pytest
from run_scripts import steady, trio

from xpcs_bench.config import PRESETS_OF_GATES
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import Outcome
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.store import compose

MS = 1_000_000
DEFAULT = PRESETS_OF_GATES["default"]
CASES = tuple(f"sound/{backend}/cpu/float64" for backend in ("numpy", "jax"))


def both(slower, between=0.001, **others):
    """One kernel on two backends; the candidate is slower on NumPy alone."""
    return {
        "sound": steady(MS, between),
        ("sound", "numpy", "candidate"): steady(MS * (1 + slower), between),
    } | others


def outcomes(record, rule="regression"):
    return {
        verdict.subject.removesuffix("/steady_state"): verdict.outcome
        for verdict in judge(record)
        if verdict.rule == rule
    }


def code(record):
    return exit_code(record.status, judge(record))


def processes(record):
    """How many processes each case has had, by its variant."""
    return Counter(row.case.rpartition("/")[0] for row in record.measurements)


def test_code_that_is_as_fast_passes_at_the_first_look(carried_out):
    record, _, _ = carried_out(both(0.0), gate=DEFAULT)
    assert outcomes(record) == dict.fromkeys(CASES, Outcome.PASS)
    assert code(record) is ExitCode.PASS
    assert set(processes(record).values()) == {3}


def test_the_case_that_is_slower_is_named_and_fails(carried_out):
    record, _, _ = carried_out(both(0.10), gate=DEFAULT)
    assert outcomes(record) == {CASES[0]: Outcome.FAIL, CASES[1]: Outcome.PASS}
    assert code(record) is ExitCode.FAIL
    (found,) = [row for row in record.summary.regressions if "numpy" in row.group]
    assert found.at_least > 1 + found.margin
    assert found.ratio.lower < 1.10 < found.ratio.upper
    assert found.reason.startswith("slower: ratio 1.")


def test_what_is_faster_passes(carried_out):
    record, _, _ = carried_out(both(-0.3), gate=DEFAULT)
    assert outcomes(record)[CASES[0]] is Outcome.PASS


def test_a_slowdown_within_the_margin_passes(carried_out):
    record, _, _ = carried_out(both(0.008, between=1e-4), gate=DEFAULT)
    assert outcomes(record)[CASES[0]] is Outcome.PASS


def test_only_the_undecided_gets_more_pairs_and_no_more_than_the_last_look(
    carried_out,
):
    costs = both(0.0) | {("sound", "jax"): steady(MS, 0.3)}
    costs |= {("sound", "jax", "candidate"): steady(1.05 * MS, 0.3)}
    record, _, _ = carried_out(costs, gate=DEFAULT)
    assert processes(record) == {
        f"sound/{backend}/cpu/float64/{revision}": count
        for backend, count in (("numpy", 3), ("jax", 12))
        for revision in ("baseline", "candidate")
    }
    assert outcomes(record)[CASES[1]] is Outcome.INCONCLUSIVE
    assert code(record) is ExitCode.INCONCLUSIVE


def test_a_pair_more_decides_what_the_first_three_left_open(carried_out):
    record, _, _ = carried_out(both(0.08, between=0.012), gate=DEFAULT, seed=3)
    counts = processes(record)
    assert 3 < counts["sound/numpy/cpu/float64/candidate"] <= 12
    assert outcomes(record)[CASES[0]] is Outcome.FAIL


def test_a_baseline_that_cannot_run_could_not_be_measured(carried_out):
    record, _, _ = carried_out(
        both(0.0), gate=DEFAULT, broken=lambda case: case.variant.revision == "baseline"
    )
    assert set(outcomes(record).values()) == {Outcome.INCONCLUSIVE}
    assert code(record) is ExitCode.COULD_NOT_MEASURE


def test_where_a_control_fails_its_place_cannot_be_told(carried_out):
    costs = both(0.10) | trio(MS / 10, between=0.001)
    costs |= {("g2_model", "numpy", "again"): steady(MS / 8, 0.001)}
    record, _, _ = carried_out(costs, gate=DEFAULT, controls=True)
    assert outcomes(record) == {CASES[0]: Outcome.INCONCLUSIVE, CASES[1]: Outcome.PASS}
    (found,) = [row for row in record.summary.regressions if "numpy" in row.group]
    assert found.smallest_change is None
    assert found.reason.startswith("Control of numpy/cpu: one code was found slower")
    # more pairs of the control were tried: one that fails by chance comes right
    counts = processes(record)
    assert counts["g2_model[delays=16,q_bins=4]/numpy/cpu/float64/again"] == 12
    assert counts["sound/numpy/cpu/float64/candidate"] == 3


def test_controls_that_hold_change_nothing(carried_out):
    costs = both(0.10) | trio(MS / 10, between=0.001)
    record, _, _ = carried_out(costs, gate=DEFAULT, controls=True)
    assert outcomes(record) == {CASES[0]: Outcome.FAIL, CASES[1]: Outcome.PASS}


@pytest.mark.parametrize("stop_after", [1, 5, 11, 13])
def test_an_interrupted_gate_goes_on_and_decides_the_same(carried_out, stop_after):
    costs = both(0.10) | {("sound", "jax"): steady(MS, 0.3)}
    record, _, _ = carried_out(costs, gate=DEFAULT, stop_after=stop_after)
    assert outcomes(record)[CASES[0]] is Outcome.FAIL
    assert record.status == "complete"
    assert set(processes(record).values()) <= {3, 6, 9, 12}


def test_a_spent_budget_ends_it_between_two_looks(carried_out):
    costs = both(0.0) | {("sound", "jax"): steady(MS, 0.3)}
    record, _, _ = carried_out(costs, gate=DEFAULT, budget_s=0.1)
    assert max(processes(record).values()) <= 3
    assert outcomes(record)[CASES[1]] is Outcome.INCONCLUSIVE


def test_first_calls_have_limits_of_their_own(carried_out):
    costs = both(0.20, between=0.01)
    record, _, _ = carried_out(costs, gate=DEFAULT, measure=("first_call",))
    (found,) = [row for row in record.summary.regressions if "numpy" in row.group]
    assert (found.family, found.find, found.margin) == ("first_calls", 0.30, 0.10)
    assert found.outcome is not Outcome.FAIL


def test_the_decision_is_made_again_from_the_record_alone(carried_out):
    record, _, _ = carried_out(both(0.10), gate=DEFAULT)
    evidence = Evidence(record.header)
    evidence.environments |= record.environments
    for row in record.measurements:
        evidence.measurements[row.case, row.process] = row
    again = compose(evidence, interrupted=False)
    assert again.summary.regressions == record.summary.regressions
    assert record.header.baseline == "0" * 40
