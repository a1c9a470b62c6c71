import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from xpcs_bench.backends import create_backend
from xpcs_bench.measure import environment
from xpcs_bench.measure.environment import capture, git_state, probe, version

GIT = shutil.which("git")


def git(folder, *arguments):
    return subprocess.run(
        [GIT, "-c", "user.name=x", "-c", "user.email=x@y", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    if GIT is None:
        pytest.skip("git is not installed")
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("1\n")
    (tmp_path / "notes.txt").write_text("1\n")
    (tmp_path / ".gitignore").write_text("ignored\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def head(repository):
    return git(repository, "rev-parse", "HEAD")


def test_a_clean_folder_has_the_revision_of_its_repository(repository):
    assert git_state(repository / "package") == (head(repository), False)


@pytest.mark.parametrize("file", ["code.py", "new.py"])
def test_a_change_in_the_folder_makes_it_dirty(repository, file):
    (repository / "package" / file).write_text("2\n")
    assert git_state(repository / "package") == (head(repository), True)


def test_a_change_elsewhere_does_not(repository):
    (repository / "notes.txt").write_text("2\n")
    assert git_state(repository / "package") == (head(repository), False)


@pytest.mark.parametrize("name", ["ignored", "untracked"])
def test_code_installed_into_another_project_has_no_revision(repository, name):
    installed = repository / name
    installed.mkdir()
    (installed / "code.py").write_text("1\n")
    assert git_state(installed) == (None, None)


def test_no_repository_no_revision(tmp_path):
    assert git_state(tmp_path) == (None, None)


def test_no_git_no_revision(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state(repository / "package") == (None, None)


def test_without_a_backend_nothing_is_said_of_one():
    found = capture(None)
    assert found.backend is None
    assert found.devices == ()
    assert found.x64 is None
    assert found.compilation_cache is None


def test_the_machine_is_described():
    found = capture(None)
    assert found.cores >= len(found.affinity) >= 1
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.packages.keys() >= {"numpy", "scipy", "jax", "jaxlib", "h5py"}
    assert found.cpu
    assert found.kernel.split()[0] in {"Linux", "Darwin", "Windows"}
    if sys.platform == "linux":
        assert found.affinity == tuple(sorted(os.sched_getaffinity(0)))
        assert found.memory_bytes > 2**20


def test_versions_are_those_of_the_metadata(monkeypatch):
    found = capture(None).packages
    for name in ("numpy", "scipy", "jax", "h5py"):
        assert found[name] == importlib.metadata.version(name)
    version.cache_clear()  # a process asks once
    old = SimpleNamespace(read_text=lambda name: None, version="0.1")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: old)
    assert capture(None).packages["numpy"] == "0.1"
    version.cache_clear()


def test_records_of_studies_name_machine_and_versions():
    here = capture(None)
    assert environment.versions("numpy", "no-such-thing") == {
        "python": here.python,
        "numpy": here.packages["numpy"],
        "no-such-thing": "not installed",
    }
    expected = f"{here.cpu}, {here.cores} cores, {platform.machine()}"
    assert environment.machine() == expected


def test_features_of_the_cpu_are_those_that_move_results(monkeypatch):
    monkeypatch.setattr(
        environment, "processor_fields", lambda: {"flags": "fpu avx2 msr avx512f fma"}
    )
    assert capture(None).cpu_features == ("avx2", "avx512f", "fma")
    monkeypatch.setattr(
        environment, "processor_fields", lambda: {"Features": "fp asimd sve"}
    )
    assert capture(None).cpu_features == ("asimd", "sve")
    monkeypatch.setattr(environment, "processor_fields", dict)
    assert capture(None).cpu_features == ()
    assert capture(None).cpu  # from the platform then


def test_variables_that_change_a_measurement_are_kept_and_no_others(monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    kept = {
        "JAX_ENABLE_X64": "true",
        "XLA_FLAGS": "--a",
        "XPCS_USE_JAX": "auto",
        "NPROC": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "2",
        "MALLOC_ARENA_MAX": "1",
        "GLIBC_TUNABLES": "x",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F",
    }
    for name, value in (kept | {"HOME": "/", "TOKEN": "secret"}).items():
        monkeypatch.setenv(name, value)
    assert capture(None).variables == kept


def test_a_worker_of_numpy():
    found = capture(create_backend("numpy"))
    assert (found.backend, found.x64, found.compilation_cache) == ("numpy", None, None)
    assert [device.platform for device in found.devices] == ["cpu"]


def test_a_worker_of_jax():
    found = capture(create_backend("jax"))
    assert (found.backend, found.x64) == ("jax", True)
    assert "cpu" in {device.platform for device in found.devices}
    assert found.compilation_cache == "off"


def test_the_compilation_cache_is_named_with_its_thresholds(monkeypatch):
    config = SimpleNamespace(
        jax_enable_x64=True,
        jax_enable_compilation_cache=True,
        jax_compilation_cache_dir="/somewhere",
        jax_persistent_cache_min_compile_time_secs=1.0,
        jax_persistent_cache_min_entry_size_bytes=0,
    )
    backend = SimpleNamespace(name="jax", devices=tuple)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config))
    assert capture(backend).compilation_cache == "on: from 1 s and 0 bytes"
    config.jax_enable_compilation_cache = False
    assert capture(backend).compilation_cache == "off"


def test_capturing_the_parent_imports_no_array_library_but_numpy():
    script = """
import sys
from xpcs_bench.measure import environment
environment.capture(None)
assert not {"jax", "jaxlib", "h5py", "matplotlib"} & set(sys.modules)
"""
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_the_probe_tries_every_registered_backend():
    found = probe()
    assert found.keys() >= {"numpy", "jax"}
    for name in ("numpy", "jax"):
        assert found[name].available
        assert found[name].reason == ""
        assert found[name].version
        assert "cpu" in {device.platform for device in found[name].devices}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImportError("install it so"), "install it so"),
        (AssertionError(), "AssertionError: "),
        (RuntimeError("no such platform"), "RuntimeError: no such platform"),
    ],
)
def test_a_backend_that_fails_is_unavailable_for_its_reason(monkeypatch, error, reason):
    def fail(name):
        raise error

    monkeypatch.setattr(environment, "backend_names", lambda: ("numpy", "unheard-of"))
    monkeypatch.setattr(environment, "create_backend", fail)
    found = probe()
    assert [one.available for one in found.values()] == [False, False]
    assert found["numpy"].reason == reason
    assert found["numpy"].version is not None
    assert found["unheard-of"].version is None
