"""The studies of the engine: what they conclude, and that they run, scaled down."""

import json
import math

import pytest

SMALL = """\
name: small
kernels: g2_model
matrix: {backend: numpy}
measure: steady_state
sampling: {precision: 50%, max_time_s: 0.03, processes: 1, min_sample_s: 0.0002}
controls: false
"""


@pytest.fixture
def starts(load):
    return load("engine", "starts")


@pytest.fixture
def identical(load):
    return load("engine", "identical")


@pytest.fixture
def loaded(load):
    return load("engine", "loaded")


@pytest.fixture
def rivals(load):
    return load("rivals", "study")


def rounds(*ratios):
    return [
        {"times": {"spawned": {"a": 2.0}, "forked": {"a": 2.0 * ratio}}}
        for ratio in ratios
    ]


@pytest.mark.parametrize(
    ("ratios", "says"),
    [
        ((0.999, 1.001, 1.0, 1.0), "same"),
        ((1.10, 1.11, 1.09, 1.10), "no"),
        ((0.9, 1.1, 1.0, 0.95), "cannot tell"),
        ((1.0,), "cannot tell"),
    ],
)
def test_a_fork_tells_the_same_or_not_or_it_cannot_be_told(starts, ratios, says):
    (row,) = starts.condense(rounds(*ratios))
    assert starts.verdict(row) == says
    assert row["ratio"] == pytest.approx(
        math.exp(sum(map(math.log, ratios)) / len(ratios))
    )


def test_starts_are_measured_both_ways(starts, monkeypatch):
    monkeypatch.setattr(starts, "EXPERIMENT", SMALL)
    row = starts.measure_round(0)
    assert set(row["times"]) == {"spawned", "forked"}
    text = starts.markdown(
        {"circumstances": {"machine": "m", "versions": "v"}, "rounds": [row]}
    )
    assert "g2_model" in text
    assert "cannot tell" in text


def intervals(hold, miss):
    good = {"case": "a", "ratio": 1.0, "lower": 0.99, "upper": 1.01}
    bad = {"case": "a", "ratio": 1.1, "lower": 1.05, "upper": 1.15}
    return [good] * hold + [bad] * miss


def test_coverage_is_counted(identical):
    found = identical.coverage(intervals(19, 1))
    assert (found["n"], found["hold"], found["share"]) == (20, 19, 0.95)
    # R: binom.test(19, 20)$conf.int
    assert found["lower"] == pytest.approx(0.7512672, abs=1e-6)
    assert found["upper"] == pytest.approx(0.9987349, abs=1e-6)
    assert identical.coverage(intervals(3, 0))["upper"] == 1.0
    assert identical.coverage(intervals(0, 3))["lower"] == 0.0


@pytest.mark.parametrize(
    ("hold", "miss", "says"), [(95, 5, ", met"), (100, 0, "NOT met"), (9, 1, "NOT met")]
)
def test_too_many_are_as_wrong_as_too_few(identical, hold, miss, says):
    run = {"profile": "controlled", "intervals": intervals(hold, miss)}
    made = {"machine": "m", "versions": "v"}
    assert says in identical.markdown({"circumstances": made, "runs": [run]})


def test_a_case_is_measured_against_itself(identical, monkeypatch):
    monkeypatch.setattr(identical, "EXPERIMENT", SMALL)
    run = identical.measure_run("controlled", 0)
    (row,) = run["intervals"]
    assert row["case"].startswith("g2_model")
    ((base, again),) = row["processes"]
    assert row["ratio"] == pytest.approx(again["value_s"] / base["value_s"])
    assert row["lower"] < row["ratio"] < row["upper"]
    json.dumps(run)


def test_the_load_decides_nothing_but_the_ratios(loaded, monkeypatch):
    both = SMALL.replace("backend: numpy", "backend: [numpy, jax]")
    monkeypatch.setattr(loaded, "EXPERIMENT", both)
    row = loaded.measure_round("as_user", 0)
    assert set(row["ratios"]) == set(loaded.CONDITIONS)
    made = {"machine": "m", "versions": "v"}
    text = loaded.markdown({"circumstances": made, "rounds": [row]})
    assert "quiet, in turn" in text


def test_ratios_are_held_against_the_quiet_one(loaded):
    quiet, turns, after = loaded.CONDITIONS
    row = {
        "profile": "as_user",
        "ratios": {
            quiet: {"k": [2.0, 1.9, 2.1]},
            turns: {"k": [2.1, 1.95, 2.2]},
            after: {"k": [3.0, 2.5, 3.5]},
        },
    }
    found = {r["condition"]: r for r in loaded.condense([row, row])}
    assert [found[c]["hold"] for c in loaded.CONDITIONS] == [2, 2, 0]
    assert found[after]["most_off"] == pytest.approx(math.log(1.5))


def pair(first, second, half_width=0.01, wall_s=1.0):
    stated = [[wall_s, first, half_width], [wall_s, second, half_width]]
    return {"tool": "asv", "function": "qmap", "stated": stated}


@pytest.mark.parametrize(
    ("second", "holds"), [(1.0, True), (1.0141, True), (1.015, False), (0.98, False)]
)
def test_a_pair_agrees_within_what_both_state(rivals, second, holds):
    assert rivals.holds(pair(1.0, second)) is holds


def test_what_is_stated_and_what_is_true_are_told_apart(rivals):
    found = rivals.condense([pair(1.0, math.exp(0.04)), pair(1.0, math.exp(-0.04))])
    assert (found["half_width"], found["share"]) == (0.01, 0.0)
    # the root of 2 apart, 1.96 standard deviations
    true = 1.96 * 0.04 / math.sqrt(2)
    assert found["true_half_width"] == pytest.approx(true)
    assert found["true_wall_s"] == pytest.approx((true / 0.01) ** 2)
    # nobody is credited for more than was asked
    assert rivals.condense([pair(1.0, 1.0)])["true_wall_s"] == 1.0


def test_the_interval_of_values_is_students(rivals):
    found = rivals._of_values(2.0, [1.0, 1.1, 0.9])
    assert found.value_s == pytest.approx(1.0)
    # t(0.975, 2) = 4.302653
    assert found.half_width == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert rivals._of_values(2.0, [1.0]).half_width == math.inf


def test_the_rivals_time_what_the_kernels_compute(rivals, load):
    functions = load("rivals", "functions")
    for name, compute in functions.COMPUTE.items():
        assert compute(functions.arguments(name)).size > 0


def test_this_program_states_an_interval_as_asked(rivals, tmp_path, monkeypatch):
    monkeypatch.setattr(rivals, "PRECISION", 0.5)
    setting = {"processes": "1", "max_time_s": "0.05"}
    found = rivals.by_us("1us", setting, tmp_path)
    assert 0 < found.half_width <= 0.5
    assert found.value_s > 0
    made = {"machine": "m", "versions": "v"}
    record = {
        "circumstances": made,
        "settings": {tool: {"qmap": {"a": "b"}} for tool in rivals.TOOLS},
        "pairs": [pair(1.0, 1.0)],
    }
    assert "| qmap | asv | a b | 1 | 1.00 s |" in rivals.markdown(record)


@pytest.mark.parametrize(("share", "says"), [(0.95, "95.0%, met"), (0.5, "NOT met")])
def test_the_share_of_a_warm_run_is_told(load, tmp_path, share, says):
    warm = load("engine", "warm")
    config = tmp_path / "small.yaml"
    config.write_text(SMALL)
    spent = warm.measure(config)
    assert 0 < spent["measuring_share"] < 1
    assert spent["measuring_s"] <= spent["wall_s"]
    made = {"machine": "m", "versions": "v"}
    record = {"circumstances": made, "accounting": spent | {"measuring_share": share}}
    assert says in warm.markdown(record)


def test_rounds_are_kept_as_they_end_and_a_stopped_study_goes_on(load, tmp_path):
    keep_rounds = load("engine", "rounds").keep_rounds
    path = tmp_path / "study.json"

    def page(record):
        return f"{len(record['rounds'])} rounds"

    def stopped(number):
        if number == 2:
            raise KeyboardInterrupt
        return number

    with pytest.raises(KeyboardInterrupt):
        keep_rounds(path, "rounds", 4, stopped, page)
    assert json.loads(path.read_text())["rounds"] == [0, 1]
    measured = []
    keep_rounds(path, "rounds", 4, lambda n: measured.append(n) or n, page)
    assert measured == [2, 3]
    assert json.loads(path.read_text())["rounds"] == [0, 1, 2, 3]
    assert path.with_suffix(".md").read_text() == "4 rounds"


@pytest.fixture
def apart(load):
    return load("engine", "apart")


def told(*values_s, timing="cpu", half_width=0.001):
    return [
        {"value_s": value, "half_width": half_width, "timing": timing}
        for value in values_s
    ]


def runs_of(*processes, profile="controlled"):
    """Runs of one case; what was measured beside it is not looked at."""
    return [
        {
            "profile": profile,
            "intervals": [{"case": "a", "processes": [[own, own] for own in run]}],
        }
        for run in processes
    ]


@pytest.mark.parametrize(
    ("timings", "clock"),
    [
        (("cpu", "cpu", "wall"), "cpu"),
        (("wall", "wall", "wall"), "wall"),
        (("wall", "wall", "least_disturbed"), "disturbed"),
    ],
)
def test_a_run_is_told_by_a_clock(apart, timings, clock):
    assert apart.clock([told(1.0, timing=each)[0] for each in timings]) == clock


def test_what_runs_differ_by_is_beyond_what_their_processes_do(apart):
    sd, within = apart.between([told(1.0, 1.0), told(math.e, math.e)])
    assert (sd, within) == (pytest.approx(math.sqrt(0.5)), 0.0)
    sd, within = apart.between([told(1.0, math.e), told(1.0, math.e)])
    assert (sd, within) == (0.0, pytest.approx(math.sqrt(0.5)))


def test_every_two_runs_are_judged(apart):
    runs = runs_of(*[told(1.0, 1.01, 0.99)] * 3, told(1.0, 1.0, timing="wall"))
    found = apart.condense(runs)
    (row,) = found["verdicts"]
    # three of CPU time; wall time and CPU time have no time in common
    assert (row["clock"], row["n_pairs"]) == ("cpu", 3)
    assert (row["holds"], row["holds_without"], row["same"]) == (1, 1, 1)
    assert (row["false"], row["found_1.1"], row["found_2"]) == (0, 0, 1)


def test_a_run_that_is_off_counts_against_the_interval(apart):
    runs = runs_of(told(1.0, 1.0), told(1.1, 1.1), told(2.0, 2.0))
    (row,) = apart.condense(runs)["verdicts"]
    assert row["holds"] == pytest.approx(1 / 3)
    assert row["holds_without"] == 0
    assert row["false"] == pytest.approx(2 / 3)


def test_the_record_follows_from_the_runs_that_are_kept(apart):
    runs = json.loads((apart.RECORD / "identical.json").read_text())["runs"]
    kept = json.loads((apart.RECORD / "apart.json").read_text())
    found = apart.condense(runs)
    assert [row["case"] for row in found["scatter"]] == [
        row["case"] for row in kept["scatter"]
    ]
    for ours, theirs in zip(found["verdicts"], kept["verdicts"], strict=True):
        assert ours == pytest.approx(theirs)
    assert (apart.RECORD / "apart.md").read_text() == apart.markdown(kept)
