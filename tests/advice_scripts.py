"""Scripted runs for advice: what each variant took is written down."""

from making import case, experiment, header, measurement, samples

from xpcs_bench.analysis.summary import summarise
from xpcs_bench.config import Matrix
from xpcs_bench.records import (
    Accounting,
    Environment,
    RunRecord,
    Skip,
    Status,
    Variant,
)

PROCESSES = 4
ACCOUNTING = Accounting(
    wall_s=1.0,
    measuring_s=0.9,
    startup_s=0.1,
    measuring_share=0.9,
    overhead_ns_per_sample=None,
)


def variant(backend, device="cpu", dtype="float64", **changes):
    return Variant(backend=backend, device=device, dtype=dtype, **changes)


NUMPY, JAX, GPU = variant("numpy"), variant("jax"), variant("jax", "gpu")


def rows(of, seconds, spread=0.001, **changes):
    """Make the measurements of a case that takes so long, give or take a part."""
    found = []
    for process in range(PROCESSES):
        value = seconds * (1 + spread * (process - 1.5))
        told = {"value": value}
        if of.measure == "steady_state":
            told = {"samples": samples(*[round(value * 1e9)] * 12)}
        if of.variant.backend != "numpy":
            told["n_traces"] = 1
        found.append(measurement(of, process, **(told | changes)))
    return found


def problem(times, spread=0.001, **changes):
    """Make cases and measurements of one problem: seconds by variant and measure."""
    cases, measured = [], []
    for who, measures in times.items():
        for measure, seconds in measures.items():
            own = {"variant": who, "least_bytes": 1000} | changes
            cases.append(case(measure=measure, **own))
            measured += rows(cases[-1], seconds, spread)
    return cases, measured


def record(cases, measured, skips=(), environments=(), **changes):
    """Make the record of cases and measurements, with its summary."""
    head = header(
        *cases,
        skipped=tuple(Skip(case=name, reason=reason) for name, reason in skips),
        experiment=experiment(
            matrix=Matrix(
                backend=("numpy", "jax"),
                device=("cpu", "gpu"),
                dtype=("float64", "float32"),
            )
        ),
        **changes,
    )
    seen: dict[str, Environment] = {row.fingerprint: row for row in environments}
    return RunRecord(
        header=head,
        status="complete",
        finished=head.started,
        accounting=ACCOUNTING,
        environments=seen,
        measurements=tuple(measured),
        summary=summarise(head.cases, head.groups, measured),
    )


def simple(numpy_s=10e-3, jax_s=2e-3, first_s=0.1, again_s=0.05, **changes):
    """Make the record of one problem: NumPy, and JAX that compiles."""
    numpy_times = {"steady_state": numpy_s, "first_call": numpy_s}
    jax_times = {"steady_state": jax_s, "first_call": first_s, "recompile": again_s}
    return problem({NUMPY: numpy_times, JAX: jax_times}, **changes)


def failed(of, reason="1 of 64 elements beyond tolerance"):
    return [measurement(of, 0, status=Status.PARITY_FAILED, reason=reason)]
