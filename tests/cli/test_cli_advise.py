"""The verb that says what to use, on the committed example."""

import json
import shutil
from pathlib import Path

import pytest

from xpcs_bench.backends import load_policy
from xpcs_bench.errors import ExitCode

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "example"
    folder.mkdir()
    shutil.copy(EXAMPLE / "run.json", folder)
    return folder


def test_it_answers_and_writes_a_policy_that_loads(bench, run):
    done = bench("advise", run, "--calls", 1000, check=ExitCode.PASS)
    text = " ".join(done.stdout.split())
    assert "Use JAX on CPU: " in text
    assert " faster than NumPy on CPU once cached, pays from the " in text
    assert "JAX on CPU never pays." in text
    assert "1000 calls in a program that goes on: expected in all JAX on CPU" in text
    # the example did not measure them
    assert "without the measure 'recompile'" in text
    path = run / "policy.json"
    assert f"policy: {path}" in done.stdout
    assert f"export XPCS_BACKEND_POLICY={path}" in done.stdout
    policy = load_policy(path)
    assert {row.kernel for row in policy.series} == {"qmap", "partition", "g2_model"}
    assert policy.places == {("numpy", "cpu"), ("jax", "cpu")}
    ask = {"geometry": "transmission", "devices": policy.places}
    size = policy.series[0].points[0].size_bytes
    assert policy.choose("qmap", size, calls=1, **ask).backend == "numpy"
    assert policy.choose("qmap", size, calls=10**4, **ask).backend == "jax"


def test_it_speaks_json_of_a_file_too(bench, run, tmp_path):
    record, path = run / "run.json", tmp_path / "mine.json"
    done = bench(*("advise", record, "--json", "--calls", 7, "--policy", path), check=0)
    content = json.loads(done.stdout)
    assert content["exit_code"] == 0
    assert content["policy"] == str(path)
    assert len(content["answers"]) == len(content["advice"]["problems"]) == 6
    first = content["answers"][0]
    assert first["told"]
    assert first["sentence"].startswith("Use JAX on CPU: ")
    assert first["calls"]["calls"] == 7
    assert {row["backend"] for row in first["calls"]["expected_s"]} == {"numpy", "jax"}
    assert not (run / "policy.json").exists()


def test_a_selection_is_of_what_is_printed_and_not_of_the_policy(bench, run):
    done = bench("advise", run, "-k", "partition", check=ExitCode.PASS)
    assert "qmap" not in done.stdout
    assert len(load_policy(run / "policy.json").series) > 1
    none = bench("advise", run, "-k", "nothing", check=ExitCode.USAGE)
    assert "matches none of the 6 problems" in none.stderr


@pytest.mark.parametrize("place", ["nowhere", "example/other.json"])
def test_a_wrong_path_is_a_message(bench, run, place):
    done = bench("advise", place, check=ExitCode.USAGE)
    assert "Name the folder that 'xpcs-bench run' printed" in done.stderr


def test_a_policy_that_cannot_be_written_is_a_message(bench, run):
    done = bench("advise", run, "--policy", "no/where.json", check=ExitCode.USAGE)
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("measure", "written"), [("[steady_state]", True), ("[parity]", False)]
)
def test_where_nothing_can_be_told_it_ends_with_3(
    bench, sound, tmp_path, measure, written
):
    bench("run", sound, "--set", f"measure={measure}", "--no-report", check=0)
    (run,) = (tmp_path / "reports").iterdir()
    done = bench("advise", run, check=ExitCode.INCONCLUSIVE)
    assert (run / "policy.json").exists() is written
    assert ("nothing to compare it with" in done.stdout) is written
    assert ("policy: none, no cached call" in done.stdout) is not written
