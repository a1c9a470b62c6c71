"""YAML text as plain data that remembers where in the text every part of it stands.

The YAML is version 1.2: ``1e-3`` is a number; ``no``, ``on`` and ``2024-01-01`` are
text; ``010`` is ten. The data is built from the parser's events rather than from its
objects, so that every size is known before anything is expanded and every refusal
has a line and a column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from xpcs_bench.errors import ConfigError

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "Document",
    "KeyPath",
    "Place",
    "parse_document",
]

MAX_NODES = 50_000
"""Most values, counted after aliases are expanded."""
MAX_DEPTH = 32
"""Deepest nesting, counted after aliases are expanded."""

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the top of the data to a value."""

_WHOLE = 2**63
_PLAIN_TAGS = {"null", "bool", "int", "float"}
_TAB = "found character '\\t' that cannot start any token"


@dataclass(frozen=True)
class Place:
    """Where a value and its key were written, ready to be printed."""

    key: str
    value: str


@dataclass
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and where it was written."""

    source: str
    data: Any
    places: dict[KeyPath, Place]

    def get(self, path: KeyPath) -> Any:
        """Return the value at ``path``, or None where nothing is written."""
        here = self.data
        for part in path:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def where(self, path: KeyPath, *, key: bool = False) -> str:
        """Say where the value (or its key) at ``path`` stands.

        A value that was not written stands where the nearest value around it does.
        """
        for length in range(len(path), -1, -1):
            place = self.places.get(path[:length])
            if place is not None:
                return place.key if key and length == len(path) else place.value
        return self.source


@dataclass
class _Node:
    """A value under construction; ``value`` is a scalar, a list, or a dict of nodes."""

    value: Any
    place: str
    keys: dict[str, str] = field(default_factory=dict)
    """For a mapping: where each key was written."""
    pending: str | None = None
    """For a mapping: the key whose value comes next."""
    size: int = 1
    height: int = 0
    closed: bool = False


def parse_document(text: str, source: str, *, located: bool = True) -> Document:
    """Build the data of one YAML document.

    Parameters
    ----------
    text : str
        One YAML document.
    source : str
        What to call the text in messages.
    located : bool
        Whether line and column are said after ``source``.

    Raises
    ------
    ConfigError
        The text is not YAML, or uses a part of YAML that an experiment does not need.
    """
    root = _Builder(source, located=located).build(text)
    places: dict[KeyPath, Place] = {(): Place(root.place, root.place)}
    return Document(source, _expand(root, (), places), places)


class _Builder:
    """Turns the parser's events into nodes, and refuses what it must not carry."""

    def __init__(self, source: str, *, located: bool) -> None:
        self._source = source
        self._located = located
        self._yaml = YAML(typ="safe", pure=True)
        self._anchors: dict[str, _Node] = {}
        self._stack: list[_Node] = []
        self._root: _Node | None = None
        self._documents = 0
        self._total = 0

    def _at(self, line: int, column: int) -> str:
        if not self._located:
            return self._source
        return f"{self._source}:{line + 1}:{column + 1}"

    def build(self, text: str) -> _Node:
        """Return the top node."""
        handlers: dict[type[ev.Event], Callable[[Any, str], None]] = {
            ev.DocumentStartEvent: self._start_document,
            ev.ScalarEvent: self._scalar,
            ev.AliasEvent: self._alias,
            ev.SequenceStartEvent: partial(self._start, list),
            ev.MappingStartEvent: partial(self._start, dict),
            ev.SequenceEndEvent: self._end,
            ev.MappingEndEvent: self._end,
        }
        for event in self._events(text):
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event, self._at(event.start_mark.line, event.start_mark.column))
        root = self._root
        if root is None:
            msg = (
                f"{self._source}: holds no value. Write one YAML mapping that begins, "
                "for example, with 'name: my-experiment'."
            )
            raise ConfigError(msg)
        return root

    def _events(self, text: str) -> Iterator[ev.Event]:
        try:
            yield from self._yaml.parse(text)
        except ReaderError as error:
            before = text[: error.position]
            place = self._at(
                before.count("\n"), error.position - before.rfind("\n") - 1
            )
            msg = (
                f"{place}: the character {text[error.position]!r} is not allowed in "
                "YAML. Remove it."
            )
            raise ConfigError(msg) from error
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._at(mark.line, mark.column) if mark else self._source
            if error.problem == _TAB:
                msg = f"{place}: a tab cannot indent YAML. Use spaces."
            else:
                said = ", ".join(
                    part for part in (error.problem, error.context) if part
                )
                msg = (
                    f"{place}: is not YAML: {said}. Check indentation, colons, quotes "
                    "and brackets here and on the line above."
                )
            raise ConfigError(msg) from error
        except YAMLError as error:
            msg = f"{self._source}: is not YAML: {error}. Check the file in an editor."
            raise ConfigError(msg) from error

    def _start_document(self, event: ev.DocumentStartEvent, place: str) -> None:
        self._documents += 1
        if self._documents > 1:
            msg = (
                f"{place}: a second YAML document starts here. One file holds one "
                "experiment: remove the '---' or write two files."
            )
            raise ConfigError(msg)
        if event.version not in {None, (1, 2)}:
            version = ".".join(map(str, event.version))
            msg = (
                f"{place}: the file asks for YAML {version}. Only YAML 1.2 is read, "
                "where 'no' and 'on' are text: remove the %YAML line."
            )
            raise ConfigError(msg)

    def _scalar(self, event: ev.ScalarEvent, place: str) -> None:
        self._refuse_tag(event, place)
        tag = self._yaml.resolver.resolve(ScalarNode, event.value, event.implicit)
        kind = str(tag).rpartition(":")[2]
        if kind == "merge" and self._awaits_key():
            msg = (
                f"{place}: merge keys ('<<') are not part of YAML 1.2. Write the keys "
                "out, or use an alias for a whole value ('key: *name')."
            )
            raise ConfigError(msg)
        value: Any = event.value
        if kind in _PLAIN_TAGS:
            try:
                value = self._yaml.constructor.construct_object(
                    ScalarNode(tag, event.value), deep=True
                )
            except ValueError as error:
                msg = (
                    f"{place}: {_shortened(event.value)} is not a number that can be "
                    "read. Put quotes around it if it is text."
                )
                raise ConfigError(msg) from error
        if isinstance(value, int) and abs(value) >= _WHOLE:
            msg = (
                f"{place}: {_shortened(event.value)} is too large a whole number. "
                "Allowed: up to 63 bits. Write a smaller one."
            )
            raise ConfigError(msg)
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            msg = (
                f"{place}: an escape stands for half a character here. Write the "
                "character itself, or \\U and its eight digits."
            )
            raise ConfigError(msg)
        if isinstance(value, float) and not math.isfinite(value):
            msg = (
                f"{place}: {_shortened(event.value)} is not a finite number. Every "
                "number of an experiment is finite: write one, or null for none."
            )
            raise ConfigError(msg)
        self._add(_Node(value, place, closed=True), event, place)

    def _alias(self, event: ev.AliasEvent, place: str) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            known = ", ".join(map(repr, self._anchors)) or "none"
            msg = (
                f"{place}: the alias {'*' + event.anchor!r} names no anchor above it. "
                f"Anchors so far: {known}. Write '&{event.anchor}' before the value."
            )
            raise ConfigError(msg)
        if not node.closed:
            msg = (
                f"{place}: the alias {'*' + event.anchor!r} stands inside the value "
                "that it repeats, which would never end. Write the value out."
            )
            raise ConfigError(msg)
        copy = _Node(
            node.value,
            place,
            node.keys,
            size=node.size,
            height=node.height,
            closed=True,
        )
        self._add(copy, event, place)

    def _start(self, make: type, event: ev.CollectionStartEvent, place: str) -> None:
        self._refuse_tag(event, place)
        node = _Node(make(), place)
        self._add(node, event, place)
        self._stack.append(node)

    def _end(self, _event: ev.CollectionEndEvent, _place: str) -> None:
        node = self._stack.pop()
        children = node.value.values() if isinstance(node.value, dict) else node.value
        node.size = 1 + sum(child.size for child in children)
        node.height = 1 + max((child.height for child in children), default=0)
        node.closed = True

    def _refuse_tag(
        self, event: ev.ScalarEvent | ev.CollectionStartEvent, place: str
    ) -> None:
        if event.tag is not None:
            msg = (
                f"{place}: the tag {_shortened(str(event.tag))} is not read. Only "
                "plain values are: remove the tag, and put quotes around text that "
                "looks like a number."
            )
            raise ConfigError(msg)

    def _awaits_key(self) -> bool:
        top = self._stack[-1] if self._stack else None
        return top is not None and isinstance(top.value, dict) and top.pending is None

    def _add(self, node: _Node, event: ev.NodeEvent, place: str) -> None:
        """Put a value where the text has it: into a list, or as a key or its value."""
        self._total += node.size
        if self._total > MAX_NODES:
            msg = (
                f"{place}: more than {MAX_NODES:,} values up to here, aliases "
                "expanded. No experiment needs as many: use a sweep, or fewer aliases."
            )
            raise ConfigError(msg)
        if len(self._stack) + node.height > MAX_DEPTH:
            msg = (
                f"{place}: is nested deeper than {MAX_DEPTH} levels, which no "
                "experiment is. Remove brackets or indentation."
            )
            raise ConfigError(msg)
        if self._awaits_key():
            self._take_key(node, place)
        elif not self._stack:
            self._root = node
        elif self._stack[-1].pending is not None:
            top = self._stack[-1]
            top.value[top.pending] = node
            top.pending = None
        else:
            self._stack[-1].value.append(node)
        if event.anchor is not None and not isinstance(event, ev.AliasEvent):
            self._anchors[event.anchor] = node

    def _take_key(self, node: _Node, place: str) -> None:
        top = self._stack[-1]
        key = node.value
        if not isinstance(key, str):
            shown = repr(key) if not isinstance(key, (dict, list)) else "a collection"
            msg = (
                f"{place}: the key {shown} is not text. Every key of an experiment is "
                "text: correct it, or put quotes around it."
            )
            raise ConfigError(msg)
        if key in top.keys:
            msg = (
                f"{place}: the key {key!r} is written a second time; the first is at "
                f"{top.keys[key]}. Keep one of them."
            )
            raise ConfigError(msg)
        top.keys[key] = place
        top.pending = key


def _expand(node: _Node, path: KeyPath, places: dict[KeyPath, Place]) -> Any:
    """Copy nodes into plain data; recursion is bounded by MAX_DEPTH."""

    def inner(part: str | int, child: _Node, key_place: str) -> Any:
        at = (*path, part)
        places[at] = Place(key_place, child.place)
        return _expand(child, at, places)

    match node.value:
        case dict():
            return {k: inner(k, v, node.keys[k]) for k, v in node.value.items()}
        case list():
            return [inner(i, v, v.place) for i, v in enumerate(node.value)]
        case scalar:
            return scalar


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
