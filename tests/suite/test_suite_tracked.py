"""The suite as asv sees it, found and run by asv's own runner.

The real one is looked at; one with the same cases and the least effort is executed.
"""

import math
from pathlib import Path

import pytest
from asv_runner.discovery import disc_benchmarks

from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.kernels.registry import create_kernel, kernel_names
from xpcs_bench.run.wire import Availability
from xpcs_bench.suite import tracked_classes
from xpcs_bench.suite.metrics import METRICS

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "asv.yaml"
LEAST_EFFORT = (
    "detectors={name: tiny, shape: [16, 16], pixel_size_um: 75}",
    "boundaries=[to_host_view]",
    "sampling={precision: 50%, max_time_s: 20 ms, processes: 1, min_sample_s: 200 us}",
)
SMALL_SUITE = f"""
from pathlib import Path
from xpcs_bench.suite import tracked_classes
globals().update(tracked_classes(Path({str(CONFIG)!r}), {LEAST_EFFORT!r}))
"""


@pytest.fixture(scope="module")
def benchmarks():
    return {found.name: found for found in disc_benchmarks(str(ROOT / "benchmarks"))}


@pytest.fixture(scope="module")
def small_suite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite") / "small_benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "suite.py").write_text(SMALL_SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder.parent)
        yield {found.name: found for found in disc_benchmarks(str(folder))}


@pytest.fixture(scope="module")
def availability(small_suite):
    """What asv keeps of ``setup_cache``: asked once for all benchmarks."""
    keys = {found.setup_cache_key for found in small_suite.values()}
    assert len(keys) == 1
    return next(iter(small_suite.values())).do_setup_cache()


def run(benchmark, availability, problem, variant):
    """Do what ``asv run`` does in the process of a benchmark; None for n/a."""
    problems, variants = benchmark.params
    index = problems.index(repr(problem)) * len(variants) + variants.index(
        repr(variant)
    )
    benchmark.set_param_idx(index)
    benchmark.set_cache(availability)
    if benchmark.do_setup():
        return None
    value = benchmark.do_run()
    benchmark.do_teardown()
    return value


def first_problem(benchmark):
    return benchmark.params[0][0].strip("'")


def test_every_kernel_has_a_benchmark_for_every_metric(benchmarks):
    found = {tuple(name.split(".")) for name in benchmarks}
    kernels = {kernel for _, kernel, _ in found}
    assert {module for module, _, _ in found} == {"suite"}
    assert kernels == set(kernel_names())
    for kernel in kernels:
        assert {name for _, of, name in found if of == kernel} == {
            "track_first_call",
            "track_steady_state",
            "track_conversion_to_host_view",
            "track_conversion_host_to_device",
            "track_peak_memory",
            "track_parity",
            "track_counters_flops",
            "track_counters_bytes_accessed",
            "track_counters_temporary_bytes",
            "track_counters_hlo_instructions",
        }


def test_asv_finds_nothing_wrong_with_their_arguments(benchmarks):
    assert all(found.check(str(ROOT / "benchmarks")) for found in benchmarks.values())


def test_parameters_can_be_read(benchmarks):
    for found in benchmarks.values():
        assert found.param_names == ["problem", "variant"]
        problems, variants = found.params
        assert variants == [
            "'numpy/cpu/float64'",
            "'jax/cpu/float64'",
            "'jax/gpu/float64'",
        ]
        assert all(found.name.split(".")[1] in problem for problem in problems)


def test_versions_are_explicit_and_name_the_kernels(benchmarks):
    for found in benchmarks.values():
        kernel = create_kernel(found.name.split(".")[1])
        version, _, metric_version = found.version.rpartition(".")
        assert version == kernel.version
        assert metric_version in {
            metric.version
            for metrics in METRICS.values()
            for metric in metrics.values()
        }


def test_units_are_those_that_asv_scales(benchmarks):
    assert {
        found.name.rpartition(".")[2]: found.unit for found in benchmarks.values()
    } == {
        "track_first_call": "seconds",
        "track_steady_state": "seconds",
        "track_conversion_to_host_view": "seconds",
        "track_conversion_host_to_device": "seconds",
        "track_peak_memory": "bytes",
        "track_parity": "ulp",
        "track_counters_flops": "1",
        "track_counters_bytes_accessed": "bytes",
        "track_counters_temporary_bytes": "bytes",
        "track_counters_hlo_instructions": "1",
    }


@pytest.mark.parametrize("variant", ["numpy/cpu/float64", "jax/cpu/float64"])
@pytest.mark.parametrize(
    "name",
    [
        "track_first_call",
        "track_steady_state",
        "track_conversion_to_host_view",
        "track_peak_memory",
        "track_parity",
    ],
)
def test_a_kernel_runs_in_every_measure(small_suite, availability, name, variant):
    benchmark = small_suite[f"suite.g2_model.{name}"]
    value = run(benchmark, availability, first_problem(benchmark), variant)
    assert math.isfinite(value)


@pytest.mark.parametrize("kernel", ["qmap", "partition"])
def test_every_kernel_runs(small_suite, availability, kernel):
    benchmark = small_suite[f"suite.{kernel}.track_parity"]
    value = run(benchmark, availability, first_problem(benchmark), "jax/cpu/float64")
    assert value is not None


def test_an_absent_device_is_not_applicable_and_says_why(small_suite, capsys):
    benchmark = small_suite["suite.g2_model.track_steady_state"]
    absent = {
        name: Availability(available=True, reason="", version=None, devices=())
        for name in ("numpy", "jax")
    }
    value = run(benchmark, absent, first_problem(benchmark), "jax/gpu/float64")
    assert value is None
    assert "device gpu: none visible to jax" in capsys.readouterr().out


def test_wrong_values_give_a_failure_and_no_number(availability):
    impossible = "tolerances={kernel: g2_model, rtol: 0, atol: 0, reason: impossible}"
    shifted = "matrix={backend: jax, dtype: float32}"
    (g2_model,) = tracked_classes(
        CONFIG,
        (*LEAST_EFFORT, "kernels=g2_model", "measure=parity", impossible, shifted),
    ).values()
    ((problem,), (variant,)) = g2_model.params
    with pytest.raises(CannotMeasure, match=r"g2_model.*parity_failed"):
        g2_model().track_parity(availability, problem, variant)


@pytest.mark.parametrize("of", ["flops", "hlo_instructions"])
def test_a_counter_is_kept_where_there_is_one(small_suite, availability, of):
    benchmark = small_suite[f"suite.g2_model.track_counters_{of}"]
    problem = first_problem(benchmark)
    assert run(benchmark, availability, problem, "jax/cpu/float64") > 1
    assert math.isnan(run(benchmark, availability, problem, "numpy/cpu/float64"))


def test_a_recompile_is_kept_of_what_compiles(availability):
    (tracked,) = tracked_classes(
        CONFIG, (*LEAST_EFFORT, "kernels=g2_model", "measure=recompile")
    ).values()
    assert tracked.track_recompile.unit == "seconds"
    (problem,), variants = tracked.params
    assert not any("numpy" in variant for variant in variants)
    value = tracked().track_recompile(availability, problem, "jax/cpu/float64")
    assert 0 < value < math.inf


def test_a_measure_without_a_number_of_its_own_is_refused():
    with pytest.raises(ConfigError, match="'stages' has no number"):
        tracked_classes(CONFIG, ("measure=[stages]",))
