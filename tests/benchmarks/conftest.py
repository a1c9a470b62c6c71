"""The studies are scripts beside the package: they are loaded by their place."""

import importlib.util
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Import a file of a study under its own name, for one test."""

    def load_file(folder, name):
        path = STUDIES / folder / f"{name}.py"
        monkeypatch.syspath_prepend(path.parent)
        # studies have files of the same name: those of another are not this one's
        for sibling in path.parent.glob("*.py"):
            monkeypatch.delitem(sys.modules, sibling.stem, raising=False)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load_file
