"""The text of a configuration, or one sentence on why there is none."""

from __future__ import annotations

import difflib
from pathlib import Path

from xpcs_bench.errors import ConfigError

__all__ = ["MAX_BYTES", "read_text"]

MAX_BYTES = 2**20
"""Longest file that is read (bytes)."""


def read_text(path: Path) -> tuple[bytes, str]:
    """Read a file of at most :data:`MAX_BYTES` bytes of UTF-8.

    Raises
    ------
    ConfigError
        The file is missing, a directory, not readable, too large, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        near = _neighbours(path)
        msg = (
            f"{path}: no such file.{near} Write the path of an experiment's YAML file."
        )
        raise ConfigError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path}: is a directory. Name one YAML file inside it."
        raise ConfigError(msg) from error
    except PermissionError as error:
        msg = f"{path}: may not be read by this user. Change its permissions."
        raise ConfigError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read ({error}). Name a readable YAML file."
        raise ConfigError(msg) from error
    if len(raw) > MAX_BYTES:
        msg = (
            f"{path}: is larger than {MAX_BYTES // 2**20} MiB, which no experiment is. "
            "Name an experiment's YAML file; measured data belongs into an HDF5 file "
            "that the experiment names with from_file."
        )
        raise ConfigError(msg)
    try:
        return raw, raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = (
            f"{path}: is not UTF-8 text: byte {raw[error.start]:#04x} at offset "
            f"{error.start}. Save the file as UTF-8."
        )
        raise ConfigError(msg) from error


def _neighbours(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir() if p.suffix in {".yaml", ".yml"}]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {str(path.parent / near[0])!r}?" if near else ""
