"""Which devices a process can use."""

import subprocess
import sys

import pytest

from xpcs_bench.backends import BACKENDS
from xpcs_bench.backends.visibility import is_installed, is_visible

pytestmark = pytest.mark.usefixtures("asked_anew")


@pytest.mark.parametrize(
    ("backend", "device", "visible"),
    [
        ("numpy", "cpu", True),
        ("numpy", "gpu", False),
        ("jax", "cpu", True),
        ("jax", "tpu", False),
        ("nobody", "cpu", False),
    ],
)
def test_what_is_there_is_visible(backend, device, visible):
    assert is_visible(backend, device) is visible


def test_a_processor_that_jax_is_not_to_use_is_asked_for(monkeypatch):
    from xpcs_bench.backends import visibility

    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setattr(visibility, "platform_devices", lambda _: [])
    assert not is_visible("jax", "cpu")
    is_visible.cache_clear()
    monkeypatch.setenv("JAX_PLATFORMS", "cuda,cpu")
    assert is_visible("jax", "cpu")


def test_asking_for_the_processor_does_not_start_jax():
    code = (
        "import sys\n"
        "from xpcs_bench.backends.visibility import is_visible\n"
        "print(is_visible('jax', 'cpu'), 'jax' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True False\n", "")


def test_a_backend_of_another_package_is_asked_for_its_devices(monkeypatch):
    monkeypatch.setitem(
        BACKENDS, "mine", "xpcs_bench.backends.numpy_backend:NumPyBackend"
    )
    monkeypatch.setitem(BACKENDS, "broken", "xpcs_bench_nowhere:Backend")
    assert is_visible("mine", "cpu")
    assert not is_visible("mine", "gpu")
    assert is_installed("broken")
    assert not is_visible("broken", "cpu")
