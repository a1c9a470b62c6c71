"""Revisions of real repositories, small ones."""

import subprocess
import sys

import pytest

from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.run.revision import find_repository


def git(folder, *arguments):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path):
    """A repository with two commits of a package in src."""
    root = tmp_path / "project"
    package = root / "src" / "package_under_test"
    package.mkdir(parents=True)
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(root))
    for text in ("ANSWER = 41\n", "ANSWER = 42\n"):
        (package / "__init__.py").write_text(text)
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", text)
    return root


@pytest.fixture
def repository(folder):
    return find_repository(folder / "src")


def test_a_repository_is_found_from_any_place_in_it(folder):
    inside = folder / "src" / "package_under_test" / "__init__.py"
    assert find_repository(inside).root == folder.resolve()


def test_a_place_outside_any_repository_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="in no git repository"):
        find_repository(tmp_path)


def test_a_commit_is_found_by_each_of_its_names(folder, repository):
    head = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "v1")
    assert {repository.commit(name) for name in ("HEAD", "main", "v1", head[:8])} == {
        head
    }


@pytest.mark.parametrize("name", ["nowhere", "HEAD~7", "--help", ""])
def test_what_is_no_revision_cannot_be_measured(repository, name):
    with pytest.raises(CannotMeasure, match="is no revision") as refused:
        repository.commit(name)
    assert repr(name) in str(refused.value)


def test_a_shallow_clone_says_how_to_get_its_history(folder, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{folder}", "shallow")
    with pytest.raises(CannotMeasure, match="unshallow"):
        find_repository(tmp_path / "shallow").commit("HEAD~1")


def test_a_clean_tree_has_no_changes(repository):
    assert repository.changes() == ()


def test_changes_are_named_new_moved_and_with_odd_names(folder, repository):
    (folder / "new file\n.txt").write_text("x")
    source = folder / "src" / "package_under_test"
    git(folder, "mv", str(source / "__init__.py"), str(source / "moved.py"))
    assert set(repository.changes()) == {
        "new file\n.txt",
        "src/package_under_test/moved.py",
    }


def test_a_checkout_holds_the_revision_and_leaves_nothing(folder, repository):
    before = git(folder, "worktree", "list")
    with repository.checkout(repository.commit("HEAD~1")) as tree:
        text = (tree / "src" / "package_under_test" / "__init__.py").read_text()
        assert text == "ANSWER = 41\n"
        here = (folder / "src" / "package_under_test" / "__init__.py").read_text()
        assert here == "ANSWER = 42\n"
    assert not tree.exists()
    assert git(folder, "worktree", "list") == before


def test_a_checkout_leaves_nothing_where_its_use_fails(folder, repository):
    def use():
        with repository.checkout(repository.commit("HEAD")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert len(git(folder, "worktree", "list").splitlines()) == 1


def test_what_cannot_be_checked_out_is_said(repository):
    with (
        pytest.raises(CannotMeasure, match="cannot be checked out"),
        repository.checkout("0" * 40),
    ):
        pytest.fail("there is no such commit")


def test_packages_of_the_repository_are_found_where_they_are_imported_from(
    folder, repository, monkeypatch
):
    monkeypatch.setattr(sys, "path", [str(folder / "src"), *sys.path])
    (folder / "single.py").write_text("")
    names = ("package_under_test.kernels", "numpy.linalg", "no_such_module", "sys")
    assert repository.import_folders(names) == ("src",)


def test_a_single_module_is_imported_from_its_folder(folder, repository, monkeypatch):
    (folder / "single_module_under_test.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert repository.import_folders(["single_module_under_test"]) == (".",)
