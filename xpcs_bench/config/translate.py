"""Pydantic's errors in the words of this package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import ErrorDetails

from xpcs_bench.config.document import KeyPath
from xpcs_bench.config.problem import one_of, shown

__all__ = ["translated"]

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_KINDS = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def translated(
    errors: Iterable[ErrorDetails], data: Any
) -> Iterator[tuple[KeyPath, str, bool]]:
    """Yield path, sentence, and whether it is about the key rather than the value.

    Of several errors about one value, which the members of a union give, the first is
    kept.
    """
    seen: set[KeyPath] = set()
    for error in errors:
        context = error.get("ctx", {})
        key = tuple(context.get("key", ()))
        path = _path_in(data, error["loc"]) + key
        if path not in seen:
            seen.add(path)
            yield path, _sentence(error, context), bool(key)


def _path_in(data: Any, loc: tuple[str | int, ...]) -> KeyPath:
    """Drop from pydantic's location what is not in the data: unions, lists of one."""
    path: list[str | int] = []
    for part in loc:
        if (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            path.append(part)
            data = data[part]  # type: ignore[index]  # checked just above
    return tuple(path)


def _sentence(error: ErrorDetails, context: dict[str, Any]) -> str:
    value, kind = error["input"], error["type"]
    if kind == "sentence":
        return str(context["sentence"])
    if kind in {"literal_error", "enum"}:
        return one_of(value, re.findall(r"'([^']*)'", context["expected"]))
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        limit = context[bound]
        limit = f"{limit:.12g}" if isinstance(limit, float) else limit
        return f"{shown(value)} is out of range. Allowed: {words} {limit}."
    if kind in _KINDS:
        advice = ""
        if isinstance(value, str) and "number" in _KINDS[kind]:
            advice = " Write it without quotes and without a unit."
        return f"{shown(value)} is not {_KINDS[kind]}. Allowed: {_KINDS[kind]}.{advice}"
    if kind == "string_too_short":
        return "the text is empty. Write some."
    if kind in {"value_error", "assertion_error"} and "error" in context:
        return str(context["error"])
    return (
        f"{shown(value)} cannot be used: {error['msg'][:1].lower()}{error['msg'][1:]}."
    )
