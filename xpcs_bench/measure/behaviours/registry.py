"""The behaviours by name; adding one is a function and a line here.

The parent imports this module too, to know what to ask for: a behaviour is imported
only where it runs, in a process of its own, which may end with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from xpcs_bench.errors import ConfigError
from xpcs_bench.measure.behaviours.behaviour import Behaviour, observe
from xpcs_bench.records import BehaviourSeen

__all__ = ["BEHAVIOURS", "Entry", "see"]


@dataclass(frozen=True)
class Entry:
    """Where a behaviour is, what it observes, and what its process is given."""

    target: str
    """``module:function``, the module below this package."""
    observes: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its process."""


_PIXELS = ("pixels equal",)
_STORED = ("type on disk", "values equal")
_LOOPED = ("elements", "calls", "right values")
_NO_JAX = {"XPCS_USE_JAX": "false"}
_JAX = {"XPCS_USE_JAX": "true"}

BEHAVIOURS: dict[str, Entry] = {
    # JAX arrays that are given to other libraries as they are
    "h5py_dataset": Entry("hdf5:dataset", _STORED),
    "h5py_slice": Entry("hdf5:slice_assigned", ("values equal",)),
    "h5py_attribute": Entry("hdf5:attribute", ("values equal",)),
    "h5py_read_direct": Entry("hdf5:read_direct"),
    "h5py_write_direct": Entry("hdf5:write_direct"),
    "h5py_bfloat16": Entry("hdf5:bfloat16", _STORED),
    "h5py_bfloat16_adapted": Entry("hdf5:bfloat16_adapted", _STORED),
    "h5py_key": Entry("hdf5:key", _STORED),
    "h5py_deleted": Entry("hdf5:deleted", _STORED),
    "matplotlib_image": Entry("screen:matplotlib_image", _PIXELS),
    "matplotlib_curve": Entry("screen:matplotlib_curve", _PIXELS),
    "matplotlib_scatter": Entry("screen:matplotlib_scatter", _PIXELS),
    "matplotlib_colour": Entry("screen:matplotlib_colour", _PIXELS),
    "matplotlib_key": Entry("screen:matplotlib_key"),
    "matplotlib_deleted": Entry("screen:matplotlib_deleted"),
    "pyqtgraph_image": Entry("screen:pyqtgraph_image", _PIXELS),
    "pyqtgraph_curve": Entry("screen:pyqtgraph_curve", _PIXELS),
    "pyqtgraph_curve_item": Entry("screen:pyqtgraph_curve_item", _PIXELS),
    "pyqtgraph_key": Entry("screen:pyqtgraph_key"),
    "pyqtgraph_deleted": Entry("screen:pyqtgraph_deleted"),
    # memory, and the ways out of a backend
    "numpy_is_free": Entry("host_memory:numpy_is_free", ("the same object",)),
    "cpu_shares_memory": Entry(
        "host_memory:cpu_shares_memory", ("memory shared", "writable")
    ),
    "gpu_is_transferred": Entry("host_memory:gpu_is_transferred", ("memory shared",)),
    "ensure_numpy_key": Entry("host_memory:key"),
    "ensure_numpy_deleted": Entry("host_memory:deleted"),
    "adapters_count": Entry(
        "host_memory:adapters_count",
        ("every conversion counted", "average time", "slowest conversion"),
    ),
    "unwatched_adapters": Entry("host_memory:unwatched_adapters", ("counted",)),
    # the protocol
    "protocol_members": Entry("protocol:members", ("methods",)),
    "protocol_categories": Entry(
        "protocol:categories",
        (
            "array creation",
            "trigonometry",
            "statistics",
            "binning",
            "boolean and masking",
            "math",
            "transformations",
        ),
    ),
    "protocol_is_checked": Entry(
        "protocol:checked_at_runtime", ("numpy", "jax", "no backend")
    ),
    "protocol_is_structural": Entry(
        "protocol:structural", ("numpy inherits it", "jax inherits it")
    ),
    "protocol_without_jax": Entry("protocol:without_jax", ("jax imported", "defined")),
    "jax_is_lazy": Entry(
        "protocol:lazy_jax", ("jax imported before", "jax imported after")
    ),
    "backends_answer": Entry("protocol:backends_answer", ("numpy", "jax")),
    # which backend a program gets
    "jax_by_variable": Entry("selection:chosen", ("backend",), _JAX),
    "numpy_by_variable": Entry("selection:chosen", ("backend",), _NO_JAX),
    "jax_by_default": Entry("selection:chosen", ("backend",)),
    "numpy_without_jax": Entry("selection:auto_without_jax", ("backend", "silent")),
    "backend_by_program": Entry("selection:override", ("before", "after"), _JAX),
    "backend_is_kept": Entry("selection:one_instance", ("the same object",)),
    "backend_is_reset": Entry("selection:reset", ("first", "kept", "after"), _JAX),
    "jax_types_by_default": Entry("selection:x64_by_default", ("type",)),
    "jax_types_by_variable": Entry(
        "selection:x64_by_default", ("type",), {"JAX_ENABLE_X64": "true"}
    ),
    "jax_types_by_backend": Entry(
        "selection:x64_by_backend", ("backend", "type"), _JAX
    ),
    "x64_too_late": Entry("selection:switched_too_late", ("heard",)),
    "memory_share": Entry(
        "selection:memory_share",
        ("XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION"),
        {**_JAX, "XPCS_GPU_MEMORY_FRACTION": "0.5"},
    ),
    # compilation, loops, gradients
    "numpy_jit": Entry("transformations:jit_returns_function", ("the same object",)),
    "jit_cached": Entry("transformations:jit_cached", ("calls", "traces")),
    "jit_abstract": Entry(
        "transformations:abstract_values", ("traced with abstract values",)
    ),
    "jit_branch_by_value": Entry("transformations:control_flow_by_value"),
    "jit_branch_by_primitive": Entry(
        "transformations:control_flow_by_primitive", ("right values",)
    ),
    "jit_static_arguments": Entry(
        "transformations:static_arguments", ("right values",)
    ),
    "arrays_as_keys": Entry("transformations:unhashable_arrays"),
    "qmap_programs": Entry(
        "transformations:qmap_programs",
        ("calls", "kinds of geometry", "compiled", "kept in a dict"),
    ),
    "supports_grad": Entry("transformations:supports_grad", ("numpy", "jax")),
    "numpy_grad": Entry("transformations:numpy_grad"),
    "numpy_value_and_grad": Entry("transformations:numpy_value_and_grad"),
    "jax_value_and_grad": Entry(
        "transformations:value_and_grad_in_one",
        ("gradient", "value with it", "gradient with it", "passes"),
    ),
    "models_are_differentiable": Entry(
        "transformations:models_are_differentiable", ("single", "double", "stretched")
    ),
    "nuts_asks_for_gradients": Entry(
        "transformations:nuts_asks_for_gradients", ("gradients asked for",)
    ),
    "numpy_vmap": Entry("transformations:numpy_vmap", _LOOPED),
    "numpy_scan": Entry("transformations:numpy_scan", _LOOPED),
    "numpy_fori_loop": Entry("transformations:numpy_fori_loop", _LOOPED),
    "numpy_repeats_itself": Entry(
        "transformations:numpy_repeats_itself", ("bit by bit equal",)
    ),
    # devices
    "one_manager": Entry("devices:one_manager", ("the same object",)),
    "threads_agree": Entry("devices:threads_agree", ("instances",)),
    "device_settings": Entry(
        "devices:settings",
        ("device", "fallback", "memory fraction"),
        {
            "XPCS_USE_GPU": "true",
            "XPCS_GPU_FALLBACK": "false",
            "XPCS_GPU_MEMORY_FRACTION": "0.5",
        },
    ),
    "gpu_fallback": Entry(
        "devices:fallback", ("device", "warned", "by default"), {"XPCS_USE_GPU": "true"}
    ),
    "device_placement": Entry("devices:placement", ("is a JAX array", "on the device")),
    # precision
    "float32_fits": Entry(
        "precision:float32_fits",
        ("largest shift in standard errors", "bins lost"),
        {"JAX_ENABLE_X64": "true"},
    ),
}
"""Name in a configuration to where it is."""


def see(name: str) -> BehaviourSeen:
    """Try one behaviour in this process.

    Raises
    ------
    ConfigError
        There is no such behaviour.
    """
    if name not in BEHAVIOURS:
        msg = f"unknown behaviour {name!r}. Allowed: {', '.join(BEHAVIOURS)}."
        raise ConfigError(msg)
    module, _, function = BEHAVIOURS[name].target.partition(":")
    package = __name__.rpartition(".")[0]
    found = getattr(import_module(f"{package}.{module}"), function)
    return observe(name, cast("Behaviour", found))
