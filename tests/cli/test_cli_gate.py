"""Gates of a real repository, whose package registers one small kernel.

How fast it is on this machine is not for a test to say: what is asserted is which code
was measured, and what each thing that goes wrong ends with.
"""

import json
import os
import subprocess
import sys

import pytest

from xpcs_bench.cli.gating import without_doubt
from xpcs_bench.errors import ExitCode
from xpcs_bench.gate import judge
from xpcs_bench.run.store import load

KERNEL = """
{top}
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.kernels.kernel import Kernel, Output, Tolerance, Truth, Work

class Params(ConfinedModel):
    size: int = 64

class Squares(Kernel[Params]):
    name = "squares"
    version = "{version}"
    summary = "Squares its input."
    source = "this file"
    needs = frozenset()
    Params = Params

    def outputs(self, problem):
        return (Output("square", ("element",), "1"),)

    def make_inputs(self, problem, rng):
        return {{"x": rng.random(problem.params.size)}}

    def compute(self, backend, problem, inputs):
        x = inputs["x"]
        {body}
        return {{"square": x * x}}

    def tolerance(self, problem, output):
        return Tolerance(rtol=1e-15, atol=0.0, reason="one rounding")

    def truth(self, problem, inputs):
        return {{"square": [Truth((0,), float(inputs["x"][0]) ** 2)]}}

    def work(self, problem):
        return Work(flops=problem.params.size, bytes=16 * problem.params.size)
"""
CONFIG = """
name: gated
kernels: [squares]
matrix: {backend: [numpy]}
measure: [steady_state, parity]
controls: false
sampling: {max_time_s: 30 ms, processes: 3, min_sample_s: 100 us}
"""
TOLD = {ExitCode.PASS, ExitCode.FAIL, ExitCode.INCONCLUSIVE}
"""How fast a case is decides which; none of them says that it was not measured."""


def run(folder, path, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "xpcs_bench", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(path), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


class Project:
    """A repository with a package and a configuration."""

    def __init__(self, root, sources="src"):
        self.root = root
        self.sources = root / sources
        (self.sources / "gated-1.dist-info").mkdir(parents=True)
        (self.sources / "gated-1.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: gated\nVersion: 1\n"
        )
        (self.sources / "gated-1.dist-info" / "entry_points.txt").write_text(
            "[xpcs_bench.kernels]\nsquares = gated:Squares\n"
        )
        (root / "gated.yaml").write_text(CONFIG)
        (root / ".gitignore").write_text("__pycache__\n/runs\n")
        self.git("init", "--quiet", "--initial-branch=main", ".")

    def git(self, *arguments):
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        command = ["git", *identity, *arguments]
        done = subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, body="", version="1", top=""):
        text = KERNEL.format(body=body or "pass", version=version, top=top)
        (self.sources / "gated.py").write_text(text)

    def commit(self, body="", **changes):
        self.write(body, **changes)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a state")
        return self.git("rev-parse", "HEAD")

    def gate(self, *arguments, check=None):
        asked = ("gate", "gated.yaml", "--out", "runs", *arguments)
        done = run(self.root, self.sources, *asked)
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    def record(self):
        (run,) = (self.root / "runs").iterdir()
        return load(run)[1]

    @property
    def worktrees(self):
        return self.git("worktree", "list").splitlines()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def statuses(record):
    """By revision and measure, how its processes ended."""
    found = {}
    for row in record.measurements:
        _, revision, measure = row.case.rsplit("/", 2)
        key = (revision, measure)
        found.setdefault(key, set()).add(row.observation.status.value)
    return found


def test_both_revisions_are_measured_in_turns_and_nothing_is_left(project):
    baseline = project.commit()
    project.commit("x = x + 0.0")
    done = project.gate("--baseline", "HEAD~1")
    assert done.returncode in TOLD, done.stdout + done.stderr
    assert "note:" not in done.stderr
    record = project.record()
    assert record.header.baseline == baseline
    assert statuses(record) == {
        ("baseline", "steady_state"): {"ok"},
        ("candidate", "steady_state"): {"ok"},
        ("candidate", "parity"): {"ok"},
    }
    assert all(
        row.interleaved
        for row in record.measurements
        if row.case.endswith("steady_state")
    )
    (found,) = record.summary.regressions
    assert found.ratio.n_processes >= 3
    assert len(project.worktrees) == 1


def test_the_baseline_runs_its_own_code(project):
    project.commit('raise RuntimeError("the code of the baseline")')
    project.commit()
    done = project.gate("--baseline", "HEAD~1", check=ExitCode.COULD_NOT_MEASURE)
    assert "the code of the baseline" in done.stdout
    assert statuses(project.record())["candidate", "steady_state"] == {"ok"}


def test_packages_at_the_root_of_a_repository_are_those_of_the_revision(tmp_path):
    """Whoever starts python -m there imports from the folder that he is in."""
    project = Project(tmp_path / "project", sources=".")
    project.commit('raise RuntimeError("the code of the baseline")')
    project.commit()
    done = project.gate("--baseline", "HEAD~1", check=ExitCode.COULD_NOT_MEASURE)
    assert "the code of the baseline" in done.stdout


def test_wrong_values_fail_and_have_no_speed(project):
    project.commit()
    project.commit("x = x + 1.0")
    project.gate("--baseline", "HEAD~1", check=ExitCode.FAIL)
    record = project.record()
    assert record.summary.regressions == ()
    outcomes = {(verdict.rule, verdict.outcome.value) for verdict in judge(record)}
    assert ("parity", "fail") in outcomes
    assert ("regression", "inconclusive") in outcomes


def test_changes_that_are_in_no_commit_are_part_of_the_candidate(project):
    project.commit()
    project.write("x = x + 1.0")
    done = project.gate("--baseline", "HEAD", check=ExitCode.FAIL)
    assert "note: the working tree has changes" in done.stderr
    assert "'src/gated.py'" in done.stderr


def test_a_baseline_that_is_the_working_tree_is_said(project):
    project.commit()
    done = project.gate("--baseline", "main")
    assert done.returncode in TOLD
    assert "the working tree is the baseline 'main' itself" in done.stderr


@pytest.mark.parametrize(
    ("version", "words"), [("0", "means something else"), (None, "is new")]
)
def test_what_only_one_side_has_is_skipped_with_the_reason(project, version, words):
    if version is None:
        (project.sources / "gated-1.dist-info" / "entry_points.txt").write_text(
            "[xpcs_bench.kernels]\nolder = gated:Squares\n"
        )
        project.write()
        text = (project.sources / "gated.py").read_text()
        older = text.replace('"squares"', '"older"')
        (project.sources / "gated.py").write_text(older)
        project.git("add", ".")
        project.git("commit", "--quiet", "-m", "another name")
        (project.sources / "gated-1.dist-info" / "entry_points.txt").write_text(
            "[xpcs_bench.kernels]\nsquares = gated:Squares\n"
        )
    else:
        project.commit(version=version)
    project.commit()
    done = project.gate("--baseline", "HEAD~1", check=ExitCode.COULD_NOT_MEASURE)
    assert "nothing of it can be compared" in done.stderr
    assert words in done.stderr


def test_a_revision_that_is_none_could_not_be_measured(project):
    project.commit()
    done = project.gate("--baseline", "nowhere", check=ExitCode.COULD_NOT_MEASURE)
    assert "the baseline 'nowhere' is no revision" in done.stderr
    assert not (project.root / "runs").exists()


def test_a_baseline_that_cannot_be_imported_could_not_be_measured(project):
    project.commit(top="import no_such_package_anywhere")
    project.commit()
    done = project.gate("--baseline", "HEAD~1", check=ExitCode.COULD_NOT_MEASURE)
    assert "no_such_package_anywhere" in done.stderr
    assert "--baseline-python" in done.stderr
    assert len(project.worktrees) == 1


def test_an_interpreter_that_is_none_could_not_be_measured(project):
    project.commit()
    done = project.gate(
        *("--baseline", "HEAD", "--baseline-python", "/no/such/python"),
        check=ExitCode.COULD_NOT_MEASURE,
    )
    assert "'/no/such/python'" in done.stderr


def test_another_interpreter_may_run_the_baseline(project):
    project.commit()
    done = project.gate("--baseline", "HEAD", "--baseline-python", sys.executable)
    assert done.returncode in TOLD, done.stdout + done.stderr


def test_a_configuration_outside_any_repository_is_a_mistake(project, tmp_path):
    project.commit()
    outside = tmp_path / "gated.yaml"
    outside.write_text(CONFIG)
    done = run(tmp_path, project.sources, "gate", outside, "--baseline", "HEAD")
    assert done.returncode == ExitCode.USAGE
    assert "in no git repository" in done.stderr


def test_a_gate_without_a_baseline_is_a_mistake(project):
    project.commit()
    assert "--baseline" in project.gate(check=ExitCode.USAGE).stderr


def test_json_says_what_was_decided_with_the_preset_that_replaces_that_of_the_file(
    project,
):
    project.commit()
    done = project.gate("--baseline", "HEAD", "--preset", "coarse", "--json")
    (found,) = json.loads(done.stdout)["summary"]["regressions"]
    assert found["group"] == "squares/numpy/cpu/float64/steady_state"
    assert found["find"] == 0.10
    assert project.record().header.experiment.gate.preset == "coarse"


@pytest.mark.parametrize("code", ExitCode)
def test_what_cannot_be_told_may_count_as_an_outcome(code):
    told = {word: without_doubt(code, word) for word in ("", "pass", "fail")}
    if code is ExitCode.INCONCLUSIVE:
        assert told == {"": code, "pass": ExitCode.PASS, "fail": ExitCode.FAIL}
    else:
        assert set(told.values()) == {code}
