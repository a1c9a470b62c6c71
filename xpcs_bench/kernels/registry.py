"""Which kernels there are: this project's by a literal line, others' by entry point."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import Any

from xpcs_bench.backends.entry_points import registered
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels.kernel import Kernel

__all__ = [
    "ENTRY_POINT_GROUP",
    "KERNELS",
    "create_kernel",
    "kernel_names",
    "own_modules",
]

KERNELS = {
    "qmap": "xpcs_bench.kernels.qmap:QMap",
    "partition": "xpcs_bench.kernels.partition:Partition",
    "g2_model": "xpcs_bench.kernels.g2_model:G2Model",
    "binning": "xpcs_bench.kernels.binning:Binning",
    "two_time": "xpcs_bench.kernels.two_time:TwoTime",
    "g2": "xpcs_bench.kernels.g2:G2",
    "g2_events": "xpcs_bench.kernels.g2_events:G2Events",
    "nuts": "xpcs_bench.kernels.nuts:Nuts",
    "calibration": "xpcs_bench.kernels.calibration:Calibration",
    "hdf5_io": "xpcs_bench.kernels.hdf5_io:HDF5IO",
    "fit": "xpcs_bench.kernels.fit:Fit",
}
"""Name in a configuration to ``module:class``."""

ENTRY_POINT_GROUP = "xpcs_bench.kernels"
"""Where other packages register theirs."""


def _foreign() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in registered(ENTRY_POINT_GROUP)}


def kernel_names() -> tuple[str, ...]:
    """Name all kernels, this project's first; none of them is imported."""
    return (*KERNELS, *sorted(_foreign().keys() - KERNELS.keys()))


def own_modules(names: Iterable[str]) -> tuple[str, ...]:
    """Name the modules of those among these kernels that this project brings along."""
    return tuple(KERNELS[name].partition(":")[0] for name in names if name in KERNELS)


def create_kernel(name: str) -> Kernel[Any]:
    """Import the kernel of a name and make one.

    Raises
    ------
    ConfigError
        When the name is not registered, when another package registers a name of this
        project, or when what is registered is no kernel of that name.
    """
    foreign = _foreign()
    if name in KERNELS:
        if name in foreign:
            msg = (
                f"the kernel {name!r} is registered by this project and by "
                f"{foreign[name].value!r}. A name stands for one kernel. Rename the "
                f"entry point in the group {ENTRY_POINT_GROUP!r}."
            )
            raise ConfigError(msg)
        module, _, attribute = KERNELS[name].partition(":")
        made = getattr(import_module(module), attribute)()
    elif name in foreign:
        made = foreign[name].load()()
    else:
        known = kernel_names()
        near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        msg = f"unknown kernel {name!r}. Allowed: {', '.join(known)}.{hint}"
        raise ConfigError(msg)
    if not isinstance(made, Kernel) or made.name != name:
        msg = (
            f"the entry {name!r} gives {type(made).__qualname__!r}, which is not a "
            "kernel of that name. Allowed: a subclass of xpcs_bench.kernels.Kernel "
            f"whose name is {name!r}. Correct the entry point or the class."
        )
        raise ConfigError(msg)
    return made
