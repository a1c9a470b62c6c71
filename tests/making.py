"""Small records, made for tests: what a field is not about has a plain value."""

from xpcs_bench.config import (
    Detector,
    Experiment,
    Geometry,
    KernelChoice,
    Matrix,
    Sampling,
)
from xpcs_bench.records import (
    Agreement,
    Block,
    Case,
    Environment,
    Group,
    Measurement,
    Observation,
    RunHeader,
    Samples,
    Status,
    Variant,
)

DETECTOR = Detector(name="small", shape=(8, 8), pixel_size_um=75.0)
GEOMETRY = Geometry(
    name="saxs",
    kind="transmission",
    energy_kev=10.0,
    distance_mm=5000.0,
    beam_centre_px=(3.5, 3.5),
)


def sampling(**changes):
    values = {
        "precision": 0.01,
        "max_time_s": 1.0,
        "processes": 3,
        "min_sample_s": 0.001,
        "warmup_calls": 2,
        "timeout_s": 60.0,
        "memory_limit": None,
    }
    return Sampling(**(values | changes))


def experiment(**changes):
    values = {
        "name": "made",
        "kernels": (KernelChoice(name="toy", params={}),),
        "detectors": (DETECTOR,),
        "geometries": (),
        "matrix": Matrix(backend=("numpy", "jax"), device=("cpu",), dtype=("float64",)),
        "measure": ("steady_state",),
        "boundaries": (),
        "sampling": sampling(),
        "seed": 0,
    }
    return Experiment(**(values | changes))


def case(backend="numpy", measure="steady_state", **changes):
    values = {
        "kernel": "toy",
        "kernel_version": "1",
        "params": {},
        "labels": {},
        "detector": DETECTOR,
        "geometry": None,
        "variant": Variant(backend=backend, device="cpu", dtype="float64"),
        "measure": measure,
    }
    return Case(**(values | changes))


def group(*cases):
    return Group(
        id=cases[0].group_id,
        reference=cases[0].id,
        cases=tuple(member.id for member in cases),
    )


def samples(*elapsed_ns, inner_loops=1):
    return Samples(
        elapsed_ns=elapsed_ns,
        inner_loops=(inner_loops,) * len(elapsed_ns),
        block=(0,) * len(elapsed_ns),
    )


def agreement(*, passed=True, output="q", against="reference"):
    return Agreement(
        output=output,
        against=against,
        passed=passed,
        reason="within tolerance" if passed else "1 of 64 elements beyond tolerance",
        shape=(8, 8),
        dtype="float64",
        n_compared=64,
        n_beyond=0 if passed else 1,
        max_abs=0.0 if passed else 0.5,
        max_rel=0.0 if passed else 0.25,
        max_ulp=0.0 if passed else 1e15,
        worst_index=(0, 0),
        actual=2.0,
        desired=2.0 if passed else 2.5,
        rtol=1e-15,
        atol=0.0,
        tolerance_reason="stated by the test",
    )


def observation(status=Status.OK, **changes):
    values = {
        "status": status,
        "reason": "" if status is Status.OK else "a reason",
        "blocks": (
            Block(
                started_ns=0,
                wall_ns=1,
                cpu_ns=1,
                run_delay_ns=None,
                involuntary_switches=None,
                minor_faults=None,
            ),
        ),
    }
    return Observation(**(values | changes))


def measurement(of, process=0, **changes):
    """Make a measurement of a case; unknown keywords go to its observation."""
    values = {
        "case": of.id,
        "process": process,
        "environment": None,
        "started": "2026-01-02T03:04:05.000+00:00",
        "wall_s": 2.0,
        "startup_s": 0.5,
        "interleaved": True,
        "log": "",
    }
    own = {key: changes.pop(key) for key in list(changes) if key in values}
    return Measurement(**(values | own), observation=observation(**changes))


def environment(**changes):
    values = {
        "host": "here",
        "cpu": "made",
        "cpu_features": (),
        "cores": 2,
        "affinity": (0, 1),
        "memory_bytes": 2**34,
        "kernel": "Linux",
        "python": "3.11.0",
        "packages": {"numpy": "2.1.0"},
        "backend": None,
        "devices": (),
        "x64": None,
        "variables": {},
        "compilation_cache": None,
        "git_revision": None,
        "git_dirty": None,
    }
    return Environment(**(values | changes))


def header(*cases, skipped=(), **changes):
    groups = {}
    for member in cases:
        groups.setdefault(member.group_id, []).append(member)
    values = {
        "run_id": "made-20260102T030405Z-abcd",
        "name": "made",
        "command": "xpcs-bench run made.yaml",
        "started": "2026-01-02T03:04:05.000+00:00",
        "xpcs_bench": "0.0.0",
        "experiment": experiment(),
        "experiment_path": "made.yaml",
        "experiment_sha256": "0" * 64,
        "plan_digest": "1" * 64,
        "cases": cases,
        "groups": tuple(group(*members) for members in groups.values()),
        "skipped": skipped,
        "parent": environment(),
    }
    return RunHeader(**(values | changes))
