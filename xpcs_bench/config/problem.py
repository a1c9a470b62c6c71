"""Problems of one document: collected, put in order, and told in one message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from xpcs_bench.config.document import Document, KeyPath
from xpcs_bench.errors import ConfigError

__all__ = ["Problems", "did_you_mean", "one_of", "path_text", "shown"]

T = TypeVar("T")

_MAX_FURTHER = 5
_MAX_SHOWN = 80


def path_text(path: KeyPath) -> str:
    """Write a path as a reader would: ``kernels[0].qmap.convention``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _plain(word: str) -> str:
    return re.sub(r"[^0-9a-z]", "", word.lower())


def shown(value: object) -> str:
    """Return a value as it is written in Python, cut where it grows long."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."


def did_you_mean(word: object, allowed: Iterable[str]) -> str:
    """Return a closing sentence with the nearest allowed word, or nothing.

    Case and punctuation do not count: ``Eiger 4M`` is near ``eiger-4m``.
    """
    plain = {_plain(name): name for name in allowed}
    near = difflib.get_close_matches(_plain(str(word)), plain, n=1, cutoff=0.6)
    return f" Did you mean {plain[near[0]]!r}?" if near else ""


def one_of(word: object, allowed: Sequence[str], what: str = "value") -> str:
    """Say that ``word`` is none of the allowed words."""
    listed = ", ".join(map(repr, allowed)) or "none"
    return (
        f"unknown {what} {shown(word)}. Allowed: {listed}.{did_you_mean(word, allowed)}"
    )


@dataclass
class Problems:
    """Collects what is wrong with a document, and raises it as one error."""

    document: Document
    _found: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, path: KeyPath, sentence: str, *, key: bool = False) -> None:
        """Note a problem of the value (or of its key) at ``path``."""
        where = self.document.where(path, key=key)
        place = path_text(path)
        if place and _set_path(where) != ".".join(map(str, path)):
            sentence = f"{place}: {sentence}"
        self._found.setdefault((where, sentence))

    def items(self, path: KeyPath, values: Sequence[T]) -> list[tuple[KeyPath, T]]:
        """Pair every value of a list with its path; one value may stand for a list."""
        written = self.document.get(path)
        if isinstance(written, list):
            return [((*path, index), value) for index, value in enumerate(values)]
        return [(path, value) for value in values]

    def refuse_repeats(self, path: KeyPath, values: Sequence[Hashable]) -> None:
        """Note every value that a list has already had."""
        seen: set[Hashable] = set()
        for at, value in self.items(path, values):
            if value in seen:
                self.add(at, f"{shown(value)} is listed twice. Keep one of them.")
            seen.add(value)

    def raise_if_any(self) -> None:
        """Raise the first problem in the text, with the next few below it.

        Raises
        ------
        ConfigError
            At least one problem was noted.
        """
        if not self._found:
            return
        first, *further = (f"{w}: {s}" for w, s in sorted(self._found, key=_in_text))
        if further:
            count = (
                "1 more problem"
                if len(further) == 1
                else f"{len(further)} more problems"
            )
            shown = [f"  {line}" for line in further[:_MAX_FURTHER]]
            if len(further) > _MAX_FURTHER:
                shown.append(f"  and {len(further) - _MAX_FURTHER} more")
            first = "\n".join([first, f"{count}:", *shown])
        raise ConfigError(first)


def _set_path(where: str) -> str | None:
    """Return the path that an override was written for, with dots."""
    match = re.match(r"--set\s+([^=]+?)\s*=", where)
    return re.sub(r"\[(\d+)\]", r".\1", match.group(1)) if match else None


def _in_text(found: tuple[str, str]) -> tuple[int, int, int]:
    """Order by line and column; what was set on the command line comes first."""
    match = re.search(r":(\d+):(\d+)$", found[0])
    if match is None:
        return (0, 0, 0)
    return (1, int(match.group(1)), int(match.group(2)))
