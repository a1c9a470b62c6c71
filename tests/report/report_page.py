"""Reading a page back: its numbers, its names, and what stands outside of both."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from xpcs_bench.records import Case, RunRecord, Variant
from xpcs_bench.report.cells import printable

VOID = {"meta", "br", "wbr", "link", "img", "input", "hr"}
FREE_NUMBER = re.compile(r"(?<![\w.])[-+]?\.?\d")


@dataclass
class Sourced:
    """An element that says where its content comes from."""

    tag: str
    attributes: dict[str, str]
    text: str = ""

    @property
    def sources(self) -> list[str]:
        source = self.attributes["data-source"]
        return json.loads(source) if "data-as" in self.attributes else [source]


@dataclass
class Page(HTMLParser):
    """Parses strictly: every element that opens closes, in order."""

    html: str
    sourced: list[Sourced] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, Sourced | None]] = []
        self.feed(self.html)
        self.close()
        assert not self.open, f"never closed: {[tag for tag, _ in self.open]}"

    def handle_starttag(self, tag, attrs) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"attribute given twice in <{tag}>"
        self.tags.append((tag, attributes))
        if tag in VOID:
            return
        element = None
        if "data-source" in attributes:
            element = Sourced(tag, attributes)
            self.sourced.append(element)
        self.open.append((tag, element))

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag) -> None:
        assert tag not in VOID
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data) -> None:
        inside = [element for _, element in self.open if element]
        if inside:
            inside[-1].text += data
        elif not any(tag in {"style", "svg"} for tag, _ in self.open):
            self.outside.append(data)

    @property
    def numbers(self) -> list[Sourced]:
        return [element for element in self.sourced if element.tag == "data"]

    @property
    def names(self) -> list[Sourced]:
        return [element for element in self.sourced if element.tag != "data"]


def as_json(record: RunRecord) -> Any:
    """Return what run.json holds."""
    return json.loads(record.model_dump_json())


def resolve(document: Any, pointer: str) -> Any:
    """Follow a JSON pointer (RFC 6901)."""
    assert pointer.startswith("/"), pointer
    for token in pointer[1:].split("/"):
        step = token.replace("~1", "/").replace("~0", "~")
        document = document[int(step) if isinstance(document, list) else step]
    return document


def number_at(document: Any, element: Sourced) -> float:
    """Return the number that an element's sources give."""
    values = [resolve(document, pointer) for pointer in element.sources]
    match element.attributes.get("data-as"):
        case None:
            return values[0]
        case "count":
            assert len(set(element.sources)) == len(element.sources)
            return len(values)
        case "inverse":
            return quotient(1.0, *values)
        case "quotient":
            return quotient(*values)
        case other:
            msg = f"no number is made by {other!r}"
            raise AssertionError(msg)


def quotient(above: float, below: float) -> float:
    if below:
        return above / below
    return float("inf") if above else float("nan")


def text_at(document: Any, element: Sourced) -> str:
    """Return the text that an element's source gives."""
    (pointer,) = element.sources
    value = resolve(document, pointer)
    match element.attributes.get("data-as"):
        case None:
            return printable(value)
        case "key":
            token = pointer.rpartition("/")[2]
            return printable(token.replace("~1", "/").replace("~0", "~"))
        case "stage":
            return printable(value.removeprefix("stages."))
        case "case_id":
            return printable(Case.model_validate(value).id)
        case "problem_id":
            return printable(Case.model_validate(value).problem_id)
        case "variant_id":
            return printable(Variant.model_validate(value).id)
        case other:
            msg = f"no text is made by {other!r}"
            raise AssertionError(msg)
