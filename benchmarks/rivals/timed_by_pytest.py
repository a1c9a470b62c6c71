"""One function under pytest-benchmark; FUNCTION in the environment names it."""

import os
from typing import Any

import functions


def test_function(benchmark: Any) -> None:
    """Let the fixture call it."""
    name = os.environ["FUNCTION"]
    benchmark(functions.COMPUTE[name], functions.arguments(name))
