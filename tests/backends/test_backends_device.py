"""Which device: asked for, fallen back to, emulated, absent."""

import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

from xpcs_bench.backends import DeviceConfig, DeviceManager, DeviceType
from xpcs_bench.backends import device as device_module
from xpcs_bench.errors import ConfigError


@pytest.fixture
def no_gpu(monkeypatch):
    """Make the machine one without a GPU, whatever it has."""
    import jax

    def devices(platform=None, real=jax.devices):
        if platform == "gpu":
            raise RuntimeError(platform)
        return real("cpu")

    monkeypatch.setattr(jax, "devices", devices)


def test_the_processor_is_the_choice_unless_asked():
    manager = DeviceManager()
    assert manager is DeviceManager()
    assert manager.current_device is DeviceType.CPU
    assert manager.config == DeviceConfig()
    assert not manager.is_gpu_enabled
    assert manager.get_device().platform == "cpu"
    assert manager.get_memory_info() is None
    assert manager.available_devices[0].platform == "cpu"


def test_one_warning_when_there_is_no_gpu(no_gpu, monkeypatch):
    monkeypatch.setenv("XPCS_USE_GPU", "yes")
    with pytest.warns(RuntimeWarning, match="GPU is asked for") as caught:
        manager = DeviceManager()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DeviceManager().current_device is DeviceType.CPU
        assert DeviceManager().place_on_device(np.ones(2)).sum() == 2
    assert not manager.gpu_available


def test_no_fallback_where_it_is_forbidden(no_gpu, monkeypatch):
    monkeypatch.setenv("XPCS_USE_GPU", "1")
    monkeypatch.setenv("XPCS_GPU_FALLBACK", "0")
    for _ in range(2):  # a failure leaves no half-made instance behind
        with pytest.raises(RuntimeError, match="fallback is forbidden"):
            DeviceManager()
    monkeypatch.setenv("XPCS_USE_GPU", "0")
    assert DeviceManager().current_device is DeviceType.CPU


def test_a_configuration_that_fails_leaves_the_one_before(no_gpu):
    manager = DeviceManager()
    with pytest.raises(RuntimeError, match="fallback is forbidden"):
        manager.configure(DeviceConfig(DeviceType.GPU, allow_gpu_fallback=False))
    assert manager.config == DeviceConfig()
    with pytest.warns(RuntimeWarning, match="GPU is asked for"):
        manager.configure(DeviceConfig(DeviceType.GPU))
    assert manager.config.preferred_device is DeviceType.GPU
    assert manager.current_device is DeviceType.CPU


@pytest.mark.parametrize("error", [RuntimeError, AssertionError])
def test_jax_says_in_two_ways_that_there_is_none(monkeypatch, error):
    import jax

    def devices(platform):
        raise error(platform)

    monkeypatch.setattr(jax, "devices", devices)
    assert device_module.platform_devices("gpu") == []


class Gpu:
    platform, id, device_kind = "gpu", 0, "Test GPU"

    def memory_stats(self):
        return {"bytes_limit": 100, "bytes_in_use": 30, "peak_bytes_in_use": 60}


def test_a_gpu_that_is_there_is_used(monkeypatch):
    monkeypatch.setattr(
        device_module,
        "platform_devices",
        lambda platform: [Gpu()] if platform == "gpu" else [],
    )
    monkeypatch.setenv("XPCS_USE_GPU", "on")
    manager = DeviceManager()
    assert manager.is_gpu_enabled
    assert manager.gpu_available
    memory = manager.get_memory_info()
    assert (memory.total_bytes, memory.in_use_bytes, memory.peak_bytes) == (100, 30, 60)
    assert memory.available_bytes == 70
    (described,) = manager.available_devices
    assert described.model_dump() == {
        "platform": "gpu",
        "index": 0,
        "name": "Test GPU",
        "memory_bytes": 100,
    }


@pytest.mark.parametrize("fraction", [0, -1, 1.5, float("nan")])
def test_an_impossible_share_is_refused(fraction):
    with pytest.raises(ConfigError, match="memory_fraction"):
        DeviceConfig(memory_fraction=fraction)


@pytest.mark.parametrize("index", [-1, 1, 99])
def test_a_device_that_is_not_there_is_refused(monkeypatch, index):
    monkeypatch.setattr(device_module, "platform_devices", lambda _: [Gpu()])
    with pytest.raises(ConfigError, match=f"{index} is not there"):
        DeviceManager().get_device(index)


def test_devices_of_the_current_kind_come_first(monkeypatch):
    class Cpu(Gpu):
        platform = "cpu"

    found = {"gpu": [Gpu()], "cpu": [Cpu()]}
    monkeypatch.setattr(device_module, "platform_devices", found.__getitem__)
    for wanted, order in (("no", ["cpu", "gpu"]), ("yes", ["gpu", "cpu"])):
        monkeypatch.setenv("XPCS_USE_GPU", wanted)
        DeviceManager.reset()
        devices = DeviceManager().available_devices
        assert [device.platform for device in devices] == order


FOUR = """
import numpy as np
from xpcs_bench.backends import DeviceManager, create_backend, ensure_numpy
from xpcs_bench.backends.conversion import to_host_view

backend = create_backend("jax")
assert [device.index for device in backend.devices()] == [0, 1, 2, 3]
manager = DeviceManager()
assert len(manager.available_devices) == 4
for index in range(4):
    tree = manager.place_on_device({"x": np.arange(3.0), "y": [backend.ones(2)]}, index)
    for leaf in backend.tree_leaves(tree):
        assert [device.id for device in leaf.devices()] == [index]
    assert ensure_numpy(tree["x"]).tolist() == [0, 1, 2]

def where(array):
    return [device.id for device in array.devices()]

assert where(backend.device_put(np.ones(2), "cpu")) == [0]

import jax
from xpcs_bench.backends.jax_setup import set_default_device
set_default_device(jax.devices()[2])
assert where(backend.ones(2)) == [2]
set_default_device(None)  # leaves what is there
assert where(backend.ones(2)) == [2]
jax.config.update("jax_default_device", None)

mesh = jax.sharding.Mesh(np.array(jax.devices()), ("x",))
split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("x"))
spread = jax.device_put(backend.arange(8.0), split)
assert len(spread.devices()) == 4
host = ensure_numpy(spread)
assert host.tolist() == list(range(8))
own = ensure_numpy(spread, writable=True)
own[0] = 9
assert ensure_numpy(spread)[0] == 0
try:
    to_host_view(spread)
except ValueError as error:
    assert "4 device(s)" in str(error)
else:
    raise AssertionError("a view of an array in four pieces")
print("done")
"""


def test_four_emulated_devices():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(FOUR)],
        env={
            "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
            "JAX_PLATFORMS": "cpu",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
