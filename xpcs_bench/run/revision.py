"""Another revision of the code under test, in a folder of its own.

The working tree is left as it is: a revision is checked out beside it, as a worktree of
the same repository, and removed again. Workers import from there what they measure.
"""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xpcs_bench.errors import CannotMeasure, ConfigError

__all__ = ["Repository", "find_repository"]


@dataclass(frozen=True)
class Repository:
    """A git repository with a working tree."""

    root: Path
    """Top of the working tree."""

    def commit(self, revision: str) -> str:
        """Return the full hash of the commit that a revision names.

        Raises
        ------
        CannotMeasure
            There is none: it is misspelled, or a shallow clone lacks it.
        """
        try:
            return self._git(
                "rev-parse", "--verify", "--quiet", "--end-of-options",
                f"{revision}^{{commit}}",
            ).strip()  # fmt: skip
        except subprocess.CalledProcessError:
            shallow = self._git("rev-parse", "--is-shallow-repository").strip()
            hint = (
                " This clone is shallow: fetch its history ('git fetch --unshallow')."
                if shallow == "true"
                else " 'git log' and 'git tag' show what there is."
            )
            msg = (
                f"the baseline {revision!r} is no revision of the repository "
                f"{str(self.root)!r}. Allowed: a commit, a branch or a tag.{hint}"
            )
            raise CannotMeasure(msg) from None

    def changes(self) -> tuple[str, ...]:
        """Name the files that differ from the last commit, new ones included."""
        said = self._git("status", "--porcelain=v1", "-z")
        entries = iter(filter(None, said.split("\0")))
        names = []
        for entry in entries:
            state, name = entry[:2], entry[3:]
            names.append(name)
            if "R" in state or "C" in state:
                next(entries)  # the name that it had before
        return tuple(names)

    def import_folders(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Return where packages of this repository are imported from, below its root.

        ``.`` or ``src`` in most repositories. Modules that come from elsewhere give
        none; nor do those whose way through a loader of their own cannot be followed.
        """
        found: dict[str, None] = {}
        for package in dict.fromkeys(name.partition(".")[0] for name in modules):
            spec = importlib.util.find_spec(package)
            if spec is None or spec.origin is None:
                continue
            home = Path(spec.origin).resolve().parent
            if spec.submodule_search_locations is not None:
                home = home.parent
            if home.is_relative_to(self.root):
                found[str(home.relative_to(self.root))] = None
        return tuple(found)

    @contextmanager
    def checkout(self, commit: str) -> Iterator[Path]:
        """Check a commit out into a folder, which is removed at the end.

        Raises
        ------
        CannotMeasure
            Git cannot: the disk is full, or an object is missing.
        """
        with tempfile.TemporaryDirectory(
            prefix=f"{self.root.name}-{commit[:12]}-", ignore_cleanup_errors=True
        ) as made:
            folder = Path(made).resolve() / "tree"
            try:
                self._git("worktree", "add", "--detach", "--quiet", str(folder), commit)
            except subprocess.CalledProcessError as error:
                msg = (
                    f"the baseline {commit[:12]} cannot be checked out into "
                    f"{str(folder)!r}: {error.stderr.strip()} Free space or repair the "
                    "repository ('git fsck'), and start again."
                )
                raise CannotMeasure(msg) from error
            try:
                yield folder
            finally:
                self._git("worktree", "remove", "--force", str(folder))

    def _git(self, *arguments: str) -> str:
        return _git(self.root, *arguments)


def find_repository(place: Path) -> Repository:
    """Return the repository that a file or folder belongs to.

    Raises
    ------
    ConfigError
        It belongs to none, or there is no git.
    """
    folder = place if place.is_dir() else place.parent
    try:
        root = _git(folder, "rev-parse", "--show-toplevel").strip()
    except FileNotFoundError as error:
        msg = (
            "a baseline that is a revision needs git, which is not on the path. "
            "Install it, or name the environment of the baseline."
        )
        raise ConfigError(msg) from error
    except subprocess.CalledProcessError as error:
        msg = (
            f"{str(place)!r} is in no git repository, so that there is no revision to "
            "compare with. Put it into the repository of the code that it measures."
        )
        raise ConfigError(msg) from error
    return Repository(Path(root).resolve())


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(  # noqa: S603 (fixed command)
        command, check=True, capture_output=True, text=True
    ).stdout
