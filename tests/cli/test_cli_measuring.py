"""What is said of a run that can be gone on with."""

import shlex
from pathlib import Path

import pytest

from xpcs_bench.cli.command import xpcs_bench
from xpcs_bench.cli.measuring import Order


def order(**changes):
    values = {
        "config": Path("my file.yaml"),
        "expression": "qmap and not gpu",
        "overrides": ("matrix.backend=[numpy, jax]", "seed=5"),
        "out": Path("runs"),
        "resume": None,
        "quiet": True,
        "as_json": False,
    }
    return Order(**values | changes)


@pytest.mark.parametrize(
    ("changes", "verb", "own"),
    [
        ({}, "run", {}),
        ({"searching": True}, "crossover", {}),
        ({"baseline": "HEAD~1"}, "gate", {"baseline": "HEAD~1"}),
    ],
)
def test_the_command_that_goes_on_asks_for_the_same_plan(changes, verb, own):
    first = order(**changes)
    program, name, *words = shlex.split(f"{first.again} a-run")
    assert (program, name) == ("xpcs-bench", verb)
    asked = xpcs_bench.commands[name].make_context(name, words).params
    wanted = {
        "config": first.config,
        "expression": first.expression,
        "overrides": first.overrides,
        "out": first.out,
        "resume": "a-run",
        **own,
    }
    assert {key: asked[key] for key in wanted} == wanted


def test_what_was_not_asked_for_is_not_said():
    plain = order(expression=None, overrides=(), config=Path("my.yaml"))
    assert plain.again == "xpcs-bench run my.yaml --out runs --resume"
