"""Results as they come: one JSON object a line, on disk before the next is measured.

Whatever happens to this process, what was measured stays. A line that was cut short
by the end of the process is left out on reading; any other damage is an error.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from xpcs_bench.errors import CannotMeasure, RecordError
from xpcs_bench.records import (
    SCHEMA_VERSION,
    BehaviourSeen,
    Diagnosis,
    Environment,
    Measurement,
    RunHeader,
)

__all__ = ["JOURNAL", "Evidence", "Journal", "read_journal"]

JOURNAL = "journal.jsonl"


@dataclass
class Evidence:
    """What a journal holds."""

    header: RunHeader
    environments: dict[str, Environment] = field(default_factory=dict)
    measurements: dict[tuple[str, int], Measurement] = field(default_factory=dict)
    """By case id and process; a repeated one replaces the one before."""
    wall_s: float = 0.0
    """Of all sessions, each up to its last line (s)."""
    ceiling_checks: dict[str, Diagnosis] = field(default_factory=dict)
    """What measured the ceilings of the machine, by check; a repeated one replaces the
    one before."""
    behaviours: dict[str, BehaviourSeen] = field(default_factory=dict)
    """What was tried, by behaviour; a repeated one replaces the one before."""


class Journal:
    """The writing side; holds a lock so that two runs cannot share a folder.

    Parameters
    ----------
    folder : Path
        The run's folder; must exist.

    Raises
    ------
    CannotMeasure
        Another process is writing this journal.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        _drop_cut_line(self._path)
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            msg = (
                f"{self._path}: another run is writing this journal. Wait for it, or "
                f"start a run of its own without --resume."
            )
            raise CannotMeasure(msg) from None
        self._started = time.monotonic()
        self._write("session", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write("pause", {})
        self._file.close()

    def header(self, header: RunHeader) -> None:
        """Write what is known before the first measurement."""
        self._write("header", header.model_dump(mode="json"))

    def environment(self, environment: Environment) -> None:
        """Write the circumstances of measurements to come."""
        self._write("environment", environment.model_dump(mode="json"))

    def measurement(self, measurement: Measurement) -> None:
        """Write one measurement; it is on disk when this returns."""
        self._write("measurement", measurement.model_dump(mode="json"))

    def ceiling_check(self, diagnosis: Diagnosis) -> None:
        """Write what a check has measured; it is on disk when this returns."""
        self._write("ceiling_check", diagnosis.model_dump(mode="json"))

    def behaviour(self, seen: BehaviourSeen) -> None:
        """Write what was tried; it is on disk when this returns."""
        self._write("behaviour", seen.model_dump(mode="json"))

    def _write(self, kind: str, content: dict[str, Any]) -> None:
        at_s = round(time.monotonic() - self._started, 6)
        line = json.dumps({"kind": kind, "at_s": at_s, "content": content})
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _drop_cut_line(path: Path) -> None:
    """Remove a line without an end, so that the next one does not continue it."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def read_journal(folder: Path) -> Evidence:
    """Read what a run has measured so far.

    Raises
    ------
    RecordError
        There is no journal, it has no header, or a line in it is damaged.
    """
    path = folder / JOURNAL
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}). Name the folder of a run."
        raise RecordError(msg) from error
    # what follows the last newline is empty, or was cut short
    return _replay(path, lines[:-1])


def _replay(path: Path, lines: Iterable[bytes]) -> Evidence:
    evidence: Evidence | None = None
    session_s = 0.0
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            kind, content = row["kind"], row["content"]
            if kind == "session":
                if evidence:
                    evidence.wall_s += session_s
                session_s = 0.0
                continue
            session_s = float(row["at_s"])
            if kind == "pause":
                continue
            if kind == "header":
                version = content.get("schema_version")
                if version != SCHEMA_VERSION:
                    msg = (
                        f"{path}:{number}: schema version {version!r}; this program "
                        f"reads {SCHEMA_VERSION}. Use the xpcs_bench that wrote it."
                    )
                    raise RecordError(msg)
                evidence = Evidence(RunHeader.model_validate(content))
            elif evidence is None:
                msg = f"{path}:{number}: {kind!r} stands before the header."
                raise RecordError(msg)
            elif kind == "environment":
                environment = Environment.model_validate(content)
                evidence.environments[environment.fingerprint] = environment
            elif kind == "measurement":
                measurement = Measurement.model_validate(content)
                key = (measurement.case, measurement.process)
                evidence.measurements[key] = measurement
            elif kind == "ceiling_check":
                diagnosis = Diagnosis.model_validate(content)
                evidence.ceiling_checks[diagnosis.check] = diagnosis
            elif kind == "behaviour":
                seen = BehaviourSeen.model_validate(content)
                evidence.behaviours[seen.behaviour] = seen
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            msg = (
                f"{path}:{number}: this line is damaged ({type(error).__name__}). A "
                f"journal is written by one run only and never edited; remove the line "
                f"to use the rest."
            )
            raise RecordError(msg) from error
    if evidence is None:
        msg = f"{path}: holds no header: the run ended before it began. Start it anew."
        raise RecordError(msg)
    evidence.wall_s += session_s
    return evidence
