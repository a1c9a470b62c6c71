"""The garbage collector, and the time it takes to find nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["imports"]


@contextmanager
def imports() -> Iterator[None]:
    """Let it wait while modules are imported, and leave what they made alone.

    That stays to the end, and is looked through again and again as it becomes more.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
