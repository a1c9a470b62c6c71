"""Whether an object is a backend, and if not, what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from inspect import Parameter
from typing import Any

from xpcs_bench.backends.protocol import protocol_members

__all__ = ["backend_problems", "check_backend"]

_PROPERTIES: dict[str, type] = {
    "name": str,
    "pi": float,
    "supports_gpu": bool,
    "supports_jit": bool,
    "supports_grad": bool,
}
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_KEYWORD = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def check_backend(backend: object) -> None:
    """Check members, their kinds and the signatures of all methods.

    ``isinstance(backend, BackendProtocol)`` looks for names alone.

    Raises
    ------
    TypeError
        If the object does not satisfy the protocol; every problem has a line.
    """
    problems = backend_problems(backend)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        msg = (
            f"{type(backend).__name__} does not satisfy BackendProtocol:\n{listed}\n"
            "Compare with xpcs_bench.backends.BackendProtocol."
        )
        raise TypeError(msg)


def backend_problems(backend: object) -> tuple[str, ...]:
    """Return what keeps an object from being a backend, one sentence each."""
    problems: list[str] = []
    for name, member in protocol_members().items():
        if not hasattr(backend, name):
            problems.append(f"{name} is missing")
        elif name in _PROPERTIES:
            value = getattr(backend, name)
            if not isinstance(value, _PROPERTIES[name]):
                expected = _PROPERTIES[name].__name__
                problems.append(f"{name} must be a {expected}, not {value!r}")
        else:
            problems += _method_problems(name, member, getattr(backend, name))
    return tuple(problems)


def _method_problems(name: str, wanted: Any, method: Any) -> Iterator[str]:
    if not callable(method):
        yield f"{name} must be a method, not {method!r}"
        return
    try:
        actual = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        yield f"{name} has no signature that could be read"
        return
    expected = list(inspect.signature(wanted).parameters.values())[1:]
    for problem in _parameter_problems(expected, actual):
        yield f"{name}{inspect.signature(method)}: {problem}"


def _parameter_problems(
    expected: list[Parameter], actual: list[Parameter]
) -> Iterator[str]:
    by_name = {parameter.name: parameter for parameter in actual}
    positional = [p for p in actual if p.kind in _POSITIONAL]
    takes_args = any(p.kind is p.VAR_POSITIONAL for p in actual)
    takes_kwargs = any(p.kind is p.VAR_KEYWORD for p in actual)
    met: set[str] = set()

    for index, want in enumerate(expected):
        found: Parameter | None = None
        if want.kind is Parameter.VAR_POSITIONAL:
            if not takes_args:
                yield f"must take any number of positional arguments (*{want.name})"
            continue
        if want.kind in _POSITIONAL:
            found = positional[index] if index < len(positional) else None
            if found is None and not takes_args:
                yield f"must take {want.name} as positional argument {index + 1}"
                continue
        if want.kind in _KEYWORD:
            named = by_name.get(want.name)
            if named is None or named.kind not in _KEYWORD:
                if not takes_kwargs:
                    yield f"must take the keyword {want.name}"
                    continue
            elif found is not None and found is not named:
                yield f"{want.name} must be positional argument {index + 1}"
            found = named or found
        if found is not None:
            met.add(found.name)
            if want.default is not Parameter.empty and found.default != want.default:
                yield f"{want.name} must default to {want.default!r}"
    for extra in actual:
        if (
            extra.name not in met
            and extra.default is Parameter.empty
            and extra.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        ):
            yield f"{extra.name} is required, but not part of the protocol"
