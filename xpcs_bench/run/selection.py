"""Expressions that select cases by id: words joined by ``and``, ``or``, ``not``.

::

    either  = both {"or" both}
    both    = single {"and" single}
    single  = "not" single | "(" either ")" | WORD
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

from xpcs_bench.errors import ConfigError

__all__ = ["Accept", "parse_selection"]

Accept = Callable[[str], bool]
_TOKEN = re.compile(r"[()]|[^\s()]+")


def parse_selection(expression: str) -> Accept:
    """Return a predicate on case ids; a word matches as a substring, in any case.

    Raises
    ------
    ConfigError
        The expression cannot be read.
    """
    tokens = _TOKEN.findall(expression)
    position = 0

    def refuse(what: str) -> NoReturn:
        msg = (
            f"-k {expression!r}: {what}. Allowed: words, 'and', 'or', 'not' and "
            f"parentheses. Write for example -k 'qmap and not numpy'."
        )
        raise ConfigError(msg)

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def take() -> str:
        nonlocal position
        token = peek()
        if token is None:
            refuse("it ends where a word is expected")
        position += 1
        return token

    def single() -> Accept:
        token = take()
        if token == "not":  # noqa: S105 (a token of a grammar)
            inner = single()
            return lambda case: not inner(case)
        if token == "(":  # noqa: S105
            inner = either()
            if peek() != ")":
                refuse("a parenthesis is not closed")
            take()
            return inner
        if token in {")", "and", "or"}:
            refuse(f"{token!r} stands where a word is expected")
        word = token.lower()
        return lambda case: word in case.lower()

    def chain(
        joint: str, part: Callable[[], Accept], combine: Callable[..., bool]
    ) -> Accept:
        parts = [part()]
        while peek() == joint:
            take()
            parts.append(part())
        return lambda case: combine(accept(case) for accept in parts)

    def both() -> Accept:
        return chain("and", single, all)

    def either() -> Accept:
        return chain("or", both, any)

    accept = either()
    if peek() is not None:
        refuse(f"{peek()!r} is left over after a complete expression")
    return accept
