"""Values set on the command line: ``--set sampling.max_time_s=5``.

They are put into the data of the file before it is validated, so they follow the same
rules and are written in the same YAML; a path is written with dots, or as the messages
print it: ``kernels.0.qmap.convention`` or ``kernels[0].qmap.convention``.
"""

from __future__ import annotations

import re
from typing import Any

from xpcs_bench.config.document import Document, KeyPath, Place, parse_document
from xpcs_bench.errors import ConfigError

__all__ = ["apply_override"]

_PATH = re.compile(r"[^.\[\]=\s]+(?:\.[^.\[\]=\s]+|\[\d+\])*")


def apply_override(document: Document, text: str) -> None:
    """Set one value in the data of a document.

    Raises
    ------
    ConfigError
        ``text`` is not ``path=value``, or its path leads through what has no parts.
    """
    label = f"--set {text}"
    target, equals, value_text = text.partition("=")
    target = target.strip()
    if not equals or not _PATH.fullmatch(target):
        msg = (
            f"{label}: is not of the form path=value. Write for example "
            "--set sampling.max_time_s=5."
        )
        raise ConfigError(msg)
    if not value_text.strip():
        msg = f"{label}: has no value. Write one after the '=', or null for none."
        raise ConfigError(msg)
    value = parse_document(value_text, label, located=False)
    path: KeyPath = ()
    here = document.data
    # the root is given a holder of its own, so that it can be replaced like any part
    holder: Any = {"": here}
    root = holder
    last: str | int = ""
    for part in re.findall(r"[^.\[\]]+", target):
        here = holder[last] = _opened(here, part, path, document, label)
        step = _step(here, part, path, label)
        path, holder, last = (*path, step), here, step
        here = here.get(step) if isinstance(here, dict) else here[step]
    holder[last] = value.data
    document.data = root[""]
    for old in [known for known in document.places if known[: len(path)] == path]:
        del document.places[old]
    label_place = Place(label, label)
    document.places[path] = label_place
    for below in value.places:
        document.places[path + below] = label_place


def _opened(here: Any, part: str, path: KeyPath, document: Document, label: str) -> Any:
    """Return a collection to go into, where the file has a shorthand for one."""
    if isinstance(here, (dict, list)):
        return here
    if here is None or here == part:
        # ``sampling:`` without a value; ``qmap`` that stands for ``{qmap: {}}``
        if here is None:
            document.places.setdefault(path, Place(label, label))
            return {}
        return {part: {}}
    if part == "0":
        return [here]
    msg = f"{label}: {here!r} has no part {part!r}. Set the whole value instead."
    raise ConfigError(msg)


def _step(here: Any, part: str, path: KeyPath, label: str) -> str | int:
    if isinstance(here, dict):
        return part
    if part.isdecimal() and int(part) < len(here):
        return int(part)
    where = ".".join(map(str, path)) or "the file"
    last = f"0 to {len(here) - 1}" if here else "none, it is empty"
    msg = f"{label}: {part!r} is not in the list {where}. Allowed: an index, {last}."
    raise ConfigError(msg)
