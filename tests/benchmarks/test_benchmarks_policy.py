import json
import math

import pytest

OVERRIDES = (
    *("--set", "kernels=[{g2_model: {q_bins: 4, delays: 16}}]"),
    *("--set", "matrix.device=cpu", "--set", "matrix.exclude=[]"),
    *("--set", "controls=false", "--set", "sampling.processes=1"),
    *("--set", "sampling.max_time_s=0.05"),
)


@pytest.fixture
def study(load):
    return load("policy", "study")


def row(policy, numpy, jax):
    times = {"policy": policy, "numpy": numpy, "jax": jax}
    return {
        "items": [{"name": "a", "calls": 1}, {"name": "b", "calls": 9}],
        "answers": {
            name: [
                {"backend": chosen, "seconds": s, "choosing_s": 1e-5}
                for s, chosen in zip(both, ("numpy", "jax"), strict=True)
            ]
            for name, both in times.items()
        },
    }


ROUNDS = [row((1.0, 2.0), (1.0, 8.0), (5.0, 2.0))] * 2


def test_hindsight_is_the_best_of_every_item(study):
    assert study.total_s(ROUNDS[0], "hindsight") == 3.0
    assert study.total_s(ROUNDS[0], "numpy") == 9.0
    assert study.ratio(ROUNDS, "hindsight") == pytest.approx((1.0, 1.0, 1.0))
    point, lower, upper = study.ratio([*ROUNDS, row((2.0, 2.0), (1, 8), (5, 2))], "jax")
    assert lower < point < upper
    assert point == pytest.approx((3 / 7 * 3 / 7 * 4 / 7) ** (1 / 3))
    assert study.ratio(ROUNDS[:1], "jax")[1] == 0.0


def test_choices_are_told_in_the_times_of_the_others(study):
    slow = row((9.0, 9.0), (1.0, 1.0), (5.0, 2.0))
    assert study.total_s(slow, "choices") == 3.0
    found = study.ratio([slow, slow], "hindsight", "choices")
    assert found == pytest.approx((1.5, 1.5, 1.5))


@pytest.mark.parametrize(
    ("interval", "says"),
    [((1.0, 1.04), "met"), ((1.06, 1.1), "NOT met"), ((1.0, 1.1), "cannot tell")],
)
def test_what_is_asked_is_met_or_not_or_cannot_be_told(study, interval, says):
    assert study.verdict((1.0, *interval), 1.05) == says


def test_the_page_tells_items_and_ratios(study):
    made = {"machine": "m", "versions": "v"}
    text = study.markdown({"circumstances": made, "rounds": ROUNDS})
    assert "| always numpy | 0.333 (0.333 to 0.333) | below 1: met |" in text
    assert "| b | 9 | jax | 2000.0 | 8000.0 | 2000.0 |" in text
    assert "| all | | | 3000 | 9000 | 7000 |" in text
    assert "took\n10 us" in text


def test_no_shape_of_the_workload_comes_twice_or_was_measured(study):
    shapes = [(item.kernel, str(item.params), item.shape) for item in study.WORKLOAD]
    assert len(set(shapes)) == len(shapes)
    text = study.CONFIG.read_text()
    for item in study.WORKLOAD:
        kernel, problem = item.problem()
        assert kernel.work(problem).bytes > 0
        if item.shape:
            assert str(list(item.shape)) not in text
        assert study.Item.of_json(json.loads(json.dumps(item.as_json()))) == item


def test_a_policy_is_made_and_every_strategy_works_on_every_item(study, tmp_path):
    path = tmp_path / "policy.json"
    study.make_policy(study.CONFIG, path, OVERRIDES)
    items = [
        study.Item("g2_model", calls, {"q_bins": bins, "delays": 16})
        for calls, bins in ((1, 3), (2, 5))
    ]
    found = study.measure_round(items, path, seed=0)
    assert [len(rows) for rows in found["answers"].values()] == [2, 2, 2]
    for name in ("numpy", "jax"):
        assert {each["backend"] for each in found["answers"][name]} == {name}
    assert all(
        0 < each["choosing_s"] < each["seconds"] < math.inf
        for rows in found["answers"].values()
        for each in rows
    )


def test_a_program_that_ends_is_said(study, tmp_path):
    with (
        study.Program("policy", tmp_path / "none.json") as program,
        pytest.raises(RuntimeError, match="the program ended with 1"),
    ):
        program.work_on(study.Item("g2_model", 1))
