"""What a boundary is: fresh inputs, one timed act, and values that must arrive."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from xpcs_bench.backends import BackendProtocol, ensure_numpy

__all__ = ["Boundary", "Host", "StaleInput"]

Host = NDArray[Any]


class StaleInput(Exception):
    """A backend gave an array that is not new where a fresh one was asked for."""


class Boundary(ABC):
    """An open boundary, for one array.

    Parameters
    ----------
    backend : BackendProtocol
    device : str
        Platform on which the array lies, or shall lie.
    source : array
        What crosses: an array of the backend, ready.
    folder : Path
        An empty folder for files.
    """

    summary: ClassVar[str]
    """One sentence: what is inside the clock."""

    def __init__(
        self, backend: BackendProtocol, device: str, source: Any, folder: Path
    ) -> None:
        self.backend = backend
        self.device = device
        self.source = source
        self.folder = folder

    @classmethod
    def refusal(cls, backend: str, device: str) -> str | None:
        """Say why it cannot be crossed by this backend from this device, if so."""
        del backend, device
        return None

    def fresh(self, count: int) -> Sequence[Any]:
        """Make what ``count`` crossings consume, ready; outside the clock.

        Here copies of the source in the backend: arrays on devices keep the host copy
        that they were once asked for, and a second conversion of one costs nothing.

        Raises
        ------
        StaleInput
            They are not all new.
        """
        copies = [self.backend.copy(self.source) for _ in range(count)]
        if len({id(self.source), *map(id, copies)}) <= count:
            msg = (
                f"backend {self.backend.name!r} returned an array that existed before "
                "as its copy. A conversion is timed on fresh arrays only: an array may "
                "keep the host copy that it was once asked for, and then converting it "
                "again would time nothing."
            )
            raise StaleInput(msg)
        self.backend.block_until_ready(copies)
        return copies

    @abstractmethod
    def cross(self, item: Any) -> Any:
        """Cross with one of what ``fresh`` made; inside the clock."""

    def arrived(self, outcome: Any) -> Host:
        """Return the values on the far side, from what ``cross`` returned."""
        return ensure_numpy(outcome)

    def flaw(self, item: Any, outcome: Any) -> str:
        """Say why this was not what the boundary's name promises; empty if it was."""
        del item, outcome
        return ""

    def close(self) -> None:
        """Let go of files and windows."""
        return
