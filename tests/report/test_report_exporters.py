import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import xpcs_bench.report
from xpcs_bench.errors import ConfigError
from xpcs_bench.records import RunRecord
from xpcs_bench.report import EXPORTERS, export, write_report


@pytest.mark.parametrize("name", ["parity_failed", "nothing"])
def test_the_report_is_written_from_the_record_alone(name, record_of, tmp_path):
    record = record_of(name)
    folder = tmp_path / "reports" / "run"
    files = write_report(record, folder)
    assert files.html == folder / "report.html"
    assert files.markdown == folder / "summary.md"
    assert set(folder.iterdir()) == set(files.paths.values())
    first = {path: path.read_bytes() for path in files.paths.values()}

    again = RunRecord.model_validate_json(record.model_dump_json())
    write_report(again, folder)
    assert {path: path.read_bytes() for path in files.paths.values()} == first
    assert all(b"\r" not in content for content in first.values())


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_is_one_file_with_one_function(name, record_of):
    module, function = EXPORTERS[name].render.split(":")
    file = Path(importlib.import_module(module).__file__)
    assert file.parent == Path(xpcs_bench.report.__file__).parent
    assert file.stem == name
    assert function == "render"
    assert "detectors-on-this-workstation" in export(record_of("small"), name)


def test_an_unknown_format_is_refused_with_the_known_ones(record_of):
    with pytest.raises(ConfigError, match=r"'pdf'.*html, markdown, claims, terminal"):
        export(record_of("small"), "pdf")


def test_a_failed_write_leaves_the_old_file_and_no_draft(
    record_of, tmp_path, monkeypatch
):
    write_report(record_of("small"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(record_of("failures"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_importing_the_report_draws_nothing():
    code = (
        "import sys, xpcs_bench.report as report;"
        "heavy = {'matplotlib', 'jax', 'scipy', 'h5py', 'jinja2'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
