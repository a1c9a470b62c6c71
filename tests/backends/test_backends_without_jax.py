"""Everything that needs no jax works where there is none."""

import subprocess
import sys

import pytest
from policy_scripts import crossing

BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"jax", "jaxlib"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Block())
"""


def run(code, *, block=True, **environ):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", (BLOCK if block else "") + code],
        env={"JAX_PLATFORMS": "cpu", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_block_blocks():
    """If this fails, the tests below prove nothing."""
    done = run("import jax")
    assert done.returncode == 1
    assert "No module named 'jax'" in done.stderr


def test_numpy_adapters_and_auto_work():
    done = run(
        "import numpy as np\n"
        "import xpcs_bench.backends as b\n"
        "backend = b.get_backend()\n"
        "assert backend.name == 'numpy'\n"
        "b.check_backend(backend)\n"
        "assert backend.sum(backend.from_numpy(np.ones(3))) == 3\n"
        "for adapter in b.create_adapters():\n"
        "    assert adapter.get_stats().count == 0\n"
        "x = b.ensure_numpy([1.0])\n"
        "manager = b.DeviceManager()\n"
        "assert manager.place_on_device(x) is x\n"
        "assert manager.get_memory_info() is None\n"
        "assert [d.platform for d in manager.available_devices] == ['cpu']\n"
        "assert 'jax' not in sys.modules\n"
        "print('done')"
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_policy_chooses_among_what_is_installed(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(crossing().model_dump_json())
    done = run(
        "import warnings\n"
        "from xpcs_bench.backends import get_backend_for, load_policy\n"
        "warnings.simplefilter('ignore')\n"  # the policy is of a machine with jax
        f"choice = load_policy({str(path)!r}).choose('qmap', 10**6, calls=1000)\n"
        "backend = get_backend_for('qmap', size=10**6, calls=1000)\n"
        "print(choice.backend, backend.name)",
        XPCS_BACKEND_POLICY=str(path),
    )
    assert (done.stdout, done.stderr) == ("numpy numpy\n", "")


@pytest.mark.parametrize(
    "code",
    [
        "import xpcs_bench.backends as b; b.get_backend()",
        "import xpcs_bench.backends as b; b.create_backend('jax')",
        "import xpcs_bench.backends as b; b.set_backend('jax')",
    ],
)
def test_asking_for_jax_tells_how_to_install_it(code):
    done = run(code, XPCS_USE_JAX="true")
    assert done.returncode == 1
    assert "ImportError: The backend 'jax' needs the package 'jax'" in done.stderr
    assert "pip install jax" in done.stderr


def test_a_gpu_without_jax_falls_back_or_fails():
    code = "import xpcs_bench.backends as b; print(b.DeviceManager().current_device)"
    forbidden = run(code, XPCS_USE_GPU="1", XPCS_GPU_FALLBACK="0")
    assert "RuntimeError: A GPU is asked for" in forbidden.stderr
    warned = run(code, XPCS_USE_GPU="1")  # warnings are errors there
    assert "RuntimeWarning: A GPU is asked for" in warned.stderr


def test_a_broken_jax_is_said():
    code = (
        "import types, warnings\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'jax':\n"
        "            raise ImportError('undefined symbol: zgemm')\n"
        "import sys\n"
        "sys.meta_path.insert(0, Broken())\n"
        "import xpcs_bench.backends as b\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    print(b.get_backend().name, len(caught), caught[0].message)"
    )
    done = run(code, block=False)
    assert done.stdout.startswith(
        "numpy 1 jax is installed, but fails: undefined symbol"
    )


def test_importing_the_backends_imports_no_jax():
    code = (
        "import sys, xpcs_bench.backends as b\n"
        "b.create_backend('numpy')\n"
        "print('jax' in sys.modules)\n"
        "b.JAXBackend\n"
        "print('jax' in sys.modules)"
    )
    assert run(code, block=False).stdout == "False\nTrue\n"
