"""In an environment without jax: ``nox -s without-jax`` makes one and runs this."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from xpcs_bench.backends import (
    DeviceManager,
    check_backend,
    create_adapters,
    create_backend,
    ensure_numpy,
    get_backend,
    reset_backend,
    set_backend,
)

pytestmark = pytest.mark.skipif(
    find_spec("jax") is not None,
    reason="jax is installed; 'nox -s without-jax' runs this where it is not",
)

EXPERIMENT = """\
name: without-jax
kernels: {g2_model: {q_bins: 3, delays: 8}}
matrix: {backend: [numpy, jax], device: cpu}
measure: [first_call, steady_state, parity]
sampling: {processes: 2, max_time_s: 0.1}
"""


@pytest.fixture(autouse=True)
def no_choices(monkeypatch):
    for variable in ("XPCS_USE_JAX", "XPCS_USE_GPU"):
        monkeypatch.delenv(variable, raising=False)
    reset_backend()
    DeviceManager.reset()
    yield
    reset_backend()
    DeviceManager.reset()


@pytest.mark.parametrize("word", ["", "auto", "false"])
def test_numpy_is_found_in_silence(monkeypatch, word):
    monkeypatch.setenv("XPCS_USE_JAX", word)
    backend = get_backend()  # warnings are errors here
    assert backend.name == "numpy"
    check_backend(backend)
    assert backend.sum(backend.from_numpy(np.ones(3))) == 3
    assert "jax" not in sys.modules


@pytest.mark.parametrize(
    "ask", [get_backend, lambda: set_backend("jax"), lambda: create_backend("jax")]
)
def test_asking_for_jax_tells_how_to_install_it(monkeypatch, ask):
    monkeypatch.setenv("XPCS_USE_JAX", "true")
    with pytest.raises(ImportError, match=r"needs the package 'jax'.*pip install jax"):
        ask()


def test_adapters_and_conversions_work():
    source = np.arange(3.0)
    pyqtgraph, hdf5, matplotlib = create_adapters(enable_monitoring=True)
    assert pyqtgraph.to_pyqtgraph(source) is source
    assert matplotlib.to_matplotlib(source) is source
    assert hdf5.from_hdf5(hdf5.to_hdf5(source)).tolist() == [0, 1, 2]
    assert hdf5.get_stats().count == 2
    assert ensure_numpy([1, 2]).tolist() == [1, 2]


def test_the_host_is_the_device():
    manager = DeviceManager()
    source = np.ones(2)
    assert manager.place_on_device(source) is source
    assert [device.platform for device in manager.available_devices] == ["cpu"]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    config = folder / "experiment.yaml"
    config.write_text(EXPERIMENT)
    command = [sys.executable, "-m", "xpcs_bench", "run", str(config), "--json"]
    return subprocess.run(
        [*command, "--quiet", "--out", str(folder / "reports"), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_is_examined_without_what_needs_jax():
    command = [sys.executable, "-m", "xpcs_bench", "doctor", "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = {
        row["check"]: row["outcome"] for row in json.loads(done.stdout)["diagnoses"]
    }
    for name in ("versions", "xla_values", "x64", "xla_threads", "xla_one_thread"):
        assert outcomes[name] == "skip", name
    assert outcomes["blas_one_thread"] in {"pass", "inconclusive"}
    assert outcomes["devices"] == "inconclusive"


def test_numpy_is_measured_and_jax_skipped_with_the_reason(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("reports/*/run.json")
    record = json.loads(path.read_text())
    measured = {row["case"] for row in record["measurements"]}
    assert measured
    assert all("numpy" in case for case in measured)
    skipped = record["header"]["skipped"]
    assert skipped
    assert all("needs the package 'jax'" in row["reason"] for row in skipped), skipped
    estimates = json.loads(done.stdout)["summary"]["estimates"]
    assert {row["metric"] for row in estimates} >= {"first_call", "steady_state"}
