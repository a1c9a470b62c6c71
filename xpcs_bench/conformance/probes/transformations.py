"""Probes of what transforms functions: each in small programs with a known answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.conformance.hard_inputs import FLOATS
from xpcs_bench.conformance.probe import Call, Probe
from xpcs_bench.conformance.truth import Truth, elementwise, gradient, running

__all__ = ["TRANSFORMATIONS"]

_TYPES = ("int64", *FLOATS)
"""Loops carry any type; what they compute is probed elsewhere."""

Program = Callable[..., Any]


def _rows(dtype: str) -> Any:
    return (1 + np.arange(12) / 8).astype(dtype).reshape(4, 3)


def _programs(dtype: str, **programs: Program) -> Iterator[Call]:
    """Give each program the same small matrix; its name is the class of inputs."""
    for name, program in programs.items():
        yield Call(name.replace("_", " "), (program, _rows(dtype)))


def _perform(backend: BackendProtocol, program: Program, *args: Any) -> Any:
    return program(backend, *args)


def _jit_calls(dtype: str) -> Iterator[Call]:
    def decay(b: BackendProtocol, x: Any) -> Any:
        return b.jit(lambda x: b.exp(-x) * b.sqrt(x) + b.sin(x))(x)

    def static(b: BackendProtocol, x: Any) -> Any:
        chosen = b.jit(lambda x, n: x * n if n > 2 else x, static_argnums=1)
        return chosen(x, 3), chosen(x, 1)

    def named(b: BackendProtocol, x: Any) -> Any:
        chosen = b.jit(lambda x, up: x + 1 if up else x - 1, static_argnames="up")
        return chosen(x, up=True), chosen(x, up=False)

    def nested(b: BackendProtocol, x: Any) -> Any:
        return b.jit(lambda tree: {"sum": tree["x"] + tree["x"], "none": None})(
            {"x": x}
        )

    def empty(b: BackendProtocol, x: Any) -> Any:
        return b.jit(lambda x: b.sum(x * x, axis=0))(x[:0])

    programs: dict[str, Program] = {"static": static, "named": named}
    programs |= {"nested": nested, "empty": empty}
    if dtype in FLOATS:
        programs["decay"] = decay
    return _programs(dtype, **programs)


# functions of one real number, for a backend and for mpmath


def _decay(b: Any, x: Any) -> Any:
    return b.exp(-2 * x)


def _wave(b: Any, x: Any) -> Any:
    return b.sin(x) + x


def _angle(b: Any, x: Any) -> Any:
    return (b.atan if b is mpmath else b.arctan)(x * x - 1)


def _root(b: Any, x: Any) -> Any:
    return b.sqrt(x) + b.log(x)


_SMOOTH = {"decay": _decay, "wave": _wave, "angle": _angle, "root": _root}


def _gradient_calls(dtype: str) -> Iterator[Call]:
    for name, function in _SMOOTH.items():
        yield Call(name, (function, _rows(dtype)))


def _grad(b: BackendProtocol, function: Program, x: Any) -> Any:
    return b.grad(lambda x: b.sum(function(b, x)))(x)


def _grad_truth(function: Program, x: Any) -> Truth:
    return gradient(lambda value: function(mpmath, value))(x)


def _value_and_grad(b: BackendProtocol, function: Program, x: Any) -> Any:
    return b.value_and_grad(lambda x: b.sum(function(b, x)))(x)


def _value_and_grad_truth(function: Program, x: Any) -> tuple[Truth, Truth]:
    values = elementwise(lambda value: function(mpmath, value))(x)
    return np.array(mpmath.fsum(values.ravel()), object), _grad_truth(function, x)


def _vmap_calls(dtype: str) -> Iterator[Call]:
    def rows(b: BackendProtocol, x: Any) -> Any:
        return b.vmap(b.sum)(x)

    def columns(b: BackendProtocol, x: Any) -> Any:
        return b.vmap(lambda column: column * column, in_axes=1, out_axes=1)(x)

    def unmapped(b: BackendProtocol, x: Any) -> Any:
        return b.vmap(lambda row, other: row + other, in_axes=(0, None))(x, x[0])

    def tree(b: BackendProtocol, x: Any) -> Any:
        both = b.vmap(lambda d: {"up": d["x"] + 1, "y": (d["y"],)})
        return both({"x": x, "y": x[:, 0]})

    def empty(b: BackendProtocol, x: Any) -> Any:
        return b.vmap(b.sum)(x[:0])

    return _programs(
        dtype, rows=rows, columns=columns, unmapped=unmapped, tree=tree, empty=empty
    )


def _unequal_vmap(b: BackendProtocol, x: Any) -> Any:
    return b.vmap(lambda row, other: row + other)(x, x[:2])


def _vmap_probe_calls(dtype: str) -> Iterator[Call]:
    yield from _vmap_calls(dtype)
    yield Call("unequal lengths", (_unequal_vmap, _rows(dtype)), {}, ValueError)


def _running_sums(b: BackendProtocol, x: Any) -> Any:
    def step(total: Any, row: Any) -> tuple[Any, Any]:
        return total + row, total + row

    return b.scan(step, x[0] * 0, x)[1]


def _scan_calls(dtype: str) -> Iterator[Call]:
    def tree(b: BackendProtocol, x: Any) -> Any:
        def step(carry: Any, d: Any) -> tuple[Any, Any]:
            return {"n": carry["n"] + d["x"]}, (d["x"] * 2, None)

        return b.scan(step, {"n": x[0]}, {"x": x})

    def counted(b: BackendProtocol, x: Any) -> Any:
        return b.scan(lambda c, _: (c + c, c), x, None, length=3)

    def no_steps(b: BackendProtocol, x: Any) -> Any:
        return b.scan(lambda c, row: (c + row, c), x[0], x[:0])

    yield Call("running sums", (_running_sums, _rows(dtype)))
    yield from _programs(dtype, tree=tree, counted=counted, no_steps=no_steps)

    def drifting(b: BackendProtocol, x: Any) -> Any:
        return b.scan(lambda c, row: (b.sum(c), row), x[0], x)

    yield Call("changing carry", (drifting, _rows(dtype)), {}, TypeError)

    def endless(b: BackendProtocol, x: Any) -> Any:
        return b.scan(lambda c, _: (c, c), x)

    yield Call("no length", (endless, _rows(dtype)), {}, ValueError)


def _scan_truth(program: Program, x: Any) -> Truth | None:
    return running(x, axis=0) if program is _running_sums else None


def _fori_calls(dtype: str) -> Iterator[Call]:
    def doubled(b: BackendProtocol, x: Any) -> Any:
        return b.fori_loop(0, 5, lambda _, v: v + v, x)

    def no_trip(b: BackendProtocol, x: Any) -> Any:
        return b.fori_loop(3, 3, lambda _, v: v + v, x)

    def backwards(b: BackendProtocol, x: Any) -> Any:
        return b.fori_loop(3, -1, lambda _, v: v + v, x)

    def tree(b: BackendProtocol, x: Any) -> Any:
        start = {"v": x, "w": (x[0],)}
        return b.fori_loop(
            1, 4, lambda _, t: {"v": t["v"] + t["w"][0], "w": t["w"]}, start
        )

    return _programs(
        dtype, doubled=doubled, no_trip=no_trip, backwards=backwards, tree=tree
    )


def _while_calls(dtype: str) -> Iterator[Call]:
    def doubled(b: BackendProtocol, x: Any) -> Any:
        return b.while_loop(lambda v: b.sum(v) < 200, lambda v: v + v, x)

    def no_trip(b: BackendProtocol, x: Any) -> Any:
        return b.while_loop(lambda v: b.sum(v) < 0, lambda v: v + v, x)

    return _programs(dtype, doubled=doubled, no_trip=no_trip)


def _cond_calls(dtype: str) -> Iterator[Call]:
    def choose(b: BackendProtocol, holds: Any, x: Any) -> Any:
        return b.cond(holds, lambda x: x + x, lambda x: -x, x)

    def true(b: BackendProtocol, x: Any) -> Any:
        return choose(b, b.sum(x) > 0, x)

    def false(b: BackendProtocol, x: Any) -> Any:
        return choose(b, b.sum(x) < 0, x)

    def plain(b: BackendProtocol, x: Any) -> Any:
        return choose(b, True, x)  # noqa: FBT003 (a predicate)

    def vector(b: BackendProtocol, x: Any) -> Any:
        return choose(b, x[0] > 0, x)

    yield from _programs(dtype, true=true, false=false, plain=plain)
    yield Call("vector", (vector, _rows(dtype)), {}, TypeError)


TRANSFORMATIONS = (
    Probe("jit", _TYPES, _jit_calls, perform=_perform),
    Probe("grad", FLOATS, _gradient_calls, _grad_truth, perform=_grad),
    Probe(
        "value_and_grad",
        FLOATS,
        _gradient_calls,
        _value_and_grad_truth,
        perform=_value_and_grad,
    ),
    Probe("vmap", _TYPES, _vmap_probe_calls, perform=_perform),
    Probe("scan", _TYPES, _scan_calls, _scan_truth, perform=_perform),
    Probe("fori_loop", _TYPES, _fori_calls, perform=_perform),
    Probe("while_loop", _TYPES, _while_calls, perform=_perform),
    Probe("cond", _TYPES, _cond_calls, perform=_perform),
)
