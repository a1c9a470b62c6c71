import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.config.crossover import MAX_SIZES, fixed_grid, lattice
from xpcs_bench.errors import ConfigError

DETECTOR = """\
name: x
kernels: qmap
geometries: {kind: transmission, energy_kev: 10, distance_mm: 5000}
crossover: {axis: detector, from: 16, to: 64, pixel_size_um: 75}
"""
DELAYS = """\
name: x
kernels: [g2_model: {model: [single, double]}]
crossover: {axis: delays, from: 16, to: 64, width: 20%}
"""


def test_a_lattice_of_detectors_is_made_of_the_range(load):
    experiment = load(DETECTOR).experiment
    search = experiment.crossover
    assert search.sizes[0] == 16
    assert search.sizes[-1] == 64
    assert [d.shape for d in experiment.detectors] == [(n, n) for n in search.sizes]
    assert {d.pixel_size_um for d in experiment.detectors} == {75.0}
    assert (search.width, search.confidence) == (0.1, 0.95)
    # nothing else is asked for, and a search is one of cached calls
    assert experiment.measure == ("steady_state",)


def test_the_sizes_of_a_parameter_are_crossed_with_the_others(load):
    experiment = load(DELAYS).experiment
    (choice,) = experiment.kernels
    assert choice.params["delays"] == experiment.crossover.sizes
    assert choice.params["model"] == ("single", "double")
    assert experiment.crossover.width == pytest.approx(0.2)


def test_values_alone_are_checked_at_every_size_and_nothing_is_searched(load):
    experiment = load(DELAYS, "measure=[parity]").experiment
    assert experiment.crossover is None
    assert len(experiment.kernels[0].params["delays"]) > 5


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        (
            DETECTOR + "detectors: eiger-4m",
            "x.yaml:5:1: detectors:",
            "those of 'crossover'. Remove this key",
        ),
        (
            DELAYS.replace("[single, double]", "single, delays: 8"),
            "x.yaml:2:37: kernels[0].g2_model.delays:",
            "the sizes of 'delays' are those of 'crossover'",
        ),
        (
            DELAYS.replace("axis: delays", "axis: delay"),
            "x.yaml:3:19: crossover.axis:",
            "Did you mean 'delays'?",
        ),
        (
            DELAYS.replace("axis: delays", "axis: model"),
            "x.yaml:3:19: crossover.axis:",
            "whole number of the kernel 'g2_model'",
        ),
        (
            DELAYS.replace("kernels: [", "kernels: [odd, "),
            "x.yaml:3:19: crossover.axis:",
            "whole number of the kernel 'odd'",
        ),
        (
            DETECTOR.replace("qmap", "[qmap, g2_model]"),
            "x.yaml:2:17: kernels[1]:",
            "whose axis is one of its whole numbers: 'q_bins', 'delays'",
        ),
        (
            DETECTOR.replace(", pixel_size_um: 75", ""),
            "x.yaml:4:12: crossover:",
            "Add 'pixel_size_um'",
        ),
        (
            DELAYS.replace("width: 20%", "pixel_size_um: 75"),
            "x.yaml:3:45: crossover.pixel_size_um:",
            "belongs to the axis 'detector'",
        ),
        (
            DELAYS.replace("from: 16", "from: 64"),
            "x.yaml:3:12: crossover:",
            "goes from 64 to 64",
        ),
        (
            DELAYS.replace("to: 64", "to: 1e9"),
            "x.yaml:3:41: crossover.to:",
            "",
        ),
        (
            DELAYS.replace("to: 64", "to: 20000"),
            "x.yaml:3:41: crossover.to:",
            "at most 10000",
        ),
        (
            DETECTOR.replace("to: 64", "to: 100000"),
            "x.yaml:4:43: crossover.to:",
            "too many pixels",
        ),
        (
            DELAYS.replace("20%", "0.01%").replace("to: 64", "to: 9000"),
            "x.yaml:3:12: crossover:",
            f"more than {MAX_SIZES} sizes",
        ),
        (
            DELAYS + "measure: first_call",
            "x.yaml:4:10: measure:",
            "Add steady_state",
        ),
        (
            DELAYS.replace("axis: delays, ", ""),
            "x.yaml:3:12: crossover:",
            "the key 'axis' is missing",
        ),
    ],
)
def test_what_does_not_go_with_a_search_is_refused(refusal, text, where, says):
    message = refusal(text)
    assert message.startswith(where), message
    assert says in message


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.02, 0.9))
def test_neighbours_of_a_grid_are_as_near_as_asked(first, more, width):
    last = first + more
    sizes = fixed_grid(first, last, width)
    assert sizes[0] == first
    assert sizes[-1] == last
    for lower, upper in pairwise(sizes):
        assert lower < upper
        assert upper <= lower * (1 + width) * (1 + 1e-9) or upper == lower + 1


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.05, 0.9))
def test_two_steps_of_a_lattice_are_one_width(first, more, width):
    sizes = lattice(first, first + more, width)
    for lower, upper in zip(sizes, sizes[2:], strict=False):
        assert upper <= lower * (1 + width) * (1 + 1e-9) or upper == lower + 2


def test_a_grid_of_two_doublings_has_as_many_sizes_as_the_width_asks():
    assert len(fixed_grid(1000, 4000, 0.1)) == 1 + math.ceil(
        math.log(4) / math.log(1.1)
    )
    with pytest.raises(ConfigError, match="larger width"):
        lattice(1, 10**6, 0.001)
