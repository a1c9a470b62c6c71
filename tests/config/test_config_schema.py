import json
from pathlib import Path

import pytest

from xpcs_bench.config.document import parse_document
from xpcs_bench.config.load import load_experiment
from xpcs_bench.config.schema import experiment_schema
from xpcs_bench.run.prepare import catalogue as registered

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

CONFIGS = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))
SCHEMA = Path(__file__).parents[2] / "configs" / "experiment.schema.json"
KERNEL = "name: x\nkernels: g2_model\n"

CLAIM = "claims: {id: c, says: a sentence, source: d, "

GOOD = [
    KERNEL,
    "name: x\nkernels: [g2_model, odd]",
    "name: x\nkernels:\n- g2_model:\n- odd: {lags: [1, 2], rate: [0.5, null]}",
    "name: x\nkernels: {odd: {lags: [[1, 2], [3]], fast: true}}",
    "name: x\nkernels: {g2_model: {q_bins: {from: 1, to: 8, step: 2}, delays: [3]}}",
    KERNEL.replace("g2_model", "[g2_model, all]")
    + "detectors: eiger-4m\ngeometries: {kind: transmission, energy_kev: 10, "
    "distance_mm: 5000}",
    KERNEL + "detectors: eiger-4m",
    KERNEL + "detectors: [eiger-4m, {shape: [4, 5], pixel_size_um: 75}]",
    KERNEL + "detectors: {sweep: {from: 8, to: 64, factor: 2}, pixel_size_um: 75}",
    KERNEL + "detectors: {preset: maxipix, mask: {rectangles: {rows: [0, 1], "
    "columns: [0, 1]}}}",
    KERNEL + "geometries: {kind: transmission, energy_kev: 10, distance_mm: 5000, "
    "beam_centre_px: [1.5, -2]}",
    KERNEL + "geometries: {kind: reflection, energy_kev: 10, distance_mm: 5000, "
    "incidence_deg: 0.14, orientation: west}",
    KERNEL + "matrix: {backend: numpy, device: [cpu, gpu], dtype: float32, "
    "exclude: {backend: [numpy, jax], device: gpu, measure: parity}, "
    "include: [{backend: jax, device: gpu}]}",
    KERNEL + "measure: [conversion]\nboundaries: [to_host_copy]",
    KERNEL + "sampling: {precision: 1%, max_time_s: 5 s, processes: 3, min_sample_s: "
    "2 ms, warmup_calls: 1, timeout_s: 1h, memory_limit: 4 GiB}",
    KERNEL + "sampling: {precision: 0.01, max_time_s: 5, memory_limit: null}",
    KERNEL + "tolerances: {kernel: qmap, rtol: 1e-9, atol: 0, reason: shown}\nseed: 3",
    KERNEL + "efficiency: true",
    KERNEL + CLAIM + "metric: first_call, expect: {about: 200 ms, within: 3}}",
    KERNEL + CLAIM + "where: {kernel: g2_model, params: {q_bins: 1}, device: gpu}, "
    "ratio: {metric: steady_state, of: {backend: numpy}, over: {backend: jax}}, "
    "expect: {between: [10, 100]}}",
    KERNEL + CLAIM + "ratio: {of: first_call, over: steady_state}, "
    "expect: {at_least: 1, at_most: 2}}",
    KERNEL + CLAIM + "metric: parity, expect: {agrees: false}}",
]

BAD = [
    "kernels: g2_model",
    "name: a b\nkernels: g2_model",
    "name: x\nkernels: g2model",
    "name: x\nkernels: []",
    "name: x\nkernels:\n- g2_model:\n  q_bins: 3",
    "name: x\nkernels: {g2_model: {q_bin: 3}}",
    "name: x\nkernels: {g2_model: {model: singel}}",
    "name: x\nkernels: {g2_model: {q_bins: 0}}",
    "name: x\nkernels: {g2_model: {q_bins: '8'}}",
    "name: x\nkernels: {g2_model: {q_bins: {from: 1, factor: 2}}}",
    KERNEL + "sede: 3",
    KERNEL + "seed: 1.5",
    KERNEL + CLAIM + "metric: first_call}",
    KERNEL + CLAIM + "metric: first_call, expect: {abuot: 1 s}}",
    KERNEL + CLAIM + "metric: first_call, where: {kernel: nothing}, "
    "expect: {about: 1 s}}",
    KERNEL + CLAIM + "behaviour: nothing, expect: {fails: true}}",
    KERNEL + "efficiency: 'yes'",
    KERNEL + "detectors: eiger-4",
    KERNEL + "detectors: {shape: [4], pixel_size_um: 75}",
    KERNEL + "detectors: {shape: [4, 0], pixel_size_um: 75}",
    KERNEL + "detectors: {shape: [4, 5], pixel_size_um: 75 um}",
    KERNEL + "detectors: {preset: eiger-4}",
    KERNEL + "geometries: {kind: transmision, energy_kev: 10, distance_mm: 1}",
    KERNEL + "geometries: {kind: transmission, energy_kev: 10 keV, distance_mm: 1}",
    KERNEL + "geometries: {kind: transmission, energy_kev: 10, distance_mm: 0}",
    KERNEL + "geometries: {kind: transmission, energy_kev: 10, distance_mm: 1, "
    "beam_centre_px: [1]}",
    KERNEL + "geometries: {kind: transmission, energy_kev: 10, distance_mm: 1, "
    "incidence_deg: 0.1}",
    KERNEL + "geometries: {kind: reflection, energy_kev: 10, distance_mm: 1}",
    KERNEL + "matrix: {backend: []}",
    KERNEL + "matrix: {backend: cupy}",
    KERNEL + "matrix: {device: gup}",
    KERNEL + "measure: first-call",
    KERNEL + "boundaries: hdf6",
    KERNEL + "sampling: {max_time_s: 5 min}",
    KERNEL + "sampling: {max_time_s: 0}",
    KERNEL + "sampling: {precision: 2}",
    KERNEL + "tolerances: {kernel: qmap, rtol: 1, atol: 0}",
]


@pytest.fixture(scope="module")
def schema(catalogue):
    return experiment_schema(catalogue)


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


def test_it_is_a_schema_of_its_dialect(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_validates(validator, load, text):
    load(text)
    validator.validate(parse_document(text, "x.yaml").data)


@pytest.mark.parametrize("text", BAD)
def test_what_one_value_gets_wrong_is_seen_by_editor_and_loader(
    validator, refusal, text
):
    refusal(text)
    assert not validator.is_valid(parse_document(text, "x.yaml").data)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_the_experiments_of_this_project_load_and_validate(path):
    catalogue = registered()
    validator = jsonschema.Draft202012Validator(experiment_schema(catalogue))
    text = path.read_text(encoding="utf-8")
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SCHEMA
    data = parse_document(text, path.name).data
    validator.validate(data)
    experiment = load_experiment(path, catalogue=catalogue).experiment
    # what lies in a folder is named after both
    names = {path.stem, f"{path.parent.name}_{path.stem}"}
    assert experiment.name.replace("-", "_") in names


def test_the_experiments_of_this_project_are_there():
    names = {path.stem for path in CONFIGS}
    assert names >= {"quickstart", "detectors", "seed_tables", "parity", "smoke"}


def test_docstrings_and_defaults_explain_every_key(schema):
    def unexplained(part, path):
        for key, value in part.get("properties", {}).items():
            if (
                value is not False
                and "$ref" not in value
                and "description" not in value
            ):
                yield f"{path}.{key}"

    bare = list(unexplained(schema, ""))
    for name, part in schema["$defs"].items():
        bare += unexplained(part, name)
    assert not bare
    kernels = schema["properties"]["kernels"]["anyOf"][0]["anyOf"][1]["properties"]
    assert kernels["odd"]["description"].startswith("Parameters of the kinds")
    params = kernels["g2_model"]["anyOf"][0]["properties"]
    assert params["q_bins"]["description"] == "Curves."
    assert params["q_bins"]["default"] == 50


def test_all_names_of_the_catalogue_are_offered(schema, catalogue):
    text = json.dumps(schema)
    for name in (*catalogue.kernels, *catalogue.backends, *catalogue.boundaries):
        assert f'"{name}"' in text
