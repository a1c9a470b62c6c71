"""Whatever stands in a file, it loads or is refused in the words of this package."""

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.config.load import load_experiment
from xpcs_bench.errors import ConfigError

GOOD = {
    "name": "x",
    "kernels": [
        "qmap",
        {"g2_model": {"model": ["single"], "q_bins": {"from": 1, "to": 8, "step": 2}}},
        {"odd": {"lags": [[1]], "rate": 2.0, "fast": True}},
    ],
    "detectors": [
        "maxipix",
        {
            "name": "m",
            "shape": [8, 9],
            "pixel_size_um": 75,
            "mask": {"rectangles": [{"rows": [0, 1], "columns": [0, 1]}]},
        },
        {"sweep": {"from": 8, "to": 64, "factor": 2}, "pixel_size_um": 7},
    ],
    "geometries": [
        {
            "kind": "reflection",
            "energy_kev": 10,
            "distance_mm": 50,
            "incidence_deg": 1,
            "orientation": "north",
            "beam_centre_px": [1, 2],
        }
    ],
    "matrix": {
        "backend": ["numpy"],
        "device": "cpu",
        "dtype": ["float64"],
        "exclude": [{"backend": "numpy", "device": ["gpu"]}],
        "include": [{"backend": "jax", "device": "gpu"}],
    },
    "measure": ["parity", "conversion"],
    "boundaries": ["to_host_view"],
    "sampling": {
        "precision": "1%",
        "max_time_s": 5,
        "processes": 3,
        "min_sample_s": 0.01,
        "warmup_calls": 1,
        "timeout_s": "1 m",
        "memory_limit": "4 GiB",
    },
    "tolerances": [{"kernel": "qmap", "rtol": 0.1, "atol": 0, "reason": "r"}],
    "claims": [
        {
            "id": "c",
            "says": "s",
            "source": "d",
            "where": {"kernel": "g2_model", "params": {"q_bins": 1}, "device": "gpu"},
            "ratio": {
                "metric": "conversion",
                "of": {"backend": "numpy", "dtype": "float64"},
                "over": {"backend": "jax", "boundary": "to_host_view"},
            },
            "expect": {"about": 10, "within": 2},
        },
        {
            "id": "d",
            "says": "s",
            "source": "d",
            "metric": "conversion",
            "expect": {"between": ["1 ms", 2]},
        },
        {
            "id": "e",
            "says": "s",
            "source": "d",
            "behaviour": "works",
            "expect": {"shows": {"type": "f", "n": {"at_least": 1}}},
        },
    ],
    "seed": 0,
}


def paths(value, path=()):
    """Yield the path of every part of the data."""
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in parts:
        if isinstance(inner, (dict, list)):
            yield from paths(inner, (*path, key))
        else:
            yield (*path, key)


def set_in(data, path, value):
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


VALUES = st.sampled_from(
    [
        None, True, 0, -1, 10**18, 1.5, 1e308, -1e-320, "", "x", "5 m", "1e400", "é",
        [], {}, [[]], [None], [1, 2, 3], ["x", "x"], {"a": {"b": [1]}}, {"from": 1},
        {"from": 1, "to": 10**18, "factor": 10}, {"from": 1, "to": 9, "step": 1e-300},
        {"from_file": ""}, {"from_file": "\0"}, {"from_file": "x" * 5000},
        {"file": "\0"}, {"file": "."}, ["eiger-4m"], "x" * 5000, [0] * 5000,
    ]
)  # fmt: skip


@pytest.fixture(scope="session")
def catalogue(catalogue):
    return replace(catalogue, behaviours={"works": ("type", "n")})


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("any") / "x.yaml"


def test_the_file_that_is_changed_is_good(file, catalogue):
    file.write_text(json.dumps(GOOD))
    load_experiment(file, catalogue=catalogue)


@given(path=st.sampled_from(list(paths(GOOD))), value=VALUES)
def test_any_value_loads_or_is_refused_in_our_words(file, catalogue, path, value):
    data = copy.deepcopy(GOOD)
    set_in(data, path, value)
    file.write_text(json.dumps(data))
    try:
        said = load_experiment(file, catalogue=catalogue).experiment.name
    except ConfigError as error:
        said = str(error)
        assert said.startswith(f"{file}:1:"), said
        assert len(said) < 8000, said
    assert "cannot be used:" not in said, said
    assert "pydantic" not in said
