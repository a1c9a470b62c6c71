"""Which device arrays are placed on, and what it has.

Nothing here imports jax before a device of it is asked for: on a machine without
jax there is one device, the host.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from xpcs_bench.backends.conversion import private_copy
from xpcs_bench.backends.settings import read_settings, refuse_fraction
from xpcs_bench.errors import ConfigError
from xpcs_bench.records import Device

if TYPE_CHECKING:
    import jax

__all__ = [
    "DeviceConfig",
    "DeviceManager",
    "DeviceType",
    "MemoryInfo",
    "choose_device",
    "describe_device",
    "describe_host",
    "place",
    "platform_devices",
    "refuse_platform",
]


class DeviceType(StrEnum):
    """Kinds of devices that can be asked for."""

    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class DeviceConfig:
    """What is asked for."""

    preferred_device: DeviceType = DeviceType.CPU
    allow_gpu_fallback: bool = True
    memory_fraction: float | None = None
    """Share of the GPU's memory, in (0, 1]; None leaves it to JAX."""

    def __post_init__(self) -> None:
        if self.memory_fraction is not None and not 0 < self.memory_fraction <= 1:
            raise refuse_fraction(self.memory_fraction, where="memory_fraction")

    @classmethod
    def from_environment(cls) -> Self:
        """Read the variables ``XPCS_USE_GPU`` and ``XPCS_GPU_*``."""
        settings = read_settings()
        return cls(
            preferred_device=DeviceType.GPU if settings.use_gpu else DeviceType.CPU,
            allow_gpu_fallback=settings.gpu_fallback,
            memory_fraction=settings.gpu_memory_fraction,
        )


@dataclass(frozen=True)
class MemoryInfo:
    """Memory of a device, as its allocator sees it (bytes)."""

    total_bytes: int
    """What the allocator may take."""
    in_use_bytes: int
    peak_bytes: int

    @property
    def available_bytes(self) -> int:
        """What is left to allocate."""
        return self.total_bytes - self.in_use_bytes


class DeviceManager:
    """The one place of a process that decides between CPU and GPU; thread-safe.

    ``DeviceManager()`` always returns the same instance. The first call reads the
    environment and decides, inside the lock: no thread ever sees a half-made one.

    Raises
    ------
    RuntimeError
        If a GPU is asked for, none is there, and the fallback is forbidden.
    ConfigError
        If an environment variable is not understood.
    """

    _instance: ClassVar[DeviceManager | None] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()

    _decision: tuple[DeviceConfig, DeviceType]

    def __new__(cls) -> Self:
        """Return the instance; make it if there is none."""
        instance = cls._instance
        if instance is None:
            with cls._lock:
                instance = cls._instance
                if instance is None:
                    instance = super().__new__(cls)
                    instance.configure(DeviceConfig.from_environment())
                    # published last: who sees it sees it complete
                    cls._instance = instance
        return instance  # type: ignore[return-value]  # only cls itself is stored

    @classmethod
    def reset(cls) -> None:
        """Forget the instance; the next call reads the environment again."""
        with cls._lock:
            cls._instance = None

    def configure(self, config: DeviceConfig) -> None:
        """Decide anew. When it raises, the decision before stands."""
        with self._lock:
            self._decision = (config, _decide(config))

    @property
    def config(self) -> DeviceConfig:
        """What was asked for."""
        return self._decision[0]

    @property
    def current_device(self) -> DeviceType:
        """What was decided."""
        return self._decision[1]

    @property
    def is_gpu_enabled(self) -> bool:
        """Whether arrays are placed on a GPU."""
        return self.current_device is DeviceType.GPU

    @property
    def gpu_available(self) -> bool:
        """Whether JAX sees a GPU."""
        return bool(platform_devices(DeviceType.GPU))

    @property
    def available_devices(self) -> tuple[Device, ...]:
        """All devices of all kinds, those of the current kind first."""
        kinds = sorted(DeviceType, key=lambda kind: kind is not self.current_device)
        found = [device for kind in kinds for device in platform_devices(kind)]
        return tuple(map(describe_device, found)) or (describe_host(),)

    def get_device(self, index: int = 0) -> jax.Device | None:
        """Return the device of the current kind, in JAX's own words.

        None where jax is not installed.

        Raises
        ------
        ConfigError
            If there are fewer devices of this kind.
        """
        found = platform_devices(self.current_device)
        if not found and index == 0:
            return None
        if not 0 <= index < len(found):
            msg = (
                f"{self.current_device} {index} is not there. Allowed: 0 to "
                f"{len(found) - 1}. See available_devices."
            )
            raise ConfigError(msg)
        return found[index]

    def place_on_device(self, tree: Any, index: int = 0) -> Any:
        """Place arrays, or trees of arrays, on the current device.

        Host arrays are copied first: writing to them afterwards changes nothing.
        Where jax is not installed the host is the device, and the tree comes back.
        """
        device = self.get_device(index)
        return tree if device is None else place(tree, device)

    def get_memory_info(self, index: int = 0) -> MemoryInfo | None:
        """Return the device's memory; None where the platform does not tell (CPU)."""
        device = self.get_device(index)
        statistics = None if device is None else device.memory_stats()
        if not statistics or "bytes_limit" not in statistics:
            return None
        return MemoryInfo(
            total_bytes=statistics["bytes_limit"],
            in_use_bytes=statistics["bytes_in_use"],
            peak_bytes=statistics["peak_bytes_in_use"],
        )


def _decide(config: DeviceConfig) -> DeviceType:
    if config.preferred_device is DeviceType.CPU:
        return DeviceType.CPU
    if config.memory_fraction is not None and _has_jax():
        # asking for devices starts JAX: what must come before it comes now
        from xpcs_bench.backends.jax_setup import set_memory_fraction

        set_memory_fraction(config.memory_fraction)
    if platform_devices(DeviceType.GPU):
        return DeviceType.GPU
    if not config.allow_gpu_fallback:
        msg = (
            "A GPU is asked for, JAX sees none, and the fallback is forbidden. Install "
            "jax for your GPU (pip install 'jax[cuda12]') and check its driver, or "
            "allow the CPU with XPCS_GPU_FALLBACK=true."
        )
        raise RuntimeError(msg)
    warnings.warn(
        "A GPU is asked for, but JAX sees none: arrays stay on the CPU. Unset "
        "XPCS_USE_GPU to say that this is meant.",
        RuntimeWarning,
        stacklevel=4,
    )
    return DeviceType.CPU


def _has_jax() -> bool:
    try:
        import jax  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in {"jax", "jaxlib"}:
            raise
        return False
    return True


def platform_devices(platform: str) -> list[jax.Device]:
    """Return JAX's devices of a platform; none where it, or jax, is not there."""
    if not _has_jax():
        return []
    import jax

    try:
        return list(jax.devices(platform))
    except (RuntimeError, AssertionError):
        # how JAX says that there is none; with JAX_PLATFORMS=cuda and no GPU it is a
        # bare AssertionError
        return []


def choose_device(backend: str, platform: str, present: Iterable[str]) -> jax.Device:
    """Return the first device of a platform.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = platform_devices(platform)
    if not found:
        raise refuse_platform(backend, platform, present)
    return found[0]


def refuse_platform(backend: str, platform: str, present: Iterable[str]) -> ConfigError:
    """Make the error for a platform that a backend does not see."""
    return ConfigError(
        f"Device {platform!r}: the {backend} backend sees none. Allowed here: "
        f"{', '.join(sorted(set(present)))}. See backend.devices()."
    )


def describe_device(device: jax.Device) -> Device:
    """Describe a device of JAX in the words of the records."""
    memory = device.memory_stats() or {}
    return Device(
        platform=device.platform,
        index=device.id,
        name=device.device_kind,
        memory_bytes=memory.get("bytes_limit"),
    )


def describe_host() -> Device:
    """Describe the processor as the one device of libraries that know no others."""
    return Device(platform="cpu", index=0, name="cpu", memory_bytes=None)


def place(tree: Any, device: jax.Device | None) -> Any:
    """Put a tree on a device of JAX; what belongs to the host is copied before.

    JAX may keep reading, or even keep sharing, the memory that it is given.
    """
    import jax

    return jax.tree.map(
        lambda leaf: jax.device_put(
            leaf if isinstance(leaf, jax.Array) else private_copy(leaf), device
        ),
        tree,
    )
