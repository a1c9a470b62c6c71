"""Claims as they are written, and what is refused of them, with its place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.config import Bounds, ClaimSide, Selection
from xpcs_bench.config.load import load_experiment

HEAD = "name: x\nkernels: [g2_model, odd]\nmeasure: [first_call, steady_state, "
HEAD += "peak_memory, parity, stages]\nclaims:\n- id: c\n  says: s\n  source: d\n"
FIRST = HEAD + "  where: {kernel: g2_model, backend: jax}\n  metric: first_call\n"
TRIED = HEAD + "  behaviour: works\n"


@pytest.fixture(scope="session")
def catalogue(catalogue):
    behaviours = {"works": ("type", "memory shared"), "raises": ()}
    return replace(catalogue, behaviours=behaviours)


@pytest.fixture
def claim(load):
    def only(text, *overrides):
        (found,) = load(text, *overrides).experiment.claims
        return found

    return only


def test_a_metric_is_of_one_case(claim):
    found = claim(FIRST + "  expect: {about: 200 ms}")
    assert (found.id, found.says, found.source) == ("c", "s", "d")
    where = Selection(kernel="g2_model", backend="jax")
    assert found.of == ClaimSide(metric="first_call", where=where)
    assert found.over is found.behaviour is None


@pytest.mark.parametrize(
    ("expect", "lower", "upper", "text"),
    [
        ("about: 200 ms", 0.1, 0.4, "about 200 ms (100 ms to 400 ms)"),
        ("{about: 0.2, within: 4}", 0.05, 0.8, "about 200 ms (50.0 ms to 800 ms)"),
        ("{at_most: 10 us}", None, 1e-5, "at most 10.0 us"),
        ("{at_least: 1 s}", 1.0, None, "at least 1.00 s"),
        ("{at_least: 1 s, at_most: 2 s}", 1, 2, "at least 1.00 s and at most 2.00 s"),
        ("{between: [1 ms, 10 ms]}", 1e-3, 1e-2, "1.00 ms to 10.0 ms"),
    ],
)
def test_numbers_become_bounds(claim, expect, lower, upper, text):
    expect = expect if expect.startswith("{") else f"{{{expect}}}"
    bounds = claim(FIRST + f"  expect: {expect}").expect.bounds
    assert bounds.lower == (None if lower is None else pytest.approx(lower))
    assert bounds.upper == (None if upper is None else pytest.approx(upper))
    assert bounds.text == text


def test_memory_is_claimed_in_bytes(claim):
    text = HEAD + "  where: {kernel: odd}\n  metric: peak_memory\n"
    assert claim(text + "  expect: {at_most: 1 KiB}").expect.bounds.upper == 1024


def test_a_ratio_adds_to_the_selection(claim):
    found = claim(
        HEAD + "  where: {kernel: g2_model, params: {model: double}}\n"
        "  ratio: {metric: steady_state, of: {backend: numpy}, over: {backend: jax}}\n"
        "  expect: {between: [10, 100]}"
    )
    for side, backend in ((found.of, "numpy"), (found.over, "jax")):
        assert side.metric == side.measure == "steady_state"
        assert side.where.params == {"model": "double"}
        assert side.where.backend == backend
    assert found.expect.text == "10.0x to 100x"


def test_a_ratio_of_two_metrics_is_of_one_case(claim):
    found = claim(
        HEAD + "  where: {kernel: odd}\n"
        "  ratio: {of: stages.compile, over: steady_state}\n  expect: {about: 100}"
    )
    assert (found.of.metric, found.of.measure) == ("stages.compile", "stages")
    assert found.over.where == found.of.where


def test_a_side_may_name_its_metric(claim):
    found = claim(
        HEAD + "  ratio:\n    of: {metric: first_call, kernel: odd}\n"
        "    over: {metric: steady_state, kernel: odd}\n  expect: {at_least: 2}"
    )
    assert found.of.where == Selection(kernel="odd")


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        ("raises: TypeError", "raises TypeError"),
        ("fails: true", "fails"),
        ("shows: {type: float32}", "type: float32"),
        ("shows: {memory shared: true}", "memory shared: True"),
        ("shows: {type: {at_least: 60}}", "type: at least 60"),
    ],
)
def test_a_behaviour_is_held_against_what_it_shows(claim, expect, text):
    found = claim(TRIED + f"  expect: {{{expect}}}")
    assert found.behaviour == "works"
    assert found.of is found.over is None
    assert found.expect.text == text


def test_a_number_that_is_observed_has_bounds(claim):
    shows = claim(TRIED + "  expect: {shows: {type: {between: [1, 2]}}}").expect.shows
    assert shows == {"type": Bounds(lower=1, upper=2, text="1 to 2")}


def test_values_agree_or_differ(claim):
    text = HEAD + "  where: {kernel: odd}\n  metric: parity\n"
    assert claim(text + "  expect: {agrees: true}").expect.text == "values agree"
    assert claim(text + "  expect: {agrees: false}").expect.agrees is False


RATIO = HEAD + "  where: {kernel: odd}\n"
REFUSED = [
    (HEAD + "  expect: {about: 1}", "x.yaml:5:3: claims[0]: a claim says one of"),
    (FIRST + "  behaviour: works\n  expect: {about: 1}", "'metric' and 'behaviour'"),
    (FIRST + "  expect: {}", "x.yaml:10:11: claims[0].expect: says nothing"),
    (FIRST + "  expect: {about: 5 minutes}", "x.yaml:10:19: claims[0].expect.about: "),
    (FIRST + "  expect: {about: 1, at_most: 2}", "Write one of these."),
    (FIRST + "  expect: {within: 2, at_most: 2}", "belongs to 'about'"),
    (FIRST + "  expect: {between: [2, 1]}", "at least 2.00 s and at most 1.00 s"),
    (FIRST + "  expect: {raises: TypeError}", "nothing that a number can be held"),
    (FIRST + "  expect: {agrees: true}", "'about', 'at_most', 'at_least', 'between'"),
    (FIRST + "  expect: {abuot: 1}", "Did you mean 'about'?"),
    (FIRST + "  expect: {about: -1}", "-1 is out of range. Allowed: 0 to 1e+15."),
    (
        HEAD + "  where: {kernel: odd}\n  metric: frist_call\n  expect: {about: 1}",
        "x.yaml:9:11: claims[0].metric: unknown metric 'frist_call'",
    ),
    (
        HEAD + "  where: {kernel: odd}\n  metric: recompile\n  expect: {about: 1}",
        "What it may be follows from the key 'measure'.",
    ),
    (
        HEAD + "  where: {kernel: qmap}\n  metric: first_call\n  expect: {about: 1}",
        "x.yaml:8:19: claims[0].where.kernel: unknown kernel 'qmap'",
    ),
    (
        HEAD + "  where: {kernel: od}\n  metric: first_call\n  expect: {about: 1}",
        "Did you mean 'odd'?",
    ),
    (
        HEAD + "  where: {backend: jacks}\n  metric: first_call\n  expect: {about: 1}",
        "unknown backend 'jacks'",
    ),
    (
        HEAD + "  where: {kernel: odd, params: {rat: 1}}\n  metric: first_call\n"
        "  expect: {about: 1}",
        "x.yaml:8:33: claims[0].where.params.rat: unknown parameter 'rat'",
    ),
    (
        HEAD + "  where: {params: {rate: 1}}\n  metric: first_call\n"
        "  expect: {about: 1}",
        "those of a kernel, and none is named",
    ),
    (
        HEAD + "  where: {device: gup}\n  metric: first_call\n  expect: {about: 1}",
        "Did you mean 'gpu'?",
    ),
    (
        RATIO + "  ratio: {of: first_call, over: first_call}\n  expect: {about: 1}",
        "both sides are the same",
    ),
    (
        RATIO + "  ratio: {of: {backend: jax}, over: first_call}\n  expect: {about: 1}",
        "nothing says what is measured",
    ),
    (
        RATIO + "  ratio: {of: parity, over: first_call}\n  expect: {about: 1}",
        "parity has no number",
    ),
    (
        RATIO + "  ratio: {of: first_call, over: steady_state}\n  expect: {about: 1 s}",
        "is not a number",
    ),
    (
        RATIO + "  metric: parity\n  expect: {about: 1}",
        "nothing that parity can be held",
    ),
    (HEAD + "  behaviour: wroks\n  expect: {fails: true}", "Did you mean 'works'?"),
    (TRIED + "  where: {kernel: odd}\n  expect: {fails: true}", "is of no case"),
    (TRIED + "  expect: {about: 1}", "nothing that a behaviour can be held"),
    (TRIED + "  expect: {fails: true, raises: E}", "says nothing, or too much"),
    (TRIED + "  expect: {fails: false}", "claims[0].expect.fails: "),
    (
        TRIED + "  expect: {shows: {memory: true}}",
        "works does not observe 'memory'. It observes: 'type', 'memory shared'.",
    ),
    (TRIED + "  expect: {shows: {type: {abuot: 1}}}", "Did you mean 'about'?"),
    (TRIED + "  expect: {shows: {type: {}}}", "numbers are claimed with 'about'"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_is_wrong_is_said_with_its_place(refusal, text, said):
    message = refusal(text)
    assert said in message
    assert message.startswith("x.yaml:")


def test_two_claims_of_one_id_are_refused(refusal):
    again = "\n- id: c\n  says: s\n  source: d\n  behaviour: works\n"
    text = TRIED + "  expect: {fails: true}" + again + "  expect: {fails: true}"
    assert "x.yaml:10:7: claims[1].id: 'c' is the id of another claim" in refusal(text)


def test_claims_can_be_left_out_on_the_command_line(load):
    assert load(TRIED + "  expect: {fails: true}", "claims=[]").experiment.claims == ()


@given(
    number=st.floats(1e-9, 1e9),
    factor=st.floats(1.001, 1e3),
)
def test_about_is_a_factor_either_way(tmp_path_factory, catalogue, number, factor):
    path = tmp_path_factory.getbasetemp() / "about.yaml"
    path.write_text(
        RATIO + "  ratio: {of: first_call, over: steady_state}\n"
        f"  expect: {{about: {number!r}, within: {factor!r}}}"
    )
    (claim,) = load_experiment(path, catalogue=catalogue).experiment.claims
    bounds = claim.expect.bounds
    assert bounds.lower * factor == pytest.approx(number)
    assert bounds.upper == pytest.approx(number * factor)
