import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from xpcs_bench.errors import ExitCode
from xpcs_bench.report import EXPORTERS

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"


@pytest.mark.parametrize("form", EXPORTERS)
def test_every_format_is_written_to_the_terminal(bench, form):
    done = bench("export", EXAMPLE, form, check=ExitCode.PASS)
    assert "quickstart" in done.stdout


def test_a_file_gets_what_the_terminal_would(bench, tmp_path):
    shown = bench("export", EXAMPLE / "run.json", "junit", check=ExitCode.PASS)
    done = bench("export", EXAMPLE, "junit", "--to", "out.xml", check=ExitCode.PASS)
    assert done.stdout == ""
    text = (tmp_path / "out.xml").read_text(encoding="utf-8")
    assert text == shown.stdout
    assert ET.fromstring(text).tag == "testsuites"


def test_the_run_itself_is_left_as_it_is(bench, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(EXAMPLE, copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    bench("export", copy, "github", check=ExitCode.PASS)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "junit"), "nowhere"),
        ((EXAMPLE, "pdf"), "html, markdown, claims, terminal, junit, github"),
        ((EXAMPLE, "junit", "--to", "no/such/folder.xml"), "No such file"),
        ((EXAMPLE,), "FORMAT"),
    ],
)
def test_a_mistake_is_one_message(bench, arguments, words):
    done = bench("export", *arguments, check=ExitCode.USAGE)
    assert words in done.stderr
