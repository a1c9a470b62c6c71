"""The loop of a study that is kept as it goes, and goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from circumstances import circumstances

__all__ = ["keep_rounds"]


def keep_rounds(
    path: Path,
    name: str,
    wanted: int,
    measure: Callable[[int], Any],
    markdown: Callable[[Mapping[str, Any]], str],
) -> None:
    """Measure the rounds that are missing; write the record and its page after each.

    Parameters
    ----------
    path : Path
        Of the record, JSON; the page lies beside it.
    name : str
        Key of the rounds in the record.
    measure : callable
        From the number of a round to what is kept of it.
    """
    rounds = json.loads(path.read_text())[name] if path.exists() else []
    while len(rounds) < wanted:
        rounds.append(measure(len(rounds)))
        record = {"circumstances": circumstances(), name: rounds}
        path.write_text(json.dumps(record, indent=1) + "\n")
        path.with_suffix(".md").write_text(markdown(record))
        print(f"{name}: {len(rounds)} of {wanted}", flush=True)
