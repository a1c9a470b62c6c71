"""What a policy says to choose, and what is no policy."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_scripts import PLACES, candidate, crossing, here, point, policy, series

from xpcs_bench.backends import load_policy
from xpcs_bench.backends.visibility import is_visible
from xpcs_bench.errors import ConfigError

CPU = [("numpy", "cpu"), ("jax", "cpu")]


@pytest.mark.parametrize(
    ("size", "calls", "backend"),
    [
        (1_000, 1, "numpy"),
        (1_000, 10**6, "numpy"),
        (1_000_000, 1, "numpy"),
        (1_000_000, 12, "jax"),
        (500_000, 1000, "jax"),
    ],
)
def test_size_and_calls_decide(size, calls, backend):
    choice = crossing().choose("qmap", size, calls=calls, devices=CPU)
    assert (choice.backend, choice.device) == (backend, "cpu")
    assert {row.backend for row in choice.candidates} == {"numpy", "jax"}


def test_a_fresh_process_pays_more_and_a_compiled_shape_nothing():
    ask = {"size": 1_000_000, "devices": CPU}
    assert crossing().choose("qmap", calls=12, **ask).backend == "jax"
    assert crossing().choose("qmap", calls=12, fresh=True, **ask).backend == "numpy"
    assert crossing().choose("qmap", calls=1, compiled={"jax"}, **ask).backend == "jax"


def test_the_seconds_of_every_candidate_are_told():
    first, second = crossing().choose("qmap", 10**6, calls=10, devices=CPU).candidates
    # NumPy does not compile: a program that goes on pays 10 cached calls
    assert (first.backend, first.seconds.point) == ("numpy", pytest.approx(0.1))
    assert (second.backend, second.seconds.point) == ("jax", pytest.approx(0.109))
    choice = crossing().choose("qmap", 10**6, calls=1000, devices=CPU)
    assert choice.certain
    assert choice.reason == (
        "qmap, 977 KiB, 1000 calls in a program that goes on: expected in all "
        "JAX on CPU 1.10 s [989 ms, 1.21 s], NumPy on CPU 10.0 s [9.00 s, 11.0 s]."
    )


def test_a_close_choice_is_made_and_said_to_be_close():
    choice = crossing().choose("qmap", 10**6, calls=12, devices=CPU)
    assert not choice.certain
    assert "so it cannot be told whether JAX on CPU is ahead." in choice.reason


def test_a_size_that_was_not_measured_is_said():
    assert "No such size" not in crossing().choose("qmap", 10**6).reason
    assert "No such size was measured" in crossing().choose("qmap", 10**7).reason
    assert "No such size was measured" in crossing().choose("qmap", 10).reason


def test_one_alone_is_said_to_be_alone():
    choice = crossing().choose("qmap", 10**6, devices=[("numpy", "cpu")])
    assert choice.certain
    assert "nothing else was measured that is visible here" in choice.reason
    assert " 1 call in" in choice.reason


def test_without_a_recompile_the_first_call_stands_for_it():
    own = policy(
        series(point(10, candidate("numpy", 1.0), candidate("jax", 0.1, first=5.0)))
    )
    _, jax = own.choose("qmap", 10, devices=CPU).candidates
    assert jax.seconds.point == pytest.approx(5.0)


def test_without_any_first_call_calls_are_all_that_is_known():
    own = policy(series(point(10, candidate("jax", 0.1))))
    choice = own.choose("qmap", 10, calls=3, fresh=True, devices=CPU)
    assert choice.candidates[0].seconds.point == pytest.approx(0.3)


def test_a_device_that_is_not_there_is_never_chosen():
    own = policy(
        series(
            point(
                10,
                candidate("numpy", 1.0),
                candidate("jax", 1e-9, device="gpu"),
                candidate("elsewhere", 1e-9),
            )
        )
    )
    # neither this machine's GPU nor a backend of this name
    assert not is_visible("elsewhere", "cpu")
    if not is_visible("jax", "gpu"):
        choice = own.choose("qmap", 10)
        assert [row.backend for row in choice.candidates] == ["numpy"]
    assert own.choose("qmap", 10, devices=PLACES).device == "gpu"
    assert own.choose("qmap", 10, devices=[("jax", "cpu")]) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"kernel": "partition"},
        {"dtype": "float32"},
        {"converts": "input"},
        {"geometry": "reflection"},
        {"params": {"convention": "flat"}},
        {"devices": []},
    ],
)
def test_what_a_policy_does_not_know_it_does_not_say(asked):
    own = policy(
        series(
            point(10, candidate("numpy", 1.0), q_bins=3),
            geometry="transmission",
            convention="exact",
        )
    )
    known = {"kernel": "qmap", "size": 10, "params": {"convention": "exact"}}
    assert own.choose(**known) is not None
    assert own.choose(**(known | asked)) is None


def test_words_choose_the_series_and_numbers_prefer_points():
    own = policy(
        series(
            point(10, candidate("numpy", 1.0), q_bins=3),
            point(10, candidate("numpy", 4.0), q_bins=30),
            model="single",
        ),
        series(point(10, candidate("numpy", 100.0), q_bins=3), model="double"),
    )

    def seconds(**params):
        choice = own.choose("qmap", 10, params=params)
        return pytest.approx(choice.candidates[0].seconds.point)

    assert seconds(model="double") == 100.0
    assert seconds(model="single") == 2.0
    assert seconds(model="single", q_bins=30) == 4.0
    # nothing of it was measured: all sizes count
    assert seconds(model="single", q_bins=7) == 2.0
    # what is open is the geometric mean of what fits
    assert seconds() == (2.0 * 100.0) ** 0.5


def test_a_parameter_that_does_not_exist_is_refused():
    own = policy(series(point(10, candidate("numpy", 1.0), q_bins=3)))
    with pytest.raises(ConfigError, match=r"'q_bin'\. Did you mean 'q_bins'"):
        own.choose("qmap", 10, params={"q_bin": 3})


@pytest.mark.parametrize("asked", [{"size": 0}, {"size": 5, "calls": 0}])
def test_what_cannot_be_counted_is_refused(asked):
    with pytest.raises(ConfigError, match="Give 1 or more"):
        crossing().choose("qmap", **asked)


seconds = st.floats(1e-6, 1e2)
candidates = st.tuples(seconds, seconds)


@given(st.tuples(candidates, candidates), st.integers(1, 10**5), st.integers(1, 10**5))
def test_the_choice_is_the_cheapest_and_more_calls_favour_the_cheaper_call(
    times, few, more
):
    rows = zip(("numpy", "jax"), times, strict=True)
    own = policy(
        series(point(10, *(candidate(name, c, f, f) for name, (c, f) in rows)))
    )
    asked = [
        own.choose("qmap", 10, calls=calls, devices=CPU)
        for calls in sorted((few, few + more))
    ]
    for choice in asked:
        first, second = choice.candidates
        assert first.seconds.point <= second.seconds.point
    cached = {name: c for name, (c, _) in zip(("numpy", "jax"), times, strict=True)}
    if asked[0].backend != asked[1].backend:
        assert cached[asked[1].backend] <= cached[asked[0].backend]


def test_it_comes_back_from_a_file_as_it_went(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(crossing().model_dump_json())
    assert load_policy(path) == crossing()
    assert load_policy(str(path)).choose("qmap", 10**6, calls=99).backend == "jax"


def damaged(**changes):
    return json.dumps(crossing().model_dump(mode="json") | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("{", "is no policy (JSONDecodeError"),
        ("[1]", "is no policy (TypeError"),
        ("{}", "is no policy (KeyError: 'schema_version')"),
        (damaged(schema_version=2), "schema version 2; this program reads 1"),
        (damaged(series=[{}]), "/series/0/kernel: Field required"),
        (damaged(mine=1), "/mine: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_policy_is_told_where_and_what_to_do(tmp_path, text, words):
    path = tmp_path / "policy.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_policy(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "xpcs-bench advise" in message


def test_a_policy_of_this_machine_does_not_differ_from_it():
    assert policy().differences() == ()
    made = here(cpu="other", python="3.1.0", packages={"numpy": "0.1", "scipy": "0"})
    differing = policy(**made.model_dump(exclude={"cores", "devices"}), cores=999)
    text = "; ".join(differing.differences())
    for word in ("processor: 'other' there", "cores: '999'", "python: '3.1'", "numpy"):
        assert word in text
    assert "scipy" not in text
