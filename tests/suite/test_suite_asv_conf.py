from pathlib import Path

import pytest
from asv.config import Config
from asv.util import load_json

ROOT = Path(__file__).parents[2]
MATRIX_KEYS = {"req", "env", "env_nobuild"}


def unknown_keys(conf):
    """Name the keys that asv would take in silence and never look at."""
    known = {*vars(Config()), "version", "build_cache_size"}
    nested = {f"matrix.{key}" for key in conf.get("matrix", {})}
    return (conf.keys() - known) | (nested - {f"matrix.{key}" for key in MATRIX_KEYS})


@pytest.fixture(scope="module")
def conf():
    return load_json(str(ROOT / "asv.conf.json"), js_comments=True)


def test_every_key_is_one_that_asv_reads(conf):
    assert not unknown_keys(conf)


def test_a_misspelled_key_is_found(conf):
    spoiled = conf | {"lanch_method": "spawn", "matrix": {"reqs": {}}}
    assert unknown_keys(spoiled) == {"lanch_method", "matrix.reqs"}


def test_benchmarks_are_spawned_and_not_forked(conf):
    assert conf["launch_method"] == "spawn"


def test_the_folders_of_asv_are_ignored_by_git(conf):
    ignored = (ROOT / ".gitignore").read_text().split()
    for key in ("env_dir", "results_dir", "html_dir"):
        assert conf[key].split("/")[0] + "/" in ignored


def test_the_suite_is_where_asv_looks(conf):
    assert (ROOT / conf["benchmark_dir"] / "suite.py").is_file()
