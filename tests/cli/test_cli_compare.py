"""The verb compare, as a user calls it: what it prints, refuses, and ends with."""

import json
import os
import shutil
from pathlib import Path

import pytest

from xpcs_bench.errors import ExitCode

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"


@pytest.fixture
def example(tmp_path):
    """The committed run, to be changed: a function from a name to a changed copy."""
    content = json.loads((EXAMPLE / "run.json").read_text())

    def changed(name, change):
        own = json.loads(json.dumps(content))
        own["header"]["run_id"] = name
        change(own)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(own))
        return folder

    return changed


def rows_of(content, word):
    found = [row for row in content["measurements"] if word in row["case"]]
    assert found
    return found


def slowed(word, factor):
    def change(content):
        for row in rows_of(content, word):
            samples = row["observation"]["samples"]
            for column in ("elapsed_ns", "cpu_ns", "run_delay_ns"):
                samples[column] = [round(each * factor) for each in samples[column]]

    return change


def elsewhere(content):
    for where in content["environments"].values():
        where["host"] = "another"


def newer(content):
    content["header"]["xpcs_bench"] = "9.9.9"
    for where in content["environments"].values():
        where["git_revision"] = "f" * 40


def wrong(content):
    for row in rows_of(content, "partition"):
        row["observation"]["status"] = "parity_failed"
        row["observation"]["reason"] = "labels: 3 of 9 elements beyond tolerance"


def json_of(done):
    content = json.loads(done.stdout)
    (comparison,) = content["comparisons"]
    return content, comparison


def test_a_run_is_the_same_as_itself(bench):
    done = bench("compare", EXAMPLE, EXAMPLE / "run.json", check=ExitCode.PASS)
    assert " 0 faster, " in done.stdout
    assert " 0 slower, " in done.stdout
    assert "135 outputs: 135 equal bit by bit" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_became_slower_is_named_and_is_no_failure(bench, example):
    word = "qmap/1024x1024/transmission/numpy/cpu/float64/steady_state"
    later = example("later", slowed(word, 1.5))
    done = bench("compare", EXAMPLE, later, "--json", check=ExitCode.PASS)
    content, comparison = json_of(done)
    assert content["exit_code"] == 0
    assert comparison["candidate"] == "later"
    slower = [row for row in comparison["ratios"] if row["judgement"] == "slower"]
    assert [row["case"] for row in slower] == [word]
    assert slower[0]["ratio"]["point"] == pytest.approx(1.5, rel=0.01)
    table = bench("compare", EXAMPLE, later, "-k", "steady_state and numpy").stdout
    assert "1 slower" in table
    assert "First calls" not in table


def test_the_first_run_is_the_baseline_of_all(bench, example):
    others = [
        example(name, slowed("steady_state", factor))
        for name, factor in (("b", 2.0), ("c", 0.5))
    ]
    done = bench("compare", EXAMPLE, *others, "--json", "-k", "numpy")
    first, second = json.loads(done.stdout)["comparisons"]
    assert first["baseline"] == second["baseline"]
    told = {"slower", "faster"}
    for comparison, word in ((first, "slower"), (second, "faster")):
        found = {row["judgement"] for row in comparison["ratios"]} & told
        assert found == {word}


def test_other_circumstances_are_refused_and_named(bench, example):
    later = example("later", elsewhere)
    done = bench("compare", EXAMPLE, later, check=ExitCode.USAGE)
    assert done.stdout == ""
    assert "different circumstances" in done.stderr
    assert "    host: vm -> another (jax, numpy)\n" in done.stderr
    assert "--anyway" in done.stderr


def test_told_to_it_mixes_them_and_says_so_above_the_times(bench, example):
    later = example("later", elsewhere)
    done = bench("compare", EXAMPLE, later, "--anyway", check=ExitCode.PASS)
    shown = done.stdout
    assert "Circumstances differ (host)" in shown
    assert shown.index("Circumstances that differ") < shown.index("Cached calls")
    both = bench("compare", EXAMPLE, later, "--anyway", "--json")
    _, comparison = json_of(both)
    assert {row["bearing"] for row in comparison["differences"]} == {"incomparable"}


def test_one_bad_run_among_several_is_refused_by_name(bench, example):
    good, bad = example("good", newer), example("bad", elsewhere)
    done = bench("compare", EXAMPLE, good, bad, check=ExitCode.USAGE)
    assert "-> bad" in done.stderr
    assert "-> good" not in done.stderr


def test_another_revision_is_what_one_compares(bench, example):
    done = bench("compare", EXAMPLE, example("later", newer), check=ExitCode.PASS)
    assert "what is compared" in done.stdout
    assert "ffffffffffff" in done.stdout


def test_values_that_went_wrong_end_with_1(bench, example):
    later = example("later", wrong)
    done = bench("compare", EXAMPLE, later, check=ExitCode.FAIL)
    first = done.stdout.splitlines()[1]
    assert first.startswith("Values of ")
    assert first.endswith(" were right and are wrong.")
    assert "labels: 3 of 9" in done.stdout
    # right again is no failure
    bench("compare", later, EXAMPLE, check=ExitCode.PASS)


def test_where_nothing_can_be_told_it_ends_with_3(bench, example):
    def unlabelled(content):
        for row in content["measurements"]:
            row["observation"]["outputs"] = []
            samples = row["observation"]["samples"]
            for column in (
                *("cpu_ns", "run_delay_ns"),
                *("involuntary_switches", "minor_faults"),
            ):
                samples[column] = []

    later = example("later", unlabelled)
    asked = ("compare", later, later, "-k", "steady_state")
    done = bench(*asked, check=ExitCode.INCONCLUSIVE)
    assert " 0 same, " in done.stdout


def test_markdown_is_for_a_pull_request(bench):
    asked = ("compare", EXAMPLE, EXAMPLE, "--markdown", "-k", "peak_memory")
    done = bench(*asked, check=ExitCode.PASS)
    assert done.stdout.startswith("# quickstart-")
    assert "| qmap/1024x1024/transmission | numpy/cpu/float64 | 74.5 MiB |" in (
        done.stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "RUNS"),
        ((EXAMPLE,), "1 run is no comparison"),
        ((EXAMPLE, "nowhere"), "nowhere"),
        ((EXAMPLE, EXAMPLE, "-k", "nothing"), "have no case that -k 'nothing' selects"),
        ((EXAMPLE, EXAMPLE, "-k", "a and"), "ends where a word is expected"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(bench, arguments, words):
    done = bench("compare", *arguments, check=ExitCode.USAGE)
    assert words in done.stderr
    assert done.stdout == ""


def test_two_runs_that_were_just_measured_are_compared(bench, sound, tmp_path):
    for _ in range(2):
        bench("run", sound, "--set", "sampling.processes=2", "--no-report", check=0)
    one, other = sorted((tmp_path / "reports").iterdir(), key=os.path.getmtime)
    done = bench("compare", one, other, "--json")
    assert done.returncode in {ExitCode.PASS, ExitCode.INCONCLUSIVE}
    _, comparison = json_of(done)
    assert comparison["differences"] == []
    assert comparison["uncompared"] == []
    assert [row["sameness"] for row in comparison["outputs"]] == ["equal"] * 2
    (ratio,) = comparison["ratios"]
    assert ratio["metric"] == "steady_state"
    assert ratio["ratio"]["lower"] < ratio["ratio"]["point"] < ratio["ratio"]["upper"]


def test_a_run_that_was_killed_is_compared_by_its_journal(bench, sound, tmp_path):
    bench("run", sound, "--no-report", check=0)
    (whole,) = (tmp_path / "reports").iterdir()
    killed = tmp_path / "killed"
    shutil.copytree(whole, killed)
    (killed / "run.json").unlink()
    done = bench("compare", whole, killed, "--json")
    _, comparison = json_of(done)
    assert comparison["ratios"]
