"""The study of searches: what it takes for the truth, and that it runs, scaled down."""

import json
import random
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

REPORT_TESTS = Path(__file__).parents[1] / "report"


@pytest.fixture
def models(load):
    return load("crossover", "models")


@pytest.fixture
def study(load):
    return load("crossover", "study")


def test_turns_that_are_taken_back_within_the_width_are_one_or_none(models):
    merged = models.merged_turns
    assert merged([(100, 101), (104, 105)], 0.1) == []
    assert merged([(100, 101), (104, 105), (108, 109)], 0.1) == [(100, 109)]
    assert merged([(100, 101), (150, 151)], 0.1) == [(100, 101), (150, 151)]


def test_turns_are_where_neighbouring_signs_differ(models):
    assert models.turns_of(10, [0.1, 0.2, -0.1, -0.2, 0.3]) == [(11, 12), (13, 14)]


def test_costs_have_parts_steps_and_padding(models):
    cost = models.Cost(parts=((1, 10.0, 1.0), (100, 0.0, 2.0)), steps=((50, 1.5),))
    assert [cost(n) for n in (1, 49, 50, 100)] == [11.0, 59.0, 90.0, 300.0]
    assert models.Cost(parts=((1, 0.0, 1.0),), tile=8)(9) == 16.0


@pytest.mark.parametrize("kind", ["once", "never", "always", "three", "border"])
def test_what_is_drawn_is_of_its_kind(models, kind):
    rng = random.Random(1)  # noqa: S311 (a script)
    model = models.draw(kind, "stepped", rng, 0.1)
    turns = models.turns_of(model.first, model.logs())
    expected = {"once": 1, "three": 3, "border": 1}.get(kind, 0)
    assert len(models.merged_turns(turns, 0.1)) == expected


def test_a_wrong_sign_and_a_turn_that_is_missed_are_counted(study):
    searches = sys.modules["searches"]
    models = sys.modules["models"]
    rng = random.Random(2)  # noqa: S311 (a script)
    model = models.draw("once", "linear", rng, 0.1)
    found, n_processes = searches.searched(model, searches.Noise(rng))
    assert searches.judged(model, found, n_processes)["contains"]
    without = found.model_copy(update={"turns": (), "unclear": ()})
    assert not searches.judged(model, without, n_processes)["contains"]
    turned = [
        point.model_copy(update={"sign": "slower"}) if point.sign == "faster" else point
        for point in found.points
    ]
    wrong = found.model_copy(update={"points": tuple(turned)})
    assert not searches.judged(model, wrong, n_processes)["right_signs"]


def test_the_study_runs_scaled_down_and_goes_on(study, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["study", "--trials", "10", "--out", str(tmp_path)]
    )
    study.main()
    once = json.loads((tmp_path / "known.json").read_text())["rounds"]
    monkeypatch.setattr(
        sys, "argv", ["study", "--trials", "20", "--out", str(tmp_path)]
    )
    study.main()
    rounds = json.loads((tmp_path / "known.json").read_text())["rounds"]
    assert rounds[0] == once[0]
    rows = [row for trials in rounds for row in trials]
    assert len(rows) == 20
    # one of each round went through the machinery of a run
    assert sum(row["machinery"] for row in rows) == 2
    assert {(row["kind"], row["form"]) for row in rows} == {
        (kind, form) for kind in study.KINDS for form in study.FORMS
    }
    assert all(met for _, _, met in study.verdicts(rows))
    assert "| **all** | 20 |" in (tmp_path / "known.md").read_text()


def test_a_verdict_that_is_not_met_says_so(study):
    row = {
        "kind": "never",
        "form": "linear",
        "answer": "always",
        "machinery": False,
        "between": 0.01,
        "bursts": 0.0,
        "contains": False,
        "contains_all": False,
        "wins_above_right": False,
        "n_turns": 0,
        "n_resolved": 0,
        "n_measured": 40,
        "n_grid": 64,
        "n_processes": 120,
    }
    assert not any(met for _, _, met in study.verdicts([row]))
    circumstances = {"circumstances": {"versions": "v"}, "rounds": [[row]]}
    assert study.markdown(circumstances).count("NOT met") == 3


def test_a_kept_figure_stands_alone_in_colours_of_its_own(load, monkeypatch, tmp_path):
    kernels = load("crossover", "kernels")
    monkeypatch.syspath_prepend(REPORT_TESTS)
    from report_scripts import SCRIPTS

    folder = tmp_path / "run"
    folder.mkdir()
    record = SCRIPTS["searched"]().record()
    monkeypatch.setattr(kernels, "load", lambda _: (folder, record))
    monkeypatch.setattr(kernels, "RECORD", tmp_path / "kept")
    kernels.keep(folder)
    (figure,) = (tmp_path / "kept").glob("*.svg")
    text = figure.read_text(encoding="utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    used = set(re.findall(r"var\((--[\w-]+)\)", text))
    assert used
    assert used <= set(re.findall(r"(--[\w-]+):#", text))
    summary = figure.with_suffix(".md").read_text(encoding="utf-8")
    assert (
        summary.splitlines()[2]
        == f"![Ratio of the cached calls by size]({figure.name})"
    )
    assert "## Crossover" in summary
