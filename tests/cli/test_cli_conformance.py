"""The verb that compares the backends method by method, with a real worker."""

import json
import os
import platform
import subprocess
import sys

from xpcs_bench.conformance import Report
from xpcs_bench.errors import ExitCode

COMMAND = [sys.executable, "-m", "xpcs_bench", "conformance"]


def conform(folder, *arguments, **variables):
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_prints_a_table_and_writes_a_record_without_an_address(tmp_path):
    done = conform(tmp_path, "-k", "log1p or digitize", XLA_FLAGS="")
    assert done.returncode == ExitCode.PASS, done.stdout + done.stderr
    assert "log1p" in done.stdout
    assert "2 methods" in done.stdout
    assert "examining mathematics, binning" in done.stderr
    folder = tmp_path / "reports" / "conformance"
    text = (folder / "conformance.json").read_text()
    record = Report.model_validate_json(text)
    methods = {found.method for found in record.examination.findings}
    assert methods == {"log1p", "digitize"}
    assert record.circumstances.packages["numpy"]
    page = (folder / "conformance.md").read_text()
    assert "log1p-cancellation" in page
    for address in (str(tmp_path), sys.prefix):
        assert address not in text
        assert address not in page
    said = record.circumstances.model_dump()
    assert platform.node() not in {said["cpu"], said["system"], *said["variables"]}


def test_json_is_the_record(tmp_path):
    done = conform(tmp_path, "-k", "isnan", "--json", "--quiet", "--out", "here")
    assert done.returncode == ExitCode.PASS, done.stderr
    assert done.stderr == ""
    written = json.loads((tmp_path / "here" / "conformance.json").read_text())
    assert json.loads(done.stdout) == written


def test_a_selection_of_nothing_is_a_mistake(tmp_path):
    done = conform(tmp_path, "-k", "abacus")
    assert done.returncode == ExitCode.USAGE
    assert "'abacus' selects no method" in done.stderr


def test_an_unexplained_difference_ends_with_its_own_code(tmp_path, monkeypatch):
    from xpcs_bench.cli import conforming
    from xpcs_bench.conformance import examine
    from xpcs_bench.conformance.differences import DIFFERENCES

    def examined(methods):
        from xpcs_bench.backends import NumPyBackend

        class Negated(NumPyBackend):
            name = "jax"

            def isnan(self, x, /):
                return ~super().isnan(x)

        pair = NumPyBackend(), Negated()
        return examine(*pair, methods, differences=DIFFERENCES)

    monkeypatch.setattr(conforming, "_examination", examined)
    code = conforming.examine_here(tmp_path, "isnan", as_json=False, quiet=True)
    assert code == ExitCode.FAIL
    assert "Unexplained" in (tmp_path / "conformance.md").read_text()


def test_a_worker_that_dies_is_no_verdict(tmp_path):
    done = conform(tmp_path, "-k", "isnan", XLA_FLAGS="--no_such_flag=1")
    assert done.returncode == ExitCode.COULD_NOT_MEASURE
    assert "the examination ended with exit status" in done.stderr
