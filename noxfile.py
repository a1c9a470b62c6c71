"""The matrix of supported versions: ``nox -s matrix``.

Oldest and newest Python, each with the oldest dependencies that pyproject.toml allows
and with the newest there are. Continuous integration runs the default Python with the
newest (``.ci/run``); run the matrix when a floor moves and before a release. uv finds
the interpreters on PATH, and downloads those that are not there.

``nox -s without-jax`` runs what must work where jax is not installed, in an environment
where it is not; continuous integration runs it too.
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
WITH_JAX = ("jax", "numpyro")
"""How the requirements begin that a program on NumPy alone does without."""


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", RESOLUTIONS)
def matrix(session: nox.Session, resolution: str) -> None:
    """Install with one resolution, run the tests, then measure the quickstart."""
    session.install("--resolution", resolution, "--editable", ".[test]")
    # the same drawn examples in every session: only the versions differ
    drawn = {"CI": "true"}
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs, env=drawn)
    reports = Path(session.create_tmp()) / "reports"
    # 3: its controls say that this machine is too restless to compare, which is no
    # fault of any version
    command = ("xpcs-bench", "run", "configs/quickstart.yaml", "--out", str(reports))
    session.run(*command, success_codes=[0, 3])


@nox.session(name="without-jax")
def without_jax(session: nox.Session) -> None:
    """Install everything but jax and what needs it, and run the tests of that."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    kept = [
        requirement
        for requirement in (
            *project["dependencies"],
            *project["optional-dependencies"]["test"],
        )
        if not requirement.startswith(WITH_JAX)
    ]
    session.install(*kept)
    session.install("--no-deps", "--editable", ".")
    session.run("python", "-c", "import jax", success_codes=[1], silent=True)
    session.run("python", "-m", "pytest", "tests/test_without_jax.py")
