"""What the files around the package promise."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from xpcs_bench.analysis.estimate import CONFIDENCE
from xpcs_bench.analysis.summary import MARGIN
from xpcs_bench.cli.command import xpcs_bench as group
from xpcs_bench.errors import ExitCode

VERBS = group.commands
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "xpcs_bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("run", ".venv/bin/xpcs-bench run configs/quickstart.yaml"),
        ("test", ".venv/bin/python -m pytest -n 2"),
    ],
)
def test_each_command_of_the_readme_is_one_line_that_can_be_extracted(name, ending):
    found = re.findall(
        rf"^<!-- command: {name} -->\n```sh\n(.*)\n```$", README, re.MULTILINE
    )
    assert len(found) == 1
    assert found[0].startswith("python3 -m venv .venv && ")
    assert found[0].endswith(ending)


def test_continuous_integration_extracts_the_same_commands():
    # .ci/run finds them with awk, since it has no Python environment yet
    script = (ROOT / ".ci" / "run").read_text()
    function = re.search(
        r"^command_of_readme\(\) \{.*?^\}", script, re.MULTILINE | re.DOTALL
    ).group()
    for name in ("run", "test"):
        extracted = subprocess.run(
            [shutil.which("bash"), "-c", f"{function}\ncommand_of_readme {name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        marked = README.split(f"<!-- command: {name} -->\n```sh\n")[1]
        assert extracted == marked.partition("```")[0]


def test_the_readme_has_the_exit_codes_of_the_program():
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", README, re.MULTILINE))
    assert set(rows) == {str(int(code)) for code in ExitCode}


def test_the_readme_has_the_margin_and_the_confidence_of_the_program():
    assert f"a {CONFIDENCE * 100:.0f} % interval" in README
    assert f"within {MARGIN * 100:.0f} % of 1" in README


def test_every_link_of_the_documents_leads_somewhere():
    documents = [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        ROOT / "reports/README.md",
    ]
    assert len(documents) > 5
    for document in documents:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document}: {target}"


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "adr"
    decisions = {path.name for path in folder.glob("0*.md")}
    listed = set(re.findall(r"\]\((0[^)]+)\)", (folder / "README.md").read_text()))
    assert decisions == listed


def test_the_examples_of_the_readme_are_experiments(tmp_path):
    examples = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    # the second one adds claims to the first, the third takes the place of detectors
    first, claims, search = examples
    path = tmp_path / "my.yaml"
    path.write_text(first + claims)
    done = command("plan", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 claims to decide" in done.stdout
    geometries = re.search(r"^geometries:.*?(?=^\S)", first, re.MULTILINE | re.DOTALL)
    path.write_text(f"name: my\nkernels: qmap\n{geometries.group()}{search}")
    done = command("validate", str(path))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_workflows_of_the_documentation_name_what_there_is():
    text = (ROOT / "docs" / "ci.md").read_text()
    workflows = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(workflows) == 2
    for workflow in workflows:
        assert YAML(typ="safe").load(workflow)
        # a command goes on in the next line where that begins with an option
        lines = re.sub(r"\n\s+(?=--)", " ", workflow).splitlines()
        used = [line.partition("xpcs-bench ")[2] for line in lines]
        used = [line.split() for line in used if line]
        assert {words[0] for words in used} == {"gate", "export"}
        for verb, *words in used:
            options = {name for each in VERBS[verb].params for name in each.opts}
            asked = {word for word in words if word.startswith("--")}
            assert asked <= options, (verb, asked)


def test_the_program_of_the_readme_runs():
    program = re.search(
        r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    ).group(1)
    shown = program + "print(values.tolist(), backend.name)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", shown],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[0.0, 0.0625, 0.25, 0.5625, 1.0] jax\n", "")


def test_every_configuration_is_valid():
    names = {path.name for path in CONFIGS}
    assert {
        "quickstart.yaml",
        "detectors.yaml",
        "seed_tables.yaml",
        "asv.yaml",
    } <= names
    done = command("validate", *map(str, CONFIGS))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_schema_for_editors_is_current():
    done = command("schema")
    assert done.stdout == (ROOT / "configs" / "experiment.schema.json").read_text(), (
        "Renew it: xpcs-bench schema > configs/experiment.schema.json"
    )
    assert json.loads(done.stdout)["$schema"]


def test_every_configuration_names_the_schema():
    for path in CONFIGS:
        up = "../" * (len(path.relative_to(ROOT / "configs").parts) - 1)
        line = f"# yaml-language-server: $schema={up}experiment.schema.json"
        assert path.read_text().splitlines()[0] == line, path


def test_every_direct_dependency_has_a_floor():
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    listed = [
        *project["dependencies"],
        *(row for rows in extras.values() for row in rows),
    ]
    for requirement in listed:
        if not requirement.startswith("xpcs_bench["):
            assert re.search(r"(>=|==)\d", requirement), requirement


def test_the_classifiers_name_the_supported_versions():
    prefix = "Programming Language :: Python :: "
    named = [
        row.removeprefix(prefix)
        for row in PYPROJECT["project"]["classifiers"]
        if row.startswith(prefix)
    ]
    first, last = named[0], named[-1]
    following = f"3.{int(last.partition('.')[2]) + 1}"
    assert PYPROJECT["project"]["requires-python"] == f">={first},<{following}"
    matrix = (ROOT / "noxfile.py").read_text()
    assert f'PYTHONS = ["{first}", "{last}"]' in matrix
