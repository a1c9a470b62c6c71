"""Where workers come from: which interpreter, and what it imports first.

The workers of a run share this one's interpreter and packages. Those of another
revision import from a folder where it lies, or live in an environment of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import from_json

from xpcs_bench.errors import CannotMeasure

__all__ = ["HERE", "Home", "known_kernels", "origins"]

_TIMEOUT_S = 120.0
_LAST_WORDS = 5
_KERNELS = """
import json
from xpcs_bench.kernels.registry import create_kernel, kernel_names
print(json.dumps({name: create_kernel(name).version for name in kernel_names()}))
"""
_ORIGINS = """
import importlib.util, json, sys
found = {name: importlib.util.find_spec(name) for name in sys.argv[1:]}
print(json.dumps({name: spec and spec.origin for name, spec in found.items()}))
"""


@dataclass(frozen=True)
class Home:
    """An interpreter, and folders that it looks into before all others."""

    python: str = sys.executable
    folders: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """What starts the interpreter.

        Where it has folders of its own, the one that it is started in comes before none
        of them: packages at the root of a repository would be imported from there.
        """
        return (self.python, "-P") if self.folders else (self.python,)

    def variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a process that lives here."""
        if not self.folders:
            return dict(variables)
        before = variables.get("PYTHONPATH", "")
        path = os.pathsep.join((*self.folders, *filter(None, (before,))))
        return {**variables, "PYTHONPATH": path}


HERE = Home()
"""Where this process lives."""


def known_kernels(home: Home) -> dict[str, str]:
    """Return the kernels that are registered in a home, each with its version.

    Raises
    ------
    CannotMeasure
        The project cannot be imported there.
    """
    found = from_json(_said(home, _KERNELS))
    return {str(name): str(version) for name, version in found.items()}


def origins(home: Home, packages: Iterable[str]) -> dict[str, Path | None]:
    """Return the file that each package is imported from in a home; None: no file.

    Raises
    ------
    CannotMeasure
        The interpreter does not run.
    """
    found = from_json(_said(home, _ORIGINS, *packages))
    return {
        name: Path(origin).resolve() if origin else None
        for name, origin in found.items()
    }


def _said(home: Home, program: str, *arguments: str) -> str:
    """Run a few lines in a home and return what they print."""
    command = [*home.command, "-c", program, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (our own lines)
            command,
            check=True,
            capture_output=True,
            text=True,
            env=home.variables(os.environ),
            timeout=_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        words = "\n".join(error.stderr.strip().splitlines()[-_LAST_WORDS:])
        msg = (
            f"the baseline does not come up in {home.python!r}: {words}\n"
            "What it depends on differs from what is installed here. Make an "
            "environment with its dependencies, and name its interpreter with "
            "--baseline-python."
        )
        raise CannotMeasure(msg) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = (
            f"--baseline-python {home.python!r} does not run: {error}. Name the python "
            "of an environment in which xpcs_bench is installed."
        )
        raise CannotMeasure(msg) from error
    return done.stdout
