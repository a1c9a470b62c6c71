"""Which libraries the planning process leaves alone, and what modules make public."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import xpcs_bench

ROOT = Path(__file__).parents[1]

# starts the command with a finder in front that ends the process when it is asked for
# a library that only a worker may import
GUARD = """
import sys

FORBIDDEN = {forbidden!r}

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            sys.exit("imported " + name)

sys.meta_path.insert(0, Refusal())
sys.argv = ["xpcs-bench", *{arguments!r}]
from xpcs_bench.__main__ import main
main()
"""


def guarded(*arguments, forbidden=("jax", "jaxlib", "matplotlib")):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            GUARD.format(forbidden=forbidden, arguments=arguments),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["plan", "configs/detectors.yaml"],
        ["validate", "configs/quickstart.yaml"],
        ["schema"],
        ["list", "kernels"],
        ["list", "backends"],
        ["list", "boundaries"],
        ["list", "behaviours"],
        ["doctor", "-k", "xla_values"],
        ["compare", "reports/example", "reports/example"],
    ],
    ids=" ".join,
)
def test_the_planning_process_imports_neither_jax_nor_matplotlib(arguments):
    done = guarded(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_advising_imports_neither_jax_nor_matplotlib(tmp_path):
    done = guarded("advise", "reports/example", "--policy", str(tmp_path / "p.json"))
    assert done.returncode == 0, done.stderr
    assert "Use JAX on CPU" in done.stdout


@pytest.mark.parametrize("library", ["yaml", "pydantic", "click"])
def test_the_guard_sees_an_import(library):
    # what 'plan' does import, under the name by which it is imported
    name = {"yaml": "ruamel"}.get(library, library)
    done = guarded("plan", "configs/detectors.yaml", forbidden=(name,))
    assert done.returncode == 1
    assert f"imported {name}" in done.stderr


def test_help_imports_no_array_library_at_all():
    done = guarded("--help", forbidden=("numpy", "scipy", "h5py", "pydantic", "rich"))
    assert done.returncode == 0, done.stderr


def test_asv_discovers_the_suite_without_jax():
    source = (
        "import sys; import benchmarks.suite;"
        "sys.exit(bool({'jax', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, check=False)
    assert done.returncode == 0


def modules():
    yield "xpcs_bench"
    for found in pkgutil.walk_packages(xpcs_bench.__path__, "xpcs_bench."):
        yield found.name


def public_definitions(source):
    """Name the classes and functions of a module that do not begin with _.

    What is decorated may be registered rather than imported, as a verb of the command.
    """
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not node.decorator_list
    }


@pytest.mark.parametrize("name", list(modules()))
def test_a_module_says_what_it_makes_public(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    source = Path(module.__file__).read_text()
    assert len(module.__all__) == len(set(module.__all__))
    missing = [public for public in module.__all__ if not hasattr(module, public)]
    assert not missing, f"{name}.__all__ names what is not there: {missing}"
    leaked = public_definitions(source) - set(module.__all__)
    assert not leaked, f"{name}: in __all__, or with a leading underscore: {leaked}"


def test_a_definition_that_leaks_is_seen():
    source = "def kept(): ...\nclass Kept: ...\ndef _own(): ...\nNAME = 1\n"
    assert public_definitions(source) == {"kept", "Kept"}
