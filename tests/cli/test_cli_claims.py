"""Claims as a user meets them: true ones, one edited to be false, one skipped."""

import json

import pytest

from xpcs_bench.errors import ExitCode
from xpcs_bench.run.store import load

CLAIMED = """
name: claimed
kernels: [sound]
matrix: {backend: numpy, device: [cpu, gpu]}
measure: [steady_state, parity]
controls: false
sampling: {max_time_s: 50 ms, processes: 1, min_sample_s: 100 us}
claims:
  - id: ends-today
    says: "a call ends within an hour"
    source: "a document"
    where: {kernel: sound, device: cpu}
    metric: steady_state
    expect: {at_most: 1 h}
  - id: on-a-gpu
    says: "a GPU is faster"
    source: "a document"
    where: {kernel: sound, device: gpu}
    metric: steady_state
    expect: {at_most: 1 us}
  - id: no-op
    says: "``backend.jit(fn)`` returns ``fn`` unchanged"
    source: "a document"
    behaviour: numpy_jit
    expect: {shows: {the same object: true}}
"""


@pytest.fixture
def claimed(tmp_path):
    path = tmp_path / "claimed.yaml"
    path.write_text(CLAIMED)
    return path


def only_run(folder):
    (run,) = (folder / "reports").iterdir()
    return run


def outcomes(run):
    return {row.id: row.outcome.value for row in load(run)[1].summary.claims}


def test_the_ledger_comes_from_one_command(bench, claimed, tmp_path):
    done = bench("run", claimed, check=ExitCode.PASS)
    assert "behaviours, numpy_jit: returned" in done.stderr
    assert "Claims: 2 pass, 1 skip." in done.stdout
    run = only_run(tmp_path)
    assert outcomes(run) == {"ends-today": "pass", "on-a-gpu": "skip", "no-op": "pass"}
    ledger = (run / "claims.md").read_text()
    assert "| `ends-today` | a call ends within an hour | at most 3600 s |" in ledger
    assert "device gpu: none visible to numpy (visible: cpu)" in ledger
    _, record = load(run)
    (measured,) = [row.measured for row in record.summary.claims if row.measured]
    assert measured == record.summary.estimates[0].estimate


def test_a_claim_that_is_edited_to_be_false_fails(bench, claimed, tmp_path):
    text = CLAIMED.replace("at_most: 1 h", "at_least: 1 h")
    claimed.write_text(text)
    bench("run", claimed, check=ExitCode.FAIL)
    run = only_run(tmp_path)
    assert outcomes(run)["ends-today"] == "fail"
    (finding, *_) = load(run)[1].summary.claims
    assert "times the least that is claimed" in finding.reason


def test_a_false_claim_about_a_behaviour_fails(bench, claimed, tmp_path):
    claimed.write_text(CLAIMED.replace("same object: true", "same object: false"))
    done = bench("run", claimed, "-k", "behaviours", check=ExitCode.FAIL)
    assert "Claims: 1 fail." in done.stdout
    assert outcomes(only_run(tmp_path)) == {"no-op": "fail"}


def test_a_resumed_run_tries_nothing_twice(bench, claimed):
    bench("run", claimed, check=ExitCode.PASS)
    done = bench("run", claimed, "--resume", check=ExitCode.PASS)
    assert "behaviours, " not in done.stderr
    assert "Claims: 2 pass, 1 skip." in done.stdout


def test_a_run_is_not_gone_on_with_to_decide_something_else(bench, claimed):
    bench("run", claimed, check=ExitCode.PASS)
    claimed.write_text(CLAIMED.replace("at_most: 1 h", "at_least: 1 h"))
    done = bench("run", claimed, "--resume", check=ExitCode.USAGE)
    assert "no run of this plan" in done.stderr


def test_the_plan_says_what_is_decided(bench, claimed):
    done = bench("plan", claimed, check=ExitCode.PASS)
    assert "3 claims to decide, for which 1 behaviours are tried" in done.stdout
    made = json.loads(bench("plan", claimed, "--json").stdout)
    assert made["behaviours"] == ["numpy_jit"]
    assert made["claims"][0]["of"] == "sound/numpy/cpu/float64/steady_state"


def test_a_claim_about_nothing_is_refused_before_anything_is_measured(bench, claimed):
    claimed.write_text(
        CLAIMED.replace("{kernel: sound, device: gpu}", "{dtype: float32}")
    )
    done = bench("run", claimed, check=ExitCode.USAGE)
    assert "claim 'on-a-gpu'" in done.stderr
    claimed.write_text(CLAIMED.replace("numpy_jit", "numpy_jitt"))
    done = bench("validate", claimed, check=ExitCode.USAGE)
    assert "claimed.yaml:24:16: claims[2].behaviour: unknown" in done.stderr
    assert "Did you mean 'numpy_jit'?" in done.stderr


def test_parity_decides_no_claim(bench, claimed, tmp_path):
    bench("parity", claimed, check=ExitCode.PASS)
    assert outcomes(only_run(tmp_path)) == {}


def test_behaviours_are_listed(bench):
    done = bench("list", "behaviours", check=ExitCode.PASS)
    assert "numpy_jit " in done.stdout
    assert "observes: the same object" in done.stdout
