"""A value of a record together with where it is: the thread from page to evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

__all__ = ["Place"]

T = TypeVar("T")


@dataclass(frozen=True)
class Place(Generic[T]):
    """A value and its JSON pointer (RFC 6901) in ``run.json``.

    Walking from the record down (``place["summary"]["estimates"][3]``) moves value and
    pointer together, so that a pointer cannot name another value than the one shown.
    """

    value: T
    pointer: str = ""

    def __getitem__(self, key: str | int) -> Place[Any]:
        """Go to a field of a model, a key of a mapping or an item of a sequence."""
        value: Any = self.value
        if isinstance(value, BaseModel):
            if key not in type(value).model_fields:
                msg = (
                    f"{key!r} is no field of {type(value).__name__}. Fields: "
                    f"{', '.join(type(value).model_fields)}. Only fields are in "
                    "run.json; go to one of them."
                )
                raise KeyError(msg)
            child = getattr(value, str(key))
        else:
            child = value[key]
        token = str(key).replace("~", "~0").replace("/", "~1")
        return Place(child, f"{self.pointer}/{token}")

    def __iter__(self) -> Iterator[Place[Any]]:
        """Go to every item of a sequence, or to every value of a mapping, in order."""
        value: Any = self.value
        if isinstance(value, Mapping):
            yield from (self[key] for key in value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from (self[index] for index in range(len(value)))
        else:
            msg = (
                f"{self.pointer!r} holds {type(value).__name__}, which has no items. "
                "Sequences and mappings have. Go to one of its fields by name."
            )
            raise TypeError(msg)

    @property
    def key(self) -> str:
        """The last step of the way here."""
        return self.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
