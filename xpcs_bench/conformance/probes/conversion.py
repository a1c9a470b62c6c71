"""Probes of conversion and placement: what goes in comes out, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.conformance.hard_inputs import ALL, classes, oddly_shaped
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.truth import identity
from xpcs_bench.errors import ConfigError

__all__ = ["CONVERSION", "PLACEMENT"]


def _astype_calls(dtype: str) -> Iterator[Call]:
    for target in ALL:
        for name, values in classes(dtype).items():
            yield Call(f"{name} to {target}", (values, target))
    for name, values in oddly_shaped(dtype).items():
        yield Call(name, (values, "float64"))


def _whole_calls(dtype: str) -> Iterator[Call]:
    for name, values in {**classes(dtype), **oddly_shaped(dtype)}.items():
        yield Call(name, (values,))


def _host_calls(dtype: str) -> Iterator[Call]:
    yield from _whole_calls(dtype)
    values = classes(dtype)["ordinary"]
    foreign = values.astype(np.dtype(dtype).newbyteorder(">"))
    yield Call("big-endian", (foreign,))
    fixed = values.copy()
    fixed.flags.writeable = False
    yield Call("read-only", (fixed,))


def _tree_calls(dtype: str) -> Iterator[Call]:
    for name, values in {**classes(dtype), **oddly_shaped(dtype)}.items():
        yield Call(name, ({"b": (values, None), "a": [values]},))


def _refusing_calls(dtype: str) -> Iterator[Call]:
    yield from _tree_calls(dtype)
    values = classes(dtype)["ordinary"]
    yield Call("absent device", (values, "abacus"), {}, ConfigError)


def _devices(backend: BackendProtocol) -> list[Any]:
    """Return what must be the same anywhere: there is a default, and it has a place."""
    first = backend.devices()[0]
    return [first.index == 0, first.platform in {"cpu", "gpu", "tpu"}, bool(first.name)]


CONVERSION = (
    Probe("astype", ALL, _astype_calls),
    Probe("to_numpy", ALL, _whole_calls, identity),
    Probe("from_numpy", ALL, _host_calls, identity, raw=True),
)

PLACEMENT = (
    Probe("devices", ("bool",), lambda _: [Call("none", ())], perform=_devices),
    Probe("device_put", ALL, _refusing_calls, raw=True),
    Probe("block_until_ready", ALL, _tree_calls),
    Probe("tree_leaves", ALL, _tree_calls),
)
