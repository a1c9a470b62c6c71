import hashlib
from pathlib import Path

import numpy as np
import pytest

from xpcs_bench.config import PROFILES, Experiment, Geometry, Selector
from xpcs_bench.config.load import load_experiment
from xpcs_bench.nexus import Setup, mask_digest, write_setup

KERNEL = "name: x\nkernels: g2_model\n"
DETECTOR = KERNEL + "detectors:\n  - "
GEOMETRY = KERNEL + "geometries:\n  - "
TRANSMISSION = "{kind: transmission, energy_kev: 10, distance_mm: 5000}"
REFLECTION = (
    "{kind: reflection, energy_kev: 10, distance_mm: 3000, incidence_deg: 0.14}"
)


@pytest.fixture
def measured(tmp_path):
    """Write a measured setup beside the experiment's file."""
    mask = np.ones((6, 9), bool)
    mask[2, 3] = False
    setup = Setup((6, 9), 75.0, 12.34, 11600.0, (2.5, 4.0), mask)
    write_setup(tmp_path / "E0173.h5", setup)
    return setup


class TestWhatIsMissingHasADefault:
    def test_the_shortest_experiment(self, load):
        experiment = load(KERNEL).experiment
        assert experiment.matrix.backend == ("numpy", "jax")
        assert experiment.matrix.device == ("cpu",)
        assert experiment.matrix.dtype == ("float64",)
        assert experiment.measure == ("first_call", "steady_state", "parity")
        assert experiment.boundaries == ()
        assert experiment.sampling.model_dump() == {
            "precision": 0.01,
            "max_time_s": 5.0,
            "processes": 3,
            "budget_s": None,
            "min_sample_s": 0.002,
            "warmup_calls": 3,
            "timeout_s": 300.0,
            "memory_limit": None,
        }
        assert experiment.seed == 0
        assert experiment.kernels[0].params == {}

    def test_all_kernels_are_those_that_are_not_named(self, load, catalogue):
        where = "\ndetectors: eiger-4m\ngeometries: " + TRANSMISSION
        chosen = load("name: x\nkernels: all" + where).experiment.kernels
        assert [choice.name for choice in chosen] == list(catalogue.kernels)
        assert all(choice.params == {} for choice in chosen)
        named = "name: x\nkernels: [odd: {fast: true}, all, qmap]"
        chosen = load(named + where).experiment.kernels
        names = [choice.name for choice in chosen]
        assert names == ["odd", "partition", "g2_model", "qmap"]
        assert chosen[0].params == {"fast": (True,)}

    def test_workers_are_set_up_as_the_user_has_it(self, load):
        assert load(KERNEL).experiment.profile == PROFILES["as_user"]

    def test_efficiencies_are_told_where_they_are_asked_for(self, load):
        assert load(KERNEL).experiment.efficiency is False
        assert load(KERNEL + "efficiency: true\n").experiment.efficiency is True
        assert load(KERNEL, "efficiency=true").experiment.efficiency is True

    def test_what_is_compared_is_controlled(self, load):
        assert load(KERNEL).experiment.controls is True
        assert load(KERNEL + "controls: false\n").experiment.controls is False

    def test_boundaries_follow_conversion(self, load, catalogue):
        text = KERNEL + "measure: conversion\n"
        assert load(text).experiment.boundaries == catalogue.boundaries
        named = load(text + "boundaries: to_host_copy\n").experiment
        assert named.boundaries == ("to_host_copy",)
        unused = load(KERNEL + "boundaries: to_host_copy\n").experiment
        assert unused.boundaries == ()

    def test_surfaces_point_north(self, load):
        geometry = load(GEOMETRY + REFLECTION).experiment.geometries[0]
        assert geometry.orientation == "north"

    def test_the_beam_hits_the_middle(self, load):
        geometry = load(GEOMETRY + TRANSMISSION).experiment.geometries[0]
        assert geometry.beam_centre_px is None


class TestShorthands:
    def test_units_are_read(self, load):
        text = (
            "sampling: {precision: 2%, max_time_s: 2 m, min_sample_s: 3 ms, "
            "timeout_s: 1h, memory_limit: 4 GiB}"
        )
        sampling = load(KERNEL + text).experiment.sampling
        assert sampling.precision == pytest.approx(0.02)
        assert sampling.max_time_s == 120
        assert sampling.min_sample_s == pytest.approx(0.003)
        assert sampling.timeout_s == 3600
        assert sampling.memory_limit == 4 * 2**30

    def test_kernels_cross_values_lists_and_sweeps(self, load):
        text = """
name: x
kernels:
  - g2_model:
      model: [single, double]
      q_bins: {from: 16, to: 256, factor: 4}
      delays: 8
  - odd: {lags: [1, 2, 3]}
  - odd: {lags: [[1], [4, 8]], rate: [0.5, null], fast: false}
"""
        kernels = load(text).experiment.kernels
        assert [k.name for k in kernels] == ["g2_model", "odd", "odd"]
        assert kernels[0].params == {
            "model": ("single", "double"),
            "q_bins": (16, 64, 256),
            "delays": (8,),
        }
        assert kernels[1].params == {"lags": ([1, 2, 3],)}
        assert kernels[2].params["lags"] == ([1], [4, 8])
        assert kernels[2].params["rate"] == (0.5, None)

    def test_a_kernel_without_parameters_may_be_left_open(self, load):
        assert (
            load("name: x\nkernels:\n  - g2_model:\n").experiment.kernels[0].params
            == {}
        )

    def test_detectors_in_all_forms(self, load, measured, tmp_path):
        text = """
  - eiger-4m
  - {preset: eiger-4m, name: masked, mask: {rectangles: {rows: [0, 5],
      columns: [1, 2]}}}
  - {shape: [20, 30], pixel_size_um: 55}
  - {name: mine, shape: [20, 30], pixel_size_um: 55.5}
  - {sweep: {from: 256, to: 1024, factor: 2}, pixel_size_um: 75}
  - {from_file: E0173.h5}
  - {name: half, shape: [6, 9], pixel_size_um: 75, mask: {file: E0173.h5}}
"""
        detectors = load(f"{KERNEL}detectors:{text}").experiment.detectors
        assert [d.name for d in detectors] == [
            "eiger-4m", "masked", "20x30", "mine", "256x256", "512x512", "1024x1024",
            "E0173", "half",
        ]  # fmt: skip
        assert detectors[0].shape == detectors[1].shape == (2167, 2070)
        assert detectors[1].mask.rectangles[0].columns == (1, 2)
        assert detectors[5].shape == (512, 512)
        from_file, half = detectors[7:]
        assert from_file.shape == (6, 9)
        assert from_file.pixel_size_um == 75.0
        assert from_file.mask == half.mask
        assert from_file.mask.file is not None
        assert from_file.mask.file.path == str(tmp_path / "E0173.h5")
        assert from_file.mask.file.dataset == "/xpcs/qmap/mask"
        assert from_file.mask.file.sha256 == mask_digest(measured.mask)

    def test_geometries_in_all_forms(self, load, measured):
        text = f"""
  - {TRANSMISSION}
  - {REFLECTION}
  - {{name: mine, kind: transmission, energy_kev: 7.5, distance_mm: 1,
      beam_centre_px: [-3, 4]}}
  - {{from_file: E0173.h5}}
  - {{from_file: E0173.h5, kind: reflection, incidence_deg: 0.2, orientation: west}}
"""
        geometries = load(f"{KERNEL}geometries:{text}").experiment.geometries
        assert [g.name for g in geometries] == [
            "transmission-10keV-5000mm",
            "reflection-10keV-3000mm-0.14deg-north",
            "mine",
            "transmission-12.34keV-11600mm",
            "reflection-12.34keV-11600mm-0.2deg-west",
        ]
        assert geometries[2].beam_centre_px == (-3.0, 4.0)
        assert geometries[3] == Geometry(
            name="transmission-12.34keV-11600mm",
            kind="transmission",
            energy_kev=12.34,
            distance_mm=11600.0,
            beam_centre_px=measured.beam_centre_px,
        )

    def test_rows_of_the_matrix_may_list_values(self, load):
        text = """
matrix:
  device: [cpu, gpu]
  exclude: {backend: numpy, device: [gpu, tpu]}
  include: [{backend: jax, device: gpu, dtype: float32, kernel: g2_model}]
"""
        matrix = load(KERNEL + text).experiment.matrix
        assert matrix.exclude == (
            Selector(backend="numpy", device="gpu"),
            Selector(backend="numpy", device="tpu"),
        )
        assert matrix.include[0].dtype == "float32"

    def test_what_calls_convert_is_nothing_unless_it_is_asked_for(self, load):
        assert load(KERNEL).experiment.matrix.converts == ("nothing",)
        text = """
matrix:
  converts: [nothing, both]
  exclude: {backend: numpy, converts: [input, both]}
  include: [{backend: jax, device: gpu, converts: output}]
"""
        matrix = load(KERNEL + text).experiment.matrix
        assert matrix.converts == ("nothing", "both")
        assert [row.converts for row in matrix.exclude] == ["input", "both"]
        assert matrix.include[0].converts == "output"
        assert load(KERNEL, "matrix.converts=both").experiment.matrix.converts == (
            "both",
        )

    def test_what_is_read_twice_is_measured_the_same(self, load, measured):
        text = f"{KERNEL}detectors: {{from_file: E0173.h5}}\ngeometries: {REFLECTION}\n"
        experiment = load(text).experiment
        again = Experiment.model_validate_json(experiment.model_dump_json())
        assert again == experiment
        assert load(text).experiment == experiment


def test_the_file_travels_with_the_experiment(load, tmp_path):
    loaded = load(KERNEL, "seed=7")
    assert loaded.text == KERNEL
    assert loaded.sha256 == hashlib.sha256(KERNEL.encode()).hexdigest()
    assert loaded.path == tmp_path / "x.yaml"
    assert loaded.experiment.seed == 7


def test_a_relative_path_is_kept_absolute_and_said_as_given(
    tmp_path, monkeypatch, catalogue
):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(KERNEL)
    assert load_experiment("x.yaml", catalogue=catalogue).path == tmp_path / "x.yaml"


def test_the_second_source_of_a_measured_file_is_told(load, measured, tmp_path):
    import h5py

    with h5py.File(tmp_path / "E0173.h5", "r+") as file:
        del file["/xpcs/qmap/energy"]
        file["/entry/instrument/incident_beam/incident_energy"] = 9.5
    file = "{from_file: E0173.h5}"
    text = f"{KERNEL}detectors: {file}\ngeometries: {file}"
    loaded = load(text)
    assert loaded.experiment.geometries[0].energy_kev == 9.5
    assert len(loaded.notes) == 1
    assert "incident_energy" in loaded.notes[0]


def test_the_first_problem_in_the_text_leads_and_the_next_follow(refusal):
    text = KERNEL + "matrix: {backend: [numpi, jacks]}\nmeasure: [parity, parity]"
    lines = refusal(text).splitlines()
    assert lines[0].startswith(
        "x.yaml:3:20: matrix.backend[0]: unknown backend 'numpi'"
    )
    assert lines[1] == "2 more problems:"
    assert lines[2].startswith("  x.yaml:3:27: matrix.backend[1]: ")
    assert lines[3].startswith("  x.yaml:4:19: measure[1]: ")


def test_many_problems_are_counted(refusal):
    text = KERNEL + "measure: [" + ", ".join(f"m{n}" for n in range(20)) + "]"
    lines = refusal(text).splitlines()
    assert lines[1] == "19 more problems:"
    assert lines[-1] == "  and 14 more"
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampling.max_tme_s=5", "unknown key 'max_tme_s'."),
        ("sampling.max_time_s=-5", "-5.0 is out of range. Allowed: more than 0."),
        ("matrix.backend=numpi", "unknown backend 'numpi'."),
        ("matrix.backend=[numpi]", "matrix.backend[0]: unknown backend 'numpi'."),
        ("kernels.0.g2_model.model=singel", "unknown value 'singel'."),
        ("detectors=[eiger-4]", "detectors[0]: unknown detector 'eiger-4'."),
    ],
)
def test_what_is_wrong_with_a_set_value_is_said_of_the_command_line(
    refusal, override, message
):
    assert refusal(KERNEL, override).startswith(f"--set {override}: {message}")


def test_overrides_may_mend_the_file(load):
    text = KERNEL + "sampling: {max_time_s: 5 parsecs}"
    assert load(text, "sampling.max_time_s=5").experiment.sampling.max_time_s == 5


def test_what_is_set_away_does_not_break_the_rows_of_the_matrix(load):
    text = (
        f"{KERNEL}detectors: [eiger-4m, maxipix]\n"
        "matrix: {device: [cpu, gpu], exclude: [{device: gpu, detector: eiger-4m}]}"
    )
    load(text, "matrix.device=[cpu]", "detectors=[maxipix]")


def test_a_mask_of_another_shape_is_refused(refusal, measured):
    message = refusal(DETECTOR + "{preset: maxipix, mask: {file: E0173.h5}}")
    assert message.startswith(
        "x.yaml:4:36: detectors[0].mask.file: the mask has the shape"
    )
    assert "[6, 9]" in message
    assert "[256, 256]" in message


class TestProfiles:
    def test_one_may_be_named(self, load):
        profile = load(KERNEL + "profile: controlled").experiment.profile
        assert profile == PROFILES["controlled"]
        assert (profile.threads, profile.memory, profile.pinned) == (
            1,
            "retained",
            True,
        )

    def test_one_may_be_changed_and_several_threads_are_not_pinned(self, load):
        text = KERNEL + "profile: {base: controlled, threads: 4}"
        profile = load(text).experiment.profile
        assert (profile.name, profile.threads, profile.pinned) == (
            "controlled",
            4,
            False,
        )
        text = KERNEL + "profile: {base: as_user, memory: retained}"
        profile = load(text).experiment.profile
        assert (profile.threads, profile.memory) == (None, "retained")
