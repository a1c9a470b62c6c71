"""Names: the literal registry, entry points, and what loading them imports."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import xpcs_bench
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import KERNELS, create_kernel, kernel_names, registry

ROOT = Path(xpcs_bench.__file__).parents[1]


@pytest.fixture
def plugin(monkeypatch):
    """Pretend that another package registers a kernel."""

    def register(name, value):
        entry = EntryPoint(name, value, registry.ENTRY_POINT_GROUP)
        monkeypatch.setattr(registry, "registered", lambda group: (entry,))

    return register


def test_every_kernel_in_the_folder_has_its_line():
    folder = ROOT / "xpcs_bench" / "kernels"
    with_kernel = {
        path.stem
        for path in folder.glob("*.py")
        if "(Kernel[" in path.read_text(encoding="utf-8")
    }
    registered = {value.split(":")[0].rpartition(".")[2] for value in KERNELS.values()}
    assert with_kernel == registered


def test_names_are_those_of_the_literal_registry():
    assert kernel_names()[: len(KERNELS)] == tuple(KERNELS)


@pytest.mark.parametrize(
    ("name", "hint"), [("q-map", "qmap"), ("partitions", "partition"), ("G2", "")]
)
def test_an_unknown_name_gets_a_list_and_a_hint(name, hint):
    with pytest.raises(ConfigError, match=f"unknown kernel {name!r}") as raised:
        create_kernel(name)
    assert "qmap, partition, g2_model" in str(raised.value)
    assert (f"Did you mean {hint!r}?" in str(raised.value)) is bool(hint)


def test_another_package_adds_a_kernel(plugin):
    plugin("g2_model_2", "xpcs_bench.kernels.g2_model:G2Model")
    assert kernel_names() == (*KERNELS, "g2_model_2")
    with pytest.raises(ConfigError, match="whose name is 'g2_model_2'"):
        create_kernel("g2_model_2")


def test_another_package_cannot_take_a_name(plugin):
    plugin("qmap", "elsewhere:QMap")
    with pytest.raises(ConfigError, match="'elsewhere:QMap'"):
        create_kernel("qmap")


def test_what_is_no_kernel_is_refused(plugin):
    plugin("noise", "builtins:object")
    with pytest.raises(ConfigError, match="not a kernel"):
        create_kernel("noise")


HEAVY = ("jax", "scipy", "matplotlib", "h5py", "mpmath")


def modules_after(statement):
    script = f"import sys; {statement}; print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(finished.stdout.split())


def test_planning_with_every_kernel_imports_no_array_library_but_numpy():
    loaded = modules_after(
        "from xpcs_bench.kernels import create_kernel, kernel_names; "
        "[create_kernel(name).Params() for name in kernel_names()]"
    )
    assert loaded.isdisjoint(HEAVY)
    # the same question has the other answer where jax is imported
    assert "jax" in modules_after("import jax")
