"""Backends by name: builtin, from other packages, and unknown."""

import importlib.metadata

import pytest

from xpcs_bench.backends import (
    BACKENDS,
    NumPyBackend,
    backend_names,
    check_backend,
    create_backend,
    registry,
)
from xpcs_bench.errors import ConfigError


def entry_point(name, value):
    return importlib.metadata.EntryPoint(name, value, "xpcs_bench.backends")


@pytest.fixture
def installed(monkeypatch):
    """Pretend that other packages bring backends along."""

    def install(**entries):
        found = importlib.metadata.EntryPoints(
            entry_point(name, value) for name, value in entries.items()
        )
        monkeypatch.setattr(
            registry,
            "registered",
            lambda group: found.select(group=group),
        )

    return install


@pytest.mark.parametrize("name", BACKENDS)
def test_every_builtin_name_makes_a_backend_of_that_name(name):
    backend = create_backend(name)
    check_backend(backend)
    assert backend.name == name
    assert create_backend(name) is not backend


@pytest.mark.parametrize(
    ("name", "hint"), [("nunpy", "'numpy'"), ("JAX", "'jax'"), ("jaxx", "'jax'")]
)
def test_a_near_miss_is_told(name, hint):
    with pytest.raises(ConfigError, match=rf"{name}.*Did you mean {hint}.*numpy, jax"):
        create_backend(name)


def test_a_far_miss_gets_the_list():
    with pytest.raises(ConfigError, match=r"'tensorflow'\. Allowed: numpy, jax"):
        create_backend("tensorflow")


def test_another_package_adds_a_backend(installed):
    installed(mine="xpcs_bench.backends.numpy_backend:NumPyBackend")
    assert backend_names() == ("numpy", "jax", "mine")
    assert isinstance(create_backend("mine"), NumPyBackend)


def test_another_package_cannot_take_a_builtin_name(installed):
    installed(numpy="somewhere:Else")
    with pytest.raises(
        ConfigError, match=r"numpy = somewhere:Else.*belongs to xpcs_bench"
    ):
        create_backend("numpy")


def test_a_library_that_is_missing_is_named(installed):
    installed(mine="no_such_library_here:Backend")
    with pytest.raises(ImportError, match="pip install no_such_library_here"):
        create_backend("mine")
