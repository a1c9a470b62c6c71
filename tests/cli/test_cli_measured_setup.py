"""Mask and geometry of a measured file do what the same values in YAML do."""

import numpy as np
import pytest

from xpcs_bench.errors import ExitCode
from xpcs_bench.nexus import Setup, write_setup
from xpcs_bench.run.store import load

COMMON = """
kernels:
  - qmap
  - partition: {q_bins: 5, phi_bins: 3}
matrix: {backend: [numpy, jax]}
measure: [first_call]
sampling: {processes: 1}
"""

FROM_FILE = """
name: measured
detectors: {from_file: measured.h5}
geometries: {from_file: measured.h5}
"""

STATED = """
name: stated
detectors:
  shape: [40, 48]
  pixel_size_um: 75
  mask:
    rectangles:
      - {rows: [18, 22], columns: [0, 48]}
      - {rows: [0, 5], columns: [3, 9]}
geometries:
  kind: transmission
  energy_kev: 10.5
  distance_mm: 4000
  beam_centre_px: [21.5, 10.25]
"""


@pytest.fixture
def measured(tmp_path):
    mask = np.ones((40, 48), dtype=bool)
    mask[18:22, :] = False
    mask[0:5, 3:9] = False
    path = tmp_path / "measured.h5"
    write_setup(
        path,
        Setup(
            shape=mask.shape,
            pixel_size_um=75.0,
            energy_kev=10.5,
            distance_mm=4000.0,
            beam_centre_px=(21.5, 10.25),
            mask=mask,
        ),
    )
    return path


def outputs(bench, tmp_path, name, text):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text + COMMON)
    bench("run", path, check=ExitCode.PASS)
    (run,) = tmp_path.glob(f"reports/{name}-*")
    _, record = load(run)
    assert len(record.measurements) == 4
    cases = {case.id: case for case in record.header.cases}
    return {
        (cases[row.case].kernel, cases[row.case].variant.id): row.observation.outputs
        for row in record.measurements
    }


@pytest.mark.usefixtures("measured")
def test_a_measured_setup_works_like_a_stated_one(bench, tmp_path):
    from_file = outputs(bench, tmp_path, "measured", FROM_FILE)
    # metres and millimetres round-trip exactly for these values: every byte is the same
    assert from_file == outputs(bench, tmp_path, "stated", STATED)
    # and the mask is what makes the partition what it is
    start, stop = STATED.index("  mask:"), STATED.index("geometries:")
    bare = STATED[:start] + STATED[stop:]
    unmasked = outputs(bench, tmp_path, "bare", bare.replace("stated", "bare"))
    for (kernel, variant), digests in from_file.items():
        assert (digests == unmasked[kernel, variant]) == (kernel == "qmap")


def test_a_damaged_file_is_one_message_with_its_place(bench, tmp_path, measured):
    path = tmp_path / "measured.yaml"
    path.write_text(FROM_FILE + COMMON)
    bench("run", path, "-k", "qmap", check=ExitCode.PASS)
    measured.write_bytes(measured.read_bytes()[:500])
    done = bench("run", path, check=ExitCode.USAGE)
    assert "measured.yaml:3:" in done.stderr
    assert "measured.h5" in done.stderr
