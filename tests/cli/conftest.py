import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[1] / "plugins"

SOUND = """
name: sound
kernels: [sound]
matrix: {backend: [numpy]}
measure: [steady_state, parity]
controls: false
sampling: {max_time_s: 50 ms, processes: 1, min_sample_s: 100 us}
"""


def variables():
    # whoever tests a checkout that is not installed names it in PYTHONPATH
    places = [str(PLUGINS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(places), "COLUMNS": "100"}


def command(*arguments):
    return [sys.executable, "-m", "xpcs_bench", *map(str, arguments)]


@pytest.fixture
def bench(tmp_path):
    """Run the command in an empty folder, as a user does."""

    def run(*arguments, check=None):
        done = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=variables(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def start(tmp_path):
    """Start the command and leave it running; it is killed at the end of the test."""
    started = []

    def run(*arguments):
        process = subprocess.Popen(
            command(*arguments),
            cwd=tmp_path,
            env=variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def sound(tmp_path):
    """An experiment that is measured in a moment."""
    path = tmp_path / "sound.yaml"
    path.write_text(SOUND)
    return path
