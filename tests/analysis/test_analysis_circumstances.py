"""What runs do not share, field by field, and whether their times mix for it."""

import pytest
from making import environment, experiment, sampling
from stored_runs import JAX, NUMPY, stored, timed

from xpcs_bench.analysis.circumstances import differences
from xpcs_bench.config import PROFILES, Experiment, Profile, Sampling, ToleranceOverride
from xpcs_bench.records import Device, Environment

CPU = Device(platform="cpu", index=0, name="cpu", memory_bytes=None)
GPU = Device(platform="gpu", index=0, name="H200", memory_bytes=2**37)

# field, values of both sides, name and words of what is told, and what it does to times
WORKERS = [
    ("host", "a", "b", ("host", "a", "b"), "incomparable"),
    ("cpu", "old", "new", ("cpu", "old", "new"), "incomparable"),
    (
        "cpu_features",
        ("avx", "fma"),
        ("avx", "avx2"),
        ("cpu features", "fma", "avx2"),
        "incomparable",
    ),
    ("cores", 2, 4, ("cores", "2", "4"), "incomparable"),
    ("affinity", (0,), (0, 1), ("usable cores", "1", "2"), "incomparable"),
    ("affinity", (0,), (1,), ("core numbers", "0", "1"), "harmless"),
    (
        "memory_bytes",
        2**34,
        None,
        ("memory", "16.0 GiB", "none"),
        "harmless",
    ),
    (
        "kernel",
        "Linux 6.1",
        "Linux 6.2",
        ("operating system", "Linux 6.1", "Linux 6.2"),
        "incomparable",
    ),
    ("python", "3.11.0", "3.12.0", ("python", "3.11.0", "3.12.0"), "incomparable"),
    (
        "packages",
        {"numpy": "2.1.0"},
        {"numpy": "2.2.0"},
        ("package numpy", "2.1.0", "2.2.0"),
        "incomparable",
    ),
    (
        "packages",
        {},
        {"jaxlib": "0.6.0"},
        ("package jaxlib", "none", "0.6.0"),
        "incomparable",
    ),
    ("backend", "numpy", None, ("backend", "numpy", "none"), "incomparable"),
    (
        "devices",
        (CPU,),
        (GPU.model_copy(update={"memory_bytes": None}),),
        ("devices", "cpu 0: cpu", "gpu 0: H200"),
        "incomparable",
    ),
    (
        "devices",
        (GPU,),
        (GPU.model_copy(update={"memory_bytes": 2**36}),),
        ("device memory", "128 GiB", "64.0 GiB"),
        "harmless",
    ),
    ("x64", True, False, ("64-bit types of jax", "True", "False"), "incomparable"),
    (
        "variables",
        {"XLA_FLAGS": "--a"},
        {},
        ("variable XLA_FLAGS", "--a", "none"),
        "incomparable",
    ),
    (
        "variables",
        {},
        {"MALLOC_TOP_PAD_": "1"},
        ("variable MALLOC_TOP_PAD_", "none", "1"),
        "incomparable",
    ),
    (
        "compilation_cache",
        "off",
        "on: from 0 s",
        ("compilation cache", "off", "on: from 0 s"),
        "incomparable",
    ),
    ("git_revision", "a" * 40, "b" * 40, ("revision", "a" * 12, "b" * 12), "compared"),
]
IN_TWO = {
    # together with the revision
    "git_dirty"
}


def between(one, other, cases=(NUMPY,)):
    return differences(one, other, cases)


def in_environment(**changes):
    where = environment(**changes)
    return stored((NUMPY,), timed(NUMPY, 100, 100, where=where), (where,))


@pytest.mark.parametrize(("field", "one", "other", "said", "bearing"), WORKERS)
def test_each_circumstance_of_a_worker_is_told(field, one, other, said, bearing):
    found = between(in_environment(**{field: one}), in_environment(**{field: other}))
    # other cores are other numbers, too
    (row,) = [each for each in found if each.name == said[0]]
    assert len(found) == (2 if said[0] == "usable cores" else 1)
    assert (row.baseline, row.candidate) == said[1:]
    assert row.bearing == bearing
    assert row.backends == ("numpy",)


def test_uncommitted_changes_are_a_revision_of_their_own():
    clean = in_environment(git_revision="a" * 40, git_dirty=False)
    dirty = in_environment(git_revision="a" * 40, git_dirty=True)
    (row,) = between(clean, dirty)
    assert row.candidate == "a" * 12 + " with changes"
    assert row.bearing == "compared"


def test_no_circumstance_is_forgotten():
    assert {row[0] for row in WORKERS} | IN_TWO == set(Environment.model_fields)


def asked(**changes):
    return stored((NUMPY,), timed(NUMPY, 100), experiment=experiment(**changes))


CONTROLLED = PROFILES["controlled"]
PROFILE = [
    ("threads", 2, "incomparable"),
    ("memory", "system", "incomparable"),
    ("pinned", False, "incomparable"),
    ("programs", "kept", "incomparable"),
    # the name says nothing that its settings do not
    ("name", "as_user", "harmless"),
    # how workers did start is told of each case
    ("start", "spawned", "harmless"),
]


@pytest.mark.parametrize(("field", "value", "bearing"), PROFILE)
def test_a_profile_is_its_settings(field, value, bearing):
    other = CONTROLLED.model_copy(update={field: value})
    (row,) = between(asked(profile=CONTROLLED), asked(profile=other))
    assert (row.name, row.candidate) == (f"profile.{field}", str(value))
    assert (row.bearing, row.backends) == (bearing, ())


def test_no_setting_of_a_profile_is_forgotten():
    assert {row[0] for row in PROFILE} == set(Profile.model_fields)


EFFORT = {
    "precision": 0.05,
    "max_time_s": 2.0,
    "processes": 5,
    "budget_s": 60.0,
    "min_sample_s": 0.01,
    "warmup_calls": 3,
    "timeout_s": 90.0,
    "memory_limit": 2**30,
}


@pytest.mark.parametrize(("field", "value"), EFFORT.items())
def test_effort_is_harmless(field, value):
    (row,) = between(asked(), asked(sampling=sampling(**{field: value})))
    assert (row.name, row.bearing) == (f"sampling.{field}", "harmless")


def test_no_effort_is_forgotten():
    assert set(EFFORT) == set(Sampling.model_fields)


LOOSER = ToleranceOverride(kernel="toy", rtol=1e-6, atol=0.0, reason="a test")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 1),
        ("controls", True),
        ("efficiency", True),
        ("tolerances", (LOOSER,)),
    ],
)
def test_what_else_was_asked_is_harmless(field, value):
    (row,) = between(asked(), asked(**{field: value}))
    assert (row.name, row.bearing) == (field, "harmless")


def test_no_part_of_an_experiment_is_forgotten():
    told = {"profile", "sampling", "seed", "controls", "efficiency", "tolerances"}
    # what is measured: cases hold it, and they are compared one by one
    work = {"name", "kernels", "detectors", "geometries", "matrix", "measure"}
    work |= {"boundaries", "claims", "crossover", "gate"}
    assert told | work == set(Experiment.model_fields)


def test_a_version_of_this_package_is_what_is_compared():
    rows = timed(NUMPY, 100)
    one = stored((NUMPY,), rows, xpcs_bench="0.1.0")
    (row,) = between(one, stored((NUMPY,), rows, xpcs_bench="0.2.0"))
    assert (row.name, row.bearing) == ("xpcs_bench", "compared")


def test_how_workers_started_is_told_by_case():
    one = stored((NUMPY,), timed(NUMPY, 100))
    rows = [row.model_copy(update={"start": "forked"}) for row in timed(NUMPY, 100)]
    other = stored((NUMPY,), rows)
    (row,) = between(one, other)
    assert (row.name, row.baseline, row.candidate, row.bearing) == (
        "start of workers",
        "spawned",
        "forked",
        "incomparable",
    )


def test_nothing_differs_between_a_run_and_itself():
    assert between(in_environment(), in_environment()) == ()


def test_the_worst_is_said_first():
    found = between(
        in_environment(git_revision="a" * 40, memory_bytes=1, host="a"),
        in_environment(git_revision="b" * 40, memory_bytes=2, host="b"),
    )
    assert [row.bearing for row in found] == ["incomparable", "compared", "harmless"]


def test_what_only_other_cases_had_does_not_count():
    there = environment(host="there")
    rows = timed(NUMPY, 100), timed(JAX, 50)
    one = stored((NUMPY, JAX), [*rows[0], *rows[1]])
    other = stored(
        (NUMPY, JAX),
        [*rows[0], *timed(JAX, 50, where=there)],
        (environment(), there),
    )
    assert between(one, other, (NUMPY,)) == ()
    (row,) = between(one, other, (NUMPY, JAX))
    assert (row.name, row.backends) == ("host", ("jax",))


def test_one_difference_of_two_backends_is_told_once():
    there = environment(host="there")
    one = stored((NUMPY, JAX), [*timed(NUMPY, 100), *timed(JAX, 50)])
    rows = [*timed(NUMPY, 100, where=there), *timed(JAX, 50, where=there)]
    (row,) = between(one, stored((NUMPY, JAX), rows, (there,)), (NUMPY, JAX))
    assert row.backends == ("jax", "numpy")


def test_a_worker_that_died_before_it_told_differs_in_nothing():
    silent = [row.model_copy(update={"environment": None}) for row in timed(NUMPY, 100)]
    assert between(in_environment(host="a"), stored((NUMPY,), silent)) == ()


def test_cores_that_processes_take_in_turn_are_no_difference_but_in_number():
    ones = [environment(affinity=(core,)) for core in (0, 1)]

    def pinned(*cores):
        rows = [
            row
            for process, core in enumerate(cores)
            for row in timed(NUMPY, *[100] * (process + 1), where=ones[core])[process:]
        ]
        return stored((NUMPY,), rows, ones)

    assert between(pinned(0, 1), pinned(1, 0, 1)) == ()
    (row,) = between(pinned(0, 1), pinned(0))
    assert (row.name, row.baseline, row.bearing) == (
        "core numbers",
        "0 or 1",
        "harmless",
    )
