"""The main job as a user sees it: real processes, real files, real signals."""

import json
import os
import signal
import time

import psutil
import pytest

from xpcs_bench.errors import ExitCode
from xpcs_bench.records import Outcome
from xpcs_bench.run.start import can_fork
from xpcs_bench.run.store import load


def only_run(folder):
    (run,) = (folder / "reports").iterdir()
    return run


def wait_for_measurements(process, tmp_path, count):
    """Wait until a running command has so many measurements on disk."""
    while process.poll() is None:
        for journal in tmp_path.glob("reports/*/journal.jsonl"):
            if journal.read_bytes().count(b'"kind": "measurement"') >= count:
                return
        time.sleep(0.02)
    pytest.fail(f"the command ended before: {process.stdout.read()}")


def test_a_run_writes_a_report_and_says_where(bench, sound, tmp_path):
    done = bench("run", sound, check=ExitCode.PASS)
    run = only_run(tmp_path)
    assert f"report: {run.relative_to(tmp_path) / 'report.html'}" in done.stdout
    assert {path.name for path in run.iterdir()} >= {
        "journal.jsonl",
        "report.html",
        "run.json",
        "summary.md",
    }
    _, record = load(run)
    assert record.status == "complete"
    assert len(record.measurements) == 2
    assert 0 < record.accounting.measuring_share < 1


def test_ceilings_are_measured_once_where_efficiencies_are_asked_for(
    bench, sound, tmp_path
):
    asked = ("run", sound, "--set", "efficiency=true")
    done = bench(*asked, check=ExitCode.PASS)
    assert "ceilings, bandwidth_all_threads: " in done.stderr
    assert "Cached calls as parts of the ceilings" in done.stdout
    run = only_run(tmp_path)
    _, record = load(run)
    checks = [row.check for row in record.ceiling_checks]
    assert checks == ["bandwidth_all_threads", "blas_all_threads"]
    assert {row.resource for row in record.ceilings} == {"bytes", "flops"}
    (found,) = record.summary.efficiencies
    for achieved in (found.bandwidth, found.flops):
        assert 0 < achieved.part.lower < achieved.part.point
        ceiling = record.ceilings[achieved.ceiling]
        rate = achieved.per_second.point / ceiling.per_second
        assert achieved.part.point == pytest.approx(rate)
    assert found.limited_by is not None
    assert '<section id="efficiency"' in (run / "report.html").read_text()
    done = bench(*asked, "--resume", check=ExitCode.PASS)
    assert "ceilings, " not in done.stderr
    assert load(run)[1].ceilings == record.ceilings


def test_the_plan_counts_the_time_that_ceilings_take(bench, sound):
    seconds = [
        json.loads(bench("plan", sound, "--json", *asked).stdout)["estimated_s"]
        for asked in ((), ("--set", "efficiency=true"))
    ]
    assert seconds[1] - seconds[0] == pytest.approx(2 * 2.0)


def test_the_report_is_rebuilt_from_the_record_alone(bench, sound, tmp_path):
    bench("run", sound, check=ExitCode.PASS)
    run = only_run(tmp_path)
    pages = {name: (run / name).read_bytes() for name in ("report.html", "summary.md")}
    for path in run.iterdir():
        if path.name != "run.json":
            path.unlink()
    bench("report", run, check=ExitCode.PASS)
    assert {name: (run / name).read_bytes() for name in pages} == pages


def test_wrong_values_end_with_their_own_code(bench, sound, tmp_path):
    done = bench(
        "run", sound, "--set", "matrix.backend=[numpy, zeros]", check=ExitCode.FAIL
    )
    assert "parity" in done.stdout
    _, record = load(only_run(tmp_path))
    assert not [row for row in record.summary.estimates if "zeros" in row.case]


def test_a_run_that_compares_is_controlled(bench, sound, tmp_path):
    """Whether this machine is restless is not for a test to say; what follows is."""
    done = bench(
        *("run", sound, "--set", "controls=true", "--set", "sampling.processes=2"),
        *("--set", "matrix.backend=[numpy, jax]"),
    )
    _, record = load(only_run(tmp_path))
    assert {row.observation.status.value for row in record.measurements} == {"ok"}
    controls = record.summary.controls
    assert [row.kind for row in controls] == ["same", "slowed"] * 2
    assert all(row.ratio.n_processes == 2 for row in controls)
    for row in record.measurements:
        loops = set(row.observation.samples.inner_loops)
        assert "g2_model" not in row.case or not any(n % 20 for n in loops)
    hold = all(row.outcome is Outcome.PASS for row in controls)
    assert done.returncode == (ExitCode.PASS if hold else ExitCode.INCONCLUSIVE)
    (comparison,) = record.summary.comparisons
    assert (comparison.reason == "") == hold
    n_hold = sum(row.outcome is Outcome.PASS for row in controls)
    assert f"Controls: {n_hold or 'none'} of 4 hold" in done.stdout


def test_parity_measures_no_time(bench, sound, tmp_path):
    bench("parity", sound, "--json", check=ExitCode.PASS)
    _, record = load(only_run(tmp_path))
    assert {case.measure for case in record.header.cases} == {"parity"}


def test_a_case_that_cannot_be_measured_ends_with_its_own_code(bench, sound, tmp_path):
    done = bench(
        "run",
        sound,
        "--set",
        "kernels=[sound, raises]",
        check=ExitCode.COULD_NOT_MEASURE,
    )
    assert "the sample fell off its stage" in done.stdout
    _, record = load(only_run(tmp_path))
    assert [row for row in record.summary.estimates if row.case.startswith("sound")]


def test_nothing_but_skips_is_not_a_pass(bench, sound):
    done = bench(
        "run", sound, "--set", "matrix.device=[gpu]", check=ExitCode.COULD_NOT_MEASURE
    )
    assert "device gpu: none visible to numpy" in done.stdout


def test_json_says_everything(bench, sound):
    done = bench("run", sound, "--json", "--quiet", check=ExitCode.PASS)
    said = json.loads(done.stdout)
    assert said["status"] == "complete"
    assert said["summary"]["estimates"]
    assert done.stderr == ""


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_valid_record(start, sound, tmp_path, blow):
    process = start("run", sound, "--set", "kernels=[never_returns]")
    wait_for_measurements(process, tmp_path, 0)
    wait_for_workers(process)
    process.send_signal(blow)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, output
    assert "Traceback" not in output
    assert "--resume" in output
    run = only_run(tmp_path)
    _, record = load(run)
    assert record.status == "interrupted"
    assert (run / "report.html").exists()


def wait_for_workers(process):
    """Wait until one is at work: what forks them is started before the run begins."""
    while not any(at_work(child, process.pid) for child in descendants(process)):
        time.sleep(0.02)


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


def at_work(child, parent):
    try:
        forked = child.ppid() != parent
        # as git has not, which those that fork ask for a revision
        own_session = os.getsid(child.pid) == child.pid
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False
    return own_session and forked is can_fork()


def test_a_killed_parent_loses_nothing_and_its_workers_die(
    start, bench, sound, tmp_path
):
    asked = ("run", sound, "--set", "kernels=[sound, never_returns]")
    asked += ("--set", "measure=[parity]", "--set", "sampling.timeout_s=4")
    # with this seed the sound case comes first
    process = start(*asked, "--set", "seed=5")
    wait_for_measurements(process, tmp_path, 1)
    wait_for_workers(process)
    workers = descendants(process)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    run = only_run(tmp_path)
    assert not (run / "run.json").exists()
    _, partial = load(run)
    assert [row.observation.status.value for row in partial.measurements] == ["ok"]
    bench("report", run, check=ExitCode.PASS)
    assert {path.name for path in run.iterdir()} >= {"run.json", "report.html"}
    bench(*asked, "--set", "seed=5", "--resume", check=ExitCode.COULD_NOT_MEASURE)
    assert only_run(tmp_path) == run
    _, record = load(run)
    assert record.status == "complete"
    assert record.measurements[0] == partial.measurements[0]
    assert record.measurements[1].observation.status.value == "timed_out"


def test_resuming_needs_a_run_of_the_same_plan(bench, sound, tmp_path):
    done = bench("run", sound, "--resume", check=ExitCode.USAGE)
    assert "no run of this plan" in done.stderr
    bench("run", sound, check=ExitCode.PASS)
    name = only_run(tmp_path).name
    done = bench(
        "run", sound, "--resume", name, "--set", "seed=5", check=ExitCode.USAGE
    )
    assert "planned differently" in done.stderr
    done = bench("run", sound, "--resume", "elsewhere", check=ExitCode.USAGE)
    assert "cannot be read" in done.stderr
