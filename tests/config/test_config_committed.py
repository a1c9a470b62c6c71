"""The experiments that are committed hold every kernel, without being told of it."""

from pathlib import Path

import pytest

from xpcs_bench.config.load import load_experiment
from xpcs_bench.kernels.registry import KERNELS
from xpcs_bench.run.prepare import catalogue

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("name", ["asv.yaml", "parity.yaml"])
def test_every_kernel_is_in_it(name):
    experiment = load_experiment(CONFIGS / name, catalogue=catalogue()).experiment
    assert KERNELS.keys() <= {choice.name for choice in experiment.kernels}
    text = (CONFIGS / name).read_text()
    assert "all" in text.split("kernels:")[1].split("detectors:")[0].split()


def test_every_kernel_is_in_an_experiment_at_the_size_of_its_use():
    measured = set()
    for path in sorted(CONFIGS.rglob("*.yaml")):
        experiment = load_experiment(path, catalogue=catalogue()).experiment
        if path.name not in {"asv.yaml", "parity.yaml", "smoke.yaml"}:
            measured |= {choice.name for choice in experiment.kernels}
    assert measured >= KERNELS.keys()
