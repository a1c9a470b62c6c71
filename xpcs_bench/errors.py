"""What can go wrong, and the exit code that says so.

::

    XpcsBenchError
    |-- ConfigError        what the user wrote cannot be used            exit 2
    |-- RecordError        a file of evidence cannot be read             exit 2
    |-- CannotMeasure      nothing can be measured as asked              exit 4
    `-- WorkerFailure      one worker process failed; costs its case
        |-- WorkerCrashed          ended by a signal or without a word
        |   `-- ProtocolMismatch   speaks another version of the protocol
        |-- WorkerTimedOut         gave no answer in time
        |-- WorkerOutOfMemory      went past its memory limit
        `-- WorkerRaised           the code under test raised

A message has three sentences: where and what (values with ``!r``); what is
allowed; what to do next.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "CannotMeasure",
    "ConfigError",
    "ExitCode",
    "ProtocolMismatch",
    "RecordError",
    "WorkerCrashed",
    "WorkerFailure",
    "WorkerOutOfMemory",
    "WorkerRaised",
    "WorkerTimedOut",
    "XpcsBenchError",
]


class ExitCode(IntEnum):
    """What the command's exit status means; no two outcomes share a code."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    COULD_NOT_MEASURE = 4
    INTERRUPTED = 130


class XpcsBenchError(Exception):
    """Any error that this package raises on purpose."""

    exit_code = ExitCode.COULD_NOT_MEASURE


class ConfigError(XpcsBenchError):
    """What the user wrote cannot be used; the message says where and what to write."""

    exit_code = ExitCode.USAGE


class RecordError(XpcsBenchError):
    """A record, journal or HDF5 input cannot be read."""

    exit_code = ExitCode.USAGE


class CannotMeasure(XpcsBenchError):
    """Nothing can be measured as asked, and no other measurement would answer."""


class WorkerFailure(XpcsBenchError):
    """One worker process failed; its case is lost and nothing else.

    Attributes
    ----------
    log : str
        The last lines that the worker wrote to stdout and stderr.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class WorkerCrashed(WorkerFailure):
    """The worker ended by a signal, or without an answer."""


class WorkerTimedOut(WorkerFailure):
    """The worker gave no answer within the case's timeout and was killed."""


class WorkerOutOfMemory(WorkerFailure):
    """The worker grew past its memory limit, or an allocation in it failed."""


class WorkerRaised(WorkerFailure):
    """The code under test raised; the log holds the traceback."""


class ProtocolMismatch(WorkerCrashed):
    """Parent and worker speak different major versions of the protocol."""
