"""The policy of a run: what is in it, and how it is laid out."""

import json

import pytest
from advice_scripts import GPU, JAX, NUMPY, problem, record, simple, variant
from making import DETECTOR, GEOMETRY, environment

from xpcs_bench.analysis.advice import advise
from xpcs_bench.backends.policy import load_policy
from xpcs_bench.errors import ConfigError
from xpcs_bench.records import Device
from xpcs_bench.report.policy import make_policy, save_policy


def made(*parts, skips=(), environments=()):
    cases = [case for own, _ in parts for case in own]
    measured = [row for _, own in parts for row in own]
    if environments:
        measured = [
            row.model_copy(update={"environment": environments[0].fingerprint})
            for row in measured
        ]
    found = record(cases, measured, skips, environments)
    return make_policy(found, advise(found))


def test_times_are_those_of_the_record():
    policy = made(simple(geometry=GEOMETRY))
    (series,) = policy.series
    assert (series.kernel, series.geometry, series.dtype) == (
        "toy",
        "transmission",
        "float64",
    )
    (point,) = series.points
    assert (point.size_bytes, point.detector, point.shape) == (1000, "small", (8, 8))
    jax, numpy = point.candidates
    assert (jax.backend, jax.compiles, jax.judgement) == ("jax", True, "faster")
    assert (numpy.backend, numpy.compiles, numpy.judgement) == (
        "numpy",
        False,
        "baseline",
    )
    assert jax.first_call_s.point == pytest.approx(0.1, rel=1e-3)
    assert jax.recompile_s.point == pytest.approx(0.05, rel=1e-3)
    assert numpy.recompile_s is None
    assert jax.cached_s.lower < jax.cached_s.point < jax.cached_s.upper


def test_a_cached_call_is_that_of_the_baseline_times_the_ratio():
    found = record(*simple())
    advice = advise(found)
    (row,) = advice.problems
    jax, numpy = row.ranked
    # as where a busy machine has the two told by different clocks
    off = jax.model_copy(
        update={"cached": jax.cached.model_copy(update={"point": 1.0})}
    )
    row = row.model_copy(update={"ranked": (off, numpy)})
    policy = make_policy(found, advice.model_copy(update={"problems": (row,)}))
    cached = policy.series[0].points[0].candidates[0].cached_s
    assert cached.point == pytest.approx(2e-3, rel=1e-3)
    assert cached.upper == pytest.approx(numpy.cached.point * jax.ratio.upper, rel=1e-3)


def test_words_part_series_and_numbers_are_points_by_size():
    policy = made(
        simple(params={"model": "a", "bins": 3, "fast": True}, labels={"bins": 3}),
        simple(
            params={"model": "a", "bins": 1, "fast": True},
            labels={"bins": 1},
            least_bytes=10,
        ),
        simple(params={"model": "b", "bins": 3, "fast": True}, labels={"model": "b"}),
    )
    assert [(row.params, len(row.points)) for row in policy.series] == [
        ({"model": "a", "fast": True}, 2),
        ({"model": "b", "fast": True}, 1),
    ]
    sizes = [(point.size_bytes, point.numbers) for point in policy.series[0].points]
    assert sizes == [(10, {"bins": 1}), (1000, {"bins": 3})]


def test_types_are_series_of_their_own():
    single = variant("jax", dtype="float32")
    policy = made(simple(), problem({single: {"steady_state": 1e-3}}))
    assert [row.dtype for row in policy.series] == ["float64", "float32"]


def test_what_calls_convert_is_a_series_of_its_own():
    both = variant("jax", converts="both")
    times = {NUMPY: 10e-3, JAX: 1e-3, both: 20e-3}
    policy = made(problem({who: {"steady_state": s} for who, s in times.items()}))
    assert [row.converts for row in policy.series] == ["nothing", "both"]
    ask = {"size": 1000, "calls": 9, "devices": policy.places}
    assert policy.choose("toy", **ask).backend == "jax"
    assert policy.choose("toy", converts="both", **ask).backend == "numpy"


def test_what_has_no_size_is_not_in_it():
    assert made(simple(least_bytes=None)).series == ()


def test_what_was_lost_is_counted():
    large = DETECTOR.model_copy(update={"name": "large"})
    skips = [
        (f"toy/small/{GPU.id}/steady_state", "no GPU"),
        (f"toy/large/{GPU.id}/steady_state", "no GPU"),
        (f"toy/huge/{NUMPY.id}/steady_state", "memory"),
    ]
    policy = made(simple(), simple(detector=large), skips=skips)
    lost = {(row.backend, row.device, row.reason): row.problems for row in policy.lost}
    assert lost == {("jax", "gpu", "no GPU"): 2, ("numpy", "cpu", "memory"): 1}


def test_circumstances_are_those_of_the_workers():
    seen = environment(
        cpu="fast",
        affinity=(0,),
        backend="jax",
        packages={"numpy": "2.0", "jax": "0.9", "matplotlib": "3"},
        devices=(Device(platform="cpu", index=0, name="cpu", memory_bytes=None),),
    )
    of = made(simple(), environments=(seen,)).circumstances
    assert (of.cpu, of.cores) == ("fast", 1)
    assert of.packages == {"numpy": "2.0", "jax": "0.9"}
    assert [(row.backend, row.platform) for row in of.devices] == [("jax", "cpu")]
    # workers that died before they told: what the command saw
    assert made(simple()).circumstances.cores == 2


def test_a_file_is_what_was_made_a_candidate_a_line(tmp_path):
    policy = made(simple(params={"bins": 3}, labels={"bins": 3}))
    path = tmp_path / "policy.json"
    save_policy(policy, path)
    assert load_policy(path) == policy
    lines = path.read_text().splitlines()
    assert sum('"backend": "' in line and "cached_s" in line for line in lines) == 2
    assert json.loads(path.read_text())["schema_version"] == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        save_policy(made(simple()), tmp_path / "nowhere" / "policy.json")


def test_what_it_chooses_is_what_the_run_found():
    choose = made(simple()).choose
    places = [JAX, NUMPY]
    devices = [(row.backend, row.device) for row in places]
    assert choose("toy", 1000, calls=5, devices=devices).backend == "numpy"
    assert choose("toy", 1000, calls=7, devices=devices).backend == "jax"
    fresh = {"fresh": True, "devices": devices}
    assert choose("toy", 1000, calls=12, **fresh).backend == "numpy"
    assert choose("toy", 1000, calls=14, **fresh).backend == "jax"
