"""A run that searches, with workers that follow a script."""

import json

import pytest
from run_scripts import Sized, linear, steady, trio

from xpcs_bench.config import CrossoverSearch
from xpcs_bench.config.crossover import lattice
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import exit_code, judge
from xpcs_bench.records import Outcome
from xpcs_bench.run.store import RECORD, load, save

NUMPY, JAX = ("g2_model", "numpy"), ("g2_model", "jax")
TURN = 400
"""Where 20 us + 50 ns n and 30 us + 25 ns n are equal."""


def search(first=16, last=2048, axis="delays"):
    sizes = lattice(first, last, 0.1)
    return CrossoverSearch(axis=axis, sizes=sizes, width=0.1, confidence=0.95)


def costs(spread=0.002):
    def sized(a_ns, b_ns):
        def of_size(n):
            return steady(linear(a_ns, b_ns, n), spread)

        return Sized("delays", of_size)

    return {NUMPY: sized(20_000, 50), JAX: sized(30_000, 25)}


@pytest.fixture
def searched(carried_out):
    def run(made=None, **options):
        record, _, world = carried_out(
            made or costs(), search=options.pop("search", search()), **options
        )
        return record, world

    return run


def sizes_of(record):
    cases = {case.id: case for case in record.header.cases}
    return {
        cases[row.case].params["delays"]
        for row in record.measurements
        if not cases[row.case].variant.control
    }


def test_a_run_measures_what_the_search_needs_and_finds_the_turn(searched):
    record, _ = searched()
    (found,) = record.summary.crossovers
    assert found.problem == "g2_model"
    assert (found.baseline, found.candidate) == (
        "numpy/cpu/float64",
        "jax/cpu/float64",
    )
    (turn,) = found.turns
    assert turn.lower <= TURN <= turn.upper
    assert turn.resolved
    assert len(sizes_of(record)) == found.n_measured <= found.n_grid / 2


def test_sizes_that_were_not_needed_are_no_loss(searched):
    record, _ = searched()
    assert record.status == "complete"
    unneeded = set(record.summary.unneeded)
    measured = {row.case for row in record.measurements}
    assert unneeded | measured == {case.id for case in record.header.cases}
    assert not unneeded & measured
    verdicts = judge(record)
    skipped = {
        v.subject
        for v in verdicts
        if v.rule == "measured" and v.outcome is Outcome.SKIP
    }
    assert skipped == unneeded
    assert exit_code(record.status, verdicts) is ExitCode.PASS
    (verdict,) = [v for v in verdicts if v.rule == "crossover"]
    assert verdict.outcome is Outcome.PASS
    assert verdict.subject == "g2_model/jax/cpu/float64"


def test_a_run_without_an_answer_cannot_tell(searched):
    same = {key: Sized("delays", lambda _: steady(1e5, 0.01)) for key in (NUMPY, JAX)}
    record, _ = searched(same)
    (found,) = record.summary.crossovers
    assert found.answer == "cannot_tell"
    assert exit_code(record.status, judge(record)) is ExitCode.INCONCLUSIVE


def test_other_measures_are_taken_where_the_search_has_been(searched):
    record, _ = searched(measure=("first_call", "steady_state"))
    by_measure = {"first_call": set(), "steady_state": set()}
    cases = {case.id: case for case in record.header.cases}
    for row in record.measurements:
        case = cases[row.case]
        by_measure[case.measure].add(case.params["delays"])
    assert by_measure["first_call"] == by_measure["steady_state"]
    # so that calls until compiling has paid are known along the axis
    assert len(record.summary.break_evens) == len(by_measure["steady_state"])


@pytest.mark.parametrize("stop_after", [1, 5, 31, 80])
def test_a_search_that_was_interrupted_goes_on(searched, stop_after):
    whole, _ = searched(costs(0.0))
    again, _ = searched(costs(0.0), stop_after=stop_after, seed=1)
    assert again.status == "complete"
    assert sizes_of(again) == sizes_of(whole)
    turns = [record.summary.crossovers[0].turns for record in (whole, again)]
    assert turns[0] == turns[1]


def test_a_budget_ends_the_search_and_what_it_found_says_how_wide_it_is(searched):
    record, world = searched(costs(0.02), budget_s=25.0)
    assert record.status == "complete"
    (found,) = record.summary.crossovers
    free, _ = searched(costs(0.02), seed=2)
    assert len(record.measurements) < len(free.measurements)
    # the first process of the scan is taken whatever it costs
    assert found.n_measured >= 3
    assert world.now_s < 60


def test_a_size_whose_worker_crashes_is_lost_and_tried_once(searched):
    def crashes(case):
        return case.variant.backend == "jax" and case.params["delays"] > 900

    record, _ = searched(broken=crashes)
    (found,) = record.summary.crossovers
    (turn,) = found.turns
    assert turn.lower <= TURN <= turn.upper
    assert found.lost
    assert all(row.size > 900 for row in found.lost)
    assert all("crashed" in row.reason for row in found.lost)
    lost = [row for row in record.measurements if row.observation.status != "ok"]
    assert len(lost) == len({row.case for row in lost})


def test_controls_are_measured_and_a_failing_one_takes_the_answer(searched):
    sound, _ = searched({**costs(), **trio(1e5, 0.002)}, controls=True)
    assert sound.summary.crossovers[0].answer == "crosses"
    assert len(sound.summary.controls) == 4
    failing = {**costs(), **trio(1e5, 0.002, slowed=1.0)}
    record, _ = searched(failing, controls=True, seed=3)
    (found,) = record.summary.crossovers
    assert found.answer == "cannot_tell"
    assert found.reason.startswith("Control of ")


def test_conclusions_are_drawn_again_when_a_record_is_read(searched, tmp_path):
    record, _ = searched()
    path = save(record, tmp_path)
    _, read = load(path)
    assert read.summary.crossovers == record.summary.crossovers
    assert read.summary.unneeded == record.summary.unneeded


def test_a_record_from_before_there_were_searches_is_read(carried_out, tmp_path):
    record, _, _ = carried_out({"g2_model": steady(1e5)})
    path = save(record, tmp_path)
    content = json.loads(path.read_text())
    del content["header"]["experiment"]["crossover"]
    del content["summary"]["crossovers"], content["summary"]["unneeded"]
    (tmp_path / RECORD).write_text(json.dumps(content))
    _, read = load(tmp_path)
    assert read.summary.crossovers == ()
    assert read.header.experiment.crossover is None
