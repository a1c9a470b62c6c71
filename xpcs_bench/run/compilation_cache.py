"""Folders for the persistent compilation cache of workers: cold ones and warm ones.

A cold folder is empty; a process finds nothing and pays for writing. A warm one holds
what one process of the same case has left there, and every process gets a copy, so
that all find the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from xpcs_bench.config import CompilationCache
from xpcs_bench.records import Case

__all__ = ["CacheFolders"]


class CacheFolders:
    """Makes the folders, and removes them all when it is closed.

    Parameters
    ----------
    fill : callable
        Runs a case once in a process whose cache is the folder that it is given.
    """

    def __init__(self, fill: Callable[[Case, Path], None]) -> None:
        self._fill = fill
        self._root: Path | None = None
        self._filled: dict[str, Path] = {}

    def close(self) -> None:
        """Remove all of them."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def folder(self, case: Case) -> tuple[CompilationCache, Path] | None:
        """Return the state and a folder in it for a worker; None where it is off.

        Raises
        ------
        WorkerFailure
            The process that fills a warm folder was lost.
        """
        state = case.variant.compilation_cache
        if state == "off":
            return None
        fresh = self._new()
        if state == "warm":
            if case.id not in self._filled:
                filled = self._new()
                self._fill(case, filled)
                self._filled[case.id] = filled
            shutil.copytree(self._filled[case.id], fresh, dirs_exist_ok=True)
        return state, fresh

    def _new(self) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="xpcs_bench-cache-"))
        return Path(tempfile.mkdtemp(dir=self._root))
