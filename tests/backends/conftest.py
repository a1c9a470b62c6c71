"""Both backends, and a process whose choices are forgotten after every test."""

import pytest

from xpcs_bench.backends import DeviceManager, create_backend, reset_backend
from xpcs_bench.backends.visibility import is_installed, is_visible

VARIABLES = (
    "XPCS_USE_JAX",
    "XPCS_USE_GPU",
    "XPCS_GPU_FALLBACK",
    "XPCS_GPU_MEMORY_FRACTION",
    "XPCS_BACKEND_POLICY",
    "XLA_CLIENT_MEM_FRACTION",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
)


@pytest.fixture(scope="session", autouse=True)
def sixty_four_bits():
    # another test may have started jax before: the first backend here must not warn
    import jax

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003


@pytest.fixture(autouse=True)
def no_choices(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    reset_backend()
    DeviceManager.reset()
    yield
    reset_backend()
    DeviceManager.reset()


@pytest.fixture
def asked_anew():
    """Forget which devices are visible, before and after."""
    for memory in (is_installed, is_visible):
        memory.cache_clear()
    yield
    for memory in (is_installed, is_visible):
        memory.cache_clear()


@pytest.fixture(scope="session")
def np_backend():
    return create_backend("numpy")


@pytest.fixture(scope="session")
def jax_backend(sixty_four_bits):
    return create_backend("jax")


@pytest.fixture(params=["numpy", "jax"])
def backend(request, sixty_four_bits):
    return create_backend(request.param)
