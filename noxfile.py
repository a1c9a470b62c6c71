"""The matrix of supported versions: ``nox -s matrix``.

Oldest and newest Python, each with the oldest dependencies that pyproject.toml allows
and with the newest there are. Continuous integration runs the default Python with the
newest (``.ci/run``); run the matrix when a floor moves and before a release. uv finds
the interpreters on PATH, and downloads those that are not there.
"""

from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["matrix"]

PYTHONS = ["3.11", "3.13"]
RESOLUTIONS = ["lowest-direct", "highest"]
"""Direct dependencies at their floors, and everything at its newest."""


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", RESOLUTIONS)
def matrix(session: nox.Session, resolution: str) -> None:
    """Install with one resolution, run the tests, then measure the quickstart."""
    session.install("--resolution", resolution, "--editable", ".[test]")
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs)
    reports = Path(session.create_tmp()) / "reports"
    session.run("xpcs-bench", "run", "configs/quickstart.yaml", "--out", str(reports))
