"""A search as a user sees it: real processes, real files, real signals."""

import json
import re
import signal
import time

import pytest

from xpcs_bench.errors import ExitCode
from xpcs_bench.run.store import load

SEARCH = """
name: search
kernels: sound
crossover: {axis: size, from: 1000, to: 100000, width: 50%}
matrix: {backend: numpy, dtype: [float64, float32]}
controls: false
tolerances: {kernel: sound, dtype: float32, rtol: 1e-6, atol: 0.0, reason: one rounding}
sampling: {max_time_s: 50 ms, processes: 2, min_sample_s: 100 us}
"""
ANSWERED = {ExitCode.PASS, ExitCode.INCONCLUSIVE}
"""Which of the two, the machine decides."""


@pytest.fixture
def search(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text(SEARCH)
    return path


def only_run(folder):
    (run,) = (folder / "reports").iterdir()
    return run


def test_a_search_says_in_a_line_where_the_order_turns(bench, search, tmp_path):
    done = bench("crossover", search, "--quiet")
    assert done.returncode in ANSWERED, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("sound: numpy/cpu/float32 against numpy/cpu/float64: ")
    measured, grid = map(
        int, re.search(r"\(size\); (\d+) sizes measured.* (\d+)$", first).groups()
    )
    assert measured <= max(6, grid / 2)
    assert last.startswith("report: ")
    run = only_run(tmp_path)
    _, record = load(run)
    assert record.status == "complete"
    assert "## Crossover" in (run / "summary.md").read_text()
    assert "Ratio of the cached calls by size" in (run / "report.html").read_text()


def test_run_does_the_same_search(bench, search):
    done = bench("run", search, "--quiet", "--json")
    assert done.returncode in ANSWERED
    (found,) = json.loads(done.stdout)["summary"]["crossovers"]
    assert found["axis"] == "size"
    assert found["answer"] in {"crosses", "always", "never", "cannot_tell"}


def test_a_file_without_a_search_is_told_how_to_get_one(bench, sound):
    done = bench("crossover", sound, check=ExitCode.USAGE)
    assert "Add a block to it, for example crossover: {axis: detector" in done.stderr
    assert "'xpcs-bench run' measures the file as it is" in done.stderr


def test_a_plan_names_the_sizes_and_every_group_once(bench, search):
    done = bench("plan", search, check=ExitCode.PASS)
    assert "search along size: " in done.stdout
    assert done.stdout.count("steady_state: numpy/cpu/float64") == 1
    assert "sound, at every size" in done.stdout


def test_a_search_that_is_interrupted_is_resumed(bench, start, search, tmp_path):
    process = start("crossover", search)
    while process.poll() is None and not any(
        path.read_bytes().count(b'"kind": "measurement"') >= 2
        for path in tmp_path.glob("reports/*/journal.jsonl")
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, out
    assert f"'xpcs-bench crossover {search} --out reports --resume" in out
    done = bench("crossover", search, "--resume", "--quiet")
    assert done.returncode in ANSWERED
    _, record = load(only_run(tmp_path))
    assert record.status == "complete"
