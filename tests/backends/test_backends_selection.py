"""Which backend is active, in one thread and in many."""

import subprocess
import sys
import threading

import pytest

from xpcs_bench.backends import (
    DeviceManager,
    NumPyBackend,
    get_backend,
    reset_backend,
    set_backend,
    use_backend,
)
from xpcs_bench.errors import ConfigError

THREADS = 1000
STACK_BYTES = 1 << 20  # a thousand of the usual 8 MiB may be refused


def race(call, count=THREADS):
    """Return what ``call`` gives to threads that start together."""
    barrier = threading.Barrier(count)
    results, errors = [], []

    def run():
        barrier.wait()
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - reported by the test below
            errors.append(error)

    usual = threading.stack_size(STACK_BYTES)
    try:
        threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(usual)
    for thread in threads:
        thread.join()
    assert errors == []
    return results


@pytest.fixture
def impatient():
    """Switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize(
    ("word", "name"),
    [("0", "numpy"), ("false", "numpy"), ("1", "jax"), ("auto", "jax")],
)
def test_the_environment_chooses(monkeypatch, word, name):
    monkeypatch.setenv("XPCS_USE_JAX", word)
    backend = get_backend()
    assert backend.name == name
    assert get_backend() is backend


def test_the_environment_is_read_until_it_is_understood(monkeypatch):
    monkeypatch.setenv("XPCS_USE_JAX", "maybe")
    with pytest.raises(ConfigError, match="XPCS_USE_JAX='maybe'"):
        get_backend()
    monkeypatch.setenv("XPCS_USE_JAX", "no")
    assert get_backend().name == "numpy"


def test_the_program_has_the_last_word(monkeypatch):
    monkeypatch.setenv("XPCS_USE_JAX", "1")
    assert set_backend(" NumPy ") is get_backend()
    assert get_backend().name == "numpy"
    reset_backend()
    assert get_backend().name == "jax"
    mine = NumPyBackend()
    set_backend(mine)
    assert get_backend() is mine


def test_what_is_no_backend_changes_nothing():
    before = set_backend("numpy")
    with pytest.raises(ConfigError, match="Did you mean 'numpy'"):
        set_backend("nunpy")
    with pytest.raises(TypeError, match="does not satisfy BackendProtocol"):
        set_backend(object())
    assert get_backend() is before


def test_a_block_borrows_a_backend_and_gives_it_back():
    outside = set_backend("numpy")
    with use_backend("jax") as borrowed:
        assert get_backend() is borrowed
        with use_backend("numpy") as inner:
            assert get_backend() is inner is not outside
        assert get_backend() is borrowed
    with pytest.raises(KeyError), use_backend("jax"):
        raise KeyError
    assert get_backend() is outside


def test_a_block_is_seen_by_its_own_thread_alone():
    outside = set_backend("numpy")
    with use_backend("jax"):
        assert race(get_backend, 3) == [outside] * 3


def test_many_threads_get_one_backend_and_one_device_manager(impatient, monkeypatch):
    monkeypatch.setenv("XPCS_USE_JAX", "1")
    for _ in range(3):
        reset_backend()
        DeviceManager.reset()
        # the first asks for both locks, one inside the other
        seen = race(lambda: (id(get_backend()), id(DeviceManager())))
        assert set(seen) == {(id(get_backend()), id(DeviceManager()))}
        assert len(seen) == THREADS


def test_many_threads_see_one_configuration_and_it_is_complete(impatient, monkeypatch):
    monkeypatch.setenv("XPCS_GPU_MEMORY_FRACTION", "0.25")
    for _ in range(5):
        DeviceManager.reset()
        seen = race(
            lambda: (id(DeviceManager()), DeviceManager().config.memory_fraction)
        )
        assert set(seen) == {(id(DeviceManager()), 0.25)}
        assert len(seen) == THREADS


def run(code, **environ):
    """Run code in a fresh process whose environment is exactly this."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"JAX_PLATFORMS": "cpu", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_jax_is_configured_before_it_starts():
    done = run(
        "import os\n"
        "from xpcs_bench.backends import get_backend\n"
        "assert get_backend().zeros(1).dtype == 'float64'\n"
        "print(os.environ['XLA_CLIENT_MEM_FRACTION'],"
        " 'XLA_PYTHON_CLIENT_MEM_FRACTION' in os.environ)",
        XPCS_GPU_MEMORY_FRACTION="0.25",
    )
    assert (done.stdout, done.stderr) == ("0.25 False\n", "")


@pytest.mark.parametrize(
    "name", ["XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"]
)
def test_a_share_that_jax_is_told_already_is_left_or_contradicts(name):
    code = (
        "import os\n"
        "from xpcs_bench.backends import get_backend\n"
        "get_backend()\n"
        "print(*[key for key in os.environ if key.endswith('CLIENT_MEM_FRACTION')])"
    )
    agreed = run(code, XPCS_GPU_MEMORY_FRACTION="0.5", **{name: ".50"})
    assert (agreed.stdout, agreed.stderr) == (f"{name}\n", "")
    contradicting = run(code, XPCS_GPU_MEMORY_FRACTION="0.5", **{name: "0.6"})
    assert contradicting.returncode == 1
    assert f"{name}='0.6' contradict each other" in contradicting.stderr


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "already started with 32-bit numbers"),
        ({"JAX_ENABLE_X64": "1", "XPCS_GPU_MEMORY_FRACTION": "0.5"}, "no effect"),
    ],
)
def test_what_comes_too_late_is_said(environ, sentence):
    code = (
        "import os, jax, jax.numpy as jnp\n"
        "jnp.zeros(1)\n"
        "import warnings\n"
        "from xpcs_bench.backends import get_backend\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    assert get_backend().zeros(1).dtype == 'float64'\n"
        "print(len(caught), caught[0].message, 'XLA_CLIENT_MEM_FRACTION' in os.environ)"
    )
    done = run(code, **environ)
    assert done.stdout.startswith("1 "), done.stderr
    assert sentence in done.stdout
    assert done.stdout.endswith("False\n")
