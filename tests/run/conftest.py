from functools import partial
from pathlib import Path

import pytest
from run_scripts import carry_out

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def plugins(monkeypatch):
    """Let this process and its workers see the misbehaving package."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    return PLUGINS


@pytest.fixture
def carried_out(plugins, tmp_path):
    """Carry out a plan of kernels with known costs; return record, stock, world."""
    return partial(carry_out, folder=tmp_path)
