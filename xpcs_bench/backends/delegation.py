"""The methods that mean the same in numpy and jax.numpy, bound once for both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, cast

from xpcs_bench.backends.array_functions import ArrayFunctions as Method
from xpcs_bench.backends.protocol import protocol_members

__all__ = ["NamespaceBackend", "delegated", "refuse_minlength"]

F = TypeVar("F", bound=Callable[..., Any])


def delegated(method: F) -> F:
    """Make the method that calls the function of the same name in ``self.xp``.

    Name, signature and documentation are the protocol's. What the library would
    accept beyond the protocol's signature (``out=``, ``where=``) is refused, so that
    no kernel comes to depend on one library.
    """
    name = method.__name__
    parameters = list(inspect.signature(method).parameters.values())[1:]
    keywords = {p.name for p in parameters if p.kind not in _NOT_KEYWORD}
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    most = sum(p.kind in _POSITIONAL for p in parameters)

    @functools.wraps(method)
    def call(self: NamespaceBackend, /, *args: Any, **options: Any) -> Any:
        if len(args) > most and not variadic:
            msg = f"{name}() takes at most {most} positional arguments, not {len(args)}"
            raise TypeError(msg)
        if options and not options.keys() <= keywords:
            surplus = ", ".join(sorted(options.keys() - keywords))
            allowed = ", ".join(sorted(keywords)) or "none"
            msg = (
                f"{name}() got the keyword {surplus}, which is not in the protocol. "
                f"Allowed keywords: {allowed}."
            )
            raise TypeError(msg)
        return getattr(self.xp, name)(*args, **options)

    return cast("F", call)


_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
_NOT_KEYWORD = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)


def refuse_minlength(minlength: int, length: int) -> None:
    """Refuse a least number of bins that is above the number of bins."""
    if minlength > length:
        msg = (
            f"bincount: minlength={minlength} is above length={length}, the number of "
            "bins. Give one of the two."
        )
        raise ValueError(msg)


class NamespaceBackend:
    """A backend whose common methods are the functions of a module like numpy."""

    xp: ModuleType
    """The module: ``numpy``, ``jax.numpy``."""

    def __init_subclass__(cls) -> None:
        # what a method does is written once, on the protocol
        documented = protocol_members()
        for name, member in vars(cls).items():
            if name in documented and inspect.isfunction(member) and not member.__doc__:
                member.__doc__ = documented[name].__doc__

    zeros = delegated(Method.zeros)
    ones = delegated(Method.ones)
    full = delegated(Method.full)
    zeros_like = delegated(Method.zeros_like)
    ones_like = delegated(Method.ones_like)
    arange = delegated(Method.arange)
    linspace = delegated(Method.linspace)
    logspace = delegated(Method.logspace)
    meshgrid = delegated(Method.meshgrid)

    sin = delegated(Method.sin)
    cos = delegated(Method.cos)
    tan = delegated(Method.tan)
    arcsin = delegated(Method.arcsin)
    arccos = delegated(Method.arccos)
    arctan = delegated(Method.arctan)
    arctan2 = delegated(Method.arctan2)
    tanh = delegated(Method.tanh)
    hypot = delegated(Method.hypot)
    deg2rad = delegated(Method.deg2rad)
    rad2deg = delegated(Method.rad2deg)

    floor = delegated(Method.floor)
    ceil = delegated(Method.ceil)

    exp = delegated(Method.exp)
    expm1 = delegated(Method.expm1)
    log = delegated(Method.log)
    log1p = delegated(Method.log1p)
    log10 = delegated(Method.log10)
    sqrt = delegated(Method.sqrt)
    square = delegated(Method.square)
    abs = delegated(Method.abs)
    sign = delegated(Method.sign)
    power = delegated(Method.power)
    maximum = delegated(Method.maximum)
    minimum = delegated(Method.minimum)
    matmul = delegated(Method.matmul)
    dot = delegated(Method.dot)
    cumsum = delegated(Method.cumsum)

    sum = delegated(Method.sum)
    prod = delegated(Method.prod)
    mean = delegated(Method.mean)
    var = delegated(Method.var)
    std = delegated(Method.std)
    min = delegated(Method.min)
    max = delegated(Method.max)
    argmin = delegated(Method.argmin)
    argmax = delegated(Method.argmax)
    nanmean = delegated(Method.nanmean)
    nanmin = delegated(Method.nanmin)
    nanmax = delegated(Method.nanmax)
    median = delegated(Method.median)

    sort = delegated(Method.sort)

    logical_and = delegated(Method.logical_and)
    logical_or = delegated(Method.logical_or)
    logical_not = delegated(Method.logical_not)
    where = delegated(Method.where)
    isnan = delegated(Method.isnan)
    isfinite = delegated(Method.isfinite)
    isclose = delegated(Method.isclose)
    any = delegated(Method.any)
    all = delegated(Method.all)

    clip = delegated(Method.clip)
    take = delegated(Method.take)
    stack = delegated(Method.stack)
    concatenate = delegated(Method.concatenate)
    reshape = delegated(Method.reshape)
    broadcast_to = delegated(Method.broadcast_to)
    expand_dims = delegated(Method.expand_dims)
    squeeze = delegated(Method.squeeze)
    transpose = delegated(Method.transpose)
