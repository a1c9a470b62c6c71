"""Verbs that measure nothing, and what the user gets for a mistake."""

import json

import pytest

from xpcs_bench.errors import ExitCode


def test_help_names_the_exit_codes(bench):
    done = bench("--help", check=ExitCode.PASS)
    for word in ("run", "plan", "parity", "report", "130", "cannot tell"):
        assert word in done.stdout


def test_plan_shows_cases_groups_time_and_memory(bench, sound):
    done = bench(
        "plan", sound, "--set", "matrix.device=[cpu, gpu]", check=ExitCode.PASS
    )
    assert "sound\n  steady_state: numpy/cpu/float64" in done.stdout
    assert "2 x device gpu: none visible to numpy (visible: cpu)" in done.stdout
    assert "2 cases in 2 groups, 2 skipped; about" in done.stdout


def test_plan_shows_controls_as_what_they_are(bench, sound):
    asked = ("plan", sound, "--set", "controls=true")
    asked += ("--set", "matrix.backend=[numpy, zeros]", "-k", "steady_state")
    shown = bench(*asked, check=ExitCode.PASS).stdout
    assert (
        "controls, whose answer is known:\n"
        "  numpy/cpu: g2_model[delays=16,q_bins=4], float64: first, again, slowed\n"
        "  zeros/cpu: g2_model[delays=16,q_bins=4], float64: first, again, slowed\n"
    ) in shown
    assert "2 cases in 1 groups, 6 cases in 2 controls, 0 skipped; about" in shown
    plan = json.loads(bench(*asked, "--json", check=ExitCode.PASS).stdout)
    assert len(plan["cases"]) == 8
    assert [group["id"].split("/")[0] for group in plan["groups"]] == [
        "sound",
        "controls",
        "controls",
    ]


def test_plan_speaks_json(bench, sound):
    plan = json.loads(bench("plan", sound, "--json", check=ExitCode.PASS).stdout)
    assert plan["cases"] == [
        "sound/numpy/cpu/float64/steady_state",
        "sound/numpy/cpu/float64/parity",
    ]
    assert plan["estimated_s"] > 0


def test_a_selection_narrows_the_plan(bench, sound):
    plan = bench("plan", sound, "-k", "parity", "--json", check=ExitCode.PASS)
    assert json.loads(plan.stdout)["cases"] == ["sound/numpy/cpu/float64/parity"]


def test_validate_looks_at_every_file(bench, sound, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nkernel: [sound]\n")
    done = bench("validate", bad, sound, check=ExitCode.USAGE)
    assert "bad.yaml:2:1" in done.stderr
    assert "Did you mean 'kernels'?" in done.stderr
    assert "sound.yaml: ok" in done.stdout


@pytest.mark.parametrize(
    "what", ["kernels", "backends", "detectors", "measures", "boundaries"]
)
def test_list_names_what_a_configuration_may(bench, what):
    rows = json.loads(bench("list", what, "--json", check=ExitCode.PASS).stdout)
    assert rows
    assert all(rows.values())


def test_schema_is_json(bench):
    schema = json.loads(bench("schema", check=ExitCode.PASS).stdout)
    assert schema["title"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "missing.yaml"), "missing.yaml"),
        (("run", "."), "directory"),
        (("plan", "sound.yaml", "--set", "sampling.max_tme_s=5"), "max_time_s"),
        (("plan", "sound.yaml", "--set", "nonsense"), "path=value"),
        (("plan", "sound.yaml", "-k", "sound and"), "ends where a word is expected"),
        (("plan", "sound.yaml", "--set", "kernels=[soundd]"), "Did you mean 'sound'?"),
        (("run", "sound.yaml", "--out", "sound.yaml"), "sound.yaml"),
        (("report", "nowhere"), "nowhere"),
        (("fly",), "No such command"),
        (("run",), "CONFIG"),
        (("list", "numbers"), "numbers"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(bench, sound, arguments, words):
    done = bench(*arguments, check=ExitCode.USAGE)
    assert words in done.stderr


def test_a_selection_of_nothing_could_not_measure(bench, sound):
    done = bench("run", sound, "-k", "nothing", check=ExitCode.COULD_NOT_MEASURE)
    assert "matches none of the 2 cases" in done.stderr
