"""What the coverage of NUTS rests on: g2 with its covariance, and the counting."""

import numpy as np
import pytest

from xpcs_bench.kernels.speckle import Speckle

SPECKLE = Speckle(6.0, stretching=1.2, modes=2, mean_counts=2.0)
DELAYS = np.array([1, 2, 4, 8, 16])


@pytest.fixture
def section(load):
    return load("coverage", "nuts_section")


def test_the_covariance_is_the_scatter_of_other_series(section):
    found = [
        section.g2_with_covariance(
            SPECKLE.make_counts(np.random.default_rng(seed), 60, 400), DELAYS
        )
        for seed in range(300)
    ]
    g2, covariances = (np.array(part) for part in zip(*found, strict=True))
    scatter, expected = np.cov(g2.T), covariances.mean(axis=0)
    sd = np.sqrt(np.diag(expected))
    # standard deviations from 300 series are known to 4 %, correlations to 0.06
    np.testing.assert_allclose(np.sqrt(np.diag(scatter)), sd, rtol=0.2)
    apart = scatter / np.outer(sd, sd) - expected / np.outer(sd, sd)
    assert np.abs(apart).max() < 0.25
    # delays of one series share their pixels: they are far from independent
    assert expected[1, 2] / (sd[1] * sd[2]) > 0.5
    # and the mean is the g2 that speckle has
    off = (g2.mean(axis=0) - SPECKLE.g2(DELAYS)) / (sd / np.sqrt(300))
    assert np.abs(off).max() < 5


def test_intervals_that_hold_the_truth_are_counted(section):
    truth = dict.fromkeys(section.NAMES, 1.0)
    lower = dict.fromkeys(section.NAMES, 0.9)
    upper = dict.fromkeys(section.NAMES, 1.1)
    row = {"truth": truth, "lower": lower, "upper": upper}
    above = row | {"lower": lower | {"alpha": 1.01}}
    below = row | {"upper": upper | {"alpha": 0.99}}
    assert section.covered([row])["alpha"] == 1
    counted = section.covered([row, above, row, below])
    assert counted["alpha"] == 0.5
    assert counted["t0"] == 1


def test_a_run_goes_on_from_any_seed(section, monkeypatch):
    monkeypatch.setattr(section, "run_series", lambda seed: {"seed": seed})
    assert [row["seed"] for row in section.run(3, seed0=7)] == [7, 8, 9]
