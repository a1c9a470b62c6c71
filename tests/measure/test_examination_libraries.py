"""Checks of the libraries: what they say of libraries that are known."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from measure_scripts import Clock

from xpcs_bench.backends import NumPyBackend
from xpcs_bench.measure.ceilings import WrongValues
from xpcs_bench.measure.environment import Availability
from xpcs_bench.measure.examination import rates, software, threads, xla
from xpcs_bench.measure.examination.finding import Surroundings
from xpcs_bench.records import Ceiling, Device, Outcome


@pytest.fixture
def machine(tmp_path):
    def make(files=None, variables=None, cores=2):
        for place, text in (files or {}).items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Surroundings(tmp_path, variables or {}, Clock(), cores)

    return make


def installed(monkeypatch, **versions):
    there = {name.replace("_", "-"): version for name, version in versions.items()}
    monkeypatch.setattr(software, "version", there.get)


def test_versions_that_belong_together_pass(machine, monkeypatch):
    installed(monkeypatch, numpy="2", jax="1.2", jaxlib="1.2", jax_cuda12_plugin="1.2")
    found = software.versions(machine())
    assert found.outcome is Outcome.PASS
    assert "numpy 2, jax 1.2, jaxlib 1.2, jax-cuda12-plugin 1.2" in found.found


@pytest.mark.parametrize("other", ["jaxlib", "jax_cuda12_plugin"])
def test_versions_that_differ_but_work_are_doubted(machine, monkeypatch, other):
    installed(monkeypatch, **({"jax": "1.2", "jaxlib": "1.2"} | {other: "1.1"}))
    found = software.versions(machine())
    assert found.outcome is Outcome.INCONCLUSIVE
    name = other.replace("_", "-")
    assert found.advice.endswith(f"pip install jax==1.2 {name}==1.2")


def test_versions_that_jax_refuses_fail(machine, monkeypatch):
    installed(monkeypatch, jax="1.2", jaxlib="0.1")

    class Refusal:
        def find_spec(self, name, path=None, target=None):
            if name == "jax":
                msg = "jaxlib is version 0.1, but this version of jax requires 1.2"
                raise RuntimeError(msg)

    monkeypatch.delitem(sys.modules, "jax", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusal(), *sys.meta_path])
    found = software.versions(machine())
    assert found.outcome is Outcome.FAIL
    assert "jax refuses: jaxlib is version 0.1" in found.found


def test_versions_without_jax_are_skipped(machine, monkeypatch):
    installed(monkeypatch, numpy="2", jax="1")
    found = software.versions(machine())
    assert found.outcome is Outcome.SKIP
    assert "no jaxlib" in found.found


def seen(monkeypatch, **backends):
    monkeypatch.setattr(software, "probe", lambda: backends)


CPU = Device(platform="cpu", index=0, name="cpu", memory_bytes=None)
GPU = Device(platform="gpu", index=1, name="H100", memory_bytes=2**30)


def there(*devices):
    return Availability(available=True, reason="", version="1", devices=devices)


DRIVER = {"proc/driver/nvidia/version": "550"}


@pytest.mark.parametrize("files", [{}, DRIVER])
def test_devices_are_listed(machine, monkeypatch, files):
    seen(monkeypatch, numpy=there(CPU), jax=there(GPU, CPU))
    found = software.devices(machine(files, {"JAX_PLATFORMS": "cuda,cpu"}))
    assert found.outcome is Outcome.PASS
    assert found.found == (
        "numpy: cpu 0 (cpu); jax: gpu 1 (H100, 1.00 GiB), cpu 0 (cpu); "
        "JAX_PLATFORMS=cuda,cpu"
    )


def test_a_backend_or_a_gpu_that_is_not_seen_is_doubted(machine, monkeypatch):
    missing = Availability(available=False, reason="no such thing", version=None)
    seen(monkeypatch, numpy=there(CPU), jax=missing)
    found = software.devices(machine())
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "jax: not available (no such thing)" in found.found
    assert "what jax needs" in found.advice
    found = software.devices(machine(DRIVER))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "Install jax for your GPU" in found.advice


def test_float64_stays_float64(machine):
    found = software.x64(machine())
    assert found.outcome is Outcome.PASS
    assert "float32 where jax is used without" in found.found
    everywhere = software.x64(machine(variables={"JAX_ENABLE_X64": "True"}))
    assert everywhere.outcome is Outcome.PASS
    assert everywhere.advice == ""


def test_float32_in_its_place_fails(machine, monkeypatch):
    class Single(NumPyBackend):
        def from_numpy(self, x, *args, **kwargs):
            return np.asarray(x, np.float32)

    monkeypatch.setattr(software, "create_backend", lambda name: Single())
    assert software.x64(machine()).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "off"),
        ({"JAX_COMPILATION_CACHE_DIR": "here"}, "on in your own programs: 2 files"),
        (
            {
                "JAX_COMPILATION_CACHE_DIR": "here",
                "JAX_ENABLE_COMPILATION_CACHE": "false",
            },
            "off",
        ),
    ],
)
def test_a_compilation_cache_is_said(machine, tmp_path, monkeypatch, variables, words):
    surroundings = machine({"here/a": "12", "here/b/c": "3"}, variables)
    monkeypatch.chdir(tmp_path)
    found = software.compilation_cache(surroundings)
    assert found.outcome is Outcome.PASS
    assert found.found.startswith(words)
    assert ("3 B" in found.found) is words.startswith("on")


def pools(monkeypatch, *counts):
    rows = [{"user_api": "blas", "num_threads": count} for count in counts]
    rows.append({"user_api": "openmp", "num_threads": 99})
    module = SimpleNamespace(threadpool_info=lambda: rows)
    monkeypatch.setitem(sys.modules, "threadpoolctl", module)


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [((1, 2), Outcome.PASS), ((2, 4), Outcome.INCONCLUSIVE), ((), Outcome.PASS)],
)
def test_threads_of_blas_fit_the_cores_or_not(machine, monkeypatch, counts, outcome):
    pools(monkeypatch, *counts)
    found = threads.blas(machine(variables={"OMP_NUM_THREADS": "7"}))
    assert found.outcome is outcome
    assert f"{max(counts, default=0)} threads on 2 usable cores" in found.found
    assert "OMP_NUM_THREADS=7" in found.found


def test_threads_of_blas_that_nobody_counts_are_skipped(machine, monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    found = threads.blas(machine())
    assert found.outcome is Outcome.SKIP
    assert "no variable limits its threads" in found.found


@pytest.mark.parametrize(
    ("count", "outcome"),
    [(2, Outcome.PASS), (3, Outcome.INCONCLUSIVE), (0, Outcome.SKIP)],
)
def test_threads_of_xla_are_counted_by_name(machine, count, outcome):
    files = {
        f"proc/self/task/{i}/comm": "tf_XLAEigen\n" if i < count else "python\n"
        for i in range(5)
    }
    assert threads.xla(machine(files)).outcome is outcome


def test_threads_without_names_are_skipped(machine):
    assert threads.xla(machine()).outcome is Outcome.SKIP


def test_right_values_pass(machine):
    found = xla.values(machine())
    assert found.outcome is Outcome.PASS
    assert "(no XLA_FLAGS)" in found.found


@pytest.mark.parametrize(
    ("flags", "advice"),
    [
        ("", "Use another version of jaxlib"),
        ("--xla_a=1", "one by one"),
        ("--xla_a=1 --xla_cpu_prefer_vector_width=512", "Take --xla_cpu_prefer"),
    ],
)
def test_wrong_values_fail(machine, monkeypatch, flags, advice):
    def halved(library, x):
        # half of the values are wrong where JAX computes
        return x if library is np else library.where(x > 0, x, x + 1)

    def missing(library, x):
        return x if library is np else x / 0 * 0

    expressions = {"x": halved, "sin": lambda library, x: library.sin(x), "y": missing}
    monkeypatch.setattr(xla, "_EXPRESSIONS", expressions)
    found = xla.values(machine(variables={"XLA_FLAGS": flags}))
    assert found.outcome is Outcome.FAIL
    assert "x in float64 on the cpu: 50 000 of 100 000 values are wrong" in found.found
    assert "y in float32 on the cpu: 100 000 of 100 000 values" in found.found
    assert "sin" not in found.found
    assert advice in found.advice
    assert found.quantities[0].value == 4


@pytest.mark.parametrize("error", [AssertionError(), RuntimeError("none here")])
def test_jax_without_a_device_is_skipped(machine, monkeypatch, error):
    import jax

    def fail():
        raise error

    monkeypatch.setattr(jax, "devices", fail)
    found = xla.values(machine(variables={"JAX_PLATFORMS": "cuda"}))
    assert found.outcome is Outcome.SKIP
    assert type(error).__name__ in found.found
    assert "JAX_PLATFORMS=cuda" in found.found


def ceiling(threads_, cores_used, resource="bytes", level="memory"):
    return Ceiling(
        resource=resource,
        per_second=2e9,
        operation="copy" if resource == "bytes" else "matrix_product",
        library="numpy",
        platform="cpu",
        dtype="float64",
        threads=threads_,
        level=level,
        working_set_bytes=8,
        cores_used=cores_used,
        method="Stated by the test.",
    )


@pytest.mark.parametrize(
    ("threads_", "cores_used", "outcome"),
    [
        ("one", 1.0, Outcome.PASS),
        ("one", 0.7, Outcome.INCONCLUSIVE),
        ("one", 1.9, Outcome.INCONCLUSIVE),
        ("all", 1.9, Outcome.PASS),
        ("all", 1.4, Outcome.INCONCLUSIVE),
    ],
)
@pytest.mark.parametrize("kind", ["bandwidth", "blas", "xla"])
def test_a_ceiling_is_doubted_where_others_had_the_cores(
    machine, monkeypatch, kind, threads_, cores_used, outcome
):
    def measured(*arguments):
        assert threads_ in arguments
        resource = "flops" if "float" in str(arguments) else "bytes"
        level = None if resource == "flops" else "cache"
        return (ceiling(threads_, cores_used, resource, level),)

    for name in ("bandwidth", "flops", "device_flops", "device_bandwidth"):
        monkeypatch.setattr(rates, name, measured)
    found = getattr(rates, f"{kind}_{threads_}_thread{'s' * (threads_ == 'all')}")(
        machine()
    )
    assert found.outcome is outcome
    assert f"kept {cores_used:.1f} of {2 if threads_ == 'all' else 1} cores busy" in (
        found.found
    )
    assert len(found.ceilings) == {"bandwidth": 2, "blas": 2, "xla": 3}[kind]
    words = "in cache: copy 2.00 GB/s" if kind == "bandwidth" else "2.00 GFLOP/s"
    assert words in found.found


def wrong(*arguments, **options):
    msg = "numpy returned a wrong product"
    raise WrongValues(msg)


def test_a_ceiling_of_wrong_values_fails(machine, monkeypatch):
    monkeypatch.setattr(rates, "flops", wrong)
    found = rates.blas_one_thread(machine())
    assert found.outcome is Outcome.FAIL
    assert found.ceilings == ()


def test_a_device_that_is_not_there_has_no_rates(machine, monkeypatch):
    monkeypatch.setattr(rates, "platform_devices", lambda platform: [])
    assert rates.gpu(machine()).outcome is Outcome.SKIP
    assert rates.xla_all_threads(machine()).outcome is Outcome.SKIP


@pytest.mark.parametrize("right", [True, False])
def test_rates_of_a_gpu(machine, monkeypatch, right):
    monkeypatch.setattr(rates, "platform_devices", lambda platform: ["one"])
    rows = (ceiling("all", 0.1),)
    monkeypatch.setattr(rates, "device_bandwidth", lambda *a, **k: rows)
    monkeypatch.setattr(
        rates, "device_flops", (lambda *a, **k: rows) if right else wrong
    )
    found = rates.gpu(machine())
    assert found.outcome is (Outcome.PASS if right else Outcome.FAIL)
    assert len(found.ceilings) == (3 if right else 0)
