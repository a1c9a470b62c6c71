"""Both backends, in 64 bits."""

import pytest

from xpcs_bench.backends import create_backend


@pytest.fixture(scope="session")
def pair():
    # another test may have started jax before: the first backend here must not warn
    import jax

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    return create_backend("numpy"), create_backend("jax")
